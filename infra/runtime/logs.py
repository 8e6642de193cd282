"""Logs: one JSON object per line on standard output, which the supervisor rotates."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TextIO, cast

import structlog

_IDS: ContextVar[dict[str, Any] | None] = ContextVar("_IDS", default=None)
"""What the work under way is about; emptied when it is over."""


@contextmanager
def correlated(**ids: Any) -> Iterator[dict[str, Any]]:
    """Have every line that is logged within the block, in tasks of it too, carry these ids.

    A task that lives on beyond the block carries them no more: a stream that was opened for an
    order is not that order's for ever.
    """
    found = {**(_IDS.get() or {}), **ids}
    token = _IDS.set(found)
    try:
        yield found
    finally:
        found.clear()
        _IDS.reset(token)


class LenientOutput:
    """Write text to a descriptor, or lose it: nothing that trades may wait for its log or fail.

    Attributes:
        lost: how many writes did not get through, because the disk or the pipe was full.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.lost = 0

    def write(self, text: str) -> int:
        """Write all of it, or what fits."""
        try:
            os.write(self._descriptor, text.encode(errors="replace"))
        except OSError:
            self.lost += 1
        return len(text)

    def flush(self) -> None:
        """Do nothing: nothing is kept back."""


def configure_logs(process: str, level: str = "INFO") -> None:
    """Send structlog and the standard library's logging to standard output as JSON lines.

    Args:
        process: name of the process, part of every line.
        level: lowest level written.
    """
    shared: list[structlog.typing.Processor] = [
        with_ids,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _named(process),
    ]
    output = LenientOutput(sys.stdout.fileno())
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, _renderer()],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", output)),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(output)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _renderer(),
            ],
        )
    )
    logging.basicConfig(level=number, handlers=[handler], force=True)
    # One line per request would bury what matters; requests are counted by metrics.
    for noisy in ("httpx", "httpcore", "uvicorn.access", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def with_ids(
    _logger: object, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Add the ids of the work under way; what the line itself says of them counts."""
    for name, value in (_IDS.get() or {}).items():
        event.setdefault(name, value)
    return event


def _named(process: str) -> structlog.typing.Processor:
    def add(
        _logger: object, _method: str, event: structlog.typing.EventDict
    ) -> structlog.typing.EventDict:
        event["process"] = process
        return event

    return add


def _renderer() -> structlog.typing.Processor:
    return structlog.processors.JSONRenderer(default=str)

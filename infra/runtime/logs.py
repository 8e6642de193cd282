"""Logs: one JSON object per line on standard output, which the supervisor rotates."""

import logging
import os
import sys
from typing import TextIO, cast

import structlog


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
        structlog.contextvars.merge_contextvars,
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


def _named(process: str) -> structlog.typing.Processor:
    def add(
        _logger: object, _method: str, event: structlog.typing.EventDict
    ) -> structlog.typing.EventDict:
        event["process"] = process
        return event

    return add


def _renderer() -> structlog.typing.Processor:
    return structlog.processors.JSONRenderer(default=str)

"""The event loop of a process that serves, what it does beside, and its memory once started."""

import asyncio
import gc
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import structlog
import uvloop
from prometheus_client import Counter

log = structlog.get_logger(__name__)

AGAIN_SECONDS = 1.0
FAILURES = Counter(
    "aether_beside_failures_total",
    "Times that something a process does beside its work failed and was begun anew",
    ["work"],
)
COLLECT_AFTER_OBJECTS = 20_000
"""Objects made before the collector looks at the young ones (the default is 700)."""


def run(serving: Coroutine[Any, Any, None]) -> None:
    """Run until the coroutine ends, on libuv's loop: less time of its own for each event."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serving)


def beside(
    name: str, work: Callable[[], Awaitable[None]], again_seconds: float = AGAIN_SECONDS
) -> asyncio.Task[None]:
    """Do something beside a process's own work, begun anew whenever it fails; return its task.

    Nobody waits for such a task: one that ended by an exception would leave standing what it last
    said, and nobody would know. Work that returns is done.
    """
    failures = FAILURES.labels(name)

    async def keep() -> None:
        while True:
            try:
                await work()
            except Exception:
                failures.inc()
                log.exception("work beside failed and begins anew", work=name)
                await asyncio.sleep(again_seconds)
            else:
                return

    return asyncio.create_task(keep(), name=name)


def keep_what_is_loaded() -> None:
    """Spare the collector what stays as long as the process.

    Modules and their types are most of the memory, and going through them all again and again
    stops everything for tens of milliseconds each time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER_OBJECTS, 20, 20)

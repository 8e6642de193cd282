"""The event loop of a process that serves, and its memory once it has started."""

import asyncio
import gc
from collections.abc import Coroutine
from typing import Any

import uvloop

COLLECT_AFTER_OBJECTS = 20_000
"""Objects made before the collector looks at the young ones (the default is 700)."""


def run(serving: Coroutine[Any, Any, None]) -> None:
    """Run until the coroutine ends, on libuv's loop: less time of its own for each event."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serving)


def keep_what_is_loaded() -> None:
    """Spare the collector what stays as long as the process.

    Modules and their types are most of the memory, and going through them all again and again
    stops everything for tens of milliseconds each time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER_OBJECTS, 20, 20)

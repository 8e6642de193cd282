"""Heartbeats of running activities, sent beside the work so that no step has to think of them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.policies import HEARTBEAT_INTERVAL_SECONDS

WORKER_STOPS = "WorkerStops"
"""Type of the failure of work whose worker stops; the next one takes it up."""


async def until_worker_stops(work: Coroutine[Any, Any, None]) -> None:
    """Do work that has no end of its own, and give it up as soon as its worker stops.

    A worker that stops waits for what is under way: this would hold it up for all of its patience.

    Raises:
        ApplicationError: the worker stops (``WORKER_STOPS``); benign, for nothing is wrong.
    """
    stopping = asyncio.ensure_future(activity.wait_for_worker_shutdown())
    working = asyncio.ensure_future(work)
    try:
        await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise ApplicationError(
            "the worker stops", type=WORKER_STOPS, category=ApplicationErrorCategory.BENIGN
        )
    finally:
        stopping.cancel()
        working.cancel()
        await asyncio.gather(working, stopping, return_exceptions=True)


@asynccontextmanager
async def heartbeating(details: Callable[[], object] | None = None) -> AsyncIterator[None]:
    """Beat until the block ends. ``details`` is what the next attempt is to know."""

    async def beat() -> None:
        while True:
            activity.heartbeat(*(() if details is None else (details(),)))
            await asyncio.sleep(HEARTBEAT_INTERVAL_SECONDS)

    beating = asyncio.create_task(beat())
    try:
        yield
    finally:
        beating.cancel()
        with suppress(asyncio.CancelledError):
            await beating

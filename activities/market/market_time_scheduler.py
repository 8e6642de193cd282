"""What is due in market time: started when the market's clock passes a boundary.

Where the market's clock is the wall clock, Temporal Schedules start the same workflows and there is
no clockwork. A boundary that was missed while nobody looked is not made up for here: only the
newest one counts, as with a schedule that skips.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

log = structlog.get_logger(__name__)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PAUSE_SECONDS = 5.0
"""Shortest wall time between two runs of a job where the market runs by itself, however fast."""


@dataclass(frozen=True, slots=True)
class MarketJob:
    """Something to do at every full multiple of ``every`` since 1970, in market time.

    ``start`` gets the boundary and returns when the job is done; it must be idempotent by it.
    """

    name: str
    every: timedelta
    start: Callable[[datetime], Awaitable[None]]


def boundary_before(now: datetime, every: timedelta) -> datetime:
    """Return the newest boundary that is not after a market time."""
    return now - (now - EPOCH) % every


class MarketTimeScheduler:
    """Starts jobs as market time passes; one after the other, in their order."""

    def __init__(
        self, jobs: Sequence[MarketJob], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._jobs = tuple(jobs)
        self._clock = clock
        self._done: dict[str, datetime] = {}
        self._ran_at: dict[str, float] = {}

    async def advance(self, now: datetime, *, throttled: bool = False) -> bool:
        """Do what is due at a market time and tell whether anything was.

        A job that fails is tried again at the next call. ``throttled`` leaves a job for later that
        ran only seconds ago.
        """
        ran = False
        for job in self._jobs:
            boundary = boundary_before(now, job.every)
            if boundary <= self._done.get(job.name, EPOCH):
                continue
            if throttled and self._clock() - self._ran_at.get(job.name, -PAUSE_SECONDS) < (
                PAUSE_SECONDS
            ):
                continue
            self._ran_at[job.name] = self._clock()
            await job.start(boundary)
            self._done[job.name] = boundary
            ran = True
        return ran

    async def keep(self, market_time: Callable[[], datetime | None]) -> None:
        """Look at the market's clock every second, for ever; failures are told and tried again."""
        while True:
            now = market_time()
            if now is not None:
                try:
                    await self.advance(now, throttled=True)
                except (OSError, RuntimeError):
                    log.warning("a job of the market's clock failed", exc_info=True)
            await asyncio.sleep(1.0)

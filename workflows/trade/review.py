"""A timer that runs while a trade waits for news that may have been lost on the way."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from temporalio import workflow

FIRST_REVIEW = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(seconds=4)


class ReviewTimer:
    """Ring after a second without progress, then less often until there is some."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._pause = FIRST_REVIEW
        self._waiting: asyncio.Task[None] | None = None
        self._until: datetime | None = None

    def keep(self, *, needed: bool, look_at: datetime | None = None) -> None:
        """Have the timer run, or not; ``look_at``: nothing is due before, but then it may be."""
        until = None if needed else look_at
        runs = needed or until is not None
        if self._waiting is not None and (not runs or until != self._until):
            self._waiting.cancel()
            self._waiting = None
        if runs and self._waiting is None:
            self._until = until
            self._waiting = asyncio.create_task(
                self._wait() if until is None else self._rest(until)
            )

    def progressed(self) -> None:
        """Start with the shortest pause again: something happened."""
        self._pause = FIRST_REVIEW

    async def _rest(self, until: datetime) -> None:
        await workflow.sleep(max(timedelta(milliseconds=10), until - workflow.now()))
        self._waiting = None
        self._ring()

    async def _wait(self) -> None:
        await workflow.sleep(self._pause)
        self._pause = min(2 * self._pause, LONGEST_PAUSE)
        self._waiting = None
        self._ring()

"""A timer that runs while a trade waits for news that may have been lost on the way."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

from temporalio import workflow

FIRST_REVIEW = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(seconds=4)


class ReviewTimer:
    """Ring after a second without progress, then less often until there is some."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._pause = FIRST_REVIEW
        self._waiting: asyncio.Task[None] | None = None

    def keep(self, *, needed: bool) -> None:
        """Have the timer run, or not."""
        if needed and self._waiting is None:
            self._waiting = asyncio.create_task(self._wait())
        elif not needed and self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def progressed(self) -> None:
        """Start with the shortest pause again: something happened."""
        self._pause = FIRST_REVIEW

    async def _wait(self) -> None:
        await workflow.sleep(self._pause)
        self._pause = min(2 * self._pause, LONGEST_PAUSE)
        self._waiting = None
        self._ring()

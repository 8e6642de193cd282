"""The market's clock for days: starts the closing of an account's day when market time passes it.

For markets with a pace of their own; where market time is the wall clock, a schedule of Temporal
does it.
"""

import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Protocol

import structlog

log = structlog.get_logger(__name__)

KNOWN_SECONDS = 10.0
"""Wall time for which boundaries read from the record are relied on: settings may change them."""

CloseDay = Callable[[str, datetime], Awaitable[None]]


class Boundaries(Protocol):
    """Tells when the running day of each account ends."""

    async def next_boundaries(self) -> dict[str, datetime]:
        """Return the end of the running day of every account that is measured (market time)."""
        ...


class DayClock:
    """Asks once in a while when days end, and closes those that have."""

    def __init__(self, boundaries: Boundaries, close: CloseDay) -> None:
        self._boundaries = boundaries
        self._close = close
        self._ends: dict[str, datetime] = {}
        self._known_until = 0.0

    async def tick(self, at: datetime) -> int:
        """Close every day that has ended at a market time; returns how many were told to."""
        now = time.monotonic()
        if now >= self._known_until or any(end <= at for end in self._ends.values()):
            self._ends = await self._boundaries.next_boundaries()
            self._known_until = now + KNOWN_SECONDS
        due = sorted(account for account, end in self._ends.items() if end <= at)
        for account in due:
            log.info("day ends", account=account, market_time=at.isoformat())
            await self._close(account, at)
        return len(due)

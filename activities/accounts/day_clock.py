"""The market's clock for days: starts the closing of an account's day when market time passes it.

For markets with a pace of their own; where market time is the wall clock, a schedule of Temporal
does it.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from datetime import datetime
from functools import partial
from typing import Any, Protocol

import structlog

log = structlog.get_logger(__name__)

KNOWN_SECONDS = 10.0
"""Wall time for which boundaries read from the record are relied on: settings may change them."""

CloseDay = Callable[[str, datetime], Coroutine[Any, Any, None]]


class Boundaries(Protocol):
    """Tells when the running day of each account ends."""

    async def next_boundaries(self) -> dict[str, datetime]:
        """Return the end of the running day of every account that is measured (market time)."""
        ...


class DayClock:
    """Asks once in a while when days end, and closes those that have, side by side."""

    def __init__(self, boundaries: Boundaries, close: CloseDay) -> None:
        self._boundaries = boundaries
        self._close = close
        self._ends: dict[str, datetime] = {}
        self._known_until = 0.0
        self._closing: dict[str, asyncio.Task[None]] = {}

    async def tick(self, at: datetime, *, wait: bool = True) -> int:
        """Close every day that has ended at a market time; returns how many that are.

        Without waiting an account whose day cannot be closed holds up nobody else.
        """
        now = time.monotonic()
        if now >= self._known_until or any(end <= at for end in self._ends.values()):
            self._ends = await self._boundaries.next_boundaries()
            self._known_until = now + KNOWN_SECONDS
        due = sorted(account for account, end in self._ends.items() if end <= at)
        for account in due:
            if account not in self._closing:
                log.info("day ends", account=account, market_time=at.isoformat())
                task = asyncio.create_task(self._close(account, at))
                self._closing[account] = task
                task.add_done_callback(partial(self._forget, account))
        if wait:
            await asyncio.gather(*self._closing.values())
        return len(due)

    def _forget(self, account: str, _: "asyncio.Task[None]") -> None:
        del self._closing[account]

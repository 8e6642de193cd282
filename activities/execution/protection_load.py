"""Watches what waits for protection, so that entries can be refused before it waits too long."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

import structlog

from activities.metrics import ENTRIES_REFUSED_FOR_LOAD, PROTECTION_WAIT, PROTECTION_WAITING
from models.trading.risk.protection_backlog import ProtectionBacklog, WaitingPosition, next_backlog

log = structlog.get_logger(__name__)

Reader = Callable[[], Awaitable[Sequence[WaitingPosition]]]

READ_EVERY_SECONDS = 0.25
STALE_SECONDS = 3.0
"""A reading that old says nothing: the record or this process is too slow to tell."""


class ProtectionLoad:
    """The newest reading of the backlog, and what follows from it for entries."""

    def __init__(self, read: Reader, clock: Callable[[], float] = time.monotonic) -> None:
        self._read = read
        self._clock = clock
        self._backlog = ProtectionBacklog()
        self._read_at: float | None = None

    async def watch(self) -> None:
        """Read for ever; what cannot be read is unknown, and refuses once it is stale."""
        self._read_at = self._clock()
        while True:
            try:
                await self.look()
            except OSError as error:
                log.warning("what waits for protection cannot be read", error=str(error))
            await asyncio.sleep(READ_EVERY_SECONDS)

    async def look(self) -> None:
        """Take one reading."""
        waiting = await self._read()
        before = self._backlog
        self._read_at = self._clock()
        self._backlog = next_backlog(before, waiting, self._read_at)
        PROTECTION_WAITING.set(len(waiting))
        PROTECTION_WAIT.set(self._backlog.oldest_seconds)
        if self._backlog.overloaded != before.overloaded:
            log.warning(
                "entries refused for load" if self._backlog.overloaded else "entries taken again",
                waiting=len(waiting),
                longest_seconds=round(self._backlog.oldest_seconds, 2),
            )

    def refusal(self, account: str) -> str | None:
        """Return why an account may take no entry now, None where it may; count refusals."""
        reason = self._stale() or self._backlog.refusal(account)
        if reason is not None:
            ENTRIES_REFUSED_FOR_LOAD.inc()
        return reason

    def degraded(self) -> list[str]:
        """Return what people must know while entries of all accounts are refused."""
        reason = self._stale()
        if reason is None and self._backlog.overloaded:
            reason = self._backlog.refusal("")
        return [] if reason is None else [f"overloaded: no entries are taken, {reason}"]

    def _stale(self) -> str | None:
        if self._read_at is None:
            return None  # nobody watches in this process: another one refuses
        age = self._clock() - self._read_at
        if age <= STALE_SECONDS:
            return None
        return f"what waits for protection has not been readable for {age:.1f} s"

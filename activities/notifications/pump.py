"""Follows the record's rows and begins a notification for each that people are told of."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from activities.ports.notifications import NotificationRecord
from models.trading.governance.notifications.events import notices_of
from models.trading.governance.notifications.notice import Notice

log = structlog.get_logger(__name__)

BATCH = 500
LOOK_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 15.0

Begin = Callable[[Notice], Awaitable[None]]
"""Begins a notification or counts an occurrence in it; may be repeated.

Raises ConnectionError while nobody can.
"""


class NotificationPump:
    """Reads what is new in every chain, begins notifications, and only then moves on.

    A process that dies in between tells the same occurrences again, which count once.
    """

    def __init__(
        self,
        record: NotificationRecord,
        begin: Begin,
        looked: Callable[[], None] = lambda: None,
    ) -> None:
        """Follow a record; ``looked`` is called after each look that did not fail."""
        self._record = record
        self._begin = begin
        self._looked = looked

    async def look(self) -> int:
        """Deal with the rows that nobody has looked at; return how many there were."""
        rows = await self._record.pending_actions(BATCH)
        last: dict[str, int] = {}
        try:
            for row in rows:
                for notice in notices_of(row):
                    await self._begin(notice)
                last[row.scope] = row.sequence
        finally:
            for scope, sequence in last.items():
                await self._record.passed(scope, sequence)
        return len(rows)

    async def run(self, stop: asyncio.Event) -> None:
        """Look again and again until told to stop; a failure waits and is tried again."""
        pause = LOOK_SECONDS
        while not stop.is_set():
            try:
                found = await self.look()
                self._looked()
                pause = 0.0 if found == BATCH else LOOK_SECONDS
            except (ConnectionError, OSError, TimeoutError) as error:
                log.warning("notifications are not begun now", error=str(error))
                pause = min(max(pause, LOOK_SECONDS) * 2, LONGEST_PAUSE_SECONDS)
            try:
                await asyncio.wait_for(stop.wait(), pause)
            except TimeoutError:
                continue

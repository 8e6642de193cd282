"""Events of the record: heard of by notification, read from their table in commit order."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import text

from infra.runtime.database.connections import PLATFORM_SCOPE, Database, cured_by_retry

RECORD: Final = "aether_record"
MARKET: Final = "aether_market"
SESSIONS: Final = "aether_sessions"
PAGE: Final = 1000

_AFTER = text(
    "SELECT sequence, topic, subject, at FROM record_events"
    " WHERE account_id = :account AND sequence > :after ORDER BY sequence LIMIT :page"
)
_ONE = text("SELECT at FROM record_events WHERE account_id = :account AND sequence = :sequence")
_NEWEST = text(
    "SELECT e.sequence, e.at FROM record_event_heads h JOIN record_events e"
    " ON e.account_id = h.account_id AND e.sequence = h.sequence WHERE h.account_id = :account"
)
_PRUNE = text("SELECT prune_record_events(:before)")


@dataclass(frozen=True, slots=True)
class RecordEvent:
    """One change: of which account, its number, and which thing of which kind has changed."""

    account: str
    sequence: int
    topic: str
    subject: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Notified:
    """A notification: its channel and payload."""

    channel: str
    payload: str


class PostgresRecordEvents:
    """Reads events, and hears of new ones."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def scopes(self) -> list[str]:
        """Return every account, and the platform."""
        return [*await self._database.accounts(), PLATFORM_SCOPE]

    async def after(self, account: str, sequence: int) -> list[RecordEvent]:
        """Return an account's events behind a number, oldest first, a page at most."""
        values = {"account": account, "after": sequence, "page": PAGE}
        async with self._database.light_scope(account) as session:
            rows: Sequence[tuple[int, str, str, datetime]] = await session.sql(_AFTER, values)
            return [RecordEvent(account, *row) for row in rows]

    async def time_of(self, account: str, sequence: int) -> datetime | None:
        """Return when an event happened, None when it is not kept (any more)."""
        async with self._database.light_scope(account) as session:
            rows = list(await session.sql(_ONE, {"account": account, "sequence": sequence}))
            return rows[0][0] if rows else None

    async def newest(self, account: str) -> tuple[int, datetime] | None:
        """Return number and time of an account's newest event, None when there is none."""
        async with self._database.light_scope(account) as session:
            rows = list(await session.sql(_NEWEST, {"account": account}))
            return (rows[0][0], rows[0][1]) if rows else None

    async def prune(self, before: datetime) -> int:
        """Forget events before a time; return how many."""
        rows = await self._database.call(_PRUNE, {"before": before})
        return int(rows[0][0])

    async def notifications(self) -> AsyncIterator[Notified | None]:
        """Yield None once listening has begun, then every notification.

        Raises:
            DatabaseUnavailableError: the connection is lost; listen again and read what was missed.
        """
        with cured_by_retry():
            connection = await self._database.connect()
            async with connection:
                for channel in (RECORD, MARKET, SESSIONS):
                    await connection.execute(f"LISTEN {channel}")
                yield None
                async for notified in connection.notifies():
                    yield Notified(notified.channel, notified.payload)

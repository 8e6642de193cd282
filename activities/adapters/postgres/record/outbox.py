"""The outbox in the record: read in commit order, forgotten when the broker has it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import text

from activities.adapters.postgres.installation import INSTALLATION
from infra.runtime.database.connections import (
    PLATFORM_SCOPE,
    Database,
    DatabaseUnavailableError,
)
from models.contracts.events import Event

PAGE: Final = 500
_SWITCH = text("SELECT switch_events(:on, :room)")
_INSTALLATION = text("SELECT value FROM platform_settings WHERE name = :name")
_EPOCH = text("SELECT epoch FROM event_switch")
_WAITING = text(
    "SELECT sequence, kind, at, content::text FROM event_outbox"
    " WHERE account_id = :account ORDER BY sequence LIMIT :page"
)
_FORGET = text(
    "WITH gone AS (DELETE FROM event_outbox WHERE account_id = :account AND sequence <= :sequence"
    " RETURNING sequence) INSERT INTO event_cursors AS cursor (account_id, sequence, removed,"
    " sent_at) SELECT :account, :sequence, count(*), :at FROM gone"
    " ON CONFLICT (account_id) DO UPDATE SET sequence = excluded.sequence,"
    " removed = cursor.removed + excluded.removed, sent_at = excluded.sent_at"
)


class PostgresOutbox:
    """The outbox of one installation."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._installation: str | None = None

    async def switch(self, *, on: bool, room: int) -> bool:
        """Begin or cease to keep events; return whether that is new.

        Raises:
            DatabaseUnavailableError: a table was busy; try again.
        """
        rows = await self._database.call(_SWITCH, {"on": on, "room": room})
        return bool(rows[0][0])

    async def scopes(self) -> list[str]:
        """Return every account, and the platform."""
        return [*await self._database.accounts(), PLATFORM_SCOPE]

    async def waiting(self, account: str) -> Sequence[Event]:
        """Return what waits of an account, the oldest first, a page at most."""
        installation = await self._known_installation()
        async with self._database.light_scope(account) as session:
            epoch = next(iter(await session.sql(_EPOCH)))[0]
            rows = list(await session.sql(_WAITING, {"account": account, "page": PAGE}))
        return [
            Event(
                installation=installation,
                epoch=epoch,
                account=account,
                sequence=sequence,
                kind=kind,
                at=at,
                content=content,
            )
            for sequence, kind, at, content in rows
        ]

    async def _known_installation(self) -> str:
        if self._installation is None:
            rows = await self._database.call(_INSTALLATION, {"name": INSTALLATION})
            if not rows:
                raise DatabaseUnavailableError("the installation has not been set up yet")
            self._installation = str(rows[0][0])
        return self._installation

    async def sent(self, account: str, sequence: int, at: datetime) -> None:
        """Forget everything of an account up to a number."""
        values = {"account": account, "sequence": sequence, "at": at}
        async with self._database.light_scope(account) as session:
            await session.sql(_FORGET, values)

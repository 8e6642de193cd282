"""Whose token was revoked, and what of theirs still waits for somebody's consent."""

from sqlmodel import col, select

from infra.runtime.database import PLATFORM_SCOPE, Database, RecordSession
from models.tables import ApiTokenRow, ApprovalRow, UniverseChangeRow
from models.trading.approval import ApprovalStatus

WAITING = "waiting"


async def is_revoked(session: RecordSession, name: str) -> bool:
    """Tell whether the token with this name was revoked; names are never used again."""
    row = await session.get(ApiTokenRow, name)
    return row is not None and row.revoked_at is not None


class PostgresRevocations:
    """What revoked people have asked for and nobody has decided yet."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def is_revoked(self, name: str) -> bool:
        """Tell whether the token with this name was revoked."""
        async with self._database.no_scope() as session:
            return await is_revoked(session, name)

    async def waiting_approvals(self) -> list[ApprovalRow]:
        """Return the requests for approval that wait although their author's token was revoked."""
        revoked = await self._revoked()
        query = select(ApprovalRow).where(
            ApprovalRow.status == ApprovalStatus.PENDING.value,
            col(ApprovalRow.requested_by).in_(revoked),
        )
        found: list[ApprovalRow] = []
        if revoked:
            for scope in (*await self._database.accounts(), PLATFORM_SCOPE):
                async with self._database.account_scope(scope) as session:
                    found += (await session.exec(query)).all()
        return found

    async def waiting_universe_changes(self) -> list[UniverseChangeRow]:
        """Return the changes of the universe that wait although their author's was."""
        query = select(UniverseChangeRow).where(
            UniverseChangeRow.outcome == WAITING,
            col(UniverseChangeRow.author).in_(await self._revoked()),
        )
        async with self._database.no_scope() as session:
            return list((await session.exec(query)).all())

    async def _revoked(self) -> list[str]:
        query = select(ApiTokenRow.name).where(col(ApiTokenRow.revoked_at).is_not(None))
        async with self._database.no_scope() as session:
            return list((await session.exec(query)).all())

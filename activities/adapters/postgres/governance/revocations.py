"""Whose token was revoked, and what of theirs still waits for somebody's consent."""

from sqlalchemy import text
from sqlmodel import col, select

from infra.runtime.database.connections import PLATFORM_SCOPE, Database, RecordSession
from models.tables import ApprovalRow, UniverseChangeRow
from models.trading.governance.approval import ApprovalStatus

WAITING = "waiting"

_REVOKED = text("SELECT revoked_people()")


async def is_revoked(session: RecordSession, name: str) -> bool:
    """Tell whether the token with this name was revoked; names are never used again."""
    return name in await _revoked(session)


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
        async with self._database.no_scope() as session:
            revoked = await _revoked(session)
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
        async with self._database.no_scope() as session:
            query = select(UniverseChangeRow).where(
                UniverseChangeRow.outcome == WAITING,
                col(UniverseChangeRow.author).in_(await _revoked(session)),
            )
            return list((await session.exec(query)).all())


async def _revoked(session: RecordSession) -> list[str]:
    return [row[0] for row in await session.sql(_REVOKED)]

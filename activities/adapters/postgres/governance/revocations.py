"""Whose token was revoked, or who has left."""

from sqlalchemy import text

from infra.runtime.database.connections import Database, RecordSession

_REVOKED = text("SELECT revoked_people()")


async def is_revoked(session: RecordSession, name: str) -> bool:
    """Tell whether the token with this name was revoked; names are never used again."""
    return name in await _revoked(session)


class PostgresRevocations:
    """Whether somebody's access was revoked."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def is_revoked(self, name: str) -> bool:
        """Tell whether the token with this name was revoked."""
        async with self._database.no_scope() as session:
            return await is_revoked(session, name)


async def _revoked(session: RecordSession) -> list[str]:
    return [row[0] for row in await session.sql(_REVOKED)]

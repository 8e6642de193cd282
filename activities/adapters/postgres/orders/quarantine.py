"""Writes that can never succeed: what they are, and where they are kept instead."""

from datetime import datetime

import psycopg
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import col, select

from activities.adapters.postgres import audit
from activities.ports.journal import RefusedWrite
from infra.runtime.database.connections import PLATFORM_SCOPE, Database
from models.tables import QuarantinedWriteRow

_KEEP = text(
    """INSERT INTO quarantined_writes (account_id, write_id, step, reason, content, at)
       VALUES (:account, :write, :step, :reason, :content, :at)
       ON CONFLICT DO NOTHING"""
)


def never_succeeds(error: BaseException) -> bool:
    """Tell whether a write fails for what it holds, so that no repeat of it can succeed.

    Data exceptions (class 22), violated constraints (class 23), and text that has no encoding.
    """
    seen: BaseException | None = error
    while seen is not None:
        cause = seen.orig if isinstance(seen, DBAPIError) else None
        if isinstance(cause or seen, psycopg.DataError | psycopg.IntegrityError | UnicodeError):
            return True
        seen = cause or seen.__cause__
    return False


class PostgresQuarantine:
    """The part of the record that holds what the rest of it could not."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, write: RefusedWrite) -> None:
        """Keep a write, once."""
        values = {
            "account": write.account,
            "write": write.write_id,
            "step": write.step,
            "reason": write.reason,
            "content": write.content,
            "at": write.at,
        }
        async with self._database.light_scope(write.account) as session:
            await session.sql(_KEEP, values)

    async def standing(self) -> list[QuarantinedWriteRow]:
        """Return the writes that nobody has dealt with, of every account, oldest first."""
        query = select(QuarantinedWriteRow).where(col(QuarantinedWriteRow.settled_at).is_(None))
        found: list[QuarantinedWriteRow] = []
        for scope in (*await self._database.accounts(), PLATFORM_SCOPE):
            async with self._database.account_scope(scope) as session:
                found += (await session.exec(query)).all()
        return sorted(found, key=lambda row: row.at)

    async def settle(self, account: str, write_id: str, by: str, at: datetime) -> bool:
        """Note, audited, that a write has been dealt with; False when none such stands."""
        async with self._database.account_scope(account) as session:
            row = await session.get(QuarantinedWriteRow, (account, write_id), with_for_update=True)
            if row is None or row.settled_at is not None:
                return False
            row.settled_by, row.settled_at = by, at
            details = {"write": write_id, "step": row.step, "reason": row.reason}
            await audit.append(session, account, by, "quarantined_write_settled", details)
            return True

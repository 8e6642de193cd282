"""Change freezes in the record; every change by a function that writes its audit row too."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlmodel import col, select

from activities.adapters.postgres.acting import TOKEN_HASH
from infra.runtime.database.connections import Database
from models.tables.governance.freezes import FreezeBreakRow, FreezeRow

_BEGIN = text("SELECT begin_freeze(:by, :at, :token, :reason)")
_END = text("SELECT end_freeze(:number, :by, :at, :token, :reason)")
_BREAK = text(
    "SELECT break_freeze(:request, :operation, :path, :freeze, :reason, :by, :at, :token)"
)
_REVIEW = text("SELECT review_break(:number, :by, :at, :token, :review)")


class PostgresFreezes:
    """Needs a Database of the role ``aether_api`` to write."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def standing(self) -> Sequence[FreezeRow]:
        """Return the freezes begun by hand that hold, oldest first."""
        query = select(FreezeRow).where(col(FreezeRow.ended_at).is_(None))
        async with self._database.no_scope() as session:
            return (await session.exec(query.order_by(col(FreezeRow.number)))).all()

    async def freezes(self, limit: int) -> Sequence[FreezeRow]:
        """Return freezes begun by hand, newest first."""
        query = select(FreezeRow).order_by(col(FreezeRow.number).desc()).limit(limit)
        async with self._database.no_scope() as session:
            return (await session.exec(query)).all()

    async def breaks(self, limit: int, *, unreviewed: bool = False) -> Sequence[FreezeBreakRow]:
        """Return what was done in spite of a freeze, newest first."""
        query = select(FreezeBreakRow).order_by(col(FreezeBreakRow.number).desc()).limit(limit)
        if unreviewed:
            query = query.where(col(FreezeBreakRow.reviewed_at).is_(None))
        async with self._database.no_scope() as session:
            return (await session.exec(query)).all()

    async def begin(self, by: str, at: datetime, reason: str) -> int:
        """Begin a freeze; return its number."""
        return int(await self._value(_BEGIN, by=by, at=at, reason=reason))

    async def end(self, number: int, by: str, at: datetime, reason: str) -> bool:
        """End a freeze; False for one that is unknown or over."""
        return bool(await self._value(_END, number=number, by=by, at=at, reason=reason))

    async def note_break(
        self,
        request: str,
        operation: str,
        path: str,
        freeze: str,
        reason: str,
        by: str,
        at: datetime,
    ) -> None:
        """Write down that something is done in spite of a freeze, once by its request."""
        await self._value(
            _BREAK,
            request=request,
            operation=operation,
            path=path,
            freeze=freeze,
            reason=reason,
            by=by,
            at=at,
        )

    async def review(self, number: int, by: str, at: datetime, review: str) -> bool:
        """Note that another person has reviewed a break; False where that cannot be."""
        return bool(await self._value(_REVIEW, number=number, by=by, at=at, review=review))

    async def _value(self, statement: Any, **values: Any) -> Any:
        rows = await self._database.call(statement, values | {"token": TOKEN_HASH.get()})
        return rows[0][0]

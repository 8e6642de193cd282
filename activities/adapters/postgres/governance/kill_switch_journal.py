"""The kill switch's flag: raised and lowered with its audit rows in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg
import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import col, select

from activities.adapters.postgres.acting import TOKEN_HASH
from infra.runtime.database.connections import Database
from models.tables import KillSwitchRow

log = structlog.get_logger(__name__)

_ENGAGE = text(
    """SELECT engage_kill_switch(:number, CAST(:accounts AS text[]), :flatten, :reason, :by, :at,
              :token, CAST(:symbols AS text[]))"""
)
_ACKNOWLEDGE = text("SELECT acknowledge_kill_switch(:number, :account, :at)")
_REQUEST_LIFT = text(
    "SELECT request_kill_switch_lift(:number, :by, :at, :token, :approval, :reason)"
)
_LIFT = text("SELECT lift_kill_switch(:number, :at, :by)")


NOT_COMPARED, NOT_APPROVED = "AE005", "AE003"


class NotComparedError(Exception):
    """The stop of a restored record waits for a comparison; names the accounts without one."""


@dataclass(frozen=True, slots=True)
class LiftWanted:
    """The request to lift that stands: by whom, when, under which approval's id, why."""

    by: str
    at: datetime
    approval: str
    reason: str


class KillSwitchJournal:
    """The part of the journal that holds kill switches."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def next_kill_switch_number(self) -> int:
        """Return a number for the next engagement; numbers may be skipped, never repeated."""
        rows = await self._database.call(text("SELECT nextval('kill_switch_numbers')"))
        return int(rows[0][0])

    async def kill_switches(self, *, only_engaged: bool) -> list[KillSwitchRow]:
        """Return engagements, newest first."""
        query = select(KillSwitchRow).order_by(col(KillSwitchRow.number).desc())
        if only_engaged:
            query = query.where(col(KillSwitchRow.lifted_at).is_(None))
        async with self._database.no_scope() as session:
            return list(await session.exec(query))

    async def entries_halted(self, account: str, symbol: str) -> bool:
        """Tell whether a kill switch holds the account's entries in a pair back."""
        return any(
            account in row.accounts and (not row.symbols or not symbol or symbol in row.symbols)
            for row in await self.kill_switches(only_engaged=True)
        )

    async def engage_kill_switch(
        self,
        number: int,
        accounts: Sequence[str],
        *,
        flatten: bool,
        reason: str,
        by: str,
        at: datetime,
        symbols: Sequence[str] = (),
    ) -> None:
        """Raise the flag that ``store_intent`` reads, audited; a repeat changes nothing.

        When this returns, every intent either is committed and can be found, or sees the flag.
        """
        values = {
            "number": number,
            "accounts": list(accounts),
            "flatten": flatten,
            "reason": reason,
            "by": by,
            "at": at,
            "token": TOKEN_HASH.get(),
            "symbols": list(symbols),
        }
        await self._database.call(_ENGAGE, values)

    async def acknowledge_kill_switch(self, number: int, account: str, at: datetime) -> None:
        """Note that the account's workflow is halted; the first acknowledgement stands."""
        values = {"number": number, "account": account, "at": at.isoformat()}
        await self._database.call(_ACKNOWLEDGE, values)

    async def request_kill_switch_lift(
        self, number: int, by: str, at: datetime, approval: str, reason: str
    ) -> LiftWanted:
        """Note who asks for the lift, as authenticated; one that waits stands and is returned.

        Raises:
            NotComparedError: it stands after a restore, and an account was not compared since.
        """
        values = {"number": number, "by": by, "at": at, "token": TOKEN_HASH.get()}
        values |= {"approval": approval, "reason": reason}
        try:
            rows = await self._database.call(_REQUEST_LIFT, values)
        except (DBAPIError, psycopg.Error) as error:
            cause = error.orig if isinstance(error, DBAPIError) else error
            if isinstance(cause, psycopg.Error) and cause.sqlstate == NOT_COMPARED:
                words = cause.diag.message_primary or "not compared with the exchange"
                raise NotComparedError(words) from None
            raise
        told = rows[0][0]
        at = datetime.fromisoformat(told["at"])
        return LiftWanted(told["by"], at, told["approval"], told["reason"])

    async def lift_kill_switch(self, number: int, by: str, at: datetime) -> bool:
        """Lower the flag, audited in the name of who approved it; a repeat changes nothing.

        False where the database refuses, whoever says what: without another person's request, and
        an approval of who was authenticated (``AE003``), or a comparison after a restore.
        """
        try:
            await self._database.call(_LIFT, {"number": number, "at": at, "by": by})
        except (DBAPIError, psycopg.Error) as error:
            cause = error.orig if isinstance(error, DBAPIError) else error
            refused = getattr(cause, "sqlstate", None) in (NOT_APPROVED, NOT_COMPARED)
            if not refused:
                raise
            log.error("a kill switch is not lifted", number=number, by=by, error=str(cause))  # noqa: TRY400
            return False
        return True

    async def is_lifted(self, number: int) -> bool:
        """Tell whether an engagement was lifted."""
        async with self._database.no_scope() as session:
            row = await session.get(KillSwitchRow, number)
        return row is not None and row.lifted_at is not None

"""The kill switch's flag: raised and lowered with its audit rows in one transaction."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from activities.adapters.postgres import audit
from infra.runtime.database import PLATFORM_SCOPE, SET_SCOPE, Database, RecordSession
from models.tables import KillSwitchRow

# The counterpart of the shared lock in store_intent().
_EXCLUDE_INTENTS = text("SELECT pg_advisory_xact_lock(hashtext('aether.kill_switch'))")
_ACKNOWLEDGE = text(
    """UPDATE kill_switches
       SET acknowledged = jsonb_build_object(CAST(:account AS text), CAST(:at AS text))
                          || acknowledged
       WHERE number = :number AND :account = ANY (accounts)"""
)


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

    async def engage_kill_switch(
        self,
        number: int,
        accounts: Sequence[str],
        *,
        flatten: bool,
        reason: str,
        by: str,
        at: datetime,
    ) -> None:
        """Raise the flag that ``store_intent`` reads, audited; a repeat changes nothing.

        When this returns, every intent either is committed and can be found, or sees the flag.
        """
        values = {
            "number": number,
            "accounts": list(accounts),
            "flatten": flatten,
            "reason": reason,
            "engaged_by": by,
            "engaged_at": at,
            "acknowledged": {},
        }
        raised = insert(KillSwitchRow).values(values).on_conflict_do_nothing()
        async with self._database.platform_scope() as session:
            await session.sql(_EXCLUDE_INTENTS)
            if (await session.exec(raised.returning(col(KillSwitchRow.number)))).first():
                details = {"number": str(number), "flatten": str(flatten).lower(), "reason": reason}
                await _audit_everywhere(session, accounts, by, "kill_switch_engaged", details)

    async def acknowledge_kill_switch(self, number: int, account: str, at: datetime) -> None:
        """Note that the account's workflow is halted; the first acknowledgement stands."""
        values = {"number": number, "account": account, "at": at.isoformat()}
        async with self._database.no_scope() as session:
            await session.sql(_ACKNOWLEDGE, values)

    async def lift_kill_switch(self, number: int, by: str, at: datetime) -> None:
        """Lower the flag, audited; a repeat changes nothing."""
        async with self._database.platform_scope() as session:
            row = await session.get(KillSwitchRow, number, with_for_update=True)
            if row is None or row.lifted_at is not None:
                return
            row.lifted_by, row.lifted_at = by, at
            details = {"number": str(number)}
            await _audit_everywhere(session, row.accounts, by, "kill_switch_lifted", details)


async def _audit_everywhere(
    session: RecordSession, accounts: Sequence[str], by: str, action: str, details: dict[str, str]
) -> None:
    # Chains are locked in one order by everybody who writes to several.
    for chain in sorted({PLATFORM_SCOPE, *accounts}):
        await session.sql(SET_SCOPE, {"account": chain})
        correlation = f"kill-switch/{details['number']}"
        await audit.append(session, chain, by, action, details, correlation)

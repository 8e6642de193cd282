"""Accounts, their balances, reconciliations and checkpoints in the record."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from psycopg.types.json import Jsonb
from sqlalchemy import func, text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from activities.adapters.postgres import audit
from activities.adapters.postgres.accounts.settings_journal import in_force, newest_settings
from activities.ports.journal import Discrepancies
from infra.runtime.database.connections import Database, RecordSession
from infra.runtime.database.light_connections import LightSession
from models.tables import (
    AccountRow,
    AccountStateRow,
    CheckpointRow,
    ReconciliationRow,
    TradeRow,
    TradeStateRow,
)
from models.tables.documents import (
    account_halts,
    account_limits,
    account_state,
    account_state_text,
    day_rule,
    day_rule_document,
    drawdown_document,
    drawdown_state,
    halts_document,
    limits_document,
    results_document,
    strategy_results,
    trade_state,
    unknown_order_document,
)
from models.trading.account.recovery.restore import taken_up
from models.trading.account.rules import adopt
from models.trading.account.state import ZERO, AccountState
from models.trading.risk.limits import Mode, ProtectionMode
from models.trading.trade.state import TradePhase, TradeState

_LOCK = text("SELECT updated_at FROM accounts WHERE account_id = :account FOR UPDATE")
_SAVE = text(
    """UPDATE accounts SET mode = :mode, protection = :protection, strategies = :strategies,
           limits = :limits, halts = :halts, next_trade = :next_trade,
           closed_trades = :closed_trades, strategy_results = :results, updated_at = :at,
           drawdown = COALESCE(CAST(:drawdown AS jsonb), drawdown),
           measured_since = COALESCE(:measured_since, measured_since),
           day_rule = CAST(:day_rule AS jsonb)
       WHERE account_id = :account"""
)
# In order, so that two writers lock the rows in the same order. What is held no more is not named
# any more: left as it was, it would be counted for ever.
_SAVE_BALANCES = text(
    """WITH gone AS (
           UPDATE balances SET total = 0, updated_at = :at
           WHERE account_id = :account AND asset <> ALL (CAST(:assets AS text[]))
               AND total <> 0 AND updated_at <= :at
       )
       INSERT INTO balances (account_id, asset, total, updated_at)
       SELECT :account, asset, total, :at
       FROM unnest(CAST(:assets AS text[]), CAST(:totals AS numeric[])) AS held (asset, total)
       ORDER BY asset
       ON CONFLICT (account_id, asset) DO UPDATE
           SET total = excluded.total, updated_at = excluded.updated_at
           WHERE balances.updated_at <= excluded.updated_at"""
)


_KEEP_STATE = text(
    """INSERT INTO account_states (account_id, state, at)
       VALUES (:account, CAST(:state AS jsonb), :at)
       ON CONFLICT (account_id) DO UPDATE SET state = excluded.state, at = excluded.at
           WHERE account_states.at <= excluded.at"""
)


# An intent is stored before its trade is: both tell of numbers that are taken.
_HIGHEST = text(
    """SELECT greatest(
           (SELECT coalesce(max(number), 0) FROM trades WHERE account_id = :account),
           (SELECT coalesce(max(trade), 0) FROM orders WHERE account_id = :account))"""
)


class UnknownAccountError(Exception):
    """The record knows no such account."""


class AccountJournal:
    """The part of the journal that holds accounts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def accounts(self) -> list[AccountState]:
        """Return every account as configured: the state its workflow starts from.

        Trade numbers go on above every recorded trade, so that no id is ever derived twice.
        """
        return [await self._account(name) for name in await self._database.accounts()]

    async def _account(self, account: str) -> AccountState:
        async with self._database.account_scope(account) as session:
            row = await session.get_one(AccountRow, account)
            newest_version = await newest_settings(session, 1)
            ((highest,),) = await session.sql(_HIGHEST, {"account": account})
            kept = await session.get(AccountStateRow, account)
            unsettled = await _unsettled(session, account)
        state = AccountState(
            account=row.account_id,
            installation=row.installation,
            mode=Mode(row.mode),
            protection=ProtectionMode(row.protection),
            limits=account_limits(row.limits),
            strategies=tuple(row.strategies),
            halts=account_halts(row.halts),
            next_trade=max(row.next_trade, highest + 1),
            closed_trades=row.closed_trades,
            drawdown=None if row.drawdown is None else drawdown_state(row.drawdown),
            measured_since=row.measured_since,
            day=day_rule(row.day_rule),
            results=strategy_results(row.strategy_results),
        )
        if kept is not None:
            known = replace(account_state(kept.state), next_trade=state.next_trade)
            state = taken_up(known, state, unsettled, datetime.now(UTC))  # noqa: TID251 - the time of writing, decides nothing
        # Limits of before there were settings stay as they are until somebody changes a setting.
        return adopt(state, in_force(newest_version[0])) if newest_version else state

    async def save_account(
        self,
        state: AccountState,
        action: str | None,
        actor: str,
        details: dict[str, str],
        at: datetime,
    ) -> None:
        """Write an account's figures and, with ``action``, an audit row.

        An older save that arrives late changes nothing but the audit log.

        Raises:
            UnknownAccountError: the account was never set up.
        """
        async with self._database.light_scope(state.account) as session:
            known = await session.sql(_LOCK, {"account": state.account})
            if not known:
                raise UnknownAccountError(state.account)
            if known[0].updated_at <= at:
                await session.sql(_SAVE, _values(state, at))
                kept = {"account": state.account, "state": account_state_text(state), "at": at}
                await session.sql(_KEEP_STATE, kept)
                await _save_balances(session, state.account, held_balances(state), at)
            if action is not None:
                correlation = f"account/{at.isoformat()}"
                await audit.append(
                    session, state.account, actor, action, details, correlation, once=True
                )

    async def save_balances(self, account: str, balances: dict[str, Decimal], at: datetime) -> None:
        """Write totals by asset as the exchange reported them (protocol time)."""
        async with self._database.light_scope(account) as session:
            await _save_balances(session, account, balances, at)

    async def audit(
        self, account: str, actor: str, action: str, details: dict[str, str], correlation: str
    ) -> None:
        """Append an audit row to the chain of an account, or of ``platform``."""
        async with self._database.account_scope(account) as session:
            await audit.append(session, account, actor, action, details, correlation)

    async def record_reconciliation(self, account: str, found: Discrepancies, at: datetime) -> None:
        """Write what was found different from the exchange; what was not repaired is audited."""
        differences = {kind: names for kind, names in found.differences.items() if names}
        repaired = {kind: names for kind, names in found.repaired.items() if names}
        row = ReconciliationRow(
            account_id=account,
            at=at,
            clean=not differences,
            differences=differences,
            complete=found.complete,
            repaired=repaired,
            unknown_orders={o.order_id: unknown_order_document(o) for o in found.unknown_orders},
        )
        async with self._database.account_scope(account) as session:
            session.add(row)
            if differences:
                details = {kind: ", ".join(names) for kind, names in differences.items()}
                await audit.append(session, account, "aether", "reconciliation_differs", details)

    async def checkpoint(self, account: str) -> datetime | None:
        """Return the market time up to which executions are known to be complete."""
        async with self._database.account_scope(account) as session:
            row = await session.get(CheckpointRow, account)
            return None if row is None else row.complete_until

    async def advance_checkpoint(self, account: str, at: datetime) -> None:
        """Move the checkpoint forward, never back."""
        statement = insert(CheckpointRow).values(account_id=account, complete_until=at)
        latest = func.greatest(CheckpointRow.complete_until, statement.excluded.complete_until)
        async with self._database.account_scope(account) as session:
            await session.exec(
                statement.on_conflict_do_update(
                    index_elements=["account_id"], set_={"complete_until": latest}
                )
            )


async def _unsettled(session: RecordSession, account: str) -> list[TradeState]:
    """Return the states of the trades that have not come to their end, by number."""
    query = (
        select(TradeStateRow)
        .join(
            TradeRow,
            (col(TradeRow.account_id) == col(TradeStateRow.account_id))
            & (col(TradeRow.number) == col(TradeStateRow.number)),
        )
        .where(TradeRow.account_id == account, TradeRow.phase != TradePhase.SETTLED.value)
        .order_by(col(TradeStateRow.number))
    )
    return [trade_state(row.state) for row in await session.exec(query)]


def _values(state: AccountState, at: datetime) -> dict[str, object]:
    return {
        "account": state.account,
        "mode": state.mode.value,
        "protection": state.protection.value,
        "strategies": list(state.strategies),
        "limits": Jsonb(limits_document(state.limits)),
        "halts": Jsonb(halts_document(state.halts)),
        "next_trade": state.next_trade,
        "closed_trades": state.closed_trades,
        "results": Jsonb(results_document(state.results)),
        "drawdown": None if state.drawdown is None else Jsonb(drawdown_document(state.drawdown)),
        "measured_since": state.measured_since,
        "day_rule": Jsonb(day_rule_document(state.day)),
        "at": at,
    }


def held_balances(state: AccountState) -> dict[str, Decimal]:
    """Return totals by asset with the effect of the open trades, in the exchange's sense."""
    totals = dict(state.balances)
    if totals or state.trades:
        totals["USD"] = state.cash
    for trade in state.trades.values():
        base = trade.symbol.split("/", maxsplit=1)[0]
        totals[base] = totals.get(base, ZERO) + trade.bought - trade.sold
    return totals


async def _save_balances(
    session: LightSession, account: str, balances: dict[str, Decimal], at: datetime
) -> None:
    if not balances:
        return
    values = {
        "account": account,
        "assets": list(balances.keys()),
        "totals": list(balances.values()),
        "at": at,
    }
    await session.sql(_SAVE_BALANCES, values)

"""Trades, ideas and watches in the record."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from functools import cache

from psycopg.types.json import Jsonb
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.elements import TextClause

from activities.adapters.postgres import audit
from activities.adapters.postgres.accounts.evidence import append_trade
from activities.adapters.postgres.orders.coverage import Coverage, cover
from activities.metrics import UNPROTECTED, observe_slippage
from infra.runtime.database.connections import Database
from infra.runtime.database.light_connections import LightSession
from models.tables import IdeaRow
from models.tables.documents import trade_state, trade_state_text, verdict_document
from models.tables.trades.trades import trade_figures
from models.trading.ideas import Idea
from models.trading.risk.limits import ProtectionMode
from models.trading.trade.facts import PriceWatch
from models.trading.trade.slippage import slippages
from models.trading.trade.state import TradePhase, TradeState
from models.trading.verdicts import Verdict

_BEFORE = text(
    """SELECT protected_quantity, unprotected_since, unprotected_seconds, updated_at, executions
       FROM trades
       WHERE account_id = :account AND number = :trade FOR UPDATE"""
)
_COVERAGE_TIMES = text(
    """SELECT (SELECT min(recorded_at) FROM fills
               WHERE account_id = :account AND trade = :trade AND side = 'buy'
                 AND recorded_at > :after) AS exposed_at,
              (SELECT max(acknowledged_at) FROM orders
               WHERE account_id = :account AND trade = :trade AND leg = 'stop') AS stop_at"""
)
_SETTLED_STATE = text(
    """SELECT s.state FROM trade_states s JOIN trades t USING (account_id, number)
       WHERE s.account_id = :account AND s.number = :trade AND t.phase = 'settled'"""
)
_DROP_WATCHES = text(
    """DELETE FROM price_watches
       WHERE account_id = :account AND trade = :trade AND watch_id <> ALL (:kept)"""
)
_ADD_WATCH = text(
    """INSERT INTO price_watches
           (account_id, watch_id, trade, symbol, kind, direction, level, due_at, created_at)
       VALUES (:account_id, :watch_id, :trade, :symbol, :kind, :direction, :level,
           CAST(:due_at AS timestamptz), clock_timestamp())
       ON CONFLICT DO NOTHING"""
)


_KEEP_STATE = text(
    """INSERT INTO trade_states (account_id, number, state, at)
       VALUES (:account, :trade, CAST(:state AS jsonb), :at)
       ON CONFLICT (account_id, number) DO UPDATE SET state = excluded.state, at = excluded.at
           WHERE trade_states.at <= excluded.at"""
)


class TradeJournal:
    """The part of the journal that holds trades, ideas and price watches."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save_trade(
        self, state: TradeState, event: str | None, at: datetime, verdict: Verdict | None = None
    ) -> None:
        """Write a trade's figures, its stop coverage and, with ``event``, an audit row.

        ``at`` is protocol time. An older save that arrives late changes nothing but the audit log.
        """
        account, number = state.plan.account, state.plan.number
        values = trade_figures(state) | {"updated_at": at}
        values["refusals"] = Jsonb(values["refusals"])
        values["exits"] = Jsonb(values["exits"])
        if verdict is not None:
            values["verdict"] = Jsonb(verdict_document(verdict))
        async with self._database.light_scope(account) as session:
            coverage, uncovered, known = await _coverage(session, state, at)
            values |= asdict(coverage)
            await session.sql(_upsert(tuple(values)), values)
            kept = {"account": account, "trade": number, "state": trade_state_text(state), "at": at}
            await session.sql(_KEEP_STATE, kept)
            await append_trade(session, state, at)
            if event is not None:
                details = {"trade": str(number), "at": at.isoformat()} | _audited(state)
                correlation = f"trade/{number}"
                await audit.append(
                    session, account, "aether", event, details, correlation, once=True
                )
        if uncovered > 0:
            UNPROTECTED.labels(state.plan.protection.value).observe(float(uncovered))
        observe_slippage(slippages(state)[known:])

    async def settled_trade(self, account: str, trade: int) -> TradeState | None:
        """Return the state that a trade has settled with, None while it is not settled."""
        async with self._database.light_scope(account) as session:
            rows = await session.sql(_SETTLED_STATE, {"account": account, "trade": trade})
        document = next((row.state for row in rows), None)
        return None if document is None else trade_state(document)

    async def record_idea(
        self, account: str, idea: Idea, verdict: Verdict, trade: int | None, at: datetime
    ) -> None:
        """Write what became of an idea, once per account and idea."""
        values = asdict(idea) | {
            "account_id": account,
            "reasons": list(idea.reasons),
            "standing": idea.standing.value,
            "allowed": verdict.allowed,
            "verdict": verdict_document(verdict),
            "trade": trade,
            "decided_at": at,
        }
        async with self._database.account_scope(account) as session:
            await session.exec(insert(IdeaRow).values(values).on_conflict_do_nothing())

    async def set_watches(self, account: str, trade: int, watches: Sequence[PriceWatch]) -> None:
        """Replace a trade's price watches; the market worker is notified on commit.

        A watch that stays keeps its crossing, so that it is not told a second time.
        """
        kept = [watch.watch_id for watch in watches]
        async with self._database.light_scope(account) as session:
            await session.sql(_DROP_WATCHES, {"account": account, "trade": trade, "kept": kept})
            for watch in watches:
                await session.sql(_ADD_WATCH, _watch_values(watch))


async def _coverage(
    session: LightSession, state: TradeState, at: datetime
) -> tuple[Coverage, Decimal, int]:
    """Return the coverage now, seconds of a gap that ended, and the executions written before."""
    trade = {"account": state.plan.account, "trade": state.plan.number}
    before = next(iter(await session.sql(_BEFORE, trade)), None)
    previous = Coverage(
        protected_quantity=before.protected_quantity if before else Decimal(0),
        unprotected_since=before.unprotected_since if before else None,
        unprotected_seconds=before.unprotected_seconds if before else Decimal(0),
    )
    after = before.updated_at if before else state.plan.requested_at
    (row,) = await session.sql(_COVERAGE_TIMES, trade | {"after": after})
    exposed = Decimal(0) if state.phase is TradePhase.SETTLED else state.held
    coverage = cover(
        previous,
        exposed=exposed,
        protected=state.protected_quantity,
        exposed_at=None if state.plan.protection is ProtectionMode.ATTACHED else row.exposed_at,
        stop_at=row.stop_at,
        at=at,
    )
    if before is not None and before.updated_at > at:
        return coverage, Decimal(0), len(state.fills)  # a late save changes nothing
    known = before.executions if before else 0
    return coverage, coverage.unprotected_seconds - previous.unprotected_seconds, known


@cache
def _upsert(columns: tuple[str, ...]) -> TextClause:
    names = ", ".join(columns)
    values = ", ".join(f":{name}" for name in columns)
    changes = ", ".join(f"{name} = excluded.{name}" for name in columns)
    return text(
        f"INSERT INTO trades ({names}) VALUES ({values})"  # noqa: S608 the code's own column names
        f" ON CONFLICT (account_id, number) DO UPDATE SET {changes}"
        " WHERE trades.updated_at <= excluded.updated_at"
    )


def _audited(state: TradeState) -> dict[str, str]:
    return {
        "symbol": state.plan.instrument.symbol,
        "phase": state.phase.value,
        "held": str(state.held),
        "stop_price": str(state.stop_price),
        "fees": str(state.fees),
        "cash_flow": str(state.cash_flow),
        "exit_reason": state.exit_reason.value if state.exit_reason else "",
    }


def _watch_values(watch: PriceWatch) -> dict[str, object]:
    return {
        "account_id": watch.account,
        "watch_id": watch.watch_id,
        "trade": watch.trade,
        "symbol": watch.symbol,
        "kind": watch.kind.value,
        "direction": watch.direction.value,
        "level": watch.level,
        "due_at": watch.due_at,
    }

"""Trades, ideas and watches in the record."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal

from sqlalchemy import delete, text
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlmodel import col, select

from activities.adapters.postgres import audit
from activities.adapters.postgres.coverage import Coverage, cover
from infra.runtime.database import Database, RecordSession
from models.tables import IdeaRow, PriceWatchRow, TradeRow
from models.tables.documents import verdict_document
from models.tables.trades import trade_figures
from models.trading.ideas import Idea
from models.trading.limits import ProtectionMode
from models.trading.trade_facts import PriceWatch
from models.trading.trade_state import TradePhase, TradeState
from models.trading.verdicts import Verdict

_COVERAGE_TIMES = text(
    """SELECT (SELECT min(recorded_at) FROM fills
               WHERE account_id = :account AND trade = :trade AND side = 'buy'
                 AND recorded_at > :after) AS exposed_at,
              (SELECT max(acknowledged_at) FROM orders
               WHERE account_id = :account AND trade = :trade AND leg = 'stop') AS stop_at"""
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
        if verdict is not None:
            values["verdict"] = verdict_document(verdict)
        async with self._database.account_scope(account) as session:
            coverage = await _coverage(session, state, at)
            await session.exec(_upsert(values | asdict(coverage)))
            if event is not None:
                details = {"trade": str(number), "at": at.isoformat()} | _audited(state)
                correlation = f"trade/{number}"
                await audit.append(
                    session, account, "aether", event, details, correlation, once=True
                )

    async def record_idea(
        self, account: str, idea: Idea, verdict: Verdict, trade: int | None, at: datetime
    ) -> None:
        """Write what became of an idea, once per account and idea."""
        values = asdict(idea) | {
            "account_id": account,
            "reasons": list(idea.reasons),
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
        gone = delete(PriceWatchRow).where(
            col(PriceWatchRow.account_id) == account,
            col(PriceWatchRow.trade) == trade,
            col(PriceWatchRow.watch_id).not_in([watch.watch_id for watch in watches]),
        )
        async with self._database.account_scope(account) as session:
            await session.exec(gone)
            if watches:
                rows = [_watch_values(watch) for watch in watches]
                await session.exec(insert(PriceWatchRow).values(rows).on_conflict_do_nothing())


async def _coverage(session: RecordSession, state: TradeState, at: datetime) -> Coverage:
    key = (state.plan.account, state.plan.number)
    query = select(TradeRow).where(TradeRow.account_id == key[0], TradeRow.number == key[1])
    before = (await session.exec(query.with_for_update())).first()
    previous = Coverage(
        protected_quantity=before.protected_quantity if before else Decimal(0),
        unprotected_since=before.unprotected_since if before else None,
        unprotected_seconds=before.unprotected_seconds if before else Decimal(0),
    )
    after = before.updated_at if before else state.plan.requested_at
    times = {"account": key[0], "trade": key[1], "after": after}
    row = (await session.sql(_COVERAGE_TIMES, times)).one()
    exposed = Decimal(0) if state.phase is TradePhase.SETTLED else state.held
    return cover(
        previous,
        exposed=exposed,
        protected=state.protected_quantity,
        exposed_at=None if state.plan.protection is ProtectionMode.ATTACHED else row.exposed_at,
        stop_at=row.stop_at,
        at=at,
    )


def _upsert(values: dict[str, object]) -> Insert:
    statement = insert(TradeRow).values(values)
    changed = {name: statement.excluded[name] for name in values}
    return statement.on_conflict_do_update(
        index_elements=["account_id", "number"],
        set_=changed,
        where=col(TradeRow.updated_at) <= statement.excluded.updated_at,
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
        "created_at": text("clock_timestamp()"),
    }

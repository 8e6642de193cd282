"""Facts of the reports that tell what an account came to, read from the record."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import col, select

from infra.runtime.database.connections import Database
from models.reporting.account_sections import (
    ClosedDay,
    HedgeReviewed,
    daily_sections,
    hedge_sections,
    performance_sections,
    risk_sections,
    trade_sections,
)
from models.reporting.costs import SettledTrade
from models.reporting.documents import Section
from models.reporting.performance import (
    Benchmarks,
    Measured,
    benchmarks,
    held_before,
    measured_points,
)
from models.tables import (
    BalanceRow,
    CapitalFlowRow,
    HedgeReviewRow,
    NavBaselineRow,
    NetAssetValueRow,
    TradingDayRow,
)
from models.tables.accounts.benchmarks import MOVED_SINCE, PRICES_AT, prices_of, symbols_of
from models.tables.trades.settled import SETTLED_TRADES, settled_trade
from models.trading.account.capital.drawdown import is_beginning
from models.trading.capital.flows import NavPoint

Span = dict[str, Any]
"""``since`` and ``until`` in market time, and how many rows are read at ``most``."""


@dataclass(frozen=True, slots=True)
class _Values:
    """Values of an account over a span: looks, all points, and where measuring began anew."""

    marks: list[Measured]
    points: list[NavPoint]
    begun: list[NavPoint]


async def settled_trades(database: Database, account: str, span: Span) -> list[SettledTrade]:
    """Return the trades that closed in a span of market time."""
    async with database.account_scope(account) as session:
        return [settled_trade(row) for row in (await session.sql(SETTLED_TRADES, span)).all()]


class AccountReports:
    """Reports of days, trades, risk, hedge and performance (RP-1 to RP-5)."""

    def __init__(self, reading: Database) -> None:
        self._reading = reading

    def kinds(self) -> dict[str, Callable[[str, Span], Awaitable[tuple[Section, ...]]]]:
        """Return how each kind is made of an account and a span."""
        return {
            "daily": self._daily,
            "trades": self._trades,
            "risk": self._risk,
            "hedge": self._hedge,
            "performance": self._performance,
        }

    async def _daily(self, account: str, span: Span) -> tuple[Section, ...]:
        return daily_sections(await self._days(account, span))

    async def _trades(self, account: str, span: Span) -> tuple[Section, ...]:
        return trade_sections(await settled_trades(self._reading, account, span))

    async def _risk(self, account: str, span: Span) -> tuple[Section, ...]:
        values = await self._values(account, span)
        return risk_sections(await self._days(account, span), values.points, values.marks)

    async def _hedge(self, account: str, span: Span) -> tuple[Section, ...]:
        at = col(HedgeReviewRow.at)
        query = select(HedgeReviewRow).where(at > span["since"], at <= span["until"])
        query = query.order_by(col(HedgeReviewRow.number)).limit(span["most"])
        async with self._reading.account_scope(account) as session:
            rows = (await session.exec(query)).all()
        return hedge_sections([_reviewed(row) for row in rows])

    async def _performance(self, account: str, span: Span) -> tuple[Section, ...]:
        values = await self._values(account, span)
        against = await self._benchmarks(account, values, span["until"])
        return performance_sections(await self._days(account, span), values.points, against)

    async def _days(self, account: str, span: Span) -> list[ClosedDay]:
        at = col(TradingDayRow.closed_at)
        query = select(TradingDayRow).where(at > span["since"], at <= span["until"]).order_by(at)
        async with self._reading.account_scope(account) as session:
            return [_closed(row) for row in await session.exec(query)]

    async def _values(self, account: str, span: Span) -> _Values:
        """Read values from the end of the report before, so that no step is left out."""
        since, until = span["since"], span["until"]
        marked, noted, began = (
            col(NetAssetValueRow.at),
            col(CapitalFlowRow.noted_at),
            col(NavBaselineRow.at),
        )
        looks = select(NetAssetValueRow).where(marked >= since, marked <= until).order_by(marked)
        flows = select(CapitalFlowRow).where(noted >= since, noted <= until)
        starts = select(NavBaselineRow).where(began >= since, began <= until)
        async with self._reading.account_scope(account) as session:
            marks = [Measured(r.at, r.equity, r.cash) for r in await session.exec(looks)]
            moved = [
                NavPoint(row.noted_at, row.value_after, row.value)
                for row in await session.exec(flows)
                if row.noted_at is not None and row.value_after is not None
            ]
            begun = [
                NavPoint(row.at, row.value)
                for row in await session.exec(starts)
                if is_beginning(row.reason)
            ]
        points = measured_points([*(NavPoint(m.at, m.value) for m in marks), *moved], begun)
        return _Values(marks, points, begun)

    async def _benchmarks(self, account: str, values: _Values, until: datetime) -> Benchmarks:
        if not values.points:
            return Benchmarks(None, None)
        begins = values.points[0].at
        async with self._reading.account_scope(account) as session:
            balances = {b.asset: b.total for b in await session.exec(select(BalanceRow))}
            rows = (await session.sql(MOVED_SINCE, {"at": begins})).all()
        held = held_before(balances, {row.asset: row.quantity for row in rows})
        symbols = symbols_of(held or ())
        prices = [
            prices_of(await self._reading.call(PRICES_AT, {"symbols": symbols, "at": at}))
            for at in (begins, until)
        ]
        mark = values.marks[0] if values.marks else None
        return benchmarks(values.points, values.begun, mark, held, (prices[0], prices[1]))


def _closed(row: TradingDayRow) -> ClosedDay:
    return ClosedDay(
        row.day,
        row.profit_share,
        row.profit,
        row.worst_share,
        row.flows,
        row.realised,
        row.unrealised,
        row.fees,
        row.halted,
    )


def _reviewed(row: HedgeReviewRow) -> HedgeReviewed:
    return HedgeReviewed(
        row.at,
        row.actual,
        row.target,
        row.move or "",
        row.value,
        row.fees,
        row.turnover,
        row.profit,
    )

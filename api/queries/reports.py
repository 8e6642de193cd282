"""The report of an account, and its trades as a table of any length."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from sqlmodel import col, select

from api.http.csv_lines import cell_of, line_of
from api.messages.decisions import HedgeReview
from api.messages.reports import (
    CostsOfReport,
    DayOfReport,
    Fall,
    Performance,
    Report,
    RiskOfReport,
)
from api.queries import accounts, capital
from api.services import Services
from infra.runtime.database.connections import Database
from models.reporting.costs import costs_by_pair
from models.reporting.performance import (
    Benchmarks,
    DayResult,
    Measured,
    Risk,
    benchmarks,
    compounded,
    deepest_fall,
    held_before,
    risk_of,
)
from models.tables import BalanceRow, HedgeReviewRow, NavBaselineRow, NetAssetValueRow, TradeRow
from models.tables.accounts.benchmarks import MOVED_SINCE, PRICES_AT, prices_of, symbols_of
from models.tables.trades.settled import SETTLED_TRADES, settled_trade
from models.trading.account.capital.drawdown import is_beginning
from models.trading.capital.flows import NavPoint

DAYS_MOST: Final = 400
TRADES_MOST: Final = 20_000
"""Trades that the costs of one report are made of."""
PAGE: Final = 500
COLUMNS: Final = (
    "number",
    "symbol",
    "phase",
    "source",
    "quantity",
    "bought",
    "sold",
    "reference_price",
    "average_entry_price",
    "average_exit_price",
    "stop_price",
    "take_profit_price",
    "fees",
    "slippage",
    "pnl",
    "exit_reason",
    "unprotected_seconds",
    "decided_at",
    "opened_at",
    "closed_at",
)


async def report(services: Services, account: str, since: datetime) -> Report:
    """Return the report of an account since a market time."""
    database = services.database
    market = await accounts.snapshots(database)
    portfolio, points = await capital.portfolio(database, account, market, since)
    days = [
        day
        for day in await capital.days(database, account, None, DAYS_MOST)
        if day.closed_at >= since
    ]
    results = [DayResult(day.day, day.profit_share, day.profit) for day in reversed(days)]
    until = capital.market_time(market)
    async with database.account_scope(account) as session:
        newest = select(HedgeReviewRow).order_by(col(HedgeReviewRow.at).desc()).limit(1)
        review = (await session.exec(newest)).first()
    against = await _benchmarks(database, account, points, market)
    span = {"since": since, "until": datetime.max.replace(tzinfo=UTC), "most": TRADES_MOST}
    async with database.account_scope(account) as session:
        ended = [settled_trade(row) for row in (await session.sql(SETTLED_TRADES, span)).all()]
    return Report(
        account=account,
        made_at=datetime.now(UTC),
        days=days,
        risk=_risk(risk_of(results), points, portfolio.exposure_share),
        performance=Performance(
            return_share=portfolio.return_share,
            closed_days_share=compounded([one.share for one in results]),
            bitcoin_share=against.bitcoin,
            holding_share=against.holding,
            since=points[0].at if points else since,
            until=until,
        ),
        hedge=None if review is None else HedgeReview.model_validate(review),
        costs=[CostsOfReport.model_validate(one) for one in costs_by_pair(ended)],
    )


async def trades_as_csv(database: Database, account: str) -> AsyncIterator[str]:
    """Yield all trades, newest first, in lines of CSV (RFC 4180); memory does not grow with them.

    Text that a spreadsheet would take for a formula gets an apostrophe before it.
    """
    yield line_of(COLUMNS)
    before: int | None = None
    while True:
        query = select(TradeRow).order_by(col(TradeRow.number).desc()).limit(PAGE)
        if before is not None:
            query = query.where(TradeRow.number < before)
        async with database.account_scope(account) as session:
            rows = list(await session.exec(query))
        if not rows:
            return
        yield "".join(line_of([cell_of(getattr(row, name)) for name in COLUMNS]) for row in rows)
        before = rows[-1].number


def _risk(found: Risk, points: list[NavPoint], exposure: Decimal | None) -> RiskOfReport:
    fall = deepest_fall(points)
    return RiskOfReport(
        days=found.days,
        losing_days=found.losing_days,
        daily_volatility=found.daily_volatility,
        yearly_volatility=found.yearly_volatility,
        worst=None if found.worst is None else DayOfReport.model_validate(found.worst),
        best=None if found.best is None else DayOfReport.model_validate(found.best),
        deepest_fall=None if fall is None else Fall.model_validate(fall),
        exposure_share=exposure,
    )


async def _benchmarks(
    database: Database, account: str, points: list[NavPoint], market: accounts.Snapshots
) -> Benchmarks:
    """Return what holding would have returned from the first measurement to the last prices."""
    if not points:
        return Benchmarks(None, None)
    begins = points[0].at
    async with database.account_scope(account) as session:
        balances = {b.asset: b.total for b in await session.exec(select(BalanceRow))}
        moved = (await session.sql(MOVED_SINCE, {"at": begins})).all()
        first = select(NetAssetValueRow).where(col(NetAssetValueRow.at) == begins)
        mark = (await session.exec(first)).first()
        anew = select(NavBaselineRow).where(col(NavBaselineRow.at) > begins)
        begun = [
            NavPoint(row.at, row.value)
            for row in await session.exec(anew)
            if is_beginning(row.reason)
        ]
    held = held_before(balances, {row.asset: row.quantity for row in moved})
    values = {"symbols": symbols_of(held or ()), "at": begins}
    prices = prices_of(await database.call(PRICES_AT, values))
    newest = prices_of((row.symbol, row.last) for row in market.values())
    looked = None if mark is None else Measured(mark.at, mark.equity, mark.cash)
    return benchmarks(points, begun, looked, held, (prices, newest))

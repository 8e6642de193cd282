"""What the API tells of capital, days and portfolios: shapes, and reads from tables only."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from pydantic import BaseModel
from sqlmodel import col, select

from api.messages.schemas import Money, Row
from api.queries.accounts import Snapshots, at_last_prices, drawdown_of, exit_fee_in, marked
from infra.runtime.database.connections import Database
from models.reporting.performance import exposure_of, measured_points
from models.tables.accounts.accounts import AccountRow, BalanceRow, NetAssetValueRow
from models.tables.accounts.capital import CapitalFlowRow, NavBaselineRow, TradingDayRow
from models.tables.accounts.restoration import AccountStateRow
from models.tables.documents import account_state
from models.trading.account.capital.drawdown import is_beginning
from models.trading.capital.flows import (
    CapitalFlow,
    FlowSource,
    NavBaseline,
    NavPoint,
    merge_points,
    profit_since,
    time_weighted_return,
)
from models.trading.capital.valuation import Valuation, how_valued

ZERO = Decimal(0)
POINTS_SHOWN = 500


class Day(Row):
    """What one day of an account came to; USD, shares are time-weighted."""

    day: dt.date
    opened_at: dt.datetime
    closed_at: dt.datetime
    opening_equity: Money
    closing_equity: Money
    flows: Money
    profit: Money
    profit_share: Money
    worst_share: Money
    halted: bool
    realised: Money | None
    unrealised: Money | None
    fees: Money | None


class Drawdown(BaseModel):
    """How far an account is down at the last prices; shares of the capital in place."""

    day: dt.date
    opened_at: dt.datetime
    opening_equity: Money
    equity: Money
    flows: Money
    daily_share: Money
    worst_share: Money
    total_share: Money
    daily_halted_at: dt.datetime | None
    total_halted_at: dt.datetime | None


class Flow(Row):
    """Capital that came in or went out; ``value`` in USD."""

    flow_id: str
    asset: str
    amount: Money
    value: Money
    at: dt.datetime
    source: str
    author: str
    note: str


class Baseline(BaseModel):
    """A value that profit is measured from, and the profit since, net of flows."""

    at: dt.datetime
    reason: str
    value: Money
    profit: Money


class Capital(BaseModel):
    """What an account is worth, what was brought in, and what trading made of it."""

    nav: Money
    unpriced: list[str]
    contributed: Money
    baselines: list[Baseline]
    flows: list[Flow]


class Holding(BaseModel):
    """One asset of a portfolio; ``share`` is of the net asset value.

    ``dust`` is what of it settled trades left, too little to be sold: the next trade sells it.
    """

    asset: str
    quantity: Money
    price: Money | None
    value: Money | None
    share: Money | None
    dust: Money


class ValuePoint(BaseModel):
    """The net asset value at a market time; ``flow`` came in just before."""

    at: dt.datetime
    value: Money
    flow: Money


class Portfolio(BaseModel):
    """Holdings, exposure and value, now and over time (market time).

    ``valued_at`` says what ``nav`` counts holdings at; the ``value`` of each is at the bid.
    """

    at: dt.datetime | None
    nav: Money
    valued_at: str
    cash: Money
    exposure: Money
    exposure_share: Money | None
    unpriced: list[str]
    holdings: list[Holding]
    since: dt.datetime
    return_share: Money
    points: list[ValuePoint]


class Portfolios(BaseModel):
    """All accounts that the caller may see, together, and together by mode.

    ``modes``: the mode of each account. Simulated money is none: whoever asks what there is looks
    at ``by_mode``.
    """

    total: Portfolio
    by_mode: dict[str, Portfolio]
    modes: dict[str, str]
    accounts: dict[str, Portfolio]


def market_time(market: Snapshots) -> dt.datetime | None:
    """Return the newest market time seen."""
    return max((row.observed_at for row in market.values()), default=None)


async def days(
    database: Database, account: str, before: dt.datetime | None, limit: int
) -> list[Day]:
    """Return closed days, newest first."""
    query = select(TradingDayRow).order_by(col(TradingDayRow.closed_at).desc()).limit(limit)
    if before is not None:
        query = query.where(col(TradingDayRow.closed_at) < before)
    async with database.account_scope(account) as session:
        return [Day.model_validate(row) for row in await session.exec(query)]


async def drawdown(database: Database, account: str, market: Snapshots) -> Drawdown | None:
    """Return how far an account is down, None before anything was measured."""
    async with database.account_scope(account) as session:
        row = await session.get_one(AccountRow, account)
        balances = {b.asset: b.total for b in await session.exec(select(BalanceRow))}
        measured = await drawdown_of(session, row)
        exit_fee = await exit_fee_in(session)
    if measured is None:
        return None
    state = at_last_prices(measured, balances, market, exit_fee)
    return Drawdown(
        day=state.day,
        opened_at=state.opened_at,
        opening_equity=state.opening_equity,
        equity=state.equity,
        flows=state.flows,
        daily_share=state.daily_share,
        worst_share=state.worst_share,
        total_share=state.total_share,
        daily_halted_at=state.daily_halted_at,
        total_halted_at=state.total_halted_at,
    )


async def capital(database: Database, account: str, market: Snapshots, limit: int) -> Capital:
    """Return capital brought in and profit since each baseline; the newest flows first."""
    async with database.account_scope(account) as session:
        balances = {b.asset: b.total for b in await session.exec(select(BalanceRow))}
        order = col(CapitalFlowRow.at)
        rows = list(await session.exec(select(CapitalFlowRow).order_by(order)))
        baselines = list(
            await session.exec(select(NavBaselineRow).order_by(col(NavBaselineRow.at)))
        )
        exit_fee = await exit_fee_in(session)
    worth = marked(balances, market, exit_fee)
    nav = worth.known
    # A flow counts from when it was counted: until then it was in no measured value either.
    flows = [_flow(row) for row in rows if row.noted_at is not None]
    found = [NavBaseline(row.at, row.value, row.reason) for row in baselines]
    return Capital(
        nav=nav,
        unpriced=list(worth.without_price),
        contributed=sum((row.value for row in rows), ZERO),
        baselines=[
            Baseline(
                at=one.at, reason=one.reason, value=one.value, profit=profit_since(one, nav, flows)
            )
            for one in found
        ],
        flows=[Flow.model_validate(row) for row in reversed(rows[-limit:])],
    )


async def portfolio(
    database: Database, account: str, market: Snapshots, since: dt.datetime
) -> tuple[Portfolio, list[NavPoint]]:
    """Return an account's portfolio, and its values over time in full."""
    async with database.account_scope(account) as session:
        balances = {b.asset: b.total for b in await session.exec(select(BalanceRow))}
        marks = select(NetAssetValueRow).where(col(NetAssetValueRow.at) >= since)
        points = [NavPoint(row.at, row.equity) for row in await session.exec(marks)]
        flows = select(CapitalFlowRow).where(col(CapitalFlowRow.noted_at) >= since)
        points += [
            NavPoint(row.noted_at, row.value_after, row.value)
            for row in await session.exec(flows)
            if row.noted_at is not None and row.value_after is not None
        ]
        begun = select(NavBaselineRow).where(col(NavBaselineRow.at) >= since)
        kept = await session.get(AccountStateRow, account)
        exit_fee = await exit_fee_in(session)
        beginnings = [
            NavPoint(row.at, row.value)
            for row in await session.exec(begun)
            if is_beginning(row.reason)
        ]
    points = measured_points(points, beginnings)
    dust = {} if kept is None else account_state(kept.state).dust
    worth, valued_at = marked(balances, market, exit_fee), how_valued(exit_fee)
    return _portfolio(balances, market, since, points, dust, worth, valued_at), points


def together(
    balances: Sequence[Portfolio], market: Snapshots, since: dt.datetime, points: list[NavPoint]
) -> Portfolio:
    """Return the portfolio of all accounts together."""
    held: dict[str, Decimal] = {}
    dust: dict[str, Decimal] = {}
    for one in balances:
        for holding in one.holdings:
            held[holding.asset] = held.get(holding.asset, ZERO) + holding.quantity
            dust[holding.asset] = dust.get(holding.asset, ZERO) + holding.dust
    # Each account counts its own by its own settings: the sum is what they are worth together.
    worth = replace(marked(held, market), known=sum((one.nav for one in balances), ZERO))
    ways = sorted({one.valued_at for one in balances})
    return _portfolio(held, market, since, points, dust, worth, "; ".join(ways))


async def portfolios(
    database: Database, accounts: Sequence[str], market: Snapshots, since: dt.datetime
) -> Portfolios:
    """Return every account's portfolio, and all together."""
    found, values, modes = {}, {}, {}
    for account in accounts:
        found[account], values[account] = await portfolio(database, account, market, since)
        modes[account] = await _mode(database, account)

    def of(names: Sequence[str]) -> Portfolio:
        merged = list(merge_points([values[name] for name in names]))
        return together([found[name] for name in names], market, since, merged)

    by_mode = {
        mode: of([name for name in accounts if modes[name] == mode])
        for mode in sorted(set(modes.values()))
    }
    return Portfolios(total=of(accounts), by_mode=by_mode, modes=modes, accounts=found)


async def _mode(database: Database, account: str) -> str:
    async with database.account_scope(account) as session:
        return (await session.get_one(AccountRow, account)).mode


def _portfolio(
    balances: dict[str, Decimal],
    market: Snapshots,
    since: dt.datetime,
    points: list[NavPoint],
    dust: dict[str, Decimal],
    worth: Valuation,
    valued_at: str,
) -> Portfolio:
    nav = worth.known
    cash = balances.get("USD", ZERO)
    step = max(1, -(-len(points) // POINTS_SHOWN))
    shown = [p for number, p in enumerate(reversed(points)) if number % step == 0 or p.flow]
    return Portfolio(
        at=market_time(market),
        nav=nav,
        valued_at=valued_at,
        cash=cash,
        exposure=nav - cash,
        exposure_share=exposure_of(nav, cash),
        unpriced=list(worth.without_price),
        holdings=[
            _holding(asset, total, market, nav, dust.get(asset, ZERO))
            for asset, total in sorted(balances.items())
            if total != ZERO
        ],
        since=since,
        return_share=time_weighted_return(points),
        points=[ValuePoint(at=p.at, value=p.value, flow=p.flow) for p in reversed(shown)],
    )


def _holding(asset: str, total: Decimal, market: Snapshots, nav: Decimal, dust: Decimal) -> Holding:
    snapshot = market.get(f"{asset}/USD")
    price = Decimal(1) if asset == "USD" else None if snapshot is None else snapshot.bid
    value = None if price is None else total * price
    share = None if value is None or nav <= ZERO else value / nav
    return Holding(asset=asset, quantity=total, price=price, value=value, share=share, dust=dust)


def _flow(row: CapitalFlowRow) -> CapitalFlow:
    return CapitalFlow(
        row.flow_id,
        row.asset,
        row.amount,
        row.value,
        row.noted_at or row.at,
        FlowSource(row.source),
        row.author,
        row.note,
    )

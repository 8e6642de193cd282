"""Reads for the screens: from tables only, each inside its account's scope."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from http import HTTPStatus

from sqlalchemy import func
from sqlmodel import col, select

from api.http.problems import ProblemError
from api.messages.schemas import Account, HaltInForce, Limits, Position
from infra.runtime.database.connections import Database, RecordSession
from models.tables.accounts.accounts import AccountRow, BalanceRow, NetAssetValueRow
from models.tables.documents import account_halts, account_limits, drawdown_state
from models.tables.market.market import MarketSnapshotRow
from models.tables.trades.trades import TradeRow
from models.trading.account.state import AWAY, Halt
from models.trading.capital.valuation import Valuation, value_holdings
from models.trading.trade.state import TradePhase

ZERO = Decimal(0)
SETTLED = TradePhase.SETTLED.value

Snapshots = dict[str, MarketSnapshotRow]


async def require_account(database: Database, account: str) -> None:
    """Refuse an account that does not exist."""
    if account not in await database.accounts():
        raise ProblemError(HTTPStatus.NOT_FOUND, "unknown-account", f"No account {account}.")


async def require_trade(database: Database, account: str, number: int) -> TradeRow:
    """Return a trade of an account, or refuse one that does not exist."""
    await require_account(database, account)
    async with database.account_scope(account) as session:
        row = await session.get(TradeRow, (account, number))
    if row is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, "unknown-trade", f"No trade {number}.")
    return row


async def snapshots(database: Database) -> Snapshots:
    """Return the latest figures of every symbol."""
    async with database.no_scope() as session:
        found = (await session.exec(select(MarketSnapshotRow))).all()
    return {row.symbol: row for row in found}


async def account_view(database: Database, account: str, market: Snapshots) -> Account:
    """Return an account with its figures marked to the latest prices."""
    async with database.account_scope(account) as session:
        row = await session.get_one(AccountRow, account)
        balances = {b.asset: b.total for b in await session.exec(select(BalanceRow))}
        open_trades = await _count_open(session)
        baseline = await _day_baseline(session, market)
    worth = marked(balances, market)
    halts = account_halts(row.halts)
    return Account(
        account=account,
        kind=row.kind,
        mode=row.mode,
        protection=row.protection,
        state=state_of(halts),
        strategies=row.strategies,
        limits=Limits.model_validate(account_limits(row.limits)),
        halts=[HaltInForce.model_validate(halt) for halt in halts],
        balances=balances,
        equity=worth.known,
        unpriced=list(worth.without_price),
        cash=balances.get("USD", ZERO),
        day_pnl_share=None if worth.value is None else _day_share(row, worth.value, baseline),
        open_trades=open_trades,
        closed_trades=row.closed_trades,
    )


def _day_share(row: AccountRow, equity: Decimal, baseline: Decimal | None) -> Decimal | None:
    """Return the day's return so far, which capital brought in or taken out does not change."""
    if row.drawdown is not None:
        day = replace(drawdown_state(row.drawdown), equity=equity)
        return day.growth / day.day_growth - 1
    return equity / baseline - 1 if baseline else None


def state_of(halts: Sequence[Halt]) -> str:
    """Name an account's state: ``no exchange`` before other halts, else ``trading``."""
    if any(halt.kind in AWAY for halt in halts):
        return "no exchange"
    return "halted" if halts else "trading"


def marked(balances: dict[str, Decimal], market: Snapshots) -> Valuation:
    """Return what balances are worth in USD at the last bids.

    The record knows a pair by its figures: one that was never priced here counts as not listed.
    """
    prices = {symbol: row.bid for symbol, row in market.items()}
    return value_holdings(balances, prices, market.keys())


async def positions(database: Database, account: str, market: Snapshots) -> list[Position]:
    """Return what an account holds through its open trades, by pair."""
    query = select(TradeRow).where(TradeRow.phase != SETTLED).order_by(col(TradeRow.number))
    grouped: dict[str, list[TradeRow]] = defaultdict(list)
    async with database.account_scope(account) as session:
        for trade in await session.exec(query):
            if trade.bought > trade.sold:
                grouped[trade.symbol].append(trade)
    return [_position(symbol, trades, market) for symbol, trades in sorted(grouped.items())]


def _position(symbol: str, trades: list[TradeRow], market: Snapshots) -> Position:
    quantity = sum((t.bought - t.sold for t in trades), ZERO)
    priced = [
        (t.bought - t.sold, t.average_entry_price)
        for t in trades
        if t.average_entry_price is not None
    ]
    weight = sum((held for held, _ in priced), ZERO)
    average = sum((held * price for held, price in priced), ZERO) / weight if weight else None
    last = market[symbol].last if symbol in market else None
    return Position(
        symbol=symbol,
        quantity=quantity,
        protected_quantity=sum((t.protected_quantity for t in trades), ZERO),
        average_entry_price=average,
        last_price=last,
        value=None if last is None else quantity * last,
        unrealised_pnl=None if last is None or average is None else quantity * (last - average),
        trades=[t.number for t in trades],
    )


async def _count_open(session: RecordSession) -> int:
    query = select(func.count()).select_from(TradeRow).where(TradeRow.phase != SETTLED)
    return (await session.exec(query)).one()


async def _day_baseline(session: RecordSession, market: Snapshots) -> Decimal | None:
    now = max((row.observed_at for row in market.values()), default=None)
    if now is None:
        return None
    day: datetime = now.replace(hour=0, minute=0, second=0, microsecond=0)
    query = (
        select(col(NetAssetValueRow.equity))
        .where(col(NetAssetValueRow.at) >= day)
        .order_by(col(NetAssetValueRow.at))
        .limit(1)
    )
    return (await session.exec(query)).first()

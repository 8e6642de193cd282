"""Reads for the screens: from tables only, each inside its account's scope."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from http import HTTPStatus
from typing import Any

from sqlalchemy import func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from api.problems import ProblemError
from api.schemas import Account, Position
from infra.runtime.database import Database
from models.tables.accounts import AccountRow, BalanceRow, NetAssetValueRow
from models.tables.market import MarketSnapshotRow
from models.tables.trades import TradeRow

ZERO = Decimal(0)
SETTLED = "settled"


async def require_account(database: Database, account: str) -> None:
    """Refuse an account that does not exist."""
    if account not in await database.accounts():
        raise ProblemError(HTTPStatus.NOT_FOUND, "unknown-account", f"No account {account}.")


async def rows(session: AsyncSession, query: Any) -> Sequence[Any]:
    """Return the entities a query selects."""
    return (await session.execute(query)).scalars().all()


async def snapshots(database: Database) -> dict[str, MarketSnapshotRow]:
    """Return the latest figures of every symbol."""
    async with database.no_scope() as session:
        found = await rows(session, select(MarketSnapshotRow))
    return {row.symbol: row for row in found}


async def account_view(
    database: Database, account: str, market: dict[str, MarketSnapshotRow]
) -> Account:
    """Return an account with its figures marked to the latest prices."""
    async with database.account_scope(account) as session:
        row = (await session.execute(select(AccountRow))).scalar_one()
        balances = {b.asset: b.total for b in await rows(session, select(BalanceRow))}
        open_trades = await _count_open(session)
        baseline = await _day_baseline(session, market)
    equity = marked(balances, market)
    return Account(
        account=account,
        kind=row.kind,
        mode=row.mode,
        protection=row.protection,
        state=state_of(row.halts),
        strategies=row.strategies,
        limits=row.limits,
        halts=row.halts,
        balances=balances,
        equity=equity,
        cash=balances.get("USD", ZERO),
        day_pnl_share=(equity / baseline - 1) if baseline else None,
        open_trades=open_trades,
        closed_trades=row.closed_trades,
    )


def state_of(halts: list[dict[str, Any]]) -> str:
    """Name an account's state: ``no exchange`` before other halts, else ``trading``."""
    kinds = [halt["kind"] for halt in halts]
    if "no_exchange" in kinds:
        return "no exchange"
    return "halted" if kinds else "trading"


def marked(balances: dict[str, Decimal], market: dict[str, MarketSnapshotRow]) -> Decimal:
    """Return what balances are worth in USD at the last prices; unpriced assets count nothing."""
    worth = balances.get("USD", ZERO)
    for asset, total in balances.items():
        snapshot = market.get(f"{asset}/USD")
        if asset != "USD" and snapshot is not None:
            worth += total * snapshot.last
    return worth


async def positions(
    database: Database, account: str, market: dict[str, MarketSnapshotRow]
) -> list[Position]:
    """Return what an account holds through its open trades, by pair."""
    async with database.account_scope(account) as session:
        found = await rows(
            session,
            select(TradeRow).where(TradeRow.phase != SETTLED).order_by(TradeRow.number),  # type: ignore[arg-type]
        )
    grouped: dict[str, list[TradeRow]] = defaultdict(list)
    for trade in found:
        if trade.bought > trade.sold:
            grouped[trade.symbol].append(trade)
    return [_position(symbol, trades, market) for symbol, trades in sorted(grouped.items())]


def _position(
    symbol: str, trades: list[TradeRow], market: dict[str, MarketSnapshotRow]
) -> Position:
    quantity = sum((t.bought - t.sold for t in trades), ZERO)
    priced = [(t.bought - t.sold, t.average_entry_price) for t in trades if t.average_entry_price]
    weight = sum((q for q, _ in priced), ZERO)
    average = sum((q * p for q, p in priced if p), ZERO) / weight if weight else None
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


async def _count_open(session: AsyncSession) -> int:
    query = select(func.count()).select_from(TradeRow).where(TradeRow.phase != SETTLED)  # type: ignore[arg-type]
    return int((await session.execute(query)).scalar_one())


async def _day_baseline(
    session: AsyncSession, market: dict[str, MarketSnapshotRow]
) -> Decimal | None:
    now = max((row.observed_at for row in market.values()), default=None)
    if now is None:
        return None
    day: datetime = now.replace(hour=0, minute=0, second=0, microsecond=0)
    query = (
        select(NetAssetValueRow.equity)  # type: ignore[call-overload]
        .where(NetAssetValueRow.at >= day)
        .order_by(NetAssetValueRow.at)
        .limit(1)
    )
    found: Decimal | None = (await session.execute(query)).scalar()
    return found

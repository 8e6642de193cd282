"""Accounts for the screens: from tables only, each inside its account's scope."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from sqlalchemy import func, type_coerce
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import col, select

from api.messages.schemas import Account, HaltInForce, Limits, Position
from infra.runtime.database.connections import Database, RecordSession
from models.tables.accounts.accounts import AccountRow, BalanceRow
from models.tables.accounts.restoration import AccountStateRow
from models.tables.accounts.settings import AccountSettingsRow
from models.tables.documents import account_halts, account_limits, drawdown_state
from models.tables.market.market import MarketSnapshotRow
from models.tables.trades.trades import TradeRow
from models.trading.account.settings.in_force import SettingsInForce, rules_of_account
from models.trading.account.state import AWAY, Halt
from models.trading.capital.positions import HeldByTrade, position_of
from models.trading.capital.valuation import Valuation, how_valued, value_holdings
from models.trading.risk.drawdown import DrawdownState
from models.trading.trade.state import TradePhase

ZERO = Decimal(0)
SETTLED = TradePhase.SETTLED.value

Snapshots = dict[str, MarketSnapshotRow]


async def snapshots(database: Database) -> Snapshots:
    """Return the latest figures of every symbol."""
    async with database.no_scope() as session:
        found = (await session.exec(select(MarketSnapshotRow))).all()
    return {row.symbol: row for row in found}


async def trade_row(database: Database, account: str, number: int) -> TradeRow | None:
    """Return a trade of an account, None when there is none."""
    async with database.account_scope(account) as session:
        return await session.get(TradeRow, (account, number))


async def account_view(database: Database, account: str, market: Snapshots) -> Account:
    """Return an account with its figures marked to the latest prices."""
    async with database.account_scope(account) as session:
        row = await session.get_one(AccountRow, account)
        balances = {b.asset: b.total for b in await session.exec(select(BalanceRow))}
        open_trades = await _count_open(session)
        drawdown = await drawdown_of(session, row)
        exit_fee = await exit_fee_in(session)
    worth = marked(balances, market, exit_fee)
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
        valued_at=how_valued(exit_fee),
        unpriced=list(worth.without_price),
        cash=balances.get("USD", ZERO),
        day_pnl_share=_day_return(drawdown, balances, market, exit_fee),
        open_trades=open_trades,
        closed_trades=row.closed_trades,
    )


async def drawdown_of(session: RecordSession, row: AccountRow) -> DrawdownState | None:
    """Return what an account's day and drawdown are measured against, None before it is measured.

    The account's whole state tells: the row keeps what was measured in the mode before until
    something is measured in the new one, whose money is not the same.
    """
    state = type_coerce(col(AccountStateRow.state), JSONB)
    query = select(state["drawdown"]).where(AccountStateRow.account_id == row.account_id)
    known = (await session.exec(query)).all()
    document = known[0] if known else row.drawdown
    return None if document is None else drawdown_state(document)


def _day_return(
    drawdown: DrawdownState | None,
    balances: dict[str, Decimal],
    market: Snapshots,
    exit_fee: Decimal,
) -> Decimal | None:
    """Return the return of the account's own day, None before it is measured or without prices."""
    if drawdown is None or marked(balances, market, exit_fee).value is None:
        return None
    return at_last_prices(drawdown, balances, market, exit_fee).day_return


def state_of(halts: Sequence[Halt]) -> str:
    """Name an account's state: ``no exchange`` before other halts, else ``trading``."""
    if any(halt.kind in AWAY for halt in halts):
        return "no exchange"
    return "halted" if halts else "trading"


async def exit_fee_in(session: RecordSession) -> Decimal:
    """Return what a sale's fee takes off what the account of the session's scope holds."""
    query = select(AccountSettingsRow).order_by(col(AccountSettingsRow.version).desc()).limit(1)
    row = (await session.exec(query)).first()
    kept = None if row is None else SettingsInForce(row.version, json.dumps(row.settings))
    return rules_of_account(kept or SettingsInForce()).exit_fee_share


def marked(balances: dict[str, Decimal], market: Snapshots, exit_fee: Decimal = ZERO) -> Valuation:
    """Return what balances are worth in USD at the last bids, less the fee of selling if set.

    The record knows a pair by its figures: one that was never priced here counts as not listed.
    """
    prices = {symbol: row.bid for symbol, row in market.items()}
    return value_holdings(balances, prices, market.keys(), exit_fee)


def at_last_prices(
    state: DrawdownState,
    balances: dict[str, Decimal],
    market: Snapshots,
    exit_fee: Decimal = ZERO,
) -> DrawdownState:
    """Return the state with equity at the last prices, where all are known."""
    equity = marked(balances, market, exit_fee).value
    return state if equity is None else replace(state, equity=equity)


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
    held = position_of(
        HeldByTrade(t.bought - t.sold, t.protected_quantity, t.average_entry_price) for t in trades
    )
    last = market[symbol].last if symbol in market else None
    return Position(
        symbol=symbol,
        quantity=held.quantity,
        protected_quantity=held.protected_quantity,
        average_entry_price=held.average_entry_price,
        last_price=last,
        value=held.value(last),
        unrealised_pnl=held.unrealised(last),
        trades=[t.number for t in trades],
    )


async def _count_open(session: RecordSession) -> int:
    query = select(func.count()).select_from(TradeRow).where(TradeRow.phase != SETTLED)
    return (await session.exec(query)).one()

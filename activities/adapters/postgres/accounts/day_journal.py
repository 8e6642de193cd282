"""Days of accounts in the record, and what it tells of the moment at which one ended."""

from dataclasses import asdict
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import text

from activities.ports.capital import BoundaryFigures, RunningDay
from infra.runtime.database.connections import Database
from infra.runtime.database.light_connections import LightSession
from models.tables.documents import day_rule, drawdown_state
from models.trading.account.capital.facts import TradeExecuted
from models.trading.capital.days import DailyRecord
from models.trading.trading_day import next_boundary

ZERO = Decimal(0)
OLDEST_PRICE = timedelta(days=7)
"""Market time behind a boundary after which a candle tells nothing of its price any more."""

SETTLING = timedelta(minutes=2)
"""Market time behind a boundary by which a feed that runs has told of the bars that ended there."""

_RUNNING = text(
    """SELECT drawdown, day_rule,
           (SELECT max(closed_at) FROM trading_days WHERE account_id = :account) AS recorded_until
       FROM accounts WHERE account_id = :account"""
)
# What a bar closed at is known when its interval has passed, whatever interval that is.
_PRICES = text(
    """WITH held AS (
           SELECT DISTINCT symbol FROM fills WHERE account_id = :account
           UNION SELECT asset || '/USD' FROM balances
               WHERE account_id = :account AND asset <> 'USD'
       )
       SELECT held.symbol, bar.close FROM held CROSS JOIN LATERAL (
           SELECT c.close FROM candles c
           WHERE c.symbol = held.symbol AND c.start >= :oldest
               AND c.start + make_interval(mins => c.interval_minutes) <= :at
           ORDER BY c.start + make_interval(mins => c.interval_minutes) DESC LIMIT 1
       ) AS bar"""
)
# A feed stores what it missed before it tells of anything new.
_REACH = text(
    """WITH held AS (
           SELECT DISTINCT symbol FROM fills WHERE account_id = :account
           UNION SELECT asset || '/USD' FROM balances
               WHERE account_id = :account AND asset <> 'USD'
       )
       SELECT COALESCE((SELECT max(observed_at) FROM market_snapshots) >= :settled, false)
           OR NOT EXISTS (
               SELECT FROM held WHERE NOT EXISTS (
                   SELECT FROM candles c WHERE c.symbol = held.symbol AND c.start >= :recent
                       AND c.start + make_interval(mins => c.interval_minutes) >= :at
               )
           ) AS reached"""
)
_EXECUTED = text(
    """SELECT trade, sum(CASE side WHEN 'buy' THEN quantity ELSE 0 END) AS bought,
           sum(CASE side WHEN 'sell' THEN quantity ELSE 0 END) AS sold,
           sum(CASE side WHEN 'buy' THEN -cost ELSE cost END - fee) AS cash
       FROM fills WHERE account_id = :account AND trade IN (
           SELECT trade FROM fills WHERE account_id = :account AND exchange_time >= :at
       ) GROUP BY trade"""
)
_MOVED = text(
    """SELECT split_part(symbol, '/', 1) AS asset,
           sum(CASE side WHEN 'buy' THEN quantity ELSE -quantity END) AS coins,
           sum(CASE side WHEN 'buy' THEN -cost ELSE cost END - fee) AS cash
       FROM fills WHERE account_id = :account AND exchange_time >= :at GROUP BY 1"""
)
# What was sold is held against what its trade paid on the average, fees on both sides inside.
_REALISED = text(
    """WITH day AS (
           SELECT * FROM fills
           WHERE account_id = :account AND exchange_time >= :opened AND exchange_time < :at
       ), paid AS (
           SELECT trade, symbol, sum(cost + fee) / sum(quantity) AS unit_cost FROM fills
           WHERE account_id = :account AND side = 'buy' AND exchange_time < :at
           GROUP BY trade, symbol
       )
       SELECT COALESCE((SELECT sum(fee) FROM day), 0) AS fees,
           COALESCE((SELECT sum(day.cost - day.fee - day.quantity * paid.unit_cost)
               FROM day JOIN paid ON paid.trade IS NOT DISTINCT FROM day.trade
                   AND paid.symbol = day.symbol
               WHERE day.side = 'sell'), 0) AS realised"""
)
_SAVE = text(
    """INSERT INTO trading_days (account_id, day, opened_at, closed_at, opening_equity,
           closing_equity, flows, profit, profit_share, worst_share, halted, realised,
           unrealised, fees)
       VALUES (:account, :day, :opened_at, :closed_at, :opening_equity, :closing_equity, :flows,
           :profit, :profit_share, :worst_share, :halted, :realised, :unrealised, :fees)
       ON CONFLICT (account_id, closed_at) DO NOTHING"""
)


class DayJournal:
    """The part of the journal that holds days."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def running_day(self, account: str) -> RunningDay | None:
        """Return the day that is not closed, None before anything was measured."""
        async with self._database.light_scope(account) as session:
            rows = await session.sql(_RUNNING, {"account": account})
        if not rows or rows[0].drawdown is None:
            return None
        opened_at = drawdown_state(rows[0].drawdown).opened_at
        return RunningDay(opened_at, day_rule(rows[0].day_rule), rows[0].recorded_until)

    async def next_boundaries(self) -> dict[str, datetime]:
        """Return the end of the running day of every account that is measured (market time)."""
        found: dict[str, datetime] = {}
        for account in await self._database.accounts():
            running = await self.running_day(account)
            if running is not None:
                found[account] = next_boundary(running.rule, running.opened_at).at
        return found

    async def boundary_figures(
        self, account: str, opened_at: datetime, boundary: datetime
    ) -> BoundaryFigures:
        """Return what is needed to close a day that opened at a moment at a boundary.

        Prices are the closes of the last bars that had ended by then.
        """
        values = {"account": account, "opened": opened_at, "at": boundary}
        async with self._database.light_scope(account) as session:
            oldest = {"account": account, "at": boundary, "oldest": boundary - OLDEST_PRICE}
            prices = {row.symbol: row.close for row in await session.sql(_PRICES, oldest)}
            moved = await _moved(session, account, boundary)
            (realised,) = await session.sql(_REALISED, values)
        return BoundaryFigures(prices, moved, realised.realised, realised.fees)

    async def executed_since(self, account: str, at: datetime) -> dict[int, TradeExecuted]:
        """Return all executions of the trades that were executed at or after a market time."""
        async with self._database.light_scope(account) as session:
            rows = await session.sql(_EXECUTED, {"account": account, "at": at})
        return {row.trade: TradeExecuted(row.bought, row.sold, row.cash) for row in rows}

    async def prices_reach(self, account: str, boundary: datetime) -> bool:
        """Tell whether the prices at a boundary are all that will come to be known of it.

        They are when every pair has a bar that ended there or later, or else when the feed has been
        running behind the boundary for a while.
        """
        values = {
            "account": account,
            "at": boundary,
            "recent": boundary - OLDEST_PRICE,
            "settled": boundary + SETTLING,
        }
        async with self._database.light_scope(account) as session:
            (row,) = await session.sql(_REACH, values)
        return bool(row.reached)

    async def save_day(self, account: str, record: DailyRecord) -> None:
        """Write a closed day; a repeat changes nothing."""
        async with self._database.light_scope(account) as session:
            await session.sql(_SAVE, {"account": account, **asdict(record)})


async def _moved(session: LightSession, account: str, boundary: datetime) -> dict[str, Decimal]:
    moved: dict[str, Decimal] = {}
    for row in await session.sql(_MOVED, {"account": account, "at": boundary}):
        moved[row.asset] = moved.get(row.asset, ZERO) + row.coins
        moved["USD"] = moved.get("USD", ZERO) + row.cash
    return moved

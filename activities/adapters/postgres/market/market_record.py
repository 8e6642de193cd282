"""The market side of the record (``ports.MarketRecord``) over PostgreSQL."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from typing import Any, cast

import orjson
import psycopg
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from activities.adapters.postgres.accounts.evidence import PostgresEvidence
from activities.adapters.postgres.market.candle_copy import save_candles
from activities.market.marks import AccountMark
from infra.runtime.database.connections import Database, cured_by_retry
from models.tables import CandleRow, MarketSnapshotRow, PriceWatchRow
from models.tables.market.market import book_document
from models.trading.market import Candle, MarketSnapshot
from models.trading.strategies.evidence import Evidence
from models.trading.trade.facts import PriceWatch

CHANNEL = "aether_price_watches"
SILENCE_SECONDS = 30.0
"""After this long without a notification the connection is asked whether it still lives."""

_FOLLOWERS = text("SELECT account_id FROM accounts WHERE :strategy = ANY (strategies) ORDER BY 1")
_HOLDINGS = text("SELECT account, asset, total FROM account_holdings()")
_SAVE_EQUITY = text(
    """SELECT save_equity(:at, CAST(:accounts AS text[]), CAST(:equity AS numeric[]),
           CAST(:cash AS numeric[]))"""
)
_TRIGGERED = text(
    """UPDATE price_watches SET triggered_at = :at, triggered_price = :price
       WHERE account_id = :account AND watch_id = :watch_id AND triggered_at IS NULL
       RETURNING watch_id"""
)


class PostgresMarketRecord:
    """Candles, snapshots and watches. Needs a Database of the role ``aether_market``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save_candles(self, candles: Sequence[Candle]) -> int:
        """Insert closed bars, replacing equal keys, and return how many rows were written."""
        return await save_candles(self._database, candles)

    async def recent_candles(self, symbol: str, interval_minutes: int, limit: int) -> list[Candle]:
        """Return the newest closed bars, oldest first."""
        query = (
            select(CandleRow)
            .where(CandleRow.symbol == symbol, CandleRow.interval_minutes == interval_minutes)
            .order_by(col(CandleRow.start).desc())
            .limit(limit)
        )
        async with self._database.no_scope() as session:
            return [row.candle() for row in reversed((await session.exec(query)).all())]

    async def save_snapshots(self, snapshots: Sequence[MarketSnapshot]) -> None:
        """Write the latest snapshot per symbol; an older one never replaces a newer."""
        latest = {s.symbol: s for s in sorted(snapshots, key=lambda s: s.observed_at)}
        if not latest:
            return
        rows = [_row(latest[symbol]) for symbol in sorted(latest)]
        statement = insert(MarketSnapshotRow).values(rows)
        changed = {name: statement.excluded[name] for name in rows[0]}
        upsert = statement.on_conflict_do_update(
            index_elements=["symbol"],
            set_=changed,
            where=col(MarketSnapshotRow.observed_at) <= statement.excluded.observed_at,
        )
        async with self._database.no_scope() as session:
            await session.exec(upsert)

    async def snapshot(self, symbol: str) -> MarketSnapshot | None:
        """Return the latest snapshot of a symbol."""
        async with self._database.no_scope() as session:
            row = await session.get(MarketSnapshotRow, symbol)
            return None if row is None else row.snapshot()

    async def active_watches(self) -> list[PriceWatch]:
        """Return every watch not yet triggered, of all accounts."""
        query = select(PriceWatchRow).where(col(PriceWatchRow.triggered_at).is_(None))
        order = (col(PriceWatchRow.account_id), col(PriceWatchRow.watch_id))
        async with self._database.no_scope() as session:
            return [row.watch() for row in await session.exec(query.order_by(*order))]

    async def watch_changes(self) -> AsyncIterator[tuple[str, int, tuple[PriceWatch, ...]]]:
        """Yield (account, trade, its watches) whenever a trade's watches change.

        Begins with every trade that has active watches: what changed between a caller's own load
        and the start of listening is not missed.

        Raises:
            DatabaseUnavailableError: the connection is lost; load and listen again.
        """
        with cured_by_retry():
            connection = await self._database.connect()
            async with connection:
                await connection.execute(f"LISTEN {CHANNEL}")
                for key, watches in _by_trade(await self.active_watches()).items():
                    yield *key, watches
                async with aclosing(_changed_trades(connection)) as changes:
                    async for account, trade in changes:
                        yield account, trade, await self._watches_of(account, trade)

    async def mark_triggered(self, watch: PriceWatch, price: Decimal, at: datetime) -> bool:
        """Record a crossing; False when it was recorded before or the watch is gone."""
        values = {"account": watch.account, "watch_id": watch.watch_id, "price": price, "at": at}
        async with self._database.no_scope() as session:
            return (await session.sql(_TRIGGERED, values)).first() is not None

    async def followers(self, strategy: str) -> list[str]:
        """Return the accounts that follow a strategy."""
        rows = await self._database.call(_FOLLOWERS, {"strategy": strategy})
        return [row[0] for row in rows]

    async def evidence(self, strategy: str, version: str) -> Evidence:
        """Return what a strategy version has earned, on all accounts and in backtests."""
        return await PostgresEvidence(self._database).evidence_of(strategy, version)

    async def holdings(self) -> dict[str, dict[str, Decimal]]:
        """Return totals by asset of every account that holds something, open trades included."""
        found: dict[str, dict[str, Decimal]] = {}
        for row in await self._database.call(_HOLDINGS):
            found.setdefault(row.account, {})[row.asset] = row.total
        return found

    async def save_equity(self, at: datetime, marks: list[AccountMark]) -> None:
        """Write equity at a market time; the first mark of an account and minute is kept."""
        values = {
            "at": at,
            "accounts": [mark.account for mark in marks],
            "equity": [mark.equity for mark in marks],
            "cash": [mark.cash for mark in marks],
        }
        await self._database.call(_SAVE_EQUITY, values)

    async def _watches_of(self, account: str, trade: int) -> tuple[PriceWatch, ...]:
        query = select(PriceWatchRow).where(
            PriceWatchRow.account_id == account,
            PriceWatchRow.trade == trade,
            col(PriceWatchRow.triggered_at).is_(None),
        )
        async with self._database.no_scope() as session:
            rows = await session.exec(query.order_by(col(PriceWatchRow.watch_id)))
            return tuple(row.watch() for row in rows)


def _row(snapshot: MarketSnapshot) -> dict[str, Any]:
    columns = {field.name: getattr(snapshot, field.name) for field in fields(snapshot)}
    return columns | {"book": book_document(snapshot.book)}


async def _changed_trades(
    connection: psycopg.AsyncConnection[tuple[Any, ...]],
) -> AsyncGenerator[tuple[str, int]]:
    while True:
        async for notification in connection.notifies(timeout=SILENCE_SECONDS):
            payload = orjson.loads(notification.payload)
            yield cast("str", payload["account"]), cast("int", payload["trade"])
        await connection.execute("SELECT 1")


def _by_trade(
    watches: Sequence[PriceWatch],
) -> dict[tuple[str, int], tuple[PriceWatch, ...]]:
    grouped: dict[tuple[str, int], tuple[PriceWatch, ...]] = {}
    for watch in watches:
        key = (watch.account, watch.trade)
        grouped[key] = (*grouped.get(key, ()), watch)
    return grouped

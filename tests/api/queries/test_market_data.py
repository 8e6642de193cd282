"""Figures of the market and doubts about it, as the API reads them with its own rights."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest_asyncio

from activities.adapters.postgres.market.figures_record import PostgresMarketFigures
from activities.adapters.postgres.market.market_record import PostgresMarketRecord
from activities.adapters.postgres.market.quality_record import PostgresQuality
from api.queries.data.market import candles, doubts, figures
from infra.runtime.database.connections import Database, Role
from models.trading.market import Candle
from models.trading.market_figures import BookFigures, MarketFigures

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest_asyncio.fixture
async def databases(postgres, database_name):
    found = [Database(postgres.url(role, database_name)) for role in (Role.MARKET, Role.API)]
    yield found
    for database in found:
        await database.close()


async def test_candles_are_those_of_a_span_newest_first_and_bounded(databases):
    market, api = databases
    bars = [
        Candle("BTC/USD", minutes, NOW + timedelta(minutes=minutes * n), *map(Decimal, "2314"), one)
        for minutes in (1, 60)
        for n, one in enumerate(map(Decimal, "12345"))
    ]
    await PostgresMarketRecord(market).save_candles(bars)
    found = await candles(api, "BTC/USD", 60, None, None, 3)
    assert [row.start for row in found] == [NOW + timedelta(hours=n) for n in (4, 3, 2)]
    assert [row.volume for row in found] == [5, 4, 3]
    assert (found[0].open, found[0].high, found[0].low, found[0].close) == (2, 3, 1, 4)
    begin, end = NOW + timedelta(hours=1), NOW + timedelta(hours=3)
    spanned = await candles(api, "BTC/USD", 60, begin, end, 100)
    assert [row.volume for row in spanned] == [3, 2]
    assert await candles(api, "ETH/USD", 60, None, None, 3) == []


async def test_what_was_kept_is_read_newest_first_and_the_unknown_is_null(databases):
    market, api = databases
    one = Decimal(1)
    book = BookFigures(Decimal("0.001"), Decimal("0.5"), Decimal("100.5"), one, one)
    rows = [
        MarketFigures("BTC/USD", NOW + timedelta(minutes=n), book if n else None, one, one, None)
        for n in range(3)
    ]
    await PostgresMarketFigures(market).save(rows, NOW - timedelta(days=1))
    found = await figures(api, "BTC/USD", 10)
    assert [row.at for row in found] == [row.at for row in reversed(rows)]
    assert found[0].imbalance == Decimal("0.5")
    assert found[2].imbalance is None
    assert await figures(api, "ETH/USD", 10) == []
    quality = PostgresQuality(market)
    await quality.begin("BTC/USD", "diverged", "3 % apart", NOW)
    await quality.end("BTC/USD", "diverged", NOW + timedelta(minutes=1))
    await quality.begin("ETH/USD", "anomaly", "moved", NOW - timedelta(days=1))
    assert [(row.symbol, row.ended_at is None) for row in await doubts(api, 10)] == [
        ("ETH/USD", True), ("BTC/USD", False),
    ]  # fmt: skip

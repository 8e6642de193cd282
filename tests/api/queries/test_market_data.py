"""Figures of the market and doubts about it, as the API reads them with its own rights."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest_asyncio

from activities.adapters.postgres.market.figures_record import PostgresMarketFigures
from activities.adapters.postgres.market.quality_record import PostgresQuality
from api.queries.data.market import doubts, figures
from infra.runtime.database.connections import Database, Role
from models.trading.market_figures import BookFigures, MarketFigures

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest_asyncio.fixture
async def databases(postgres, database_name):
    found = [Database(postgres.url(role, database_name)) for role in (Role.MARKET, Role.API)]
    yield found
    for database in found:
        await database.close()


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

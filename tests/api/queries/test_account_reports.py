"""What an account came to beside holding: the stored report and the one at once say the same."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import pytest_asyncio
from sqlalchemy import text

from activities.adapters.postgres.accounts.report_record import PostgresReports
from infra.runtime.database.connections import Database, Role

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
LASTING = timedelta(hours=20)
THEN = NOW - LASTING
_MARK = text(
    "INSERT INTO nav_marks (account_id, at, equity, cash) VALUES (:account, :at, :value, :cash)"
)
_CANDLE = text(
    """INSERT INTO candles (symbol, interval_minutes, start, open, high, low, close, volume)
       VALUES (:symbol, 5, :start, :open, :close, :open, :close, 1)"""
)
_MOVED = text(
    """INSERT INTO asset_movements (account_id, movement_id, mode, at, asset, quantity, usd, kind)
       SELECT account_id, 'm1', mode, :at, 'ETH', 1, 100, 'bought' FROM accounts"""
)
_BALANCE = text(
    """INSERT INTO balances (account_id, asset, total, updated_at)
       VALUES (:account, :asset, :total, :at)
       ON CONFLICT (account_id, asset) DO UPDATE SET total = excluded.total"""
)


@pytest_asyncio.fixture
async def reports(postgres, database_name):
    reading = Database(postgres.url(Role.READER, database_name))
    yield PostgresReports(reading, reading)
    await reading.close()


@pytest.fixture
async def account(without_engine):
    return await begun(without_engine, NOW)


async def begun(platform, end):
    """Begin with 100 USD and two ETH at 50, and buy a third later."""
    account = await platform.add_account()
    then = end - LASTING
    async with platform.workers.account_scope(account) as session:
        for at, value, cash in ((then, 200, 100), (end, 210, 0)):
            values = {"account": account, "at": at, "value": Decimal(value), "cash": Decimal(cash)}
            await session.sql(_MARK, values)
        for asset, total in (("USD", 0), ("ETH", 3)):
            values = {"account": account, "asset": asset, "total": Decimal(total), "at": end}
            await session.sql(_BALANCE, values)
        await session.sql(_MOVED, {"at": then + timedelta(hours=1)})
    return account


async def bars(platform, *prices):
    async with platform.workers.no_scope() as session:
        for symbol, start, opened, close in prices:
            values = {"symbol": symbol, "start": start, "open": opened, "close": Decimal(close)}
            await session.sql(_CANDLE, values)


async def performance(reports, account, end=NOW):
    since = end - LASTING - timedelta(hours=1)
    section, _ = await reports.sections(account, "performance", since, end)
    return dict(section.facts)


async def test_performance_is_compared_with_what_was_held_at_the_beginning(
    without_engine, account, reports
):
    before = timedelta(minutes=10)
    await bars(
        without_engine,
        ("ETH/USD", THEN - before, 40, 50),
        ("BTC/USD", THEN - before, 900, 990),
        # What a bar comes to that is not over at the moment says nothing of it.
        ("BTC/USD", THEN - timedelta(minutes=2), 1000, 9000),
        ("ETH/USD", NOW - before, 50, 60),
        ("BTC/USD", NOW - before, 1000, 1100),
    )
    found = await performance(reports, account)
    assert found["Return"] == Decimal("0.05")
    assert found["Holding what was held"] == Decimal("0.1")
    assert found["Holding Bitcoin"] == Decimal("0.1")
    await without_engine.set_market(Decimal(1200))
    answer = await without_engine.caller.get(
        f"/api/v1/accounts/{account}/report",
        params={"since": (THEN - timedelta(hours=1)).isoformat()},
    )
    live = answer.json()["performance"]
    assert Decimal(live["return_share"]) == found["Return"]
    assert Decimal(live["bitcoin_share"]) == Decimal("0.2")
    # What ETH is worth now nobody has told.
    assert live["holding_share"] is None


async def test_prices_that_are_not_known_or_too_old_are_no_comparison(without_engine, reports):
    end = NOW - timedelta(days=30)
    account = await begun(without_engine, end)
    await bars(without_engine, ("BTC/USD", end - timedelta(hours=45), 1000, 1000))
    await bars(without_engine, ("BTC/USD", end - timedelta(hours=1), 1000, 1000))
    found = await performance(reports, account, end)
    assert found["Return"] == Decimal("0.05")
    assert found["Holding Bitcoin"] is None
    assert found["Holding what was held"] is None


async def test_risk_is_of_what_was_measured(account, reports):
    (section,) = await reports.sections(account, "risk", THEN - timedelta(hours=1), NOW)
    found = dict(section.facts)
    assert (found["Exposure at the end"], found["Exposure, mean"]) == (1, Decimal("0.75"))
    assert found["Deepest fall"] == 0
    assert found["Volatility of a day"] is None

"""Reports: figures of the record, and trades as CSV of any length."""

import csv
import io
import tracemalloc
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from api.queries.reports import COLUMNS, trades_as_csv
from models.tables.trades.settled import SETTLED_TRADES, settled_trade

NOW = datetime(2026, 3, 1, tzinfo=UTC)

_TRADE = text(
    """INSERT INTO trades (account_id, number, symbol, phase, source, protection,
           entry_client_order_id, quantity, reference_price, stop_price, trailed, bought, sold,
           average_entry_price, average_exit_price, fees, cash_flow, pnl, slippage, exit_reason,
           protected_quantity, decided_at, requested_at, opened_at, closed_at, updated_at)
       SELECT :account, n, 'BTC/USD', 'settled', :source, 'attached', 'e' || n, 1, 100, 90, false,
           1, 1, 100, 100 + n % 3, 0.5, 0, n % 3 - 0.5, 0.1, 'stop', 0, :at, :at, :at, :at, :at
       FROM generate_series(CAST(:first AS integer), CAST(:last AS integer)) AS n"""
)
_DAY = text(
    """INSERT INTO trading_days (account_id, day, opened_at, closed_at, opening_equity,
           closing_equity, flows, profit, profit_share, worst_share, halted)
       VALUES (:account, :day, :opened, :closed, 1000, 1000, 0, :profit, :share, 0.02, false)"""
)


async def insert_trades(platform, account, first, last, source="request/x"):
    async with platform.workers.account_scope(account) as session:
        values = {"account": account, "first": first, "last": last, "at": NOW, "source": source}
        await session.sql(_TRADE, values)


@pytest.fixture
async def account(without_engine):
    return await without_engine.add_account()


async def test_report_is_made_of_the_record(without_engine, account):
    shares = ["0.01", "-0.02", "0.03"]
    async with without_engine.workers.account_scope(account) as session:
        for number, share in enumerate(shares):
            closed = NOW - timedelta(days=3 - number)
            await session.sql(
                _DAY,
                {
                    "account": account,
                    "day": closed.date(),
                    "opened": closed - timedelta(days=1),
                    "closed": closed,
                    "profit": Decimal(share) * 1000,
                    "share": Decimal(share),
                },
            )
    await insert_trades(without_engine, account, 1, 3)
    since = (NOW - timedelta(days=30)).isoformat()
    answer = await without_engine.caller.get(
        f"/api/v1/accounts/{account}/report", params={"since": since}
    )
    assert answer.status_code == 200, answer.text
    found = answer.json()
    expected = Decimal("1.01") * Decimal("0.98") * Decimal("1.03") - 1
    assert Decimal(found["performance"]["closed_days_share"]) == expected
    assert found["risk"]["losing_days"] == 1
    assert Decimal(found["risk"]["worst"]["share"]) == Decimal("-0.02")
    everything, bitcoin = found["costs"]
    assert (everything["trades"], bitcoin["symbol"]) == (3, "BTC/USD")
    # Profits 0.5, 1.5 and -0.5 with 201, 202 and 200 USD moved.
    assert Decimal(everything["profit"]) == Decimal("1.5")
    assert Decimal(everything["profit_factor"]) == Decimal(4)
    assert found["hedge"] is None


_DECIDED = text(
    """INSERT INTO entry_assessments (account_id, trade, settings_version, platform_version,
           assessment)
       VALUES (:account, :trade, 0, 0, CAST('{"costs": {"spread": "0.004"}}' AS jsonb))"""
)
_BOUGHT = text(
    """INSERT INTO fills (account_id, execution_id, order_id, trade, symbol, side, quantity, price,
           cost, fee, maker, exchange_time, recorded_at)
       VALUES (:account, :trade || :part, 'o' || :trade, :number, 'BTC/USD', 'buy', :quantity, 100,
           100, 0.5, :maker, :at, :at)"""
)
_ENTRY = text(
    """INSERT INTO orders (account_id, client_order_id, userref, trade, leg, symbol, side,
           order_type, quantity, spec, status, intended_at)
       VALUES (:account, 'e' || :trade, 1, :number, 'entry', 'BTC/USD', 'buy', 'limit', 1,
           CAST('{"post_only": false, "time_in_force": "IOC"}' AS jsonb), 'closed', :at)"""
)


async def test_spread_is_that_of_what_was_taken_and_order_types_are_told(without_engine, account):
    await insert_trades(without_engine, account, 1, 3)
    async with without_engine.workers.account_scope(account) as session:
        of = {"account": account, "at": NOW}
        # One took three quarters of its entry, one rested, of one nothing more is recorded.
        await session.sql(_DECIDED, {"account": account, "trade": 1})
        parts = ((1, "a", "0.75", False), (1, "b", "0.25", True), (2, "a", "1", True))
        for number, part, quantity, maker in parts:
            values = {"trade": str(number), "number": number, "part": part, "maker": maker}
            await session.sql(_BOUGHT, of | values | {"quantity": Decimal(quantity)})
        await session.sql(_ENTRY, of | {"trade": "1", "number": 1})
        span = {"since": NOW - timedelta(days=1), "until": NOW, "most": 10}
        rows = (await session.sql(SETTLED_TRADES, span)).all()
    found = [settled_trade(row) for row in rows]
    assert [one.spread for one in found] == [Decimal("0.15"), Decimal(0), None]
    assert [one.order_type for one in found] == ["limit, takes at once", "", ""]
    answer = await without_engine.caller.get(
        f"/api/v1/accounts/{account}/report", params={"since": span["since"].isoformat()}
    )
    everything = answer.json()["costs"][0]
    assert (everything["spread"], everything["spread_unknown"]) == (None, 1)


async def test_unknown_is_no_figure(without_engine, account):
    found = (await without_engine.caller.get(f"/api/v1/accounts/{account}/report")).json()
    assert found["risk"]["daily_volatility"] is None
    assert found["risk"]["deepest_fall"] is None
    assert found["costs"][0]["won_share"] is None


async def test_trades_as_csv(without_engine, account):
    await insert_trades(without_engine, account, 1, 2, source="=HYPERLINK(1)")
    answer = await without_engine.caller.get(f"/api/v1/accounts/{account}/trades.csv")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/csv")
    assert f"trades-{account}.csv" in answer.headers["content-disposition"]
    header, *rows = csv.reader(io.StringIO(answer.text))
    assert tuple(header) == COLUMNS
    assert [row[0] for row in rows] == ["2", "1"]
    assert {row[3] for row in rows} == {"'=HYPERLINK(1)"}
    assert rows[0][COLUMNS.index("pnl")] == "1.5"


async def test_any_length_in_constant_memory(without_engine, account):
    await insert_trades(without_engine, account, 1, 6000)
    tracemalloc.start()
    try:
        peaks, count = [], 0
        async for piece in trades_as_csv(without_engine.services.database, account):
            count += piece.count("\n")
            peaks.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert count == 6001
    assert peaks[-1] - peaks[2] < 2_000_000

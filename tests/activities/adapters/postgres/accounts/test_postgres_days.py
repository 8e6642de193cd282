"""What the record tells of a day's end, and days and flows that are written once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from sqlalchemy import text

from models.trading.account.capital.facts import FlowNoted, TradeExecuted
from models.trading.capital.days import DailyRecord
from models.trading.capital.flows import CapitalFlow, FlowSource, NavBaseline
from models.trading.market import Candle, MarketSnapshot
from models.trading.orders import OrderStatus, Side
from models.trading.risk.drawdown import start
from models.trading.trading_day import DayRule
from tests.support.record_builders import a_fill, an_exchange_id, an_order

BOUNDARY = datetime(2026, 3, 9, 4, tzinfo=UTC)
"""Midnight in New York after a day of 23 hours."""
OPENED = BOUNDARY - timedelta(hours=23)
ACCOUNT = "director-1"


def a_bar(minutes_before: int, close: str, interval: int = 15) -> Candle:
    price = Decimal(close)
    begin = BOUNDARY - timedelta(minutes=minutes_before)
    return Candle("BTC/USD", interval, begin, price, price, price, price, Decimal(1), 1)


async def traded(journal, side: Side, quantity: str, price: str, at: datetime, trade: int) -> None:
    order = an_order(account=ACCOUNT, side=side, trade=trade)
    order_id = an_exchange_id()
    await journal.store_intent(order, at)
    await journal.mark_order(ACCOUNT, order.client_order_id, OrderStatus.OPEN, order_id, at)
    cost = Decimal(quantity) * Decimal(price)
    fill = a_fill(
        order_id,
        side=side,
        quantity=Decimal(quantity),
        price=Decimal(price),
        cost=cost,
        fee=cost / 100,
        exchange_time=at,
    )
    await journal.record_fills(ACCOUNT, [fill])


async def test_figures_of_a_boundary_are_those_of_that_moment(journal, record):
    hour = timedelta(hours=1)
    await record.save_candles([a_bar(45, "90"), a_bar(15, "101"), a_bar(0, "500"), a_bar(5, "7")])
    await traded(journal, Side.BUY, "2", "100", OPENED - hour, 1)
    await traded(journal, Side.SELL, "1", "120", OPENED + hour, 1)
    await traded(journal, Side.SELL, "1", "80", BOUNDARY, 1)
    found = await journal.boundary_figures(ACCOUNT, OPENED, BOUNDARY)
    # The bar that ended at the boundary counts, one that was still open then does not.
    assert found.prices == {"BTC/USD": Decimal(101)}
    assert found.moved == {"BTC": Decimal(-1), "USD": Decimal("79.2")}
    # Sold for 120 less 1.2, bought for 100 plus 1.
    assert found.realised == Decimal("17.8")
    assert found.fees == Decimal("1.2")
    before = await journal.boundary_figures(ACCOUNT, OPENED - 2 * hour, OPENED)
    assert (before.realised, before.fees) == (0, 2)


async def test_executions_of_a_day_are_told_by_trade_and_whole(journal):
    hour = timedelta(hours=1)
    found = await journal.executed_since(ACCOUNT, OPENED)
    assert found == {1: TradeExecuted(Decimal(2), Decimal(2), Decimal(-4))}
    assert await journal.executed_since(ACCOUNT, BOUNDARY + hour) == {}


async def test_prices_reach_a_boundary_when_bars_do_or_the_feed_runs_behind_it(journal, record):
    hour = timedelta(hours=1)
    assert await journal.prices_reach(ACCOUNT, BOUNDARY)
    later = BOUNDARY + 2 * hour
    assert not await journal.prices_reach(ACCOUNT, later)
    price = Decimal(100)
    for seen, reached in ((later, False), (later + timedelta(minutes=2), True)):
        await record.save_snapshots([MarketSnapshot("ETH/USD", price, price, price, seen)])
        assert await journal.prices_reach(ACCOUNT, later) is reached


async def test_running_day_is_what_the_account_last_saved(journal):
    (state,) = [s for s in await journal.accounts() if s.account == "company"]
    assert await journal.running_day("company") is None
    assert "company" not in await journal.next_boundaries()
    drawdown = start(Decimal(1000), OPENED.date(), OPENED)
    zone = DayRule("America/New_York")
    measured = replace(state, drawdown=drawdown, measured_since=OPENED, day=zone)
    await journal.save_account(measured, None, "aether", {}, datetime.now(UTC))
    running = await journal.running_day("company")
    assert running.opened_at == OPENED
    assert running.rule == zone
    assert (await journal.next_boundaries())["company"] == BOUNDARY
    (restored,) = [s for s in await journal.accounts() if s.account == "company"]
    assert restored.drawdown == drawdown
    assert restored.measured_since == OPENED
    # A save of figures without them, as of an older release, takes nothing away.
    await journal.save_account(state, None, "aether", {}, datetime.now(UTC))
    assert (await journal.running_day("company")).opened_at == OPENED


async def test_day_flow_and_baseline_are_written_once(journal, database):
    day = DailyRecord(
        day=OPENED.date(),
        opened_at=OPENED,
        closed_at=BOUNDARY,
        opening_equity=Decimal(1000),
        closing_equity=Decimal(1100),
        flows=Decimal(50),
        profit=Decimal(50),
        profit_share=Decimal("0.05"),
        worst_share=Decimal(0),
        halted=False,
    )
    flow = CapitalFlow(
        "L1", "USD", Decimal(50), Decimal(50), OPENED, FlowSource.LEDGER, "exchange", "deposit"
    )
    by_hand = CapitalFlow(
        "L1", "USD", Decimal(50), Decimal(50), OPENED, FlowSource.BY_HAND, "director", "more"
    )
    for _ in range(2):
        await journal.save_day("company", day)
        await journal.save_flows("company", [FlowNoted(flow, OPENED, Decimal(1050))])
        await journal.save_flows("company", [FlowNoted(by_hand)])
        await journal.save_baseline("company", NavBaseline(OPENED, Decimal(1000), "first"))
    async with database.account_scope("company") as session:
        rows = (await session.sql(text("SELECT profit FROM trading_days"))).all()
        flows = (await session.sql(text("SELECT author, value_after FROM capital_flows"))).all()
        (count,) = (await session.sql(text("SELECT count(*) FROM nav_baselines"))).all()
    assert [tuple(row) for row in rows] == [(50,)]
    assert [tuple(row) for row in flows] == [("director", 1050)]
    assert count[0] == 1
    assert await journal.known_flows("company") == {"L1"}
    assert await journal.known_flows(ACCOUNT) == set()


async def test_ledger_mark_moves_forward_only(journal):
    assert await journal.ledger_read_until("company") is None
    for at in (BOUNDARY, OPENED):
        await journal.advance_ledger("company", at)
    assert await journal.ledger_read_until("company") == BOUNDARY


async def test_price_of_a_flow_is_that_of_its_moment(journal):
    assert await journal.price_at("BTC", BOUNDARY - timedelta(minutes=1)) == 7
    assert await journal.price_at("BTC", BOUNDARY - timedelta(minutes=40)) == 90
    assert await journal.price_at("XYZ", BOUNDARY) is None

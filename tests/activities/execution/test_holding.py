"""What the exchange holds that a trade may sell, asked at the exchange."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from temporalio.testing import ActivityEnvironment

from activities.execution.holding import HoldingActivities
from models.contracts.orders import HoldingRequest
from models.trading.identities import client_order_id
from models.trading.orders import Leg, OrderSpec, OrderType, Side
from models.trading.trade.facts import HoldingReported, RequestHolding
from tests.support.fakes import FakeDirectory, FakeExchange, FakeJournal, wall_clock
from tests.support.kraken_rows import an_order

START = wall_clock() - timedelta(hours=1)


def a_stop(quantity: str, trade: int, attempt: int = 1) -> OrderSpec:
    return an_order(
        leg=Leg.STOP,
        trade=trade,
        client_order_id=client_order_id("1" * 32, "company", trade, Leg.STOP, attempt),
        side=Side.SELL,
        order_type=OrderType.STOP_LOSS,
        quantity=Decimal(quantity),
        limit_price=None,
        trigger_price=Decimal(40000),
    )


@pytest.fixture
def exchange() -> FakeExchange:
    exchange = FakeExchange()
    exchange.totals["BTC"] = Decimal(10)
    return exchange


@pytest.fixture
def journal() -> FakeJournal:
    return FakeJournal()


async def ask(exchange: FakeExchange, journal: FakeJournal, *ids: str) -> HoldingReported:
    directory = FakeDirectory()
    directory.exchanges["company"] = exchange
    activities = HoldingActivities(directory, journal, wall_clock)
    command = RequestHolding("BTC/USD", "BTC", ids, START)
    request = HoldingRequest("company", 1, command)
    told: HoldingReported = await ActivityEnvironment().run(activities.request_holding, request)
    return told


async def test_orders_of_others_count_against_what_may_be_sold(exchange, journal):
    await exchange.submit(a_stop("4", trade=2), None)
    assert (await ask(exchange, journal)).available == 6


async def test_own_stops_do_not_even_where_the_trade_has_not_heard_of_them(exchange, journal):
    stop = a_stop("4", trade=1)
    await journal.store_intent(stop, START, START)
    await exchange.submit(stop, None)
    assert (await ask(exchange, journal)).available == 10
    # Nor do the children of its conditional close, which have no name of ours.
    entry = await exchange.submit(replace(a_stop("1", trade=1, attempt=2), userref=7), None)
    child = await exchange.submit(a_stop("2", trade=1, attempt=3), None)
    report = exchange.orders[child]
    exchange.orders[child] = replace(report, client_order_id=None, parent_order_id=entry)
    assert (await ask(exchange, journal, entry)).available == 10


async def test_what_was_sold_is_the_exchange_s_own_figure(exchange, journal):
    order_id = await exchange.submit(a_stop("4", trade=1), None)
    exchange.fill_part(order_id, Decimal("1.5"))
    told = await ask(exchange, journal, order_id)
    assert (told.sold, told.orders, told.available) == (Decimal("1.5"), 1, Decimal("8.5") - 0)


async def test_the_ledger_tells_what_went_other_than_by_trading(exchange, journal):
    exchange.book("W1", "BTC", Decimal(-3))
    exchange.book("D1", "USD", Decimal(100))
    exchange.bookings[0] = replace(exchange.bookings[0], fee=Decimal("0.1"))
    told = await ask(exchange, journal)
    assert (told.fees, told.moved, told.available) == (Decimal("0.1"), 3, 7)
    # What moved between wallets of one asset is still there.
    exchange.bookings[0] = replace(exchange.bookings[0], kind="earn", subtype="allocation")
    assert (await ask(exchange, journal)).moved == 0

"""Pairs that change while something is held in them: at most one order is refused for it."""

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from activities.adapters.kraken.addresses import AllowedHosts
from activities.adapters.kraken.feed.instrument_watch import InstrumentWatch
from activities.adapters.kraken.feed.public_feed import KrakenMarketFeed
from activities.ports.exchange_errors import ExchangeError, OrderRejectedError
from activities.ports.market import BestPrices, FeedStatus, PairChanged
from models.trading.identities import client_order_id
from models.trading.instruments import InstrumentStatus
from models.trading.orders import ConditionalClose, Leg, OrderType, Side
from tests.support.kraken_rows import an_order

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
async def exchange(directory):
    return await directory.exchange("company")


async def alter(simulator, **change):
    status, answer = await simulator.control("pairs", {"symbol": "BTC/USD", **change})
    assert status == 200, answer


def a_stop(attempt, price="40000.37", quantity="0.01"):
    name = client_order_id("1" * 32, "company", 1, Leg.STOP, attempt)
    return an_order(
        leg=Leg.STOP,
        client_order_id=name,
        side=Side.SELL,
        order_type=OrderType.STOP_LOSS,
        quantity=Decimal(quantity),
        limit_price=None,
        trigger_price=Decimal(price),
    )


async def tried(exchange, *orders):
    """Return what became of orders sent one after the other: ids, or Kraken's words."""
    outcomes = []
    for order in orders:
        try:
            outcomes.append(await exchange.submit(order, None))
        except ExchangeError as refusal:
            outcomes.append(refusal.raw)
    return outcomes


async def stop_price(simulator, order_id):
    orders = {one["order_id"]: one for one in (await simulator.record())["orders"]}
    return Decimal(str(orders[order_id]["trigger_price"]))


async def test_stop_is_sent_on_the_new_tick_after_one_refusal(simulator, exchange):
    await simulator.buy("0.1")
    (resting,) = await tried(exchange, a_stop(1))
    await alter(simulator, tick_size="10", pair_decimals=0)
    refused, placed = await tried(exchange, a_stop(2), a_stop(3))
    assert refused == "EOrder:Tick size check failed"
    assert await stop_price(simulator, placed) == 40010
    assert await stop_price(simulator, resting) == Decimal("40000.4")


async def test_no_order_is_refused_where_the_channel_tells_the_change(simulator, exchange):
    told = simulator.server.describe()
    rules = exchange.rules
    watch = InstrumentWatch(told["ws_public"], AllowedHosts.loopback(), rules)
    watching = asyncio.create_task(watch.run())
    await simulator.buy("0.1")
    await exchange.symbols()

    news, learn = asyncio.Event(), rules.learn_rows

    def learn_rows(rows):
        learn(rows)
        news.set()

    rules.learn_rows = learn_rows

    async def learned(tick):
        async with asyncio.timeout(10):
            while rules.instruments["BTC/USD"].price_increment != Decimal(tick):
                news.clear()
                await news.wait()

    await alter(simulator, tick_size="10", pair_decimals=0)
    await learned(10)
    (placed,) = await tried(exchange, a_stop(1))
    assert await stop_price(simulator, placed) == 40010
    # What is told while there is no connection is in the next snapshot.
    await simulator.fault("socket_drop", {"plane": "public"})
    await alter(simulator, tick_size="0.5", pair_decimals=1)
    await learned("0.5")
    watching.cancel()


async def test_resting_stop_is_moved_on_the_new_tick(simulator, exchange):
    await simulator.buy("0.1")
    (resting,) = await tried(exchange, a_stop(1))
    await alter(simulator, tick_size="10", pair_decimals=0)
    await exchange.instruments()
    await exchange.amend(resting, Decimal("0.02"), Decimal("41000.37"))
    assert await stop_price(simulator, resting) == 41010


async def test_renamed_pair_costs_one_refusal_and_its_orders_are_found(simulator, exchange):
    await simulator.buy("0.1")
    close = ConditionalClose(OrderType.STOP_LOSS, Decimal(30000), None)
    entry = an_order(limit_price=Decimal(20000), close=close)
    (resting,) = await tried(exchange, entry)
    await alter(simulator, id="BTCUSD", altname="BTCUSD")
    found = await exchange.find(entry, LONG_AGO)
    assert [report.order_id for report in found] == [resting]
    refused, placed = await tried(exchange, a_stop(2), a_stop(3))
    assert refused == "EQuery:Unknown asset pair"
    assert placed.startswith("O")
    assert {report.symbol for report in await exchange.open_orders()} == {"BTC/USD"}


async def test_raised_minimum_is_known_after_one_refusal(simulator, exchange):
    await simulator.buy("0.1")
    await exchange.instruments()
    await alter(simulator, ordermin="0.05")
    assert await tried(exchange, a_stop(1)) == ["EOrder:Order minimum not met"]
    await exchange.symbols()
    assert exchange.rules.instruments["BTC/USD"].quantity_minimum == Decimal("0.05")


async def test_delisted_pair_keeps_its_stop_and_the_account_its_fees(simulator, exchange):
    await simulator.buy("0.1")
    (resting,) = await tried(exchange, a_stop(1))
    await alter(simulator, status="delisted")
    assert await tried(exchange, a_stop(2)) == ["EQuery:Unknown asset pair"]
    known = await exchange.instruments()
    assert known["BTC/USD"].status is InstrumentStatus.DELISTED
    assert set(await exchange.fees(sorted(known))) == set(known) - {"BTC/USD"}
    assert [one.order_id for one in await exchange.open_orders()] == [resting]
    with pytest.raises(OrderRejectedError, match="Unknown asset pair"):
        await exchange.amend(resting, Decimal("0.02"), None)
    await alter(simulator, status="online")
    refused, placed = await tried(exchange, a_stop(3), a_stop(4))
    assert placed.startswith("O"), refused


@pytest.mark.parametrize("status", ["cancel_only", "post_only", "limit_only", "delisted"])
async def test_feed_goes_on_with_what_prices_there_are_and_says_why(simulator, status):
    told = simulator.server.describe()
    feed = KrakenMarketFeed(told["rest"], told["ws_public"], AllowedHosts.loopback())
    async with aclosing(feed.events(["BTC/USD"], 1)) as events, asyncio.timeout(20):
        await until(events, lambda one: isinstance(one, FeedStatus) and one.healthy)
        await alter(simulator, status=status)
        said = await until(events, lambda one: isinstance(one, FeedStatus) and not one.healthy)
        assert said.reason == f"pair is {status}"
        await simulator.steps(1)
        await until(events, lambda one: isinstance(one, BestPrices))
        await alter(simulator, status="online")
        await until(events, lambda one: isinstance(one, FeedStatus) and one.healthy)
    await feed.close()


@pytest.mark.parametrize(("tick", "decimals"), [("0.01", 2), ("10", 0)])
async def test_book_of_a_new_precision_is_right_without_a_word_of_anybody(
    simulator, tick, decimals
):
    told = simulator.server.describe()
    feed = KrakenMarketFeed(told["rest"], told["ws_public"], AllowedHosts.loopback())
    async with aclosing(feed.events(["BTC/USD"], 1)) as events, asyncio.timeout(20):
        await until(events, lambda one: isinstance(one, FeedStatus) and one.healthy)
        # The channel keeps silent: the checksum of the book is the first to tell.
        await simulator.fault("drop_message", {"channel": "instrument"}, count=1)
        await alter(simulator, tick_size=tick, pair_decimals=decimals)
        changed = await until(events, lambda one: isinstance(one, PairChanged), simulator)
        assert changed.instrument.price_precision == decimals
        await until(events, lambda one: isinstance(one, FeedStatus) and one.healthy, simulator)
        best = await until(events, lambda one: isinstance(one, BestPrices), simulator)
        shown = (await simulator.public("Depth", pair="XBTUSD", count=1))["result"]["XXBTZUSD"]
        assert best.bid == Decimal(shown["bids"][0][0])
    assert feed.connections == 1
    await feed.close()


async def until(events, wanted, simulator=None):
    """Return the first event that is wanted; the market moves meanwhile when it is given."""
    stepping = None if simulator is None else asyncio.create_task(keep_moving(simulator))
    try:
        async for event in events:
            if wanted(event):
                return event
    finally:
        if stepping is not None:
            stepping.cancel()
    raise AssertionError("the feed ended")


async def keep_moving(simulator):
    while True:
        await simulator.steps(1)
        await asyncio.sleep(0.1)

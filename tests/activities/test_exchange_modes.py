"""Modes of the exchange and of a pair: entries are refused, protection is tried until it stands."""

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.adapters.kraken.addresses import AllowedHosts
from activities.adapters.kraken.feed.public_feed import KrakenMarketFeed
from activities.execution.orders import OrderActivities
from activities.execution.timeouts import OrderTimeouts
from activities.ports.market import FeedStatus
from models.contracts.orders import (
    OrderPlaced,
    OrderToCancel,
    PositionExit,
    PositionToExit,
    SubmitOrder,
)
from models.trading.identities import client_order_id
from models.trading.orders import Leg, OrderSpec, OrderStatus, OrderType, Side
from models.trading.refusals.kinds import STOPS_STAY
from models.trading.trade.facts import CancelRefused, ExitPosition
from tests.support.fakes import FakeJournal
from tests.support.kraken_rows import an_order

MODES = ["maintenance", "cancel_only", "post_only", "limit_only"]
PAUSE_SECONDS = 0.1
RETRIED = ("UnknownOutcome", "ExchangeUnavailable", "RateLimited")


def clock() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def activities(directory, reads_are_fresh) -> OrderActivities:
    patience = OrderTimeouts(delivery=timedelta(seconds=0.2), poll=timedelta(milliseconds=50))
    return OrderActivities(directory, FakeJournal(), clock, patience)


async def attempt(activities: OrderActivities, request: SubmitOrder) -> OrderPlaced | None:
    """Return what one attempt came to, None when it is to be repeated."""
    try:
        return await ActivityEnvironment().run(activities.place_order, request)
    except ApplicationError as failure:
        if failure.type not in RETRIED:
            raise
        return None


async def answered(activities: OrderActivities, request: SubmitOrder) -> OrderPlaced:
    """Repeat as the workflow does: a busy machine may lose an answer that nobody withheld."""
    for _ in range(20):
        placed = await attempt(activities, request)
        if placed is not None:
            return placed
        await asyncio.sleep(PAUSE_SECONDS)
    raise AssertionError("no answer after twenty attempts")


async def set_mode(simulator, status: str, pair: str | None) -> None:
    match = {} if pair is None else {"pair": pair}
    await simulator.fault("mode", match, params={"status": status})


def a_stop() -> OrderSpec:
    return an_order(
        leg=Leg.STOP,
        side=Side.SELL,
        order_type=OrderType.STOP_LOSS,
        limit_price=None,
        trigger_price=Decimal(20000),
    )


@pytest.mark.parametrize("pair", [None, "BTC/USD"], ids=["exchange", "pair"])
@pytest.mark.parametrize("mode", MODES)
async def test_an_entry_is_refused_and_its_reason_typed(simulator, activities, mode, pair):
    await set_mode(simulator, mode, pair)
    request = SubmitOrder(an_order(order_type=OrderType.MARKET, limit_price=None), clock())
    placed = await attempt(activities, request)
    if placed is None:
        # Nothing answers in maintenance, so nothing is proven: asked again when it is over.
        assert mode == "maintenance"
        await set_mode(simulator, "online", pair)
        placed = await answered(activities, request)
    assert placed.refused is not None
    assert placed.refused.status is OrderStatus.NOT_PLACED
    assert (await simulator.record())["orders"] == []


@pytest.mark.parametrize("pair", [None, "BTC/USD"], ids=["exchange", "pair"])
@pytest.mark.parametrize("mode", MODES)
async def test_a_stop_is_tried_again_and_stands_once_the_mode_is_over(
    simulator, activities, mode, pair
):
    await simulator.buy("0.01")
    await set_mode(simulator, mode, pair)
    request = SubmitOrder(a_stop(), clock())
    assert await attempt(activities, request) is None
    assert await attempt(activities, request) is None
    await set_mode(simulator, "online", pair)
    placed = await answered(activities, request)
    assert placed.acknowledged is not None
    stops = [one for one in (await simulator.record())["orders"] if one["side"] == "sell"]
    assert [one["order_id"] for one in stops] == [placed.acknowledged.order_id]


@pytest.mark.parametrize("pair", [None, "BTC/USD"], ids=["exchange", "pair"])
@pytest.mark.parametrize("mode", MODES)
async def test_the_feed_says_why_a_pair_cannot_be_entered_and_when_it_can_again(
    simulator, mode, pair
):
    told = simulator.server.describe()
    feed = KrakenMarketFeed(told["rest"], told["ws_public"], AllowedHosts.loopback())

    async def status(healthy: bool) -> str:
        async with asyncio.timeout(10):
            async for event in events:
                if isinstance(event, FeedStatus) and event.healthy is healthy:
                    return event.reason
        raise AssertionError("the feed ended")

    async with aclosing(feed.events(["BTC/USD"], 1)) as events:
        assert await status(healthy=True) == ""
        await set_mode(simulator, mode, pair)
        assert mode in await status(healthy=False)
        await set_mode(simulator, "online", pair)
        assert await status(healthy=True) == ""
    await feed.close()


@pytest.mark.parametrize("mode", ["cancel_only", "post_only", "limit_only"])
async def test_an_exit_keeps_its_stop_where_the_pair_takes_no_sale(
    simulator, directory, activities, mode
):
    await simulator.buy("0.01")
    placed = await answered(activities, SubmitOrder(a_stop(), clock()))
    assert placed.acknowledged is not None
    stop = placed.acknowledged.order_id
    await simulator.control("pairs", {"symbol": "BTC/USD", "status": mode})
    exchange = await directory.exchange("company")
    await exchange.instruments()
    first = await leave(activities, stop, 1)
    assert first.stops == ()
    assert first.placed.refused is not None
    assert first.placed.refused.reason == f"EService:Market in {mode} mode{STOPS_STAY}"
    assert {one.order_id for one in await exchange.open_orders()} == {stop}
    # The doubt has the status read anew: what is over stands in nobody's way.
    await simulator.control("pairs", {"symbol": "BTC/USD", "status": "online"})
    await exchange.instruments()
    sold = await leave(activities, stop, 2)
    assert sold.placed.acknowledged is not None
    assert await exchange.open_orders() == []


async def test_an_exit_is_not_sent_where_the_stop_is_not_withdrawn(
    simulator, directory, activities
):
    await simulator.buy("0.01")
    placed = await answered(activities, SubmitOrder(a_stop(), clock()))
    assert placed.acknowledged is not None
    stop = placed.acknowledged.order_id
    words = "EGeneral:Invalid arguments:txid"
    await simulator.fault("error", {"method": "CancelOrder"}, count=2, params={"error": words})
    left = await leave(activities, stop, 1)
    assert left.stops == ()
    assert left.placed.refused is not None
    assert left.placed.refused.reason == words + STOPS_STAY
    request = OrderToCancel("company", stop, a_stop().client_order_id, a_stop(), clock())
    kept = await ActivityEnvironment().run(activities.cancel_order, request)
    assert [type(fact) for fact in kept.facts] == [CancelRefused]
    exchange = await directory.exchange("company")
    assert {one.order_id for one in await exchange.open_orders()} == {stop}


async def leave(activities: OrderActivities, stop: str, attempt: int) -> PositionExit:
    name = client_order_id("1" * 32, "company", 1, Leg.EXIT, attempt)
    order = an_order(
        leg=Leg.EXIT,
        client_order_id=name,
        side=Side.SELL,
        order_type=OrderType.MARKET,
        limit_price=None,
    )
    command = ExitPosition((stop,), Decimal(0), order)
    return await ActivityEnvironment().run(
        activities.exit_position, PositionToExit(command, clock())
    )

"""What proves that an unanswered order does not exist: every combination of what may fail at once.

The answer is lost before or after the execution; the reads lag or not; the private stream is whole,
cut, or cut and back. The right outcome is fixed by what happened at the exchange: an order that was
executed is never said to be absent, and one that was not is said so once that is proven.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.accounts.stream import StreamFollower
from activities.execution.orders import OrderActivities
from activities.execution.timeouts import OrderTimeouts
from activities.ports.exchange import Exchange
from models.contracts.orders import OrderCancelled, OrderPlaced, OrderToCancel, SubmitOrder
from models.contracts.workflows import AccountToFollow
from models.trading.orders import Leg, OrderSpec, OrderStatus, OrderType, Side
from tests.support.fakes import wall_clock
from tests.support.kraken_rows import CLIENT_ID, an_order
from tests.support.market_fakes import FakeMessenger
from tests.support.temporal import eventually

CUT_SECONDS = 3.2
"""Longer than an order's deadline: the new stream's snapshot is taken after it."""
LAG_SECONDS = 60

ENTRY = an_order(order_type=OrderType.MARKET, limit_price=None)


@pytest.fixture
def activities(directory, journal) -> OrderActivities:
    return OrderActivities(directory, journal, wall_clock, OrderTimeouts())


@asynccontextmanager
async def followed(directory, journal) -> AsyncIterator[Exchange]:
    """Have somebody follow the account's private stream, as a running worker does."""
    request = AccountToFollow("company", ())
    following = StreamFollower(request, directory, journal, FakeMessenger(), wall_clock)
    exchange = await directory.exchange("company")
    task = asyncio.create_task(following.run())
    try:
        await eventually(lambda: exchange.stream_epoch() is not None, "the stream is whole")
        yield exchange
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, ExceptionGroup):
            await task


async def place(activities: OrderActivities, order: OrderSpec) -> OrderPlaced:
    return await ActivityEnvironment().run(
        activities.place_order, SubmitOrder(order, datetime.now(UTC))
    )


async def until_decided(activities: OrderActivities, order: OrderSpec) -> OrderPlaced:
    """Ask as the trade's reviews do until the order is no longer in doubt."""

    async def decided() -> OrderPlaced | None:
        placed = await place(activities, order)
        return None if placed.doubted is not None else placed

    return await eventually(decided, "the order is no longer in doubt")


async def break_stream(simulator, stream: str) -> None:
    if stream == "whole":
        return
    seconds = {"cut": 600.0, "cut and back": CUT_SECONDS}[stream]
    params = {"seconds": seconds}
    await simulator.fault("refuse_connections", {"plane": "private"}, params=params)
    await simulator.fault("socket_drop", {"plane": "private"})


@pytest.mark.parametrize("stream", ["whole", "cut", "cut and back"])
@pytest.mark.parametrize("lags", [False, True], ids=["reads are fresh", "reads lag"])
@pytest.mark.parametrize("executed", [False, True], ids=["lost before", "lost after"])
async def test_what_was_executed_is_never_absent_and_what_was_not_is_proven_so(
    simulator, directory, journal, activities, executed, lags, stream
):
    async with followed(directory, journal):
        if lags:
            await simulator.fault("read_lag", params={"seconds": LAG_SECONDS})
        kind = "lost_after" if executed else "lost_before"
        await simulator.fault(kind, {"method": ["AddOrder"]})
        await break_stream(simulator, stream)
        unprovable = stream == "cut" and not (executed and not lags)
        if unprovable:
            # Nothing can tell, so nothing is concluded, however often it is asked.
            placed = await place(activities, ENTRY)
            placed = await place(activities, ENTRY)
        else:
            placed = await until_decided(activities, ENTRY)
    orders = (await simulator.record())["orders"]
    assert len(orders) == int(executed)
    (stored,) = await journal.orders("company", only_open=False)
    assert stored.sends == 1
    if unprovable:
        assert placed.doubted is not None
        assert stored.status is OrderStatus.UNKNOWN
    elif executed:
        assert placed.acknowledged is not None
        assert placed.acknowledged.order_id == orders[0]["order_id"]
    else:
        assert placed.refused is not None
        assert placed.refused.status is OrderStatus.NOT_PLACED


async def test_doubt_ends_when_the_reads_show_an_order_that_was_sent_after_the_deadline(
    simulator, directory, journal, activities
):
    """Without a stream the reads are proof once they show something newer than the deadline."""
    await simulator.fault("refuse_connections", {"plane": "private"}, params={"seconds": 600.0})
    await simulator.fault("lost_before", {"method": ["AddOrder"]})
    assert (await place(activities, ENTRY)).doubted is not None
    later = an_order(
        order_type=OrderType.MARKET, limit_price=None, client_order_id="a-later-order", trade=2
    )
    assert (await place(activities, later)).acknowledged is not None
    assert (await until_decided(activities, ENTRY)).refused is not None


async def test_an_entry_in_doubt_that_is_withdrawn_ends_by_the_same_proof(
    simulator, directory, journal, activities
):
    async with followed(directory, journal):
        await simulator.fault("lost_before", {"method": ["AddOrder"]})
        await break_stream(simulator, "cut and back")
        assert (await place(activities, ENTRY)).doubted is not None
        request = OrderToCancel("company", None, ENTRY.client_order_id, ENTRY, wall_clock())

        async def withdrawn() -> OrderCancelled | None:
            told = await ActivityEnvironment().run(activities.cancel_order, request)
            return None if told.doubted is not None else told

        told = await eventually(withdrawn, "the entry is no longer in doubt")
    assert told.refused is not None
    assert told.refused.status is OrderStatus.NOT_PLACED


@pytest.mark.parametrize("executed", [False, True], ids=["withdrawn", "executed meanwhile"])
async def test_an_end_that_neither_stream_nor_reads_tell_is_proven_by_a_new_snapshot(
    simulator, directory, journal, activities, executed
):
    """A stop that is gone while nobody can see it must not keep its exit waiting for the reads."""
    async with followed(directory, journal) as exchange:
        placed = (await place(activities, an_order(limit_price=Decimal(20000)))).acknowledged
        assert placed is not None
        await eventually(lambda: exchange.memory.of(placed.order_id), "the order is told of")
        await simulator.fault("read_lag", params={"seconds": LAG_SECONDS})
        await break_stream(simulator, "cut and back")
        if executed:
            await simulator.control("prices", {"symbol": "BTC/USD", "price": "19990"})
        began = wall_clock()
        request = OrderToCancel("company", placed.order_id, CLIENT_ID, None, began)

        async def ended() -> OrderCancelled | None:
            with suppress(ApplicationError):
                return await ActivityEnvironment().run(activities.cancel_order, request)
            return None

        fact = (await eventually(ended, "the order has ended", 40)).ended
    assert (wall_clock() - began).total_seconds() < LAG_SECONDS / 2
    status = OrderStatus.CLOSED if executed else OrderStatus.CANCELED
    quantity = Decimal("0.01") if executed else Decimal(0)
    assert (fact.status, fact.filled_quantity) == (status, quantity)


@pytest.mark.parametrize("executed", [False, True], ids=["lost before", "lost after"])
async def test_a_stop_that_fired_unheard_sells_nobody_elses_coins(
    simulator, directory, journal, activities, executed
):
    async with followed(directory, journal):
        for number in (1, 2):
            entry = replace(ENTRY, client_order_id=f"an-entry-{number}", trade=number)
            assert (await place(activities, entry)).acknowledged is not None
        price = (await simulator.record())["fills"][0]["price"]
        trigger = (Decimal(price) * Decimal("0.99")).quantize(Decimal("0.1"))
        stop = replace(
            ENTRY,
            leg=Leg.STOP,
            side=Side.SELL,
            order_type=OrderType.STOP_LOSS,
            trigger_price=trigger,
            client_order_id="a-stop",
        )
        await simulator.fault("read_lag", params={"seconds": LAG_SECONDS})
        await simulator.fault("lost_after" if executed else "lost_before", {"method": ["AddOrder"]})
        await break_stream(simulator, "cut and back")
        sent = asyncio.create_task(place(activities, stop))
        if executed:

            async def rests() -> bool:
                return len((await simulator.record())["orders"]) == 3

            await eventually(rests, "the stop rests")
            below = str(trigger - 1000)
            await simulator.control("prices", {"symbol": "BTC/USD", "price": below})
        await sent

        async def decided() -> OrderPlaced | None:
            with suppress(ApplicationError):  # there is no room to ask as often as a test does
                told = await place(activities, stop)
                return None if told.doubted is not None else told
            return None

        placed = await eventually(decided, "the stop is no longer in doubt")
    sold = [one for one in (await simulator.record())["orders"] if one["side"] == "sell"]
    assert len(sold) == 1
    assert placed.acknowledged is not None
    assert (placed.ended is not None) is executed

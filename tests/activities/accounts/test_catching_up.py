"""What an account missed while nobody told it anything is found with few questions."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal

import pytest
from temporalio.testing import ActivityEnvironment

from activities.accounts import stream as account_stream
from activities.accounts.stream import StreamFollower
from activities.execution.orders import OrderActivities
from activities.pauses import GrowingPause
from activities.ports.exchange_errors import RateLimitedError, UnknownOutcomeError
from models.contracts.orders import SubmitOrder
from models.contracts.workflows import AccountToFollow
from models.trading.orders import ConditionalClose, Leg, OrderStatus, OrderType, Side
from tests.support.fakes import FakeExchange, FakeJournal, wall_clock
from tests.support.kraken_rows import an_order
from tests.support.market_fakes import FakeMessenger
from tests.support.temporal import eventually

CANCELED = OrderStatus.CANCELED
NO_HISTORY = {"error": "EAPI:Rate limit exceeded"}


@pytest.fixture
def activities(directory, journal) -> OrderActivities:
    return OrderActivities(directory, journal, wall_clock)


@pytest.fixture
def following(directory, journal) -> StreamFollower:
    request = AccountToFollow("company", ())
    return StreamFollower(request, directory, journal, FakeMessenger(), wall_clock)


async def place(activities: OrderActivities, **changes: object) -> str:
    order = an_order(**{"order_type": OrderType.MARKET, "limit_price": None, **changes})
    placed = await ActivityEnvironment().run(
        activities.place_order, SubmitOrder(order, wall_clock())
    )
    assert placed.acknowledged is not None
    return placed.acknowledged.order_id


async def refuse_the_history(simulator) -> None:
    """Refuse what in the history of a busy account is many pages."""
    await simulator.fault("error", {"method": "TradesHistory"}, count=None, params=NO_HISTORY)


async def booked(journal: FakeJournal) -> set[str]:
    return await journal.known_executions("company")


async def executed(simulator) -> set[str]:
    return {str(one["execution_id"]) for one in (await simulator.record())["fills"]}


async def test_attached_stop_that_came_and_went_unheard_is_found_without_the_history(
    simulator, directory, activities, journal, following
):
    close = ConditionalClose(OrderType.STOP_LOSS, Decimal(50000))
    entry = await place(activities, close=close)
    await simulator.price("40000")
    assert {o["status"] for o in (await simulator.record())["orders"]} == {"closed"}
    await refuse_the_history(simulator)
    await following._catch_up(await directory.exchange("company"))
    assert await booked(journal) == await executed(simulator)
    sides = {fill.side for _, fill in journal.fills.values()}
    assert sides == {Side.BUY, Side.SELL}
    assert entry in journal.reports


async def test_stop_placed_apart_that_fired_unheard_is_found_without_the_history(
    simulator, directory, activities, journal, following
):
    await place(activities)
    await place(
        activities,
        leg=Leg.STOP,
        side=Side.SELL,
        order_type=OrderType.STOP_LOSS,
        trigger_price=Decimal(50000),
        client_order_id="00000000-0000-4000-8000-000000000002",
    )
    await simulator.price("40000")
    await refuse_the_history(simulator)
    await following._catch_up(await directory.exchange("company"))
    assert await booked(journal) == await executed(simulator)
    assert {fill.side for _, fill in journal.fills.values()} == {Side.BUY, Side.SELL}


async def test_who_is_deaf_asks_again_and_again_without_being_told_to(
    simulator, directory, activities, journal, following, monkeypatch
):
    monkeypatch.setattr(account_stream, "SILENT_SECONDS", 0.05)
    exchange = await directory.exchange("company")
    assert exchange.stream_epoch() is None
    order_id = await place(activities, order_type=OrderType.LIMIT, limit_price=Decimal(30000))
    keeping_up = asyncio.create_task(following._keep_up(exchange))
    await simulator.price("25000")
    for _ in range(400):
        if await booked(journal) == await executed(simulator):
            break
        await asyncio.sleep(0.05)
    keeping_up.cancel()
    assert await executed(simulator)
    assert journal.reports[order_id].status is OrderStatus.CLOSED


async def test_who_hears_is_not_asked_for(following, monkeypatch):
    monkeypatch.setattr(account_stream, "SILENT_SECONDS", 0.02)
    exchange = FakeExchange()
    exchange.hearing = True
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await following._until_behind(exchange)


class Crowded(FakeExchange):
    """An exchange whose limits leave no room for the figures of an announcement, at first."""

    def __init__(self, refusals: int) -> None:
        super().__init__()
        self.hearing = True
        self.refusals, self.caught_up = refusals, 0

    async def open_orders(self):
        self.caught_up += 1
        return await super().open_orders()

    async def balances(self):
        if self.refusals:
            self.refusals -= 1
            raise RateLimitedError("no room", retry_after_seconds=0.02)
        return await super().balances()


async def test_who_waits_for_room_to_announce_does_not_ask_again_for_what_was_missed(
    following, monkeypatch
):
    monkeypatch.setattr(account_stream, "RETRY_SECONDS", 0.01)
    following._retry = GrowingPause(0.01, 0.02)
    exchange = Crowded(refusals=5)
    following._behind.set()
    keeping_up = asyncio.create_task(following._keep_up(exchange))
    await eventually(lambda: following._messenger.told, "the account is told")
    keeping_up.cancel()
    assert (exchange.refusals, exchange.caught_up) == (0, 1)


async def test_what_was_missed_while_a_figure_waits_for_room_is_asked_for_at_once(following):
    class Waiting(Crowded):
        """Its figures wait for room for ever."""

        async def balances(self):
            self.refusals += 1
            await asyncio.sleep(3600)

    exchange = Waiting(refusals=0)
    following._behind.set()
    keeping_up = asyncio.create_task(following._keep_up(exchange))
    await eventually(lambda: exchange.refusals, "a figure waits")
    following._behind.set()
    await eventually(lambda: exchange.caught_up > 1, "it asks what was missed")
    keeping_up.cancel()


async def test_who_goes_deaf_while_it_waits_for_room_asks_what_was_missed(following, monkeypatch):
    monkeypatch.setattr(account_stream, "SILENT_SECONDS", 0.01)
    following._retry = GrowingPause(5, 5)
    exchange = Crowded(refusals=1)
    following._behind.set()
    keeping_up = asyncio.create_task(following._keep_up(exchange))
    await eventually(lambda: not exchange.refusals, "it waits for room")
    exchange.hearing = False
    await eventually(lambda: exchange.caught_up > 1, "it asks again")
    keeping_up.cancel()


async def test_what_was_recorded_before_a_crash_is_told_although_the_exchange_is_silent(
    simulator, directory, activities, journal
):
    order_id = await place(activities)
    fills = (await (await directory.exchange("company")).fills(None))[:1]
    await journal.record_fills("company", fills)
    await simulator.fault("refuse_connections", {}, count=None, params={"seconds": 60})
    messenger = FakeMessenger()
    following = StreamFollower(
        AccountToFollow("company", ()), directory, journal, messenger, wall_clock
    )
    running = asyncio.create_task(following.run())
    for _ in range(200):
        if not journal.undelivered:
            break
        await asyncio.sleep(0.02)
    running.cancel()
    told = [fact for _, trade, fact in messenger.told if trade is not None]
    assert [fact.fill.order_id for fact in told] == [order_id]
    assert not journal.undelivered


async def test_an_entry_that_stands_ended_without_its_executions_is_asked_about(
    simulator, directory, activities, journal, following
):
    order_id = await place(activities)
    exchange = await directory.exchange("company")
    await journal.record_reports("company", list((await exchange.query([order_id])).values()))
    assert await journal.orders("company", only_open=True) == []
    assert await booked(journal) == set()
    assert not await following._advance_checkpoint()
    assert following._behind.is_set()
    await following._catch_up(exchange)
    assert await booked(journal) == await executed(simulator)
    following._behind.clear()
    assert await following._advance_checkpoint()
    assert not following._behind.is_set()
    assert await journal.checkpoint("company") is not None


@pytest.mark.parametrize("ended", ["said to be absent", "withdrawn"])
async def test_what_a_settled_trade_bought_unheard_is_found_while_nobody_listens(
    simulator, directory, activities, journal, following, ended
):
    """Nothing of the account is open any more: who is deaf asks about what has just ended."""
    if ended == "withdrawn":
        spec = an_order(limit_price=Decimal(40000))
        placed = await ActivityEnvironment().run(
            activities.place_order, SubmitOrder(spec, wall_clock())
        )
        order_id = placed.acknowledged.order_id
        await journal.mark_order("company", spec.client_order_id, CANCELED, order_id, wall_clock())
        await simulator.price("39000")
    else:
        await simulator.fault("lost_after", {"method": ["AddOrder"]})
        spec = an_order(order_type=OrderType.MARKET, limit_price=None)
        await journal.store_intent(spec, wall_clock(), wall_clock())
        exchange = await directory.exchange("company")
        with suppress(UnknownOutcomeError):
            await exchange.submit(spec, wall_clock() + timedelta(seconds=5))
        absent = OrderStatus.NOT_PLACED
        await journal.mark_order("company", spec.client_order_id, absent, None, wall_clock())
    assert not await journal.orders("company", only_open=True)
    assert not await booked(journal)
    await following._catch_up(await directory.exchange("company"))
    assert await booked(journal) == await executed(simulator) != set()

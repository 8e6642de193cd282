"""Facts arrive at least once and in order, however long Temporal or PostgreSQL are away."""

import asyncio

import pytest

from activities.market import delivery as market_delivery
from activities.market.delivery import ConcurrentDelivery, LockstepDelivery, Message, Sender
from models.trading.trade.facts import PriceCrossed
from tests.support.market_fakes import FakeMarketRecord, FakeMessenger, a_watch, at
from tests.support.temporal import eventually


@pytest.fixture(autouse=True)
def _no_patience(monkeypatch):
    monkeypatch.setattr(market_delivery, "RETRY_SECONDS", (0.001,))


@pytest.fixture
def messenger():
    return FakeMessenger()


@pytest.fixture
def record():
    return FakeMarketRecord()


@pytest.fixture
def sender(messenger, record):
    return Sender(messenger, record)


def a_crossing(trade=1, account="company"):
    watch = a_watch(105, trade=trade, account=account)
    fact = PriceCrossed(watch.watch_id, watch.kind, watch.level, at(1))
    return Message(account, trade, fact, watch)


async def test_crossing_is_told_before_it_is_recorded(sender, messenger, record):
    message = a_crossing()
    await sender.carry(message)
    assert messenger.told == [("company", 1, message.fact)]
    assert record.triggered == [(message.watch.watch_id, message.fact.price)]


async def test_fact_for_an_account_is_told_and_nothing_recorded(sender, messenger, record):
    await sender.carry(Message("company", None, "an idea"))
    assert messenger.told == [("company", None, "an idea")]
    assert record.triggered == []


async def test_delivery_tries_until_both_have_answered(sender, messenger, record):
    messenger.down, record.down = 3, 2
    await sender.carry(a_crossing())
    assert len(messenger.told) == 1
    assert len(record.triggered) == 1


async def test_crossing_for_a_trade_that_is_gone_is_recorded_all_the_same(
    sender, messenger, record
):
    messenger.gone = True
    await sender.carry(a_crossing())
    assert len(record.triggered) == 1


async def test_facts_for_one_workflow_keep_their_order_and_hold_up_no_other(record):
    class Slow(FakeMessenger):
        async def _tell(self, account, trade, facts):
            if account == "company" and not gate.is_set():
                await gate.wait()
            return await super()._tell(account, trade, facts)

    gate, slow = asyncio.Event(), Slow()
    delivery = ConcurrentDelivery(Sender(slow, record))
    await delivery.deliver([Message("company", 1, number) for number in range(5)])
    await delivery.deliver([Message("director-1", 1, "other"), Message("company", 1, 5)])
    await eventually(lambda: slow.told, "the other account is told")
    assert slow.told == [("director-1", 1, "other")]
    gate.set()
    await delivery.drain()
    assert [fact for account, _, fact in slow.told if account == "company"] == list(range(6))
    assert delivery._last == {}


async def test_order_is_kept_when_the_first_must_be_repeated(sender, messenger):
    messenger.down = 4
    delivery = ConcurrentDelivery(sender)
    await delivery.deliver([Message("company", 1, number) for number in range(3)])
    await delivery.drain()
    assert [fact for _, _, fact in messenger.told] == [0, 1, 2]


async def test_in_lockstep_the_platform_settles_after_every_message(sender, messenger):
    settled = []

    async def settle(account):
        settled.append(len(messenger.told))

    delivery = LockstepDelivery(sender, settle)
    await delivery.deliver([a_crossing(), a_crossing(2), Message("company", None, "an idea")])
    assert settled == [1, 2, 3]

"""What the stream tells reaches its trade once or more, and ends with the trade."""

import asyncio
from contextlib import suppress
from dataclasses import replace

import pytest

from activities.accounts.delivery import StreamDelivery
from activities.ports.exchange import ExecutionReport
from models.trading.orders import OrderStatus
from models.trading.trade.state import TradePhase, TradeState
from tests.models.trading.trading_builders import a_plan
from tests.support.fakes import FakeJournal, wall_clock
from tests.support.market_fakes import FakeMessenger
from tests.support.record_builders import NOW, a_fill, a_report, an_exchange_id

WRITE_SECONDS = 0.05


@pytest.fixture
def journal() -> FakeJournal:
    return FakeJournal()


@pytest.fixture
def messenger() -> FakeMessenger:
    return FakeMessenger()


@pytest.fixture
def delivery(journal, messenger) -> StreamDelivery:
    return StreamDelivery(a_plan().account, journal, messenger, wall_clock)


async def executed(delivery: StreamDelivery, journal: FakeJournal) -> str:
    """Have the stream tell of an execution of the trade's entry; return its id."""
    entry = a_plan().entry
    await journal.store_intent(entry, NOW)
    order_id = journal.intents[entry.client_order_id].order_id or an_exchange_id()
    await journal.mark_order(entry.account, entry.client_order_id, OrderStatus.OPEN, order_id, NOW)
    fill, report = a_fill(order_id), a_report(entry, order_id)
    await delivery.take(ExecutionReport("trade", report, fill, False, 1, NOW))
    with suppress(TimeoutError):
        async with asyncio.timeout(WRITE_SECONDS):
            await delivery.write()
    return fill.execution_id


async def test_a_fill_that_comes_before_its_trade_runs_is_told_again(delivery, journal, messenger):
    messenger.gone = True
    fill = await executed(delivery, journal)
    await delivery.retry_pending()
    assert not delivery.settled
    assert journal.undelivered == {fill}
    messenger.gone = False
    await delivery.retry_pending()
    assert delivery.settled
    assert journal.undelivered == set()


def a_settled_trade(journal) -> TradeState:
    plan = a_plan()
    settled = TradeState(
        plan=plan, phase=TradePhase.SETTLED, stop_price=plan.stop_price, take_profit_price=None
    )
    journal.trades[plan.account, plan.number] = settled
    return settled


async def test_a_fill_that_comes_after_its_trade_opens_it_again(delivery, journal, messenger):
    settled = a_settled_trade(journal)
    messenger.gone = True
    name = await executed(delivery, journal)
    await delivery.retry_pending()
    assert delivery.settled
    assert journal.undelivered == set()
    ((state, facts),) = messenger.reopened
    assert state == settled
    assert [fact.fill.execution_id for fact in facts] == [name]


async def test_a_fill_that_a_settled_trade_has_opens_nothing(delivery, journal, messenger):
    settled = a_settled_trade(journal)
    messenger.gone = True
    name = await executed(delivery, journal)
    messenger.reopened.clear()
    _, fill = journal.fills[name]
    journal.trades[settled.plan.account, settled.plan.number] = replace(settled, fills=(fill,))
    journal.undelivered.add(name)
    await delivery.deliver_recorded()
    assert journal.undelivered == set()
    assert messenger.reopened == []


async def test_a_fill_that_is_owed_does_not_keep_others_from_being_marked(
    delivery, journal, messenger
):
    messenger.gone = True
    owed = await executed(delivery, journal)
    messenger.gone = False
    await executed(delivery, journal)
    assert journal.undelivered == {owed}

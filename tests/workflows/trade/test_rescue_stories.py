"""Trades in doubt, and trades that settled in error: nothing bought is ever left alone."""

from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal

import pytest_asyncio
from temporalio.testing import ActivityEnvironment

from activities.adapters.temporal.messages import TemporalMessenger
from models.contracts.workflows import CloseNow
from models.trading.answers import Answer
from models.trading.orders import Leg, OrderStatus
from models.trading.trade.facts import FillReported
from models.trading.trade.state import TradePhase
from tests.support.fakes import wall_clock
from tests.support.stories import Story
from tests.support.temporal import World, eventually

QUANTITY = Decimal("0.01")


@pytest_asyncio.fixture
async def story(world: World) -> AsyncIterator[Story]:
    async with world.running():
        story = Story(world, world.add_account())
        await story.begin()
        yield story
        await story.end()


def go_dark(story: Story) -> None:
    """Let an answer be lost where neither the stream nor the reads tell."""
    story.exchange.lose_after = 1
    story.exchange.deaf = True
    story.exchange.lags = True


def come_back(story: Story) -> None:
    story.exchange.deaf = story.exchange.lags = False
    story.exchange.tell_executions()


async def halts(story: Story) -> list[str]:
    return [halt["kind"] for halt in (await story.handle.query("snapshot"))["halts"]]


async def close(story: Story) -> None:
    request = CloseNow("close-1", "tester", wall_clock())
    answer = await story.trade(1).execute_update("close_now", request, result_type=Answer)
    assert answer.accepted
    await story.trade(1).result()
    state = story.journal.trades[story.account, 1]
    assert (state.phase, state.held) == (TradePhase.SETTLED, 0)
    assert story.exchange.totals["BTC"] == 0
    assert not await story.exchange.open_orders()


async def test_an_entry_in_doubt_is_asked_about_until_the_exchange_tells(story: Story) -> None:
    go_dark(story)
    story.exchange.proves = False
    await story.open()
    await eventually(
        lambda: (story.account, 1, "order_in_doubt") in story.journal.events, "it is in doubt"
    )
    state = story.journal.trades[story.account, 1]
    assert (state.phase, state.entry.status) == (TradePhase.ENTERING, OrderStatus.UNKNOWN)
    reserved = (await story.handle.query("snapshot"))["trades"]["1"]["reserved_cash"]
    assert Decimal(reserved) > 0  # it counts as if it were bought
    come_back(story)
    stop = await story.until_protected()
    assert stop.quantity == QUANTITY
    assert len(story.orders(Leg.ENTRY)) == 1
    await close(story)


async def test_an_exit_in_doubt_puts_the_stop_back_and_sells_once(story: Story) -> None:
    await story.open()
    await story.until_protected()
    story.exchange.lose_before = 1
    story.exchange.lags = True
    story.exchange.proves = False
    request = CloseNow("close-1", "tester", wall_clock())
    await story.trade(1).execute_update("close_now", request, result_type=Answer)
    await eventually(lambda: len(story.orders(Leg.STOP)) == 2, "a second stop was sent")
    assert len(story.resting_stops()) == 1
    story.exchange.lags = False
    story.exchange.proves = True
    await story.trade(1).result()
    state = story.journal.trades[story.account, 1]
    assert (state.phase, state.held) == (TradePhase.SETTLED, 0)
    assert len(story.orders(Leg.EXIT)) == 1
    assert story.exchange.totals["BTC"] == 0


async def test_a_fill_told_after_the_settlement_opens_the_trade_again(story: Story) -> None:
    go_dark(story)
    await story.open()
    await story.trade(1).result()  # nothing should ever prove this wrongly; if it does:
    assert story.journal.trades[story.account, 1].exit_reason == "entry_not_filled"
    assert (await story.handle.query("snapshot"))["trades"] == {}
    come_back(story)
    stop = await story.until_protected()
    assert stop.quantity == QUANTITY
    await eventually(
        lambda: (story.account, 1, "trade_rescued") in story.journal.events, "it is audited"
    )
    await eventually(
        lambda: (story.account, "rescue_began") in story.journal.audits, "the account was told"
    )
    await eventually(
        lambda: (story.account, "rescue_ended") in story.journal.audits, "covered: no halt any more"
    )
    assert await halts(story) == []
    snapshot = await story.handle.query("snapshot")
    assert Decimal(snapshot["trades"]["1"]["bought"]) == QUANTITY
    await close(story)
    cash = Decimal((await story.handle.query("snapshot"))["balances"]["USD"])
    assert cash == story.exchange.totals["USD"]


async def test_a_rescued_position_whose_stop_has_been_passed_is_sold(story: Story) -> None:
    go_dark(story)
    await story.open()
    await story.trade(1).result()
    story.exchange.price = Decimal(40000)
    come_back(story)
    await eventually(lambda: story.exchange.totals["BTC"] == 0, "the position is sold")
    await story.trade(1).result()
    assert story.journal.trades[story.account, 1].phase is TradePhase.SETTLED
    await eventually(
        lambda: (story.account, "rescue_ended") in story.journal.audits, "nothing is halted"
    )


async def test_a_single_fact_opens_a_settled_trade_again(story: Story) -> None:
    go_dark(story)
    await story.open()
    await story.trade(1).result()
    state = story.journal.trades[story.account, 1]
    (fill,) = story.exchange.executions_made
    fact = FillReported(fill, state.entry.spec.client_order_id, None)
    worker = ActivityEnvironment()
    worker.info = replace(worker.info, task_queue=story.world.queue)
    messenger = TemporalMessenger(story.world.client)
    await worker.run(messenger.reopen_trade, state, [fact])
    stop = await story.until_protected()
    assert stop.quantity == QUANTITY
    # It runs already: it is told as any other.
    await worker.run(messenger.reopen_trade, state, [fact])
    come_back(story)
    await close(story)

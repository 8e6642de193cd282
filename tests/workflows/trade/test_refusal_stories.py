"""Sales that the exchange refuses: bounded repetition, a stop that rests, a state people see."""

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
import pytest_asyncio

from models.contracts.workflows import CloseNow
from models.trading.answers import Answer
from models.trading.orders import Leg
from models.trading.trade.facts import ShortfallCause
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
        await story.open()
        await story.until_protected()
        yield story
        await story.end()


async def close(story: Story) -> None:
    request = CloseNow("close-1", "tester", wall_clock())
    answer = await story.trade(1).execute_update("close_now", request, result_type=Answer)
    assert answer.accepted


async def halts(story: Story) -> list[str]:
    return [halt["kind"] for halt in (await story.handle.query("snapshot"))["halts"]]


def exits(story: Story) -> list[Decimal]:
    return [order.quantity for order in story.exchange.submits if order.leg is Leg.EXIT]


def told(story: Story, event: str) -> bool:
    return (story.account, 1, event) in story.journal.events


async def has_halt(story: Story, kind: str) -> bool:
    return kind in await halts(story)


@pytest.mark.parametrize("words", ["EService:Busy", "EOrder:Orders limit exceeded"])
async def test_an_exit_refused_for_a_while_halts_and_then_ends(story: Story, words: str) -> None:
    story.exchange.refusals[Leg.EXIT] = words
    await close(story)
    await eventually(lambda: told(story, "exit_blocked"), "two refusals are known")
    assert exits(story) == [QUANTITY, QUANTITY]
    await eventually(lambda: has_halt(story, "request_blocked"), "the account takes no entries")
    stop = await story.until_protected()
    assert stop.quantity == QUANTITY
    del story.exchange.refusals[Leg.EXIT]
    await story.trade(1).result()
    assert exits(story) == [QUANTITY] * 3
    state = story.journal.trades[story.account, 1]
    assert (state.phase, state.held, state.refused) == (TradePhase.SETTLED, 0, ())
    await eventually(lambda: _without(story, "request_blocked"), "the halt is lifted")


async def test_an_exit_refused_for_good_keeps_its_stop_and_is_not_sent_again(story: Story) -> None:
    story.exchange.refusals[Leg.EXIT] = "EGeneral:Permission denied"
    await close(story)
    await eventually(lambda: told(story, "exit_blocked"), "two refusals are known")
    await eventually(lambda: has_halt(story, "request_blocked"), "the account takes no entries")
    stop = await story.until_protected()
    # The review that begins the pause is written down; until its end nothing is sent.
    await eventually(lambda: _pause_began(story), "the pause began")
    assert exits(story) == [QUANTITY, QUANTITY]
    assert stop.quantity == QUANTITY


async def test_what_the_exchange_holds_is_sold_and_what_lacks_halts(story: Story) -> None:
    story.exchange.totals["BTC"] -= Decimal("0.004")
    await close(story)
    await eventually(lambda: told(story, "holding_short"), "the shortfall is found")
    await eventually(lambda: story.exchange.totals["BTC"] == 0, "what is held is sold")
    assert exits(story)[-1] == Decimal("0.006")
    assert exits(story).count(QUANTITY) <= 2
    await eventually(lambda: has_halt(story, "holding_short"), "people have to look")
    await eventually(
        lambda: story.journal.trades[story.account, 1].sold == Decimal("0.006"), "it is booked"
    )
    state = story.journal.trades[story.account, 1]
    assert state.missing_cause is ShortfallCause.UNEXPLAINED
    assert (state.missing, state.phase is TradePhase.SETTLED) == (Decimal("0.004"), False)


async def _without(story: Story, kind: str) -> bool:
    return kind not in await halts(story)


def _pause_began(story: Story) -> bool:
    refused = story.journal.trades[story.account, 1].refused
    return any(one.not_before is not None for one in refused)

"""A strategy's weights through the account's workflow: bought, raised, made smaller, closed."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest_asyncio

from models.trading.account.facts import IdeaArrived
from models.trading.ideas import Idea
from models.trading.orders import Leg
from tests.support.fakes import BITCOIN, wall_clock
from tests.support.stories import LIMITS, Story, at_rest
from tests.support.temporal import World, eventually


@pytest_asyncio.fixture
async def story(world: World) -> AsyncIterator[Story]:
    async with world.running():
        story = Story(world, world.add_account())
        limits = replace(LIMITS, risk_share=Decimal("0.1"), pair_exposure_share=Decimal("0.5"))
        await story.begin(strategies=("donchian_ensemble",), limits=limits)
        yield story
        await story.end()


async def want(story: Story, weight: str, stop: str, number: int) -> None:
    """Signal what the strategy wants held at the price as it stands, once all is settled."""
    for owner, trade in sorted(story.journal.trades):
        if owner == story.account:
            await at_rest(story.trade(trade))
    await at_rest(story.handle)
    price = story.exchange.price
    now = wall_clock()
    idea = Idea(
        idea_id=f"idea-{number}",
        strategy="donchian_ensemble",
        strategy_version="1",
        symbol=BITCOIN.symbol,
        bar_start=now,
        expires_at=now + timedelta(hours=1),
        stop_price=Decimal(stop),
        take_profit_price=price * 2,
        trailing_distance=None,
        target_weight=Decimal(weight),
    )
    market = story.a_request().market
    await story.handle.signal("idea_arrived", IdeaArrived(idea, market, now))


async def test_weight_is_bought_its_stop_raised_then_made_smaller_and_closed(story: Story) -> None:
    await want(story, "0.5", "45000", 1)
    await eventually(lambda: story.journal.trades.get((story.account, 1)), "a trade is entered")
    stop = await story.until_protected()
    held = stop.quantity
    assert Decimal("0.4") < held < Decimal("0.5")

    await want(story, "0.5", "47000", 2)
    await eventually(
        lambda: story.exchange.orders[stop.order_id].trigger_price == Decimal(47000),
        "the stop is raised",
    )

    await want(story, "0.2", "47000", 3)
    sold = await eventually(lambda: story.orders(Leg.PART, 1), "a part is sold")
    assert held * Decimal("0.5") < sold[0].quantity < held * Decimal("0.7")
    await eventually(
        lambda: sum(o.quantity for o in story.resting_stops(1)) == held - sold[0].quantity,
        "the stop covers the rest",
    )

    await want(story, "0", "47000", 4)
    await eventually(lambda: story.exchange.totals["BTC"] == 0, "everything is sold")
    await eventually(
        lambda: story.journal.trades[story.account, 1].exit_reason == "strategy",
        "the trade says why",
    )

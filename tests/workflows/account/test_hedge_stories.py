"""Stories of the hedge on a real Temporal server: parts sold, overrides kept, moments met."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest_asyncio
from temporalio.client import WorkflowHandle

from activities.ports.market import HedgeMarketSeen
from models.contracts.hedges import HedgeInput
from models.contracts.names import hedge_workflow_id
from models.trading.account.hedge.facts import (
    HedgeClearRequested,
    HedgeOverrideRequested,
    HedgeRecord,
)
from models.trading.account.state import AccountState
from models.trading.answers import Answer
from models.trading.hedge.target import HedgeSettings
from models.trading.orders import Leg
from models.trading.trade.facts import HEDGE_WATCH, PriceCrossed, WatchKind
from tests.support.fakes import BITCOIN, wall_clock
from tests.support.stories import TASK_TIMEOUT, Story, at_rest
from tests.support.temporal import World, eventually


class HedgedStory(Story):
    """An account whose hedge runs beside it."""

    settings = HedgeSettings(automatic=True)

    async def begin(self, **changed: object) -> None:
        await super().begin(hedge_settings=self.settings, **changed)
        self.see(None)
        await self.world.client.start_workflow(
            "HedgeWorkflow",
            HedgeInput(self.account),
            id=hedge_workflow_id(self.account),
            task_queue=self.world.queue,
            task_timeout=TASK_TIMEOUT,
        )

    async def end(self) -> None:
        name = hedge_workflow_id(self.account)
        await self.world.client.get_workflow_handle(name).terminate("the story is over")
        await super().end()

    @property
    def hedge(self) -> WorkflowHandle[Any, Any]:
        return self.world.client.get_workflow_handle(hedge_workflow_id(self.account))

    def see(self, volatility: str | None, hours: int = 0) -> None:
        market = self.a_request().market
        assert market is not None
        at = market.observed_at + timedelta(hours=hours)
        market = replace(market, observed_at=at, book_at=at)
        known = None if volatility is None else Decimal(volatility)
        self.journal.hedge_seen = HedgeMarketSeen(
            held=(market,),
            volatilities={} if known is None else {BITCOIN.symbol: known},
            market_volatility=known,
            market_at=market.observed_at,
        )

    async def moment(self, volatility: str | None, hours: int = 0) -> None:
        self.see(volatility, hours)
        await self.hedge.signal(
            "timer_fired",
            PriceCrossed(str(uuid4()), WatchKind.TIME, Decimal(0), wall_clock()),
        )

    def reviews(self) -> list[HedgeRecord]:
        return [r for account, r in self.journal.hedge_reviews if account == self.account]

    async def override(self, share: str, expires: timedelta | None = None) -> Answer:
        now = wall_clock()
        fact = HedgeOverrideRequested(
            str(uuid4()), "director", Decimal(share), "storm ahead", now, now, expires
        )
        answer: Answer = await self.handle.execute_update(
            "override_hedge", fact, id=fact.request_id, result_type=Answer
        )
        return answer

    async def held(self) -> Decimal:
        return self.exchange.totals.get("BTC", Decimal(0))

    async def until_held(self, least: str, most: str) -> None:
        async def is_so() -> bool:
            return Decimal(least) <= await self.held() <= Decimal(most)

        try:
            await eventually(is_so, f"between {least} and {most} are held")
        except AssertionError as failure:
            raise AssertionError(f"{failure}; reviews: {self.reviews()}") from None

    async def state(self) -> AccountState:
        state: AccountState = await self.handle.query("snapshot", result_type=AccountState)
        return state


@pytest_asyncio.fixture
async def story(world: World) -> AsyncIterator[HedgedStory]:
    async with world.running():
        story = HedgedStory(world, world.add_account())
        await story.begin()
        yield story
        await story.end()


async def test_parts_are_sold_when_the_market_is_wild_and_bought_back_when_it_is_calm(
    story: HedgedStory,
) -> None:
    await story.open(quantity=Decimal("0.6"), stop_price=Decimal(49800))
    await story.until_protected()
    await story.moment("0.08")
    await story.until_held("0.15", "0.25")
    stop = await story.until_protected()
    held = await story.held()
    await eventually(
        lambda: [s.quantity for s in story.resting_stops()] == [held], "the stop fits what is held"
    )
    assert len(story.orders(Leg.HEDGE)) == 1
    assert stop.order_id == story.resting_stops()[0].order_id
    (review,) = await eventually(
        lambda: [r for r in story.reviews() if r.move], "the review is recorded"
    )
    assert review.target == Decimal("0.90")
    assert review.trades == (1,)

    async def told() -> bool:
        return (await story.state()).hedge_book.lacking != {}

    await eventually(told, "the account knows what the hedge sold")
    watches = story.journal.watches[story.account, HEDGE_WATCH]
    assert watches[0].due_at is not None
    await story.moment("0.02", hours=1)
    await eventually(lambda: len(story.orders(Leg.ENTRY)) == 2, "the hedge buys back")
    await story.until_protected(2)
    state = await story.state()
    assert state.hedge_target == Decimal("0.10")
    assert state.hedge_book.fees > 0


async def test_override_outlives_workers_and_ends_by_the_markets_clock(world: World) -> None:
    story = HedgedStory(world, world.add_account())
    story.settings = HedgeSettings()
    async with world.running():
        await story.begin()
        await story.open(quantity=Decimal("0.6"), stop_price=Decimal(49800))
        await story.until_protected()
        answer = await story.override("0.8", timedelta(hours=5))
        assert answer.accepted, answer
        await story.until_held("0.35", "0.45")
    async with world.running():
        state = await story.state()
        assert state.hedge.override is not None
        assert state.hedge.override.author == "director"
        assert state.hedge_target == Decimal("0.8")
        await story.moment(None, hours=6)

        async def is_over() -> bool:
            return (await story.state()).hedge.override is None

        await eventually(is_over, "the override has expired")
        assert (await story.state()).hedge_target is None
        audited = (story.account, "hedge_override_expired")
        await eventually(lambda: audited in story.journal.audits, "the expiry is audited")
        await story.end()


async def test_one_action_gives_the_hedge_back_to_the_formula(story: HedgedStory) -> None:
    await story.moment("0.05")

    async def is_automatic() -> bool:
        return (await story.state()).hedge_target == Decimal("0.5")

    await eventually(is_automatic, "the formula is followed")
    await story.override("1")
    assert (await story.state()).hedge_target == 1
    assert (await story.open()).code in ("limit-exceeded", "hedge-exceeded", "accepted")
    fact = HedgeClearRequested("clear-1", "director", "over", wall_clock())
    answer = await story.handle.execute_update(
        "clear_hedge_override", fact, id="clear-1", result_type=Answer
    )
    assert answer.accepted
    assert await is_automatic()


async def test_hedge_that_is_off_moves_nothing_and_rests(world: World) -> None:
    async with world.running():
        story = HedgedStory(world, world.add_account())
        story.settings = HedgeSettings()
        await story.begin()
        await story.open()
        await story.until_protected()
        await story.moment("0.2")
        await at_rest(story.hedge)
        assert story.reviews() == []
        assert not story.orders(Leg.HEDGE)
        await story.end()

"""Stories of approvals on a real Temporal server: they survive workers and are decided once."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest_asyncio

from models.contracts.approvals import ApprovalDecision, ApprovalInput
from models.contracts.names import approval_workflow_id
from models.trading.account.state import AccountState
from models.trading.answers import WAITING, Answer
from models.trading.exits.requests import ExitsChange, ExitsChangeRequested
from models.trading.governance.approval import ApprovalPolicy, ApprovalRequest, ApprovalStatus
from models.trading.governance.subjects import Subject
from models.trading.orders import Leg
from tests.support.fakes import wall_clock
from tests.support.stories import Story, at_rest
from tests.support.temporal import World, eventually

LARGE = Decimal("0.3")
POLICY = ApprovalPolicy(equity_share_minimum=Decimal("0.10"))


class CarefulStory(Story):
    """An account whose large entries wait for a person."""

    policy = POLICY

    async def begin(self, **changed: object) -> None:
        await super().begin(approval=self.policy, **changed)

    async def open_large(self) -> Answer:
        return await self.open(quantity=LARGE, stop_price=self.exchange.price - 200)

    async def decide(
        self, approval: str, by: str, *, approved: bool = True, key: str = ""
    ) -> Answer:
        decision = ApprovalDecision(
            key or str(uuid4()), by, approved, "looked at", self.a_request().market, wall_clock()
        )
        handle = self.world.client.get_workflow_handle(approval_workflow_id(self.account, approval))
        answer: Answer = await handle.execute_update(
            "decide", decision, id=decision.request_id, result_type=Answer
        )
        return answer

    async def waits(self, approval: str) -> None:
        await eventually(lambda: approval in self.journal.approvals, "the request is recorded")

    def status(self, approval: str) -> ApprovalStatus:
        return self.journal.approvals[approval][0].status


@pytest_asyncio.fixture
async def story(world: World) -> AsyncIterator[CarefulStory]:
    async with world.running():
        story = CarefulStory(world, world.add_account())
        await story.begin()
        yield story
        await story.end()


async def test_large_entry_waits_for_another_person_and_is_entered_once(
    story: CarefulStory,
) -> None:
    asked = await story.open_large()
    assert asked.code == WAITING
    assert asked.approval is not None
    await story.waits(asked.approval)
    assert not story.orders(Leg.ENTRY)
    own = await story.decide(asked.approval, "Tester ")
    assert own.code == "second-person-needed"
    first, second = await asyncio.gather(
        story.decide(asked.approval, "second", key="key-1"),
        story.decide(asked.approval, "second", key="key-2"),
    )
    assert first.accepted, first
    assert first.trade == 1
    assert second.code in ("accepted", "approval-decided")
    stop = await story.until_protected()
    assert stop.quantity == LARGE
    assert len(story.orders(Leg.ENTRY)) == 1
    assert story.status(asked.approval) is ApprovalStatus.APPROVED
    request, outcome = story.journal.approvals[asked.approval]
    assert request.decided_by == "second"
    assert outcome is not None
    assert outcome.trade == 1


async def test_approved_entry_is_judged_by_the_price_of_that_moment(story: CarefulStory) -> None:
    asked = await story.open_large()
    assert asked.approval is not None
    await story.waits(asked.approval)
    story.exchange.set_price(Decimal(51000))
    moved = await story.decide(asked.approval, "second")
    assert moved.code == "price-moved"
    await eventually(
        lambda: story.status(asked.approval or "") is ApprovalStatus.OUTDATED, "outdated"
    )
    assert not story.orders(Leg.ENTRY)


async def test_refused_entry_is_dropped(story: CarefulStory) -> None:
    asked = await story.open_large()
    assert asked.approval is not None
    await story.waits(asked.approval)
    answer = await story.decide(asked.approval, "second", approved=False)
    assert answer.accepted
    state = await story.handle.query("snapshot", result_type=AccountState)
    assert state.waiting == {}
    assert not story.orders(Leg.ENTRY)


async def test_worse_protection_needs_a_second_person(story: CarefulStory) -> None:
    await story.open()
    stop = await story.until_protected()
    lower = stop.trigger_price - 500
    fact = ExitsChangeRequested(
        "lower-1", "tester", ExitsChange(stop_price=lower), Decimal(50000), wall_clock()
    )
    answer = await story.trade(1).execute_update("change_exits", fact, result_type=Answer)
    assert answer.code == WAITING
    assert story.exchange.orders[stop.order_id].trigger_price == stop.trigger_price
    assert answer.approval is not None
    await story.waits(answer.approval)
    decided = await story.decide(answer.approval, "second")
    assert decided.accepted, decided
    await eventually(
        lambda: story.exchange.orders[stop.order_id].trigger_price == lower, "the stop is lower"
    )


async def test_request_without_a_price_is_decided_and_recorded(story: CarefulStory) -> None:
    now = wall_clock()
    request = ApprovalRequest(
        str(uuid4()), Subject.PROMOTE_MODEL, "tester", "a model", now, now + timedelta(hours=1)
    )
    await story.world.client.start_workflow(
        "ApprovalWorkflow",
        ApprovalInput(story.account, request),
        id=approval_workflow_id(story.account, request.request_id),
        task_queue=story.world.queue,
    )
    await story.waits(request.request_id)
    answer = await story.decide(request.request_id, "second")
    assert answer.accepted
    assert story.status(request.request_id) is ApprovalStatus.APPROVED


async def test_approvals_outlive_workers_and_expire_though_nobody_runs(world: World) -> None:
    story = CarefulStory(world, world.add_account())
    brief = CarefulStory(world, world.add_account())
    brief.policy = replace(POLICY, expires_after=timedelta(seconds=2))
    async with world.running():
        await story.begin()
        await brief.begin()
        asked = await story.open_large()
        lapsing = await brief.open_large()
        assert asked.approval is not None
        assert lapsing.approval is not None
        await story.waits(asked.approval)
        await brief.waits(lapsing.approval)
    async with world.running():
        await eventually(
            lambda: brief.status(lapsing.approval or "") is ApprovalStatus.EXPIRED, "expired"
        )
        state = await brief.handle.query("snapshot", result_type=AccountState)
        assert state.waiting == {}
        answer = await story.decide(asked.approval, "second")
        assert answer.accepted, answer
        await story.until_protected()
        await story.end()
        await brief.end()
    assert len(story.orders(Leg.ENTRY)) == 1
    assert not brief.orders(Leg.ENTRY)


async def test_worker_killed_while_an_approval_is_carried_out_enters_once(world: World) -> None:
    story = CarefulStory(world, world.add_account())
    gate = story.exchange.submit_gate = asyncio.Event()
    first = asyncio.create_task(world.worker().run())
    await story.begin()
    asked = await story.open_large()
    assert asked.approval is not None
    await story.waits(asked.approval)
    deciding = asyncio.create_task(story.decide(asked.approval, "second"))
    await eventually(lambda: story.exchange.submits, "the entry is being sent")
    first.cancel()
    gate.set()
    story.exchange.submit_gate = None
    await asyncio.gather(first, return_exceptions=True)
    async with world.running():
        async with asyncio.timeout(20):
            assert (await deciding).accepted
        await eventually(lambda: story.journal.trades.get((story.account, 1)), "the trade runs")
        await at_rest(story.handle)
        state = await story.handle.query("snapshot", result_type=AccountState)
        assert state.next_trade == 2
        assert len(story.exchange.submits) - len(story.orders(Leg.STOP)) == 1
        await story.end()
    assert len(story.orders(Leg.ENTRY)) <= 1

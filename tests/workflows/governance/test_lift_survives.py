"""A worker that dies at any step between approval and lift leaves nothing half done."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from itertools import count
from typing import Any
from uuid import uuid4

import pytest

from models.contracts.approvals import ApprovalDecision, ApprovalInput
from models.contracts.names import approval_workflow_id, kill_switch_workflow_id
from models.contracts.workflows import KillSwitchInput
from models.trading.answers import Answer
from models.trading.governance.approval import ApprovalRequest, ApprovalStatus
from models.trading.governance.rights import PLATFORM
from models.trading.governance.subject_contents import LiftContent, write_content
from models.trading.governance.subjects import Subject
from tests.support.fakes import wall_clock
from tests.support.stories import Story
from tests.support.temporal import World, eventually

NUMBERS = count(700)


class Deadly:
    """Kills the worker in the middle of one step: before the record is written, or after."""

    def __init__(
        self, journal: Any, step: str, *, after: bool, counts: Callable[..., bool]
    ) -> None:
        self.reached, self.calls = asyncio.Event(), 0
        method = getattr(journal, step)

        @wraps(method)
        async def deadly(*words: Any, **options: Any) -> Any:
            if not counts(*words):
                return await method(*words, **options)
            self.calls += 1
            if self.calls > 1:
                return await method(*words, **options)
            if after:
                await method(*words, **options)
            self.reached.set()
            return await asyncio.Event().wait()

        setattr(journal, step, deadly)


async def ask(world: World, story: Story, number: int) -> str:
    """Engage a kill switch, and ask for its lift."""
    order = KillSwitchInput(number, (story.account,), False, "test", "user/one", wall_clock())
    await world.client.start_workflow(
        "KillSwitchWorkflow", order, id=kill_switch_workflow_id(number), task_queue=world.queue
    )
    await eventually(lambda: (number, story.account) in world.journal.acknowledged, "stopped")
    now, content = wall_clock(), LiftContent(number, "user/one", (story.account,))
    request = ApprovalRequest(
        str(uuid4()),
        Subject.LIFT_KILL_SWITCH,
        "user/two",
        "lift it",
        now,
        now + timedelta(hours=1),
        content=write_content(content),
    )
    await world.client.start_workflow(
        "ApprovalWorkflow",
        ApprovalInput(PLATFORM, request),
        id=approval_workflow_id(PLATFORM, request.request_id),
        task_queue=world.queue,
    )
    await eventually(lambda: request.request_id in world.journal.approvals, "recorded")
    return request.request_id


async def decide(world: World, approval: str, by: str = "user/three") -> Answer:
    decision = ApprovalDecision(str(uuid4()), by, True, "", None, wall_clock())
    handle = world.client.get_workflow_handle(approval_workflow_id(PLATFORM, approval))
    answer: Answer = await handle.execute_update(
        "decide", decision, id=decision.request_id, result_type=Answer
    )
    return answer


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", ["was_authenticated", "lift_kill_switch", "save_approval"])
async def test_a_worker_killed_between_approval_and_lift_lifts_once(
    world: World, step: str, after: bool
) -> None:
    story = Story(world, world.add_account())
    number = next(NUMBERS)
    world.journal.approved.add(number)
    first = asyncio.create_task(world.worker().run())
    await story.begin()
    approval = await ask(world, story, number)
    lifts: list[int] = []
    lift = world.journal.lift_kill_switch

    async def counted(which: int, by: str, at: Any) -> bool:
        if which not in world.journal.lifted:
            lifts.append(which)
        return await lift(which, by, at)

    world.journal.lift_kill_switch = counted  # type: ignore[method-assign]
    deadly = Deadly(
        world.journal,
        step,
        after=after,
        counts=lambda *words: step != "save_approval" or words[1].status.is_final,
    )
    deciding = asyncio.create_task(decide(world, approval))
    await asyncio.wait_for(deadly.reached.wait(), 20)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    async with world.running():
        async with asyncio.timeout(60):
            assert (await deciding).accepted
        await eventually(lambda: number in world.journal.lifted, "the kill switch is lifted")

        # By the record: a worker that has just died may leave a query without an answer.
        await eventually(
            lambda: not world.journal.saved_accounts[story.account].is_halted,
            "the account takes entries again",
        )
        assert lifts == [number]
        assert world.journal.approvals[approval][0].status is ApprovalStatus.APPROVED
        await story.end()


@pytest.mark.parametrize("held", ["stranger", "frozen"])
async def test_what_the_record_does_not_know_of_or_a_freeze_holds_is_refused(
    world: World, held: str
) -> None:
    async with world.running():
        now = wall_clock()
        subject = Subject.PROMOTE_MODEL
        request = ApprovalRequest(
            str(uuid4()), subject, "user/two", "a model", now, now + timedelta(hours=1)
        )
        await world.client.start_workflow(
            "ApprovalWorkflow",
            ApprovalInput(PLATFORM, request),
            id=approval_workflow_id(PLATFORM, request.request_id),
            task_queue=world.queue,
        )
        await eventually(lambda: request.request_id in world.journal.approvals, "recorded")
        if held == "stranger":
            world.journal.strangers.add("user/three")
        else:
            world.journal.freeze = "the week's end"
        answer = await decide(world, request.request_id)
        code = {"stranger": "not-authenticated", "frozen": "change-frozen"}[held]
        assert answer.code == code
        kept, outcome = world.journal.approvals[request.request_id]
        assert (kept.status, kept.decided_by) == (ApprovalStatus.REFUSED, "aether")
        assert outcome is not None
        assert outcome.code == code

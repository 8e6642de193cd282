"""An approved lift takes effect in the end, and no account misses it."""

import asyncio
from itertools import count
from typing import Any

import pytest

from activities.adapters.temporal.messages import TemporalMessenger
from models.contracts.names import kill_switch_workflow_id
from models.contracts.workflows import KillSwitchProgress, LiftApproved
from models.trading.account.facts import KillSwitchEngaged, KillSwitchLifted
from tests.support.fakes import wall_clock
from tests.support.stories import Story
from tests.support.temporal import World, eventually
from tests.workflows.governance.test_lift_survives import ask, decide

NUMBERS = count(800)


def count_refusals(world: World, never: str = "") -> list[int]:
    """Count how often the record refuses a lift; by whom it is ``never`` lifted."""
    refused: list[int] = []
    lift = world.journal.lift_kill_switch

    async def counted(number: int, by: str, at: Any) -> bool:
        lifted = by != never and await lift(number, by, at)
        if not lifted:
            refused.append(number)
        return lifted

    world.journal.lift_kill_switch = counted  # type: ignore[method-assign]
    return refused


def is_free(world: World, story: Story) -> bool:
    return not world.journal.saved_accounts[story.account].is_halted


@pytest.mark.parametrize("again", ["by itself", "by another approval"])
async def test_a_lift_that_is_refused_for_now_is_tried_again(world: World, again: str) -> None:
    by_itself = again == "by itself"
    number = next(NUMBERS)
    refused = count_refusals(world, never="" if by_itself else "user/three")
    async with world.running():
        story = Story(world, world.add_account())
        await story.begin()
        approval = await ask(world, story, number)
        assert (await decide(world, approval)).accepted
        await eventually(lambda: len(refused) > by_itself, "the record refuses it", 30)
        assert number not in world.journal.lifted
        world.journal.approved.add(number)  # an account was compared meanwhile
        handle = world.client.get_workflow_handle(kill_switch_workflow_id(number))
        if not by_itself:
            lift = LiftApproved("lift-2", "user/four", wall_clock())
            await handle.execute_update("approve_lift", lift, result_type=KillSwitchProgress)
        async with asyncio.timeout(30):
            await handle.result()
        assert number in world.journal.lifted
        await eventually(lambda: is_free(world, story), "the account takes entries again")
        await story.end()


@pytest.mark.parametrize("missed", ["the halt is still being told", "the account is away"])
async def test_an_account_is_told_of_the_lift_in_the_end(
    world: World, monkeypatch: pytest.MonkeyPatch, missed: str
) -> None:
    number, go_on, away = next(NUMBERS), asyncio.Event(), iter([False, False])
    world.journal.approved.add(number)
    signal = TemporalMessenger.signal_account

    async def signal_account(self: TemporalMessenger, account: str, facts: Any) -> bool:
        if isinstance(facts[0], KillSwitchLifted) and missed == "the account is away":
            told = next(away, True)
            return told and await signal(self, account, facts)
        found = await signal(self, account, facts)
        if isinstance(facts[0], KillSwitchEngaged) and missed != "the account is away":
            await go_on.wait()
        return found

    monkeypatch.setattr(TemporalMessenger, "signal_account", signal_account)
    async with world.running():
        story = Story(world, world.add_account())
        await story.begin()
        approval = await ask(world, story, number)
        await eventually(lambda: not is_free(world, story), "the account is halted")
        assert (await decide(world, approval)).accepted
        await eventually(lambda: is_free(world, story), "the account takes entries again")
        go_on.set()
        handle = world.client.get_workflow_handle(kill_switch_workflow_id(number))
        async with asyncio.timeout(30):
            await handle.result()
        await story.end()


async def test_a_lift_that_is_approved_while_another_is_tried_is_its_successor(
    world: World,
) -> None:
    number = next(NUMBERS)
    lift, trying, go_on = world.journal.lift_kill_switch, asyncio.Event(), asyncio.Event()

    async def held(number: int, by: str, at: Any) -> bool:
        if by == "user/four":
            return await lift(number, by, at)
        trying.set()
        await go_on.wait()
        return False

    world.journal.lift_kill_switch = held  # type: ignore[method-assign]
    async with world.running():
        story = Story(world, world.add_account())
        await story.begin()
        approval = await ask(world, story, number)
        assert (await decide(world, approval)).accepted
        await asyncio.wait_for(trying.wait(), 30)
        world.journal.approved.add(number)
        handle = world.client.get_workflow_handle(kill_switch_workflow_id(number))
        newer = LiftApproved("lift-2", "user/four", wall_clock())
        await handle.execute_update("approve_lift", newer, result_type=KillSwitchProgress)
        go_on.set()
        async with asyncio.timeout(30):
            await handle.result()
        await eventually(lambda: is_free(world, story), "the account takes entries again")
        await story.end()

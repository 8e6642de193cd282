"""Who reaches Temporal itself is held to the same bounds as a caller of the API."""

from dataclasses import replace
from decimal import Decimal

import pytest
from temporalio.client import WorkflowUpdateFailedError

from models.trading.account.facts import ExchangeLost, ExchangeReady, HaltRequested
from models.trading.account.state import AccountState, HaltKind
from models.trading.answers import Answer
from models.trading.message_bounds import weight_of
from tests.support.fakes import wall_clock
from tests.support.stories import Story
from tests.support.temporal import World, eventually
from tests.workflows.account.test_settings_stories import change


async def state_of(story: Story) -> AccountState:
    state: AccountState = await story.handle.query("snapshot", result_type=AccountState)
    return state


async def test_request_out_of_bounds_is_rejected_and_leaves_nothing(world: World) -> None:
    story = Story(world, world.add_account())
    async with world.running():
        await story.begin()
        before = await state_of(story)
        for name, request in (
            ("halt", HaltRequested("r-1", "mallory", "nul \x00", wall_clock())),
            ("halt", HaltRequested("r-2", "mallory", "x" * 100_000, wall_clock())),
            ("halt", HaltRequested("x" * 5_000, "mallory", "calm", wall_clock())),
            ("open_trade", story.a_request(quantity=Decimal("1e-999999"))),
            ("open_trade", story.a_request(symbol="B" * 100_000)),
        ):
            with pytest.raises(WorkflowUpdateFailedError):
                await story.handle.execute_update(name, request, result_type=Answer)
        assert await state_of(story) == before
        await story.end()


async def test_refused_changes_leave_little_and_the_account_answers(world: World) -> None:
    story = Story(world, world.add_account())
    async with world.running():
        await story.begin()
        before = weight_of(await state_of(story))
        for number in range(31):
            answer = await change(story, f"r-{number}", '{"' + "x" * 60_000 + '": 1}')
            assert answer.code == "invalid-setting"
            assert len(answer.detail) < 200
        answer = await change(story, "r-large", '{"risk.risk_share": "1e-999999"}')
        assert answer.code == "invalid-setting"
        state = await state_of(story)
        assert weight_of(state) - before < 32 * 800
        assert (await story.open()).accepted
        await story.end()


async def test_fact_with_odd_words_is_heard_with_them_cleaned(world: World) -> None:
    story = Story(world, world.add_account())
    async with world.running():
        await story.begin()
        lost = ExchangeLost("nul \x00 " + "x" * 100_000, wall_clock())
        await story.handle.signal("exchange_lost", lost)

        async def heard() -> bool:
            halts = (await state_of(story)).halts
            return any(halt.kind is HaltKind.NO_EXCHANGE for halt in halts)

        await eventually(heard, "the loss is heard")
        (halt,) = (await state_of(story)).halts
        assert "\x00" not in halt.reason
        assert len(halt.reason) <= 4_000
        await story.end()


async def test_fact_with_figures_out_of_bounds_is_not_listened_to(world: World) -> None:
    story = Story(world, world.add_account())
    async with world.running():
        await story.begin()
        before = await state_of(story)
        fees = {"BTC/USD": replace(next(iter(before.fees.values())), maker=Decimal("1e-999999"))}
        await story.handle.signal("exchange_ready", replace(ready(before), fees=fees))
        answer = await story.handle.execute_update(
            "halt", HaltRequested("r-1", "anna", "calm", wall_clock()), result_type=Answer
        )
        assert answer.accepted
        assert (await state_of(story)).fees == before.fees
        await story.end()


def ready(state: AccountState) -> ExchangeReady:
    return ExchangeReady(dict(state.balances), state.instruments, state.fees, wall_clock())

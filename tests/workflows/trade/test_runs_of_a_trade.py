"""A trade with a long history goes on: in a new run, or in this one where it carries too much."""

import pytest

from models.contracts.workflows import CloseNow
from models.trading.answers import Answer
from models.trading.trade.state import TradePhase
from tests.support.fakes import wall_clock
from tests.support.stories import Story
from tests.support.temporal import World, eventually
from workflows import entity


async def close(story: Story) -> None:
    request = CloseNow("close-1", "tester", wall_clock())
    await story.trade(1).execute_update("close_now", request, result_type=Answer)
    await story.trade(1).result()
    assert story.journal.trades[story.account, 1].phase is TradePhase.SETTLED


@pytest.mark.parametrize("takes", [entity.LIMIT, 10], ids=["carries", "too heavy"])
async def test_a_trade_of_a_long_history_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch, takes: int
) -> None:
    monkeypatch.setattr(entity, "HISTORY_BUDGET_EVENTS", 10)
    monkeypatch.setattr(entity, "LIMIT", takes)
    async with world.running():
        story = Story(world, world.add_account())
        await story.begin()
        await story.open()
        await story.until_protected()

        async def goes_on() -> bool:
            """Tell whether it went on in another run, or, too heavy for one, in its first."""
            now = (await story.trade(1).describe()).raw_description.workflow_execution_info
            is_another = now.execution.run_id != now.first_run_id
            if takes == 10:
                assert not is_another
                return now.history_length > 15
            return is_another

        await eventually(goes_on, "the trade's history is long")
        await close(story)
        await story.end()

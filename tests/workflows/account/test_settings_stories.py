"""Settings outlive workers, count from the next decision, and are written once."""

from decimal import Decimal

from models.trading.account.facts import SettingsChangeRequested
from models.trading.account.state import AccountState
from models.trading.answers import Answer
from tests.support.fakes import wall_clock
from tests.support.stories import Story, at_rest
from tests.support.temporal import World, eventually


async def change(story: Story, name: str, updates: str) -> Answer:
    request = SettingsChangeRequested(name, "Dora", updates, "why", wall_clock(), confirmed=True)
    answer: Answer = await story.handle.execute_update(
        "change_settings", request, id=name, result_type=Answer
    )
    return answer


async def test_settings_outlive_every_worker_and_count_from_the_next_decision(
    world: World,
) -> None:
    story = Story(world, world.add_account())
    async with world.running():
        await story.begin()
        assert (await story.open()).accepted
        made = await change(story, "settings-1", '{"portfolio.orders_maximum":1}')
        assert (made.accepted, made.settings_version) == (True, 1)
        await at_rest(story.handle)
    async with world.running():
        again = await change(story, "settings-1", '{"portfolio.orders_maximum":1}')
        assert again.settings_version == 1
        state = await story.handle.query("snapshot", result_type=AccountState)
        assert state.settings.version == 1
        assert (await story.open()).code == "order-rate-exceeded"
        await eventually(
            lambda: world.journal.settings.get((story.account, 1)), "the version is written"
        )
        assert [name for owner, name in world.journal.settings if owner == story.account] == [1]
        entry = world.journal.entries[story.account, 1]
        assert (entry.settings_version, entry.quantity) == (0, Decimal("0.01"))
        assert (story.account, "settings_changed") in world.journal.audits
        await story.end()

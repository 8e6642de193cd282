"""A story that another worker took over in the middle can be taken over again, and again."""

import asyncio

from temporalio.worker import Replayer

from infra.runtime.temporal.workers import sandbox_runner
from tests.support.stories import Story, at_rest
from tests.support.temporal import TRADING_WORKFLOWS, World


async def test_request_that_another_worker_takes_up_replays(world: World) -> None:
    story = Story(world, world.add_account())
    async with world.running():
        await story.begin()
        await story.open()
        await story.until_protected()
        await at_rest(story.handle)
    for trade in (2, 3):
        # Asked while nobody works: the next worker gets it with the end of the history before it.
        asking = asyncio.create_task(story.open())
        async with world.running():
            async with asyncio.timeout(30):
                assert (await asking).code == "accepted"
            await story.until_protected(trade)
            await at_rest(story.handle)
    replayer = Replayer(
        workflows=TRADING_WORKFLOWS,
        workflow_runner=sandbox_runner(),
        data_converter=world.client.data_converter,
        namespace=world.client.namespace,
    )
    await replayer.replay_workflow(await story.handle.fetch_history())
    await story.end()

"""What Temporal's worker versioning gives with two builds at once: measured for ADR 63.

A server that gives more than this makes a test here fail: then the decision is to be looked at
again.
"""

from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from temporalio import workflow
from temporalio.api.workflowservice.v1 import SetWorkerDeploymentCurrentVersionRequest
from temporalio.client import Client, WorkflowHandle
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.service import RPCError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker, WorkerDeploymentConfig
from temporalio.workflow import ContinueAsNewVersioningBehavior

from models.contracts.names import REST_QUERY
from tests.support.stories import Story, at_rest
from tests.support.temporal import NAMESPACE, World, eventually

PINNED = VersioningBehavior.PINNED


@workflow.defn(name="Resting")
class Resting:
    """Goes on in another run when it is told to; asks for the newest build where it may."""

    def __init__(self) -> None:
        self.may_rest = False

    @workflow.run
    async def run(self, upgrades: bool) -> None:
        await workflow.wait_condition(lambda: self.may_rest)
        if upgrades:
            newest = ContinueAsNewVersioningBehavior.AUTO_UPGRADE
            workflow.continue_as_new(upgrades, initial_versioning_behavior=newest)
        workflow.continue_as_new(upgrades)

    @workflow.signal
    def rest(self) -> None:
        self.may_rest = True


class Builds:
    """Two builds of one deployment, each by a worker of its own, and which is current."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.deployment = f"aether-{uuid4().hex[:8]}"

    def options(self, build: str) -> WorkerDeploymentConfig:
        version = WorkerDeploymentVersion(self.deployment, build)
        return WorkerDeploymentConfig(
            version, use_worker_versioning=True, default_versioning_behavior=PINNED
        )

    async def make_current(self, build: str) -> None:
        request = SetWorkerDeploymentCurrentVersionRequest(
            namespace=NAMESPACE,
            deployment_name=self.deployment,
            build_id=build,
            identity="a test",
            ignore_missing_task_queues=True,
        )

        async def is_made() -> bool:
            try:  # the server knows a build some time after it has polled
                await self.client.workflow_service.set_worker_deployment_current_version(request)
            except RPCError:
                return False
            return True

        await eventually(is_made, f"{build} is current", 60)

    async def build_of(self, handle: WorkflowHandle) -> str:
        found = (await handle.describe()).raw_description.workflow_execution_info
        return found.versioning_info.deployment_version.build_id

    async def until_on(self, handle: WorkflowHandle, build: str) -> None:
        async def is_on() -> bool:
            return await self.build_of(handle) == build

        await eventually(is_on, f"{handle.id} is on {build}", 60)


@pytest.fixture
def builds(client):
    return Builds(client)


@asynccontextmanager
async def resting_by(builds: Builds, build: str, queue: str):
    async with Worker(
        builds.client,
        task_queue=queue,
        workflows=[Resting],
        workflow_runner=UnsandboxedWorkflowRunner(),
        deployment_config=builds.options(build),
    ):
        yield


@pytest.mark.parametrize("upgrades", [False, True])
async def test_what_is_pinned_stays_on_its_build_even_where_it_asks_to_upgrade(builds, upgrades):
    queue = f"resting-{uuid4().hex[:8]}"

    async def begin(name: str) -> WorkflowHandle:
        return await builds.client.start_workflow(
            "Resting", upgrades, id=f"{name}-{queue}", task_queue=queue
        )

    async with resting_by(builds, "older", queue):
        await builds.make_current("older")
        before = await begin("before")
        await builds.until_on(before, "older")
        async with resting_by(builds, "newer", queue):
            await builds.make_current("newer")
            await builds.until_on(await begin("after"), "newer")
            first = (await before.describe()).run_id
            await before.signal("rest")

            async def next_run_has_begun() -> bool:
                found = await before.describe()
                info = found.raw_description.workflow_execution_info
                return found.run_id != first and info.versioning_info.behavior != 0

            await eventually(next_run_has_begun, "it goes on in another run", 60)
            # Server 1.29 takes the request to upgrade, and does not obey it.
            assert await builds.build_of(before) == "older"


async def test_an_account_that_is_pinned_opens_new_trades_on_its_old_build(builds):
    world = World(builds.client)
    story = Story(world, world.add_account())
    older = {"build_id": None, "deployment_config": builds.options("older")}
    newer = {"build_id": None, "deployment_config": builds.options("newer")}
    async with world.running(**older):
        await builds.make_current("older")
        await story.begin()
        await story.open()
        await story.until_protected(1)
        async with world.running(**newer):
            await builds.make_current("newer")
            await story.open()
            await story.until_protected(2)
            for number in (1, 2):
                await builds.until_on(story.trade(number), "older")
        await story.end()


async def test_a_trade_that_is_pinned_waits_for_its_build_while_that_is_away(builds):
    world = World(builds.client)
    story = Story(world, world.add_account())
    older = {"build_id": None, "deployment_config": builds.options("older")}
    newer = {"build_id": None, "deployment_config": builds.options("newer")}
    async with world.running(**older):
        await builds.make_current("older")
        await story.begin()
        await story.open()
        await story.until_protected(1)
    async with world.running(**newer):
        await builds.make_current("newer")
        with pytest.raises(RPCError):
            await story.trade(1).query(REST_QUERY, rpc_timeout=timedelta(seconds=3))
    async with world.running(**older):
        await at_rest(story.trade(1))
        await story.end()


async def test_two_builds_that_decide_alike_share_the_trades_that_are_open(client):
    """What the platform does instead: no pins, the same decisions, either build carries on."""
    world = World(client)
    # As of another process: a client has one worker of a queue.
    beside = replace(
        world,
        client=await Client.connect(
            client.service_client.config.target_host,
            namespace=NAMESPACE,
            tls=client.service_client.config.tls,
            data_converter=client.data_converter,
        ),
    )
    story = Story(world, world.add_account())
    async with world.running(build_id="older"):
        await story.begin()
        await story.open()
        await story.until_protected(1)
        async with beside.running(build_id="newer"):
            await story.open()
            await story.until_protected(2)
    async with beside.running(build_id="newer"):
        for number in (1, 2):
            await at_rest(story.trade(number))
        await story.end()

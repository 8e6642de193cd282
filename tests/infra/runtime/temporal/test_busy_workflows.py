"""A workflow that refuses messages between two runs takes them as soon as it can."""

import asyncio
import threading
import uuid

import pytest
from temporalio import workflow
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from infra.runtime.temporal.busy_workflows import is_busy, repeat_soon_when_busy
from infra.runtime.temporal.client import connect
from tests.support.temporal import NAMESPACE, access, eventually

TURNS = {"first": threading.Event(), "second": threading.Event()}
BEGUN = {"first": threading.Event(), "second": threading.Event()}


@workflow.defn(sandboxed=False)
class RestlessWorkflow:
    """Continues as new at the first signal; its turns last until the test lets them end."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    @workflow.run
    async def run(self, heard: list[str]) -> list[str]:
        await workflow.wait_condition(lambda: bool(heard or self.heard))
        if not heard:
            name = "first" if len(self.heard) == 1 else "second"
            BEGUN[name].set()
            TURNS[name].wait(1.5)  # the SDK takes two seconds for a deadlock
            workflow.continue_as_new(self.heard)
        await workflow.wait_condition(lambda: "last" in self.heard)
        return heard + self.heard

    @workflow.signal
    def tell(self, word: str) -> None:
        self.heard.append(word)


async def test_message_to_a_workflow_between_two_runs_is_not_repeated_by_the_sdk(
    temporal_address,
):
    client = await connect(temporal_address, NAMESPACE, [], tls=access(temporal_address))
    refused, left_to_the_sdk = [], []
    # Beneath the repeating: what the server answered, and whether the SDK was to repeat it.
    bare = await connect(temporal_address, NAMESPACE, [], tls=access(temporal_address))
    below = type(bare.service_client)._rpc_call

    async def counted(rpc, *arguments, **options):
        if rpc == "signal_workflow_execution":
            left_to_the_sdk.append(options["retry"])
        try:
            return await below(bare.service_client, rpc, *arguments, **options)
        except RPCError as error:
            refused.append(is_busy(error))
            raise

    bare.service_client._rpc_call = counted
    repeat_soon_when_busy(bare)
    queue = str(uuid.uuid4())
    async with Worker(
        client,
        task_queue=queue,
        workflows=[RestlessWorkflow],
        workflow_runner=UnsandboxedWorkflowRunner(),
    ):
        handle = await bare.start_workflow(RestlessWorkflow.run, [], id=queue, task_queue=queue)
        await handle.signal(RestlessWorkflow.tell, "first")
        await asyncio.to_thread(BEGUN["first"].wait, 10)
        await handle.signal(RestlessWorkflow.tell, "second")
        TURNS["first"].set()  # it may not continue as new: "second" is not handled
        await asyncio.to_thread(BEGUN["second"].wait, 10)
        telling = asyncio.create_task(handle.signal(RestlessWorkflow.tell, "last"))
        await eventually(lambda: refused, "the workflow refuses it")
        TURNS["second"].set()
        await telling
        assert await handle.result() == ["first", "second", "last"]
    assert all(refused)
    assert not any(left_to_the_sdk)


async def test_other_failures_are_left_as_they_are(temporal_address):
    client = await connect(temporal_address, NAMESPACE, [], tls=access(temporal_address))
    handle = client.get_workflow_handle("nobody")
    with pytest.raises(RPCError) as missing:
        await handle.signal("tell", "anything")
    assert missing.value.status is RPCStatusCode.NOT_FOUND
    assert not is_busy(missing.value)

"""Messages that nobody vouches for reach no account, and end or hold up none."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from temporalio.api.common.v1 import Payloads, WorkflowExecution
from temporalio.api.update.v1 import Input, Meta, Request, WaitPolicy
from temporalio.api.workflowservice.v1 import (
    SignalWorkflowExecutionRequest,
    UpdateWorkflowExecutionRequest,
)
from temporalio.client import Client, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.converter import WorkflowSerializationContext

from infra.runtime.temporal.client import connect
from infra.runtime.temporal.codec import sending, signal_kind, update_kind
from models.contracts.names import account_workflow_id
from models.trading.account.facts import ExchangeLost, HaltRequested, ResumeRequested
from models.trading.account.state import AccountState
from models.trading.answers import Answer
from models.trading.orders import Leg
from tests.support.fakes import wall_clock
from tests.support.stories import Story, at_rest
from tests.support.temporal import NAMESPACE, World, access

OTHER = "another-account"


@asynccontextmanager
async def an_account(world: World) -> AsyncIterator[Story]:
    async with world.running():
        story = Story(world, world.add_account())
        await story.begin()
        yield story
        # Whatever came: the account goes on.
        assert (await story.open()).accepted
        await story.until_protected()
        await story.end()


async def a_stranger(address: str, story: Story) -> WorkflowHandle:
    """Return the account as seen by one who has no payload key, however he reached the port."""
    client = await connect(address, NAMESPACE, [], tls=access(address))
    return client.get_workflow_handle(account_workflow_id(story.account))


async def sealed(story: Story, kind: str, account: str, *values: object) -> Payloads:
    """Return what our own client would send: an authentic payload, to be copied."""
    context = WorkflowSerializationContext(NAMESPACE, account_workflow_id(account))
    with sending(kind):
        converter = story.world.client.data_converter.with_context(context)
        return Payloads(payloads=await converter.encode(values))


async def signal(client: Client, story: Story, name: str, payloads: Payloads) -> None:
    await client.workflow_service.signal_workflow_execution(
        SignalWorkflowExecutionRequest(
            namespace=NAMESPACE,
            workflow_execution=WorkflowExecution(workflow_id=account_workflow_id(story.account)),
            signal_name=name,
            input=payloads,
            request_id="forged",
        )
    )


async def update(client: Client, story: Story, name: str, payloads: Payloads) -> str:
    """Send an update as it is and return the failure's message, "" if it went through."""
    answer = await client.workflow_service.update_workflow_execution(
        UpdateWorkflowExecutionRequest(
            namespace=NAMESPACE,
            workflow_execution=WorkflowExecution(workflow_id=account_workflow_id(story.account)),
            wait_policy=WaitPolicy(lifecycle_stage=3),  # type: ignore[arg-type]
            request=Request(
                meta=Meta(update_id=f"forged-{name}"), input=Input(name=name, args=payloads)
            ),
        )
    )
    return "refused" if answer.outcome.HasField("failure") else ""


async def state(story: Story) -> AccountState:
    answer: AccountState = await story.handle.query("snapshot", result_type=AccountState)
    return answer


async def test_plain_order_in_a_directors_name_buys_nothing(
    world: World, temporal_address: str
) -> None:
    async with an_account(world) as story:
        stranger = await a_stranger(temporal_address, story)
        request = replace(story.a_request(), by="director-1")
        with pytest.raises(WorkflowUpdateFailedError):
            await stranger.execute_update("open_trade", request, result_type=Answer)
        assert not story.orders(Leg.ENTRY)
        assert not (await state(story)).trades


async def test_plain_signal_is_dropped(world: World, temporal_address: str) -> None:
    async with an_account(world) as story:
        stranger = await a_stranger(temporal_address, story)
        await stranger.signal("exchange_lost", ExchangeLost("forged", wall_clock()))
        await at_rest(story.handle)
        assert not (await state(story)).is_halted


async def test_message_of_another_account_is_refused(world: World) -> None:
    async with an_account(world) as story:
        client = world.client
        lost = ExchangeLost("true elsewhere", wall_clock())
        copied = await sealed(story, signal_kind("exchange_lost"), OTHER, lost)
        await signal(client, story, "exchange_lost", copied)
        halt = HaltRequested("halt-1", "director-1", "true elsewhere", wall_clock())
        copied = await sealed(story, update_kind("halt"), OTHER, halt)
        assert await update(client, story, "halt", copied) == "refused"
        await at_rest(story.handle)
        assert not (await state(story)).is_halted


async def test_one_message_is_not_taken_for_another(world: World) -> None:
    async with an_account(world) as story:
        halt = HaltRequested("halt-2", "director-1", "for a reason", wall_clock())
        assert (await story.handle.execute_update("halt", halt, result_type=Answer)).accepted
        lift = ResumeRequested("resume-2", "director-1", wall_clock())
        copied = await sealed(story, update_kind("halt"), story.account, lift)
        assert await update(world.client, story, "resume", copied) == "refused"
        assert (await state(story)).is_halted
        sent = await sealed(story, update_kind("resume"), story.account, lift)
        assert await update(world.client, story, "resume", sent) == ""


async def test_resume_of_before_lifts_no_later_halt(world: World) -> None:
    # Sealed for this account and this message: with a new life the account has forgotten its id.
    async with an_account(world) as story:
        lift = ResumeRequested("resume-9", "director-1", wall_clock())
        copied = await sealed(story, update_kind("resume"), story.account, lift)
        halt = HaltRequested("halt-9", "director-1", "for a reason", wall_clock())
        assert (await story.handle.execute_update("halt", halt, result_type=Answer)).accepted
        await update(world.client, story, "resume", copied)
        assert (await state(story)).is_halted
        resume = ResumeRequested("resume-10", "director-1", wall_clock())
        assert (await story.handle.execute_update("resume", resume, result_type=Answer)).accepted


@pytest.mark.parametrize("count", [0, 2], ids=["none", "two"])
async def test_message_without_its_one_argument_fails_no_turn(world: World, count: int) -> None:
    async with an_account(world) as story:
        lost = [ExchangeLost("forged", wall_clock())] * count
        kind = signal_kind("exchange_lost")
        sent = await sealed(story, kind, story.account, *lost)
        await signal(world.client, story, "exchange_lost", sent)
        halts = [HaltRequested("halt-3", "director-1", "forged", wall_clock())] * count
        sent = await sealed(story, update_kind("halt"), story.account, *halts)
        assert await update(world.client, story, "halt", sent) == "refused"
        await at_rest(story.handle)
        assert not (await state(story)).is_halted


async def test_unknown_message_fails_no_turn(world: World, temporal_address: str) -> None:
    async with an_account(world) as story:
        stranger = await a_stranger(temporal_address, story)
        await stranger.signal("no_such_signal", "whatever")
        with pytest.raises(WorkflowUpdateFailedError):
            await stranger.execute_update("no_such_update", "whatever")

"""Messages that nobody vouches for reach no account, and end or hold up none."""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from copy import copy
from dataclasses import MISSING, fields, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from types import UnionType
from typing import get_origin, get_type_hints
from uuid import uuid4

import pytest
from temporalio.api.common.v1 import Payload, Payloads, WorkflowExecution
from temporalio.api.update.v1 import Input, Meta, Request, WaitPolicy
from temporalio.api.workflowservice.v1 import (
    SignalWorkflowExecutionRequest,
    UpdateWorkflowExecutionRequest,
)
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.client import Client, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.converter import WorkflowSerializationContext
from temporalio.workflow import _Definition

from infra.runtime.temporal.client import connect
from infra.runtime.temporal.codec import (
    KIND,
    REFUSED,
    SEAL_NONCE,
    SEALED_AT,
    sending,
    signal_kind,
    update_kind,
)
from infra.runtime.temporal.replayed_messages import UPDATE_LIFE, ReplayGuard
from infra.runtime.temporal.sandbox import refuse_false_messages
from models.contracts.names import account_workflow_id, trade_workflow_id
from models.trading.account.facts import ExchangeLost, HaltRequested, OpenRequested, ResumeRequested
from models.trading.account.state import AccountState
from models.trading.answers import Answer
from models.trading.orders import Leg
from tests.support.fakes import wall_clock
from tests.support.stories import Story, at_rest
from tests.support.temporal import NAMESPACE, TRADING_WORKFLOWS, World, access
from workflows.account.workflow import AccountWorkflow
from workflows.trade.workflow import TradeWorkflow

OTHER = "another-account"


@asynccontextmanager
async def an_account(world: World, *, untouched: bool = True) -> AsyncIterator[Story]:
    async with world.running():
        story = Story(world, world.add_account())
        await story.begin()
        yield story
        if untouched:  # whatever came: the account goes on
            assert (await story.open()).accepted
            await story.until_protected()
        await story.end()


async def a_stranger(address: str, story: Story) -> WorkflowHandle:
    """Return the account as seen by one who has no payload key, however he reached the port."""
    client = await connect(address, NAMESPACE, [], tls=access(address))
    return client.get_workflow_handle(account_workflow_id(story.account))


async def sealed(
    story: Story, kind: str, account: str, *values: object, to: str = "", age: float = 0.0
) -> Payloads:
    """Return what our own client would send: an authentic payload, to be copied.

    ``to`` names another workflow than the account's; ``age`` is in seconds.
    """
    context = WorkflowSerializationContext(NAMESPACE, to or account_workflow_id(account))
    converter = story.world.client.data_converter
    codec = copy(converter.payload_codec)
    codec._clock = lambda: time.time() - age  # type: ignore[union-attr]
    with sending(kind):
        converter = replace(converter, payload_codec=codec).with_context(context)
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


async def update(client: Client, story: Story, name: str, payloads: Payloads, to: str = "") -> str:
    """Send an update as it is, with an id of its own; "" if it went through."""
    answer = await client.workflow_service.update_workflow_execution(
        UpdateWorkflowExecutionRequest(
            namespace=NAMESPACE,
            workflow_execution=WorkflowExecution(
                workflow_id=to or account_workflow_id(story.account)
            ),
            wait_policy=WaitPolicy(lifecycle_stage=3),  # type: ignore[arg-type]
            request=Request(
                meta=Meta(update_id=f"forged-{uuid4()}"), input=Input(name=name, args=payloads)
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


OLD_SECONDS = UPDATE_LIFE.total_seconds() + 1


def updates_of(workflow: type) -> list[str]:
    return sorted(str(name) for name in _Definition.must_from_class(workflow).updates)


def a_value(kind: type, story: Story) -> object:
    """Return a request of a type that is well formed, with made-up words."""
    if kind is OpenRequested:
        return story.a_request()
    simple: dict[object, object] = {
        str: "words", Decimal: Decimal(1), datetime: wall_clock(), bool: True, int: 1,
    }  # fmt: skip
    hints = get_type_hints(kind)
    values: dict[str, object] = {}
    for one in fields(kind):
        if one.default is not MISSING or one.default_factory is not MISSING:
            continue
        hint = hints[one.name]
        if get_origin(hint) is UnionType:
            values[one.name] = None
        elif get_origin(hint) in (dict, Mapping):
            values[one.name] = {}
        elif get_origin(hint) is tuple:
            values[one.name] = ()
        elif isinstance(hint, type) and issubclass(hint, Enum):
            values[one.name] = next(iter(hint))
        elif hint in simple:
            values[one.name] = simple[hint]
        else:
            values[one.name] = a_value(hint, story)
    return kind(**values)


def argument_of(workflow: type, name: str) -> type:
    handler = _Definition.must_from_class(workflow).updates[name]
    assert handler.arg_types is not None
    return handler.arg_types[0]


@pytest.mark.parametrize("name", updates_of(AccountWorkflow))
async def test_old_or_copied_update_of_an_account_is_refused(world: World, name: str) -> None:
    async with an_account(world, untouched=False) as story:
        await check_copies(story, AccountWorkflow, name, account_workflow_id(story.account))


async def test_old_or_copied_update_of_a_trade_is_refused(world: World) -> None:
    async with an_account(world, untouched=False) as story:
        assert (await story.open()).accepted
        await story.until_protected()
        for name in updates_of(TradeWorkflow):
            await check_copies(story, TradeWorkflow, name, trade_workflow_id(story.account, 1))


async def check_copies(story: Story, workflow: type, name: str, to: str) -> None:
    """Send an update that is too old, then a true one, and a copy of that one in its place."""
    client, kind = story.world.client, update_kind(name)
    value = a_value(argument_of(workflow, name), story)
    old = await sealed(story, kind, "", value, to=to, age=OLD_SECONDS)
    assert await update(client, story, name, old, to) == "refused"
    true = await sealed(story, kind, "", value, to=to)
    assert await update(client, story, name, true, to) == ""
    assert await update(client, story, name, true, to) == "refused"
    # It is the copy that was refused, and nothing else of it: sealed by a client it goes through.
    anew = await sealed(story, kind, "", value, to=to)
    assert await update(client, story, name, anew, to) == ""


async def test_update_that_meets_a_new_run_is_sealed_anew(world: World, monkeypatch) -> None:
    async with an_account(world) as story:
        codec, times = world.client.data_converter.payload_codec, iter([time.time() - 30])
        monkeypatch.setattr(codec, "_clock", lambda: next(times, time.time()))
        lift = ResumeRequested("resume-11", "director-1", wall_clock())
        assert (await story.handle.execute_update("resume", lift, result_type=Answer)).accepted
        assert next(times, None) is None


@pytest.mark.parametrize("workflow", TRADING_WORKFLOWS, ids=lambda one: one.__name__)
def test_every_message_of_every_workflow_passes_the_guard(workflow: type) -> None:
    """No message has a road of its own: what is old is refused whatever it is called."""
    definition = _Definition.must_from_class(workflow)
    assert None not in definition.updates  # a handler of any name would be one
    assert None not in definition.signals
    began = datetime.now(UTC) - timedelta(hours=1)
    for name in definition.updates:
        old, fresh = (an_update(str(name), age) for age in (OLD_SECONDS, 1.0))
        guard = ReplayGuard(began)
        for act in (old, fresh):
            refuse_false_messages(act, guard)
        assert old.jobs[0].do_update.input[0].metadata["encoding"] == REFUSED, name
        assert fresh.jobs[0].do_update.input[0].metadata["encoding"] != REFUSED, name


def an_update(name: str, age: float) -> WorkflowActivation:
    now = datetime.now(UTC)
    act = WorkflowActivation()
    act.timestamp.FromDatetime(now)
    job = act.jobs.add().do_update
    job.name, job.run_validator = name, True
    metadata = {
        KIND: update_kind(name).encode(),
        SEALED_AT: str(int((now.timestamp() - age) * 1_000_000)).encode(),
        SEAL_NONCE: str(age).encode(),
        "encoding": b"json/plain",
    }
    job.input.append(Payload(metadata=metadata))
    return act


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

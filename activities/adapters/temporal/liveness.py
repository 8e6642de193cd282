"""Whether the long-lived workflows run and answer, asked of Temporal alone."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from temporalio.client import Client, WorkflowExecutionDescription, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from models.contracts.names import (
    account_workflow_id,
    hedge_workflow_id,
    stream_workflow_id,
    trade_workflow_id,
)

SILENT_AFTER = timedelta(seconds=10)
"""How long a decision may be due: workers that live take milliseconds, a takeover few seconds."""

AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class Silent:
    """A workflow that should run and does not, or runs and does not answer."""

    workflow_id: str
    account: str
    detail: str
    runs: bool


@dataclass(frozen=True, slots=True)
class Expected:
    """A workflow that should run."""

    workflow_id: str
    account: str
    trade: int | None = None


def expected_workflows(
    accounts: Iterable[str], trades: Sequence[tuple[str, int]]
) -> list[Expected]:
    """Return what should run for the accounts and their unsettled trades."""
    wanted = [
        Expected(name(account), account)
        for account in accounts
        for name in (account_workflow_id, stream_workflow_id, hedge_workflow_id)
    ]
    known = {one.account for one in wanted}
    wanted += [
        Expected(trade_workflow_id(account, number), account, number)
        for account, number in trades
        if account in known
    ]
    return wanted


async def silent_workflows(client: Client, expected: Iterable[Expected]) -> list[Silent]:
    """Ask Temporal about each; return those that do not run or do not answer.

    Raises:
        RPCError: Temporal does not answer.
    """
    limit = asyncio.Semaphore(AT_ONCE)

    async def ask(one: Expected) -> Silent | None:
        async with limit:
            return await _ask(client, one)

    answers = await asyncio.gather(*(ask(one) for one in expected))
    return [silent for silent in answers if silent is not None]


async def running_workflows(client: Client) -> set[str]:
    """Return the ids of all workflows that run; one started just now may not be among them yet."""
    found = client.list_workflows("ExecutionStatus = 'Running'", page_size=1_000)
    return {execution.id async for execution in found}


async def _ask(client: Client, one: Expected) -> Silent | None:
    try:
        seen = await client.get_workflow_handle(one.workflow_id).describe()
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return Silent(one.workflow_id, one.account, "does not run: never started", runs=False)
    if seen.status is not WorkflowExecutionStatus.RUNNING:
        ended = seen.status.name.lower() if seen.status is not None else "unknown"
        return Silent(one.workflow_id, one.account, f"does not run: {ended}", runs=False)
    waits = _waits(seen)
    if waits is None or waits < SILENT_AFTER:
        return None
    seconds = round(waits.total_seconds())
    return Silent(one.workflow_id, one.account, f"does not answer for {seconds} s", runs=True)


def _waits(seen: WorkflowExecutionDescription) -> timedelta | None:
    """Return how long a decision of the workflow has been due, None when none is."""
    info = seen.raw_description
    if not info.HasField("pending_workflow_task"):
        return None
    since = info.pending_workflow_task.original_scheduled_time.ToDatetime(tzinfo=UTC)
    return datetime.now(UTC) - since  # noqa: TID251 - the time of writing, decides nothing

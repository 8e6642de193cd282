"""Starting the workflow of a kill switch engagement, from wherever it is found not to run."""

import asyncio
from collections.abc import Iterable

from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from activities.policies import DECIDING_TASK_TIMEOUT, START_TIMEOUT
from models.contracts.names import KILL_SWITCH_WORKFLOW, TRADING_QUEUE, kill_switch_workflow_id
from models.contracts.workflows import KillSwitchInput


class EngineUnavailableError(ConnectionError):
    """Temporal did not answer in time; the same call may be repeated."""


async def start_engagements(client: Client, engagements: Iterable[KillSwitchInput]) -> None:
    """Start the workflow of every engagement given; one that runs or has completed is left alone.

    A completed one was lifted: starting it again would halt the accounts for a flag that is down.
    One that was terminated, or failed, was not.

    Raises:
        EngineUnavailableError, RPCError: Temporal does not answer.
    """
    try:
        # The client tries a refused connection again for much longer than anybody can wait here.
        async with asyncio.timeout(START_TIMEOUT.total_seconds()):
            for start in engagements:
                await _start(client, start)
    except TimeoutError:
        raise EngineUnavailableError("Temporal does not answer") from None


async def _start(client: Client, start: KillSwitchInput) -> None:
    try:
        await client.start_workflow(
            KILL_SWITCH_WORKFLOW,
            start,
            id=kill_switch_workflow_id(start.number),
            task_queue=TRADING_QUEUE,
            task_timeout=DECIDING_TASK_TIMEOUT,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
        )
    except WorkflowAlreadyStartedError:
        return

"""Starting the workflow of a kill switch engagement, from wherever it is found not to run."""

from collections.abc import Iterable

from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from activities.policies import DECIDING_TASK_TIMEOUT, START_TIMEOUT
from models.contracts.names import KILL_SWITCH_WORKFLOW, TRADING_QUEUE, kill_switch_workflow_id
from models.contracts.workflows import KillSwitchInput


async def start_engagements(client: Client, engagements: Iterable[KillSwitchInput]) -> None:
    """Start the workflow of every engagement given; one that runs or has ended is left alone.

    An ended one was lifted: starting it again would halt the accounts for a flag that is down.

    Raises:
        RPCError: Temporal does not answer.
    """
    for start in engagements:
        try:
            await client.start_workflow(
                KILL_SWITCH_WORKFLOW,
                start,
                id=kill_switch_workflow_id(start.number),
                task_queue=TRADING_QUEUE,
                task_timeout=DECIDING_TASK_TIMEOUT,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                rpc_timeout=START_TIMEOUT,
            )
        except WorkflowAlreadyStartedError:
            continue

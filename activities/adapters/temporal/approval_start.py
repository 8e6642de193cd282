"""Asking another person from outside a workflow: for settings, going live, whatever comes next."""

import asyncio

from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from activities.adapters.temporal.engagements import EngineUnavailableError
from activities.policies import DECIDING_TASK_TIMEOUT, START_TIMEOUT
from models.contracts.approvals import ApprovalInput
from models.contracts.names import APPROVAL_WORKFLOW, TRADING_QUEUE, approval_workflow_id


async def start_approval(client: Client, start: ApprovalInput) -> None:
    """Start a request for approval, once by its id; ``account`` may be ``platform``.

    One whose workflow was terminated, or failed, is decided by nobody: it is started again.

    What neither an account nor a trade waits for is decided and recorded, and carried out by
    whoever reads the record: ``approvals`` with status ``approved``.

    Raises:
        EngineUnavailableError, RPCError: Temporal does not answer.
    """
    try:
        async with asyncio.timeout(START_TIMEOUT.total_seconds()):
            await client.start_workflow(
                APPROVAL_WORKFLOW,
                start,
                id=approval_workflow_id(start.account, start.request.request_id),
                task_queue=TRADING_QUEUE,
                task_timeout=DECIDING_TASK_TIMEOUT,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
            )
    except WorkflowAlreadyStartedError:
        return
    except TimeoutError:
        raise EngineUnavailableError("Temporal does not answer") from None

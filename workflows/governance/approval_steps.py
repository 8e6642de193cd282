"""How an account or a trade has another person asked."""

from temporalio import workflow
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.workflow import ParentClosePolicy

from activities.policies import DECIDING_TASK_TIMEOUT
from models.contracts.approvals import ApprovalInput
from models.contracts.names import APPROVAL_WORKFLOW, approval_workflow_id
from models.trading.governance.approval import AskApproval
from workflows.entity import Errands


def ask_approval(errands: Errands, account: str, command: AskApproval) -> None:
    """Start the request's workflow, once; it outlives whoever asked."""
    request = command.request

    async def ask() -> None:
        try:
            await workflow.start_child_workflow(
                APPROVAL_WORKFLOW,
                ApprovalInput(account, request),
                id=approval_workflow_id(account, request.request_id),
                task_timeout=DECIDING_TASK_TIMEOUT,
                parent_close_policy=ParentClosePolicy.ABANDON,
            )
        except WorkflowAlreadyStartedError:
            workflow.logger.info("%s waits for approval already", request.request_id)

    errands.run(f"approval/{request.request_id}", ask)

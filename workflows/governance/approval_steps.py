"""How an account or a trade has another person asked, and takes what they have decided."""

from dataclasses import replace

from temporalio import workflow
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.workflow import ParentClosePolicy

from activities.accounts.approvals import ApprovalActivities
from activities.policies import DECIDING_TASK_TIMEOUT, RECORD
from models.contracts.approvals import ApprovalInput, ApprovalToProve
from models.contracts.names import APPROVAL_WORKFLOW, approval_workflow_id
from models.trading.governance.approval import ApprovalSettled, ApprovalStatus, RequestApproval
from workflows.entity import BackgroundTasks

SETTLEMENT_PROVEN = "settlement-proven"
"""Accounts and trades from before this was asked go on without for what they were told before."""


async def proven(account: str, fact: ApprovalSettled) -> ApprovalSettled:
    """Return what was decided; refused where the record knows of no such approval, whoever tells.

    The workflow of the approval has asked already; this holds for who goes round it.
    """
    approved = fact.status is ApprovalStatus.APPROVED
    if not approved or not workflow.patched(SETTLEMENT_PROVEN):
        return fact
    known: bool = await workflow.execute_activity_method(
        ApprovalActivities.was_authenticated,
        ApprovalToProve(account, fact.request_id, fact.by),
        **RECORD,
    )
    return fact if known else replace(fact, status=ApprovalStatus.REFUSED)


def request_approval(
    background_tasks: BackgroundTasks, account: str, command: RequestApproval
) -> None:
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

    background_tasks.run(f"approval/{request.request_id}", ask)

"""Comparing one account with the exchange, once; a schedule starts it again and again."""

from temporalio import workflow

from activities.accounts.reconciliation import ReconciliationActivities
from activities.policies import COMPARISON
from models.contracts.workflows import AccountToReconcile, Reconciled


@workflow.defn
class ReconcileWorkflow:
    """Have the activity compare, repair and record; the facts reach trades and account from it."""

    @workflow.run
    async def run(self, request: AccountToReconcile) -> Reconciled:
        """Return what differed."""
        return await workflow.execute_activity_method(
            ReconciliationActivities.reconcile, request, **COMPARISON
        )

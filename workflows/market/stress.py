"""Putting one account's portfolio through shocks: on demand, and daily."""

from dataclasses import replace

from temporalio import workflow

from activities.market.stress import StressActivities
from activities.policies import COMPARISON
from models.contracts.stress import StressDone, StressRequest
from workflows.identities import MARKET_QUEUE


@workflow.defn
class StressWorkflow:
    """Have the run made and written."""

    @workflow.run
    async def run(self, request: StressRequest) -> StressDone:
        """Return what the run came to; without a name it is called after its workflow."""
        if not request.run_id:
            request = replace(request, run_id=workflow.info().workflow_id.rpartition("/")[2])
        return await workflow.execute_activity_method(
            StressActivities.stress_account,
            request,
            task_queue=MARKET_QUEUE,
            start_to_close_timeout=COMPARISON["start_to_close_timeout"],
            retry_policy=COMPARISON["retry_policy"],
        )

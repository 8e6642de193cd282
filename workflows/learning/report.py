"""Reports of one kind: made and stored on a schedule, or when somebody asks."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

from models.contracts.reports import ReportRequest, ReportsMade

MADE_WITHIN = timedelta(minutes=30)
RETRY = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1))


@workflow.defn
class ReportWorkflow:
    """Make the reports; what one account lacks keeps no other from its report."""

    @workflow.run
    async def run(self, request: ReportRequest) -> ReportsMade:
        """Return what was stored, and for which accounts it could not be."""
        made: ReportsMade = await workflow.execute_activity(
            "write_reports",
            request,
            result_type=ReportsMade,
            start_to_close_timeout=MADE_WITHIN,
            heartbeat_timeout=timedelta(seconds=30),
            schedule_to_close_timeout=timedelta(hours=6),
            retry_policy=RETRY,
        )
        return made

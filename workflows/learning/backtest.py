"""One backtest that somebody asked for: run by the research process, cancelled at any time."""

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from activities.policies import RECORD
from models.contracts.backtests import BacktestDone, BacktestRequest

RUN_WITHIN = timedelta(days=2)
"""With the time that it waits for its turn."""
HEARTBEAT = timedelta(seconds=30)
"""The process is niced and may be silent for long: it must not be taken for dead."""
RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    maximum_interval=timedelta(seconds=30),
    maximum_attempts=5,
)


@workflow.defn
class BacktestWorkflow:
    """Run the backtest and write down how it ended."""

    @workflow.run
    async def run(self, request: BacktestRequest) -> BacktestDone:
        """Return how it ended; a failure is a refusal with its reason, never silence."""
        try:
            done: BacktestDone = await workflow.execute_activity(
                "run_backtest",
                request,
                result_type=BacktestDone,
                start_to_close_timeout=RUN_WITHIN,
                heartbeat_timeout=HEARTBEAT,
                retry_policy=RETRY,
                cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            )
        except (ActivityError, asyncio.CancelledError) as error:
            if is_cancelled_exception(error):
                return await self._end(request, "cancelled", "cancelled by a person")
            return await self._end(request, "refused", _reason(error))
        return done

    async def _end(self, request: BacktestRequest, outcome: str, reason: str) -> BacktestDone:
        done = BacktestDone(request.run_id, outcome, reason)
        await asyncio.shield(workflow.execute_activity("end_backtest", done, **RECORD))
        return done


def _reason(error: BaseException) -> str:
    cause = error.__cause__
    if isinstance(cause, ApplicationError):
        return cause.message
    return f"it was given up after {RETRY.maximum_attempts} attempts: {cause or error}"

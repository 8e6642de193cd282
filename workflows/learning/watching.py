"""The champion's watch, again and again by a schedule, and the nightly replay of features."""

from contextlib import suppress
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from models.contracts.learning import (
    LEARNING_QUEUE,
    TRAINING_WORKFLOW,
    WATCH_QUEUE,
    ChampionWatched,
    FeaturesReplayed,
    TrainingWanted,
    training_workflow_id,
)

HEARTBEAT = timedelta(seconds=30)
WANTED = "training-wanted"
WITHIN = timedelta(minutes=10)
RETRY = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=15))


@workflow.defn
class ChampionWatchWorkflow:
    """Look at the champion once, and withdraw it where it fails."""

    @workflow.run
    async def run(self) -> ChampionWatched:
        """Return what was found."""
        found: ChampionWatched = await workflow.execute_activity(
            "watch_champion",
            task_queue=WATCH_QUEUE,
            result_type=ChampionWatched,
            start_to_close_timeout=WITHIN,
            heartbeat_timeout=HEARTBEAT,
            retry_policy=RETRY,
        )
        return found


@workflow.defn
class FeatureReplayWorkflow:
    """Compute what decisions of late saw again, alert on any difference; train where it is due."""

    @workflow.run
    async def run(self) -> FeaturesReplayed:
        """Return what was found."""
        found: FeaturesReplayed = await workflow.execute_activity(
            "replay_features",
            task_queue=WATCH_QUEUE,
            result_type=FeaturesReplayed,
            start_to_close_timeout=WITHIN,
            heartbeat_timeout=HEARTBEAT,
            retry_policy=RETRY,
        )
        if workflow.patched(WANTED):
            await self._train_where_due()
        return found

    async def _train_where_due(self) -> None:
        wanted: TrainingWanted = await workflow.execute_activity(
            "training_wanted",
            task_queue=WATCH_QUEUE,
            result_type=TrainingWanted,
            start_to_close_timeout=WITHIN,
            heartbeat_timeout=HEARTBEAT,
            retry_policy=RETRY,
        )
        if wanted.request is None:
            return
        with suppress(WorkflowAlreadyStartedError):
            await workflow.start_child_workflow(
                TRAINING_WORKFLOW,
                wanted.request,
                id=training_workflow_id(wanted.request.run_id),
                task_queue=LEARNING_QUEUE,
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            )

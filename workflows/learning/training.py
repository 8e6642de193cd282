"""One training, from data to promotion: nothing becomes champion without gate and second person."""

import asyncio
from datetime import timedelta
from typing import TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ChildWorkflowError, is_cancelled_exception

from activities.policies import RECORD
from models.contracts.approvals import ApprovalInput
from models.contracts.learning import (
    LEARNING_QUEUE,
    ChallengersJudged,
    HoldoutOpened,
    ModelKept,
    Promotion,
    ShadowSeen,
    TrainingDone,
    TrainingJudged,
    TrainingPlanned,
    TrainingRequest,
    TrialsFinished,
)
from models.contracts.names import APPROVAL_WORKFLOW, TRADING_QUEUE, approval_workflow_id
from models.trading.governance.approval import ApprovalRequest, ApprovalStatus
from models.trading.governance.subjects import Subject

T = TypeVar("T")
HEARTBEAT = timedelta(seconds=30)
"""A worker that is niced may be silent for long: it must not be taken for dead."""
TRAINING_RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30)
)
TRIALS_WITHIN = timedelta(hours=12)
PROMOTING = "promoting"
"""Too late to cancel: another person has approved, and the record may know of it already."""
CANCELLED = "cancelled by a person"
LOCKED, CHALLENGED, SHADOWED = "locked-holdout", "challengers", "shadow"
"""Steps that came later: a run that had passed their place goes on without them."""
APPROVAL_WITHIN = timedelta(days=7)
SHADOW_WITHIN = timedelta(days=30)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=1), timedelta(hours=1)
"""Between two looks at a shadow: it takes days, and a look costs history."""


@workflow.defn
class TrainingWorkflow:
    """Plan, try, judge; with every test passed, decide in shadow, ask another person, promote."""

    def __init__(self) -> None:
        self.step = "planning"
        self.is_cancelled = False

    @workflow.run
    async def run(self, request: TrainingRequest) -> TrainingDone:
        """Return how the training ended; one that is cancelled says so in the record."""
        work = asyncio.create_task(self._train(request))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            self.is_cancelled = True
        return await self._cancel(request, work)

    async def _cancel(
        self, request: TrainingRequest, work: "asyncio.Task[TrainingDone]"
    ) -> TrainingDone:
        step = self.step
        if step != PROMOTING:
            work.cancel()
        try:
            done = await work
        except (ActivityError, ChildWorkflowError, asyncio.CancelledError) as error:
            if not is_cancelled_exception(error):
                raise
        else:
            # It had ended otherwise before it could be cancelled.
            if done.outcome in ("promoted", "refused"):
                return done
        await workflow.execute_activity(
            "end_training", args=(request, step), task_queue=LEARNING_QUEUE, **RECORD
        )
        return self._done(request, "cancelled", (CANCELLED,))

    async def _train(self, request: TrainingRequest) -> TrainingDone:
        planned: TrainingPlanned = await self._do(
            "planning", "plan_training", TrainingPlanned, request
        )
        await self._do("trials", "run_trials", TrialsFinished, request, planned.data_hash)
        if workflow.patched(CHALLENGED):
            await self._do(
                "challengers", "run_challengers", ChallengersJudged, request, planned.data_hash
            )
        judged: TrainingJudged = await self._do(
            "judging", "judge_training", TrainingJudged, request, planned.data_hash
        )
        if not judged.candidate:
            return self._done(request, "refused", judged.reasons)
        kept: ModelKept = await self._do(
            "registering", "keep_model", ModelKept, request, planned.data_hash, judged
        )
        if not judged.passed:
            return self._done(request, "refused", judged.reasons)
        if workflow.patched(LOCKED):
            opened: HoldoutOpened = await self._do(
                "opening the hold-out", "open_holdout", HoldoutOpened, request,
                planned.data_hash, kept.version,
            )  # fmt: skip
            if not opened.passed:
                return self._done(request, "refused", (f"holdout: {opened.reason}",))
        if workflow.patched(SHADOWED):
            seen = await self._shadow(request, kept.version)
            if seen.reason:
                return self._done(request, "refused", (f"shadow: {seen.reason}",))
        self.step = "waiting for another person"
        status = await self._approval(request, judged)
        if status is not ApprovalStatus.APPROVED:
            return self._done(request, "declined", (status.value,))
        self.step = PROMOTING
        promotion = Promotion(request.run_id, "aether", f"{judged.candidate}: approved")
        await workflow.execute_activity(
            "promote_model", promotion, task_queue=LEARNING_QUEUE, **RECORD
        )
        return self._done(request, "promoted", ())

    async def _do(self, step: str, name: str, answer: type[T], *words: object) -> T:
        self.step = step
        found: T = await workflow.execute_activity(
            name,
            args=words,
            task_queue=LEARNING_QUEUE,
            result_type=answer,
            start_to_close_timeout=TRIALS_WITHIN,
            heartbeat_timeout=HEARTBEAT,
            retry_policy=TRAINING_RETRY,
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )
        if self.is_cancelled:
            # The step has ended well all the same: nothing follows it.
            raise asyncio.CancelledError
        return found

    async def _shadow(self, request: TrainingRequest, version: int) -> ShadowSeen:
        ends, pause = workflow.now() + SHADOW_WITHIN, FIRST_PAUSE
        while True:
            seen: ShadowSeen = await self._do(
                "deciding in shadow", "look_at_shadow", ShadowSeen, request, version,
                workflow.now() >= ends,
            )  # fmt: skip
            if seen.over:
                return seen
            await workflow.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _approval(self, request: TrainingRequest, judged: TrainingJudged) -> ApprovalStatus:
        now = workflow.now()
        asked = ApprovalRequest(
            request_id=f"promote-{request.run_id}",
            subject=Subject.PROMOTE_MODEL,
            requested_by=request.by,
            detail=f"promote {judged.candidate} of training {request.run_id}",
            requested_at=now,
            expires_at=now + APPROVAL_WITHIN,
        )
        status: ApprovalStatus = await workflow.execute_child_workflow(
            APPROVAL_WORKFLOW,
            ApprovalInput("platform", asked),
            id=approval_workflow_id("platform", asked.request_id),
            task_queue=TRADING_QUEUE,
            result_type=ApprovalStatus,
        )
        return status

    def _done(
        self, request: TrainingRequest, outcome: str, reasons: tuple[str, ...]
    ) -> TrainingDone:
        self.step = outcome
        return TrainingDone(request.run_id, outcome, reasons)

    @workflow.query
    def where(self) -> str:
        """Return which step is under way."""
        return self.step

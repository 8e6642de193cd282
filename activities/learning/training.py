"""The steps of a training: data, trials, verdict, promotion. Each may be killed and repeated.

What is finished stands in the ledger, so a repeated step goes on where the last one stopped.
"""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.heartbeat import heartbeating
from activities.learning.incumbents import Incumbents
from activities.learning.planning import PlannedTraining, Planner
from activities.ports.learning.snapshots import ReadSnapshot
from activities.ports.learning.training import LedgerTrial, TrainingLedger, TrialKey
from models.contracts.learning import (
    Promotion,
    TrainingJudged,
    TrainingPlanned,
    TrainingRequest,
    TrialsFinished,
)
from models.learning.estimators.estimator import EstimatorError, EstimatorSpec
from models.learning.features.catalogue import FeatureSet
from models.learning.training.daily import daily_question
from models.learning.training.fitting import run_trial
from models.learning.training.question import Plan, Question, TrialResult
from models.learning.training.tuning import next_trial
from models.learning.training.verdict import conclude

log = structlog.get_logger(__name__)


class TrainingActivities:
    """Train on the candles of one directory. One training at a time."""

    def __init__(
        self,
        ledger: TrainingLedger,
        directory: Path,
        read: ReadSnapshot,
        code_version: str,
        question: Callable[[], Question] = daily_question,
    ) -> None:
        self._ledger = ledger
        self._code_version = code_version
        self._planner = Planner(directory, read, question)
        self.incumbents = Incumbents(ledger, self._planner.features.fingerprint)

    @activity.defn
    async def plan_training(self, request: TrainingRequest) -> TrainingPlanned:
        """Read the data anew, make samples, and write down that the run begins."""
        async with heartbeating():
            planned = await self._planner.anew()
            samples, trials = len(planned.plan.samples), planned.plan.question.planned
            await self._ledger.begin_run(
                request,
                planned.key,
                self.features.fingerprint,
                self._code_version,
                samples,
                trials,
            )
        return TrainingPlanned(planned.key.data_hash, samples, trials)

    @activity.defn
    async def run_trials(self, request: TrainingRequest, data_hash: str) -> TrialsFinished:
        """Run the trials that are not in the ledger yet, one after the other.

        Cancelled, it ends after the trial under way, which is in the ledger then.
        """
        progress: dict[str, object] = {}
        run_now = 0
        async with heartbeating(lambda: progress):
            planned = await self._planner.of(data_hash)
            finished = list((await self._own(planned)).values())
            while (spec := await asyncio.to_thread(
                next_trial, planned.plan.question, finished
            )) is not None:  # fmt: skip
                progress.update(trial=spec.describe(), number=len(finished))
                finished.append(await self._run(request, planned, spec))
                run_now += 1
        return TrialsFinished(len(finished), run_now)

    async def _run(
        self, request: TrainingRequest, planned: PlannedTraining, spec: EstimatorSpec
    ) -> TrialResult:
        began = time.perf_counter()
        result = await asyncio.to_thread(run_trial, planned.plan, spec)
        seconds = time.perf_counter() - began
        entry = entry_of(planned.plan, planned.key, result)
        await self._ledger.add_trial(request.run_id, planned.key, entry, seconds)
        log.info("trial finished", run=request.run_id, trial=result.trial, seconds=seconds)
        return result

    @activity.defn
    async def judge_training(self, request: TrainingRequest, data_hash: str) -> TrainingJudged:
        """Put the best trial through the gate, against the champion that is in force as well.

        Every trial ever run on this data counts.
        """
        async with heartbeating():
            planned = await self._planner.of(data_hash)
            plan, own = planned.plan, await self._own(planned)
            others = [
                plan.periods.aligned(trial.begins, trial.result.net)
                for trial in await self._ledger.trials(data_hash)
                if trial.question != planned.key.question
            ]
            earlier = np.stack(others, axis=1) if others else None
            # The same evidence gives the same verdict, however often it is asked for.
            rng = np.random.default_rng(int(data_hash[:12], 16))
            champion = await self.incumbents.of(planned)
            answer = await asyncio.to_thread(
                conclude, plan, list(own.values()), rng, earlier=earlier, champion=champion
            )
            candidate = answer.candidate.trial if answer.candidate is not None else None
            await self._ledger.save_verdict(request.run_id, candidate, answer.report)
        return TrainingJudged(answer.promoted, candidate or "", answer.report.reasons)

    @activity.defn
    async def end_training(self, request: TrainingRequest, step: str) -> None:
        """Write down that the run was cancelled, and in which step."""
        await self._ledger.end_cancelled(request.run_id, step)
        log.info("training cancelled", run=request.run_id, step=step)

    @property
    def features(self) -> FeatureSet:
        """Return the features of the question."""
        return self._planner.features

    @property
    def ledger(self) -> TrainingLedger:
        """Return the ledger, which the steps after the verdict write in as well."""
        return self._ledger

    @property
    def planner(self) -> Planner:
        """Return what makes the plans, one for all steps of a training."""
        return self._planner

    async def candidate(self, data_hash: str, trial: str) -> tuple[Plan, EstimatorSpec]:
        """Return the plan of this data with the estimator that the gate has judged."""
        planned = await self._planner.of(data_hash)
        try:
            if trial in await self._own(planned):
                return planned.plan, EstimatorSpec.parse(trial)
        except EstimatorError as error:
            raise ApplicationError(str(error), type="NoSuchTrial", non_retryable=True) from error
        message = f"the question has no trial {trial}"
        raise ApplicationError(message, type="NoSuchTrial", non_retryable=True)

    async def promote(self, promotion: Promotion) -> None:
        """Make the run's model the champion, once."""
        await self._ledger.promote(promotion)

    async def _own(self, planned: PlannedTraining) -> dict[str, TrialResult]:
        found = await self._ledger.trials(planned.key.data_hash)
        return {t.result.trial: t.result for t in found if t.question == planned.key.question}


def entry_of(plan: Plan, key: TrialKey, result: TrialResult) -> LedgerTrial:
    """Return what the ledger keeps of a trial."""
    return LedgerTrial(key.question, plan.periods.begins, plan.periods.seconds, result)

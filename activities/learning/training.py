"""The steps of a training: data, trials, verdict, promotion. Each may be killed and repeated.

What is finished stands in the ledger, so a repeated step goes on where the last one stopped.
"""

import asyncio
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.adapters.files.candles import Snapshot, SnapshotError, read_snapshot
from activities.heartbeat import heartbeating
from activities.ports.training import LedgerTrial, TrainingLedger, TrialKey
from models.contracts.learning import (
    Promotion,
    TrainingJudged,
    TrainingPlanned,
    TrainingRequest,
    TrialsFinished,
)
from models.learning.features.catalogue import FeatureSet
from models.learning.training.daily import PRIMARY, daily_question, question_features, upper_half
from models.learning.training.question import (
    Plan,
    Question,
    TrialResult,
    conclude,
    make_plan,
    run_trial,
)
from models.learning.training.samples import SamplesError, make_samples
from models.learning.validation.spans import SplitError

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PlannedTraining:
    """A plan with what pins it: the hashes of its data and of its question."""

    plan: Plan
    key: TrialKey


class TrainingActivities:
    """Train on the candles of one directory. One training at a time."""

    def __init__(
        self,
        ledger: TrainingLedger,
        directory: Path,
        code_version: str,
        question: Callable[[], Question] = daily_question,
    ) -> None:
        self._ledger = ledger
        self._directory = directory
        self._code_version = code_version
        self._question = question
        self._features = question_features()
        self._planned: PlannedTraining | None = None

    @activity.defn
    async def plan_training(self, request: TrainingRequest) -> TrainingPlanned:
        """Read the data anew, make samples, and write down that the run begins."""
        async with heartbeating():
            self._planned = None
            planned = await self._plan()
            samples, trials = len(planned.plan.samples), len(planned.plan.question.trials)
            await self._ledger.begin_run(
                request,
                planned.key,
                self._features.fingerprint,
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
            planned = await self._plan(data_hash)
            plan, known = planned.plan, await self._own(planned)
            for number, spec in enumerate(plan.question.trials):
                if spec.describe() in known:
                    continue
                progress.update(trial=spec.describe(), number=number)
                began = time.perf_counter()
                result = await asyncio.to_thread(run_trial, plan, spec)
                seconds = time.perf_counter() - began
                await self._ledger.add_trial(
                    request.run_id, planned.key, _entry(plan, planned.key, result), seconds
                )
                run_now += 1
                log.info("trial finished", run=request.run_id, trial=result.trial, seconds=seconds)
        return TrialsFinished(len(plan.question.trials), run_now)

    @activity.defn
    async def judge_training(self, request: TrainingRequest, data_hash: str) -> TrainingJudged:
        """Put the best trial through the gate; every trial ever run on this data counts."""
        async with heartbeating():
            planned = await self._plan(data_hash)
            plan, own = planned.plan, await self._own(planned)
            results = [own[spec.describe()] for spec in plan.question.trials]
            others = [
                plan.periods.aligned(trial.begins, trial.result.net)
                for trial in await self._ledger.trials(data_hash)
                if trial.question != planned.key.question
            ]
            earlier = np.stack(others, axis=1) if others else None
            # The same evidence gives the same verdict, however often it is asked for.
            rng = np.random.default_rng(int(data_hash[:12], 16))
            answer = await asyncio.to_thread(conclude, plan, results, rng, earlier=earlier)
            candidate = answer.candidate.trial if answer.candidate is not None else None
            await self._ledger.save_verdict(request.run_id, candidate, answer.report)
        return TrainingJudged(answer.promoted, candidate or "", answer.report.reasons)

    @activity.defn
    async def promote_model(self, promotion: Promotion) -> None:
        """Make the run's model the champion, once."""
        await self._ledger.promote(promotion)

    async def _plan(self, data_hash: str = "") -> PlannedTraining:
        """Return the plan; a process that did not make it makes it again from the same data."""
        planned = self._planned
        if planned is None:
            planned = await asyncio.to_thread(self._make_plan)
        if data_hash and planned.key.data_hash != data_hash:
            # Never mix two states of the data in one run.
            message = f"the data in {self._directory} has changed since the run began"
            raise ApplicationError(message, type="DataChanged", non_retryable=True)
        self._planned = planned
        return planned

    def _make_plan(self) -> PlannedTraining:
        question = self._question()
        try:
            snapshot = read_snapshot(self._directory)
            samples = make_samples(
                snapshot.histories.values(), self._features, upper_half, question.exits
            )
            plan = make_plan(question, samples)
        except (SnapshotError, SamplesError, SplitError) as error:
            raise ApplicationError(str(error), type="NoData", non_retryable=True) from error
        return PlannedTraining(plan, _key(snapshot, question, self._features))

    async def _own(self, planned: PlannedTraining) -> dict[str, TrialResult]:
        found = await self._ledger.trials(planned.key.data_hash)
        return {t.result.trial: t.result for t in found if t.question == planned.key.question}


def _key(snapshot: Snapshot, question: Question, features: FeatureSet) -> TrialKey:
    """Hash what a trial's result depends on besides the data and its own parameters."""
    parts = [
        question.name,
        PRIMARY,
        features.fingerprint,
        repr(question.exits),
        f"{question.folds}|{question.first_stretches}|{question.embargo_seconds}",
        f"{question.period_seconds}|{question.largest_stake}",
        *snapshot.pairs,
    ]
    return TrialKey(snapshot.hash, hashlib.sha256("\n".join(parts).encode()).hexdigest())


def _entry(plan: Plan, key: TrialKey, result: TrialResult) -> LedgerTrial:
    return LedgerTrial(key.question, plan.periods.begins, plan.periods.seconds, result)

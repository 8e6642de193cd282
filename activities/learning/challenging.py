"""Challengers of another kind: each is a run of its own in the ledger, with its own verdict."""

import asyncio
import hashlib
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import structlog
from temporalio import activity

from activities.heartbeat import heartbeating
from activities.learning.planning import PlannedTraining
from activities.learning.training import TrainingActivities, entry_of
from activities.ports.learning.training import TrainingLedger, TrialKey
from models.contracts.learning import ChallengersJudged, TrainingRequest
from models.learning.challengers.judged import judge_challenger
from models.learning.challengers.regimes import Regimes
from models.learning.challengers.tabular import Tabular
from models.learning.challengers.weights import STATE, Challenger, challenge
from models.learning.training.question import TrialResult

log = structlog.get_logger(__name__)
CHALLENGERS: tuple[Challenger, ...] = (Tabular(), Regimes())


class ChallengerActivities:
    """Let the challengers decide the same days; every one of them counts as a trial."""

    def __init__(
        self,
        training: TrainingActivities,
        ledger: TrainingLedger,
        code_version: str,
        challengers: Sequence[Challenger] = CHALLENGERS,
    ) -> None:
        self._training = training
        self._ledger = ledger
        self._code_version = code_version
        self._challengers = challengers

    @activity.defn
    async def run_challengers(self, request: TrainingRequest, data_hash: str) -> ChallengersJudged:
        """Run those that are not in the ledger yet, and put each through the gate."""
        passed: list[str] = []
        progress: dict[str, object] = {}
        async with heartbeating(lambda: progress):
            planned = await self._training.planner.of(data_hash)
            for challenger in self._challengers:
                progress["challenger"] = challenger.trial
                if await self._judged(request, planned, challenger):
                    passed.append(challenger.trial)
        return ChallengersJudged(len(self._challengers), tuple(passed))

    async def _judged(
        self, request: TrainingRequest, planned: PlannedTraining, challenger: Challenger
    ) -> bool:
        name = challenger.trial
        own = replace(request, run_id=f"{request.run_id}-{name.partition('(')[0]}")
        key = TrialKey(planned.key.data_hash, _question_of(planned.key, name))
        await self._ledger.begin_run(
            own, key, STATE.fingerprint, self._code_version, len(planned.plan.samples), 1
        )
        known = await self._ledger.trials(key.data_hash)
        result = next(
            (t.result for t in known if (t.question, t.result.trial) == (key.question, name)), None
        )
        if result is None:
            result = await self._run(own, planned, key, challenger)
        tried = [
            planned.plan.periods.aligned(trial.begins, trial.result.net)
            for trial in await self._ledger.trials(key.data_hash)
        ]
        report = await asyncio.to_thread(
            judge_challenger,
            planned.plan,
            result,
            np.stack(tried, axis=1),
            _rng(key, name),
            champion=await self._training.incumbents.of(planned),
        )
        await self._ledger.save_verdict(own.run_id, name, report)
        return report.passed

    async def _run(
        self,
        own: TrainingRequest,
        planned: PlannedTraining,
        key: TrialKey,
        challenger: Challenger,
    ) -> TrialResult:
        began = time.perf_counter()
        rng = _rng(key, challenger.trial)
        result = await asyncio.to_thread(
            challenge, planned.plan, planned.histories, challenger, rng
        )
        seconds = time.perf_counter() - began
        await self._ledger.add_trial(own.run_id, key, entry_of(planned.plan, key, result), seconds)
        log.info("challenger finished", run=own.run_id, trial=result.trial, seconds=seconds)
        return result


def _question_of(key: TrialKey, trial: str) -> str:
    """Name a challenger's own question: the same days and costs, other means."""
    return hashlib.sha256(f"{trial}\n{key.question}".encode()).hexdigest()


def _rng(key: TrialKey, trial: str) -> np.random.Generator:
    """The same evidence gives the same figures."""
    seed = hashlib.sha256(f"{key.data_hash}\n{trial}".encode()).hexdigest()
    return np.random.default_rng(int(seed[:12], 16))

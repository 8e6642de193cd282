"""The champion in force, run again on a training's data: what a candidate is held against."""

import asyncio

import structlog

from activities.learning.planning import PlannedTraining
from activities.ports.learning.training import TrainingLedger
from models.contracts.learning import NO_TRADE
from models.learning.training.incumbent import Incumbent, incumbent_of, rerun

log = structlog.get_logger(__name__)


class Incumbents:
    """Run champions again, each once for the data of one training.

    It is no trial: nobody searched it here, and no candidate is chosen from it.
    """

    def __init__(self, ledger: TrainingLedger, feature_hash: str) -> None:
        self._ledger = ledger
        self._feature_hash = feature_hash
        self._known: tuple[tuple[str, str, str], Incumbent] | None = None

    async def of(self, planned: PlannedTraining) -> Incumbent | None:
        """Return the champion on this plan, None where no trade is the champion.

        One that cannot be run again is returned with the reason, and without results.
        """
        champion = await self._ledger.champion()
        if champion.run_id == NO_TRADE:
            return None
        if champion.model is None:
            why = f"the champion, run {champion.run_id}, is not registered"
            return Incumbent(champion.run_id, None, why)
        trial = champion.model.trial
        if champion.model.feature_hash != self._feature_hash:
            why = f"the champion, {trial}, learnt other features than this release computes"
            return Incumbent(trial, None, why)
        pinned = (planned.key.data_hash, planned.key.question, trial)
        if self._known is None or self._known[0] != pinned:
            self._known = pinned, await self._again(planned, trial)
        return self._known[1]

    async def _again(self, planned: PlannedTraining, trial: str) -> Incumbent:
        for known in await self._ledger.trials(planned.key.data_hash):
            if (known.question, known.result.trial) == (planned.key.question, trial):
                return incumbent_of(known.result)
        log.info("champion is run again", trial=trial)
        return await asyncio.to_thread(rerun, planned.plan, trial)

"""The plan of a training: data read and hashed, samples made, the hold-out locked away."""

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from temporalio.exceptions import ApplicationError

from activities.ports.learning.snapshots import ReadSnapshot, Snapshot, SnapshotError
from activities.ports.learning.training import TrialKey
from models.learning.features.bars import Bars
from models.learning.features.catalogue import FeatureSet
from models.learning.training.daily import PRIMARY, question_features, upper_half
from models.learning.training.holdout import lock_holdout
from models.learning.training.question import Plan, Question, make_plan
from models.learning.training.samples import Samples, SamplesError, make_samples
from models.learning.validation.spans import SplitError


@dataclass(frozen=True, slots=True)
class PlannedTraining:
    """A plan with what pins it: the hashes of its data and of its question.

    `histories` are those of the pairs, `locked` the samples of the hold-out, which only its opening
    may look at.
    """

    plan: Plan
    key: TrialKey
    histories: tuple[Bars, ...]
    locked: Samples | None


class Planner:
    """Make the plan of one training at a time; a process that has none makes it again."""

    def __init__(
        self, directory: Path, read: ReadSnapshot, question: Callable[[], Question]
    ) -> None:
        self.features: FeatureSet = question_features()
        self._directory = directory
        self._read = read
        self._question = question
        self._planned: PlannedTraining | None = None

    async def anew(self) -> PlannedTraining:
        """Read the data as they are now."""
        self._planned = None
        return await self.of("")

    async def of(self, data_hash: str) -> PlannedTraining:
        """Return the plan of this data, of whatever is there where the hash is empty.

        Raise `ApplicationError` where the data cannot be read, or have changed: never mix two
        states of the data in one run.
        """
        planned = self._planned
        if planned is None:
            planned = await asyncio.to_thread(self._make)
        if data_hash and planned.key.data_hash != data_hash:
            message = f"the data in {self._directory} has changed since the run began"
            raise ApplicationError(message, type="DataChanged", non_retryable=True)
        self._planned = planned
        return planned

    def _make(self) -> PlannedTraining:
        question = self._question()
        try:
            snapshot = self._read(self._directory)
            histories = tuple(snapshot.histories.values())
            samples = make_samples(histories, self.features, upper_half, question.exits)
            split = lock_holdout(question, samples)
            plan = make_plan(question, split.open)
        except (SnapshotError, SamplesError, SplitError) as error:
            raise ApplicationError(str(error), type="NoData", non_retryable=True) from error
        key = key_of(snapshot, question, self.features)
        return PlannedTraining(plan, key, histories, split.locked)


def key_of(snapshot: Snapshot, question: Question, features: FeatureSet) -> TrialKey:
    """Hash what a trial's result depends on besides the data and its own parameters."""
    parts = [
        question.name,
        PRIMARY,
        features.fingerprint,
        repr(question.exits),
        f"{question.folds}|{question.first_stretches}|{question.embargo_seconds}",
        f"{question.period_seconds}|{question.largest_stake}|{question.holdout_seconds}",
        *snapshot.pairs,
    ]
    return TrialKey(snapshot.hash, hashlib.sha256("\n".join(parts).encode()).hexdigest())

"""What training needs of the record."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from activities.ports.learning.models import ChampionInForce
from models.contracts.learning import Promotion, TrainingRequest
from models.learning.training.holdout import HoldoutResult
from models.learning.training.question import TrialResult
from models.learning.validation.gate import GateReport


@dataclass(frozen=True, slots=True)
class TrialKey:
    """What makes trials the same: the data and the question that they answer, by their hashes."""

    data_hash: str
    question: str


@dataclass(frozen=True, slots=True)
class LedgerTrial:
    """A finished trial with the time (seconds UTC) at which its periods begin."""

    question: str
    begins: int
    period_seconds: int
    result: TrialResult


@dataclass(frozen=True, slots=True)
class HoldoutOpening:
    """Which run has opened the hold-out; ``reason`` is empty where its model passed."""

    run_id: str
    reason: str


class TrainingLedger(Protocol):
    """The append-only ledger; OSError where it does not answer. Each call may be repeated."""

    async def begin_run(
        self,
        request: TrainingRequest,
        key: TrialKey,
        feature_hash: str,
        code_version: str,
        samples: int,
        planned: int,
    ) -> None:
        """Write down that a run has begun."""

    async def trials(self, data_hash: str) -> Sequence[LedgerTrial]:
        """Return every trial that was ever run on this data."""

    async def add_trial(
        self, run_id: str, key: TrialKey, trial: LedgerTrial, seconds: float
    ) -> None:
        """Add a finished trial; one that is there already stays as it is."""

    async def champion(self) -> ChampionInForce:
        """Return who decides now, whom a candidate has to beat."""

    async def save_verdict(self, run_id: str, candidate: str | None, report: GateReport) -> None:
        """Write down what the gate said."""

    async def end_cancelled(self, run_id: str, step: str) -> None:
        """Write down, audited and once, in which step a run was cancelled; its shadow ends."""

    async def holdout_opening(self, release: str) -> HoldoutOpening | None:
        """Return the one opening of the hold-out by a release, None while it is locked."""

    async def note_opening(
        self, release: str, run_id: str, data_hash: str, result: HoldoutResult
    ) -> HoldoutOpening:
        """Write the opening down, audited, and return the one that stands: the first."""

    async def promote(self, promotion: Promotion) -> None:
        """Make the run's model the champion, audited; once, however often it is tried."""

"""One question to the data: which estimator, if any, earns more than its primary rule.

Every trial is fitted on the past only and judged on what followed. The answer carries the results
of all trials, since the best of many is only as good as their number allows.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from models.learning.estimators.calibration import Calibration
from models.learning.estimators.estimator import EstimatorSpec
from models.learning.labels.exits import Exits
from models.learning.training.samples import Samples
from models.learning.validation.gate import GateLimits, GateReport
from models.learning.validation.spans import Spans, Split, SplitError, walk_forward

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
Progress = Callable[[str, int, int], None]
DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Question:
    """What is tried: estimators on one set of samples, with the exits that made the answers.

    The first `first_stretches` stretches of time only train, then come `folds` that are tested.
    `largest_stake` is the cap of a position as a share of capital; `embargo_seconds` follows each
    test. The best of the trials then goes through history on paths as well: of `stretches` of time,
    every choice of `tested_stretches` is tested. The newest `holdout_seconds` are locked away from
    all of it; without any, nothing that is found can be promoted.
    """

    name: str
    exits: Exits
    trials: tuple[EstimatorSpec, ...]
    folds: int = 6
    first_stretches: int = 3
    embargo_seconds: int = 5 * DAY_SECONDS
    period_seconds: int = DAY_SECONDS
    largest_stake: float = 0.1
    holdout_seconds: int = 0
    stretches: int = 6
    tested_stretches: int = 2
    tuned: int = 0
    features: tuple[str, ...] = ()
    discovered: int = 0
    limits: GateLimits = field(default_factory=GateLimits)

    @property
    def planned(self) -> int:
        """Return how many trials are run at most.

        Its own, then `tuned` that a sampler proposes, then `discovered` that learn from expressions
        of its `features` (the samples' columns, by name) as well.
        """
        return len(self.trials) + self.tuned + self.discovered


@dataclass(frozen=True, slots=True)
class TrialResult:
    """What one trial did out of sample, by period.

    `net` and `costs` have shape (periods,), shares of capital. `probabilities` of the tested
    samples are NaN where a fold could not be learnt; `failures` say why. `stakes` of the tested
    samples are shares of capital.
    """

    trial: str
    net: Floats
    costs: Floats
    probabilities: Floats
    calibration: Calibration | None
    failures: tuple[str, ...]
    stakes: Floats = field(default_factory=lambda: np.empty(0))


@dataclass(frozen=True, slots=True)
class Answer:
    """The candidate with its evidence, the primary rule's own results and the gate's report.

    `candidate` is None where no trial could be judged: the champion, by default no trade, stays.
    """

    question: str
    candidate: TrialResult | None
    trials: tuple[TrialResult, ...]
    primary: Floats
    report: GateReport

    @property
    def promoted(self) -> bool:
        """Say whether the candidate has earned its promotion."""
        return self.candidate is not None and self.report.passed


@dataclass(frozen=True, slots=True)
class Periods:
    """The tested stretch of time in periods; a result counts in the period that it ends in."""

    begins: int
    seconds: int
    count: int

    @classmethod
    def of(cls, spans: Spans, tested: Indices, seconds: int) -> "Periods":
        """Cover the tested rows from the first decision to the last answer."""
        begins = int(spans.start[tested].min())
        last = int(spans.end[tested].max())
        return cls(begins, seconds, -(-(last - begins) // seconds) + 1)

    def book(self, samples: Samples, rows: Indices, amounts: Floats | None) -> Floats:
        """Sum what `amounts` (by default the net results) of the rows come to in each period."""
        values = samples.net[rows] if amounts is None else amounts
        period = (samples.spans.end[rows] - self.begins) // self.seconds
        booked = np.bincount(period, weights=values, minlength=self.count)
        return booked[: self.count].astype(np.float64)

    def aligned(self, begins: int, results: Floats) -> Floats:
        """Put results per period that began at another time onto these; the rest is zero."""
        first = (begins - self.begins) // self.seconds
        placed = np.zeros(self.count)
        low, high = max(first, 0), min(first + results.size, self.count)
        if low < high:
            placed[low:high] = results[low - first : high - first]
        return placed


@dataclass(frozen=True, slots=True)
class Plan:
    """A question put to its samples: the folds and the tested stretch of time in periods."""

    question: Question
    samples: Samples
    folds: tuple[Split, ...]
    periods: Periods

    @property
    def tested(self) -> Indices:
        """Return the rows of all tests, fold after fold."""
        return np.concatenate([fold.test for fold in self.folds])


def make_plan(question: Question, samples: Samples) -> Plan:
    """Split the samples. Raise `SplitError` where that cannot be done."""
    folds = tuple(
        walk_forward(
            samples.spans,
            question.folds,
            embargo=question.embargo_seconds,
            first=question.first_stretches,
        )
    )
    if not folds:
        raise SplitError("no fold leaves a past to learn from")
    tested = np.concatenate([fold.test for fold in folds])
    periods = Periods.of(samples.spans, tested, question.period_seconds)
    return Plan(question, samples, folds, periods)

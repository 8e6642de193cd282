"""The locked hold-out: the newest stretch of time, which no trial, gate or fit has ever seen.

It is looked at once, by a model that has passed every test before it. What a second look would say
is no evidence any more: whoever looks twice has chosen.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.learning.estimators.calibration import CalibrationError
from models.learning.estimators.portable import ModelDocument, PortableError, PortableModel
from models.learning.estimators.staking import sized_stake
from models.learning.labels.size import Odds, SizeError
from models.learning.training.question import Periods, Question
from models.learning.training.samples import Samples
from models.learning.validation.sharpe import UnknownStatisticError, detectable_sharpe
from models.learning.validation.spans import Spans, SplitError

Floats = npt.NDArray[np.float64]
FEWEST_TRADES = 10


@dataclass(frozen=True, slots=True)
class Locked:
    """Samples that are open to training, and those that are locked away (None: none are)."""

    open: Samples
    locked: Samples | None


@dataclass(frozen=True, slots=True)
class HoldoutResult:
    """What a model did in the hold-out, net of costs.

    `begins` and `ends` are in seconds UTC; `stressed` is the mean net result of a period at the
    gate's multiple of costs, a share of capital, and `sharpe` that of a period. `detectable` is the
    Sharpe ratio of a period that so short a stretch would have shown at 80 % power. `reason` is
    empty where the model passes.
    """

    begins: int
    ends: int
    decisions: int
    trades: int
    stressed: float
    sharpe: float
    detectable: float
    reason: str

    @property
    def passed(self) -> bool:
        """Say whether the model stands by what it has shown before."""
        return not self.reason


def lock_holdout(question: Question, samples: Samples) -> Locked:
    """Take the newest `holdout_seconds` of decisions away, and every label that reaches into them.

    Raise `SplitError` where nothing is left on one of the sides.
    """
    if question.holdout_seconds <= 0:
        return Locked(samples, None)
    begins = int(samples.spans.start.max()) - question.holdout_seconds
    # Decisions of before whose answer comes later would tell of the hold-out: they go, as do those
    # of its embargo.
    before = np.flatnonzero(samples.spans.end + question.embargo_seconds <= begins)
    after = np.flatnonzero(samples.spans.start >= begins)
    if not before.size or not after.size:
        raise SplitError("too short a history to lock a hold-out away")
    return Locked(rows_of(samples, before), rows_of(samples, after))


def rows_of(samples: Samples, rows: npt.NDArray[np.int64]) -> Samples:
    """Return some of the samples, their weights scaled to a mean of 1 again."""
    weights = samples.weights[rows]
    return Samples(
        samples.features[rows],
        samples.net[rows],
        Spans(samples.spans.start[rows], samples.spans.end[rows]),
        weights * weights.size / weights.sum(),
        samples.unique[rows],
        samples.pair[rows],
    )


def open_holdout(question: Question, locked: Samples, document: ModelDocument) -> HoldoutResult:
    """Let the very model that is registered decide on the hold-out, as it would have then.

    It passes where it took at least ten trades and their mean net result stays above zero at the
    gate's multiple of costs. Raise `PortableError` where the document is no model.
    """
    stakes = _stakes(PortableModel(document), locked.features)
    rows = np.arange(len(locked))
    periods = Periods.of(locked.spans, rows, question.period_seconds)
    net = periods.book(locked, rows, locked.net * stakes)
    paid = question.exits.entry_cost + question.exits.exit_cost
    costs = periods.book(locked, rows, paid * stakes)
    stressed = float((net - (question.limits.cost_multiple - 1) * costs).mean())
    deviation = float(net.std())
    trades = int((stakes > 0).sum())
    return HoldoutResult(
        begins=int(locked.spans.start.min()),
        ends=int(locked.spans.end.max()),
        decisions=len(locked),
        trades=trades,
        stressed=stressed,
        sharpe=float(net.mean()) / deviation if deviation > 0 else 0.0,
        detectable=_detectable(net.size),
        reason=_reason(trades, stressed),
    )


def _stakes(model: PortableModel, features: Floats) -> Floats:
    document = model.document
    odds = Odds(document.win, document.loss, 0.0)
    stakes = np.zeros(features.shape[0])
    for row, vector in enumerate(features):
        # What the platform would refuse is refused here as well: it takes nothing.
        if model.out_of_range(vector):
            continue
        try:
            said = model.predict(vector).probability
            stakes[row] = sized_stake(said, document.evidence, odds, document.largest_stake)
        except (PortableError, CalibrationError, SizeError):
            continue
    return stakes


def _detectable(periods: int) -> float:
    try:
        return detectable_sharpe(periods)
    except UnknownStatisticError:
        return math.inf


def _reason(trades: int, stressed: float) -> str:
    if trades < FEWEST_TRADES:
        return f"{trades} trades in the hold-out say nothing: at least {FEWEST_TRADES} are asked"
    if not stressed > 0:
        return f"its mean net result in the hold-out is {stressed:.3g} at stressed costs"
    return ""

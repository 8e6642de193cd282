"""One trial: an estimator fitted on each split's training, calibrated, sized, and booked."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from models.learning.estimators.calibration import (
    Calibration,
    CalibrationError,
    Mapping,
    fit_mapping,
    judge_calibration,
)
from models.learning.estimators.estimator import EstimatorError, EstimatorSpec, make_estimator
from models.learning.estimators.staking import sized_stake
from models.learning.features.expressions import widened
from models.learning.labels.size import Odds
from models.learning.training.question import Plan, Question, TrialResult
from models.learning.training.samples import Samples
from models.learning.validation.sharpe import UnknownStatisticError
from models.learning.validation.spans import Spans, Split, SplitError, purged

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
INNER_PARTS = 3


def run_trial(plan: Plan, spec: EstimatorSpec) -> TrialResult:
    """Fit one estimator on each fold's past and book what its stakes earned in the test."""
    question = plan.question
    samples = with_expressions(question, plan.samples, spec)
    probabilities = np.full(len(samples), np.nan)
    stakes = np.zeros(len(samples))
    failures: list[str] = []
    for fold in plan.folds:
        try:
            stakes[fold.test], probabilities[fold.test] = stakes_of(question, samples, fold, spec)
        except (EstimatorError, CalibrationError, SplitError) as error:
            failures.append(f"fold {fold.groups[0]}: {error}")
    tested = plan.tested
    paid = question.exits.entry_cost + question.exits.exit_cost
    return TrialResult(
        trial=spec.describe(),
        net=plan.periods.book(samples, tested, samples.net[tested] * stakes[tested]),
        costs=plan.periods.book(samples, tested, paid * stakes[tested]),
        probabilities=probabilities[tested],
        calibration=_calibration(samples, probabilities, tested),
        failures=tuple(failures),
        stakes=stakes[tested],
    )


def with_expressions(question: Question, samples: Samples, spec: EstimatorSpec) -> Samples:
    """Add the columns of a trial's expressions. Raise `ExpressionError` where one cannot be."""
    if not spec.expressions:
        return samples
    vectors = widened(samples.features, question.features, spec.expressions)
    return replace(samples, features=vectors)


def stakes_of(
    question: Question, samples: Samples, split: Split, spec: EstimatorSpec
) -> tuple[Floats, Floats]:
    """Fit on the split's training; return stakes and calibrated probabilities of its test.

    Both have shape (tested,). The evidence that sizes a stake is the training's effective number of
    samples for each figure that the model fits. Raise `EstimatorError`, `CalibrationError` or
    `SplitError` where the training teaches nothing.
    """
    train = split.train
    calibration = inner_calibration(question, samples, train, spec)
    model = make_estimator(spec).fit(
        samples.features[train], samples.profitable[train], samples.weights[train]
    )
    found = calibration.apply(model.probabilities(samples.features[split.test]))
    evidence = float(samples.unique[train].sum()) / (samples.features.shape[1] + 1)
    odds = mean_odds(samples, train)
    stakes = [sized_stake(float(value), evidence, odds, question.largest_stake) for value in found]
    return np.array(stakes), found


def inner_calibration(
    question: Question, samples: Samples, train: Indices, spec: EstimatorSpec
) -> Mapping:
    """Learn the calibration on purged out-of-fold predictions inside the training.

    Raise `CalibrationError` or `SplitError` where it cannot be learnt.
    """
    raw = np.full(len(samples), np.nan)
    for rows, part in inner_parts(question, samples, train):
        model = make_estimator(spec).fit(
            samples.features[rows], samples.profitable[rows], samples.weights[rows]
        )
        raw[part] = model.probabilities(samples.features[part])
    effective = float(samples.unique[train].sum())
    return fit_mapping(raw[train], samples.profitable[train], effective)


def inner_parts(
    question: Question, samples: Samples, train: Indices
) -> list[tuple[Indices, Indices]]:
    """Part a training into what is fitted and what is predicted, purged and embargoed in turn.

    Raise `SplitError` where a part would be empty.
    """
    if train.size < INNER_PARTS:
        message = f"cannot part {train.size} samples into {INNER_PARTS}"
        raise SplitError(message)
    spans = Spans(samples.spans.start[train], samples.spans.end[train])
    order = np.argsort(spans.start, kind="stable")
    parts = []
    for part in np.array_split(order, INNER_PARTS):
        rest = np.setdiff1d(order, part)
        parts.append((train[purged(spans, rest, part, question.embargo_seconds)], train[part]))
    return parts


def mean_odds(samples: Samples, train: Indices) -> Odds:
    """Return what the training's entries won and lost on average, net of what they cost.

    Many entries end by time, neither at the target nor at the stop: these averages are the odds
    that were paid. Raise `EstimatorError` where nothing was won or nothing lost.
    """
    net, unique = samples.net[train], samples.unique[train]
    won = net > 0
    if won.all() or not won.any():
        raise EstimatorError("the answers are all alike: the odds are not known")
    win = float(np.average(net[won], weights=unique[won]))
    loss = -float(np.average(net[~won], weights=unique[~won]))
    return Odds(win, loss, 0.0)


def _calibration(samples: Samples, probabilities: Floats, tested: Indices) -> Calibration | None:
    known = tested[np.isfinite(probabilities[tested])]
    try:
        return judge_calibration(
            probabilities[known],
            samples.profitable[known],
            effective=max(float(samples.unique[known].sum()), 1.0),
        )
    except (CalibrationError, UnknownStatisticError):
        return None

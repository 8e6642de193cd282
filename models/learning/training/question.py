"""One question to the data: which estimator, if any, earns more than its primary rule.

Every trial is fitted on the past only and judged on what followed. The answer carries the results
of all trials, since the best of many is only as good as their number allows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from models.learning.estimators.calibration import (
    Calibration,
    CalibrationError,
    Sigmoid,
    fit_sigmoid,
    judge_calibration,
    lower_probability,
)
from models.learning.estimators.estimator import EstimatorError, EstimatorSpec, make_estimator
from models.learning.labels.exits import Exits
from models.learning.labels.size import Odds, stake
from models.learning.training.samples import Samples
from models.learning.validation.gate import Evidence, Finding, GateLimits, GateReport, judge
from models.learning.validation.sharpe import UnknownStatisticError
from models.learning.validation.spans import Spans, Split, SplitError, purged, walk_forward

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
Progress = Callable[[str, int, int], None]
DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Question:
    """What is tried: estimators on one set of samples, with the exits that made the answers.

    The first `first_stretches` stretches of time only train, then come `folds` that are tested.
    `largest_stake` is the cap of a position as a share of capital; `embargo_seconds` follows each
    test.
    """

    name: str
    exits: Exits
    trials: tuple[EstimatorSpec, ...]
    folds: int = 6
    first_stretches: int = 3
    embargo_seconds: int = 5 * DAY_SECONDS
    period_seconds: int = DAY_SECONDS
    largest_stake: float = 0.1
    limits: GateLimits = field(default_factory=GateLimits)


@dataclass(frozen=True, slots=True)
class TrialResult:
    """What one trial did out of sample, by period.

    `net` and `costs` have shape (periods,), shares of capital. `probabilities` of the tested
    samples are NaN where a fold could not be learnt; `failures` say why.
    """

    trial: str
    net: Floats
    costs: Floats
    probabilities: Floats
    calibration: Calibration | None
    failures: tuple[str, ...]


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


def ask(
    question: Question,
    samples: Samples,
    rng: np.random.Generator,
    *,
    champion: Floats | None = None,
    progress: Progress | None = None,
) -> Answer:
    """Try every estimator by walk-forward, choose the best Sharpe ratio and judge it.

    `champion` holds the results of the model that trades now, per tested period; None is no trade.
    Raise `SplitError` where the samples cannot be split.
    """
    plan = make_plan(question, samples)
    results = []
    for number, spec in enumerate(question.trials):
        if progress:
            progress(spec.describe(), number, len(question.trials))
        results.append(run_trial(plan, spec))
    return conclude(plan, results, rng, champion=champion)


def conclude(
    plan: Plan,
    results: Sequence[TrialResult],
    rng: np.random.Generator,
    *,
    earlier: Floats | None = None,
    champion: Floats | None = None,
) -> Answer:
    """Choose the best of the trials and judge it.

    `earlier` are the results of all other trials that were ever run on this data, shape (periods,
    trials): they count, though none of them can be chosen.
    """
    question = plan.question
    primary = plan.periods.book(plan.samples, plan.tested, None)
    table = np.stack([result.net for result in results], axis=1)
    if earlier is not None and earlier.size:
        table = np.concatenate([table, earlier], axis=1)
    chosen = _best(results)
    if chosen is None:
        missing = Finding(
            "candidate", float("nan"), 0.0, passed=False, note="no trial took a trade"
        )
        refused = GateReport((missing,), None, 0.0)
        return Answer(question.name, None, tuple(results), primary, refused)
    against = {"primary": _at_equal_risk(primary, chosen.net)}
    if champion is not None:
        against["champion"] = champion
    evidence = Evidence(chosen.net, chosen.costs, table, against)
    report = judge(evidence, rng, question.limits)
    findings = (*report.findings, _calibrated(chosen.calibration))
    whole = GateReport(findings, report.trials, report.detectable_sharpe)
    return Answer(question.name, chosen, tuple(results), primary, whole)


def _best(results: Sequence[TrialResult]) -> TrialResult | None:
    live = [result for result in results if float(result.net.std()) > 0]
    return max(live, key=lambda result: result.net.mean() / result.net.std(), default=None)


def _at_equal_risk(results: Floats, other: Floats) -> Floats:
    """Scale `results` to the deviation of `other`: a larger stake is no better rule."""
    deviation = float(results.std())
    return results * (float(other.std()) / deviation) if deviation > 0 else results


def _calibrated(calibration: Calibration | None) -> Finding:
    if calibration is None:
        return Finding("calibration", float("nan"), 1.0, passed=False, note="cannot be judged")
    interval = f"slope between {calibration.slope_lower:.2f} and {calibration.slope_upper:.2f}"
    edge = calibration.brier / calibration.base_brier if calibration.base_brier else float("nan")
    return Finding("calibration", edge, 1.0, passed=calibration.holds, note=interval)


def run_trial(plan: Plan, spec: EstimatorSpec) -> TrialResult:
    """Fit one estimator on each fold's past and book what its stakes earned in the test."""
    question, samples = plan.question, plan.samples
    probabilities = np.full(len(samples), np.nan)
    stakes = np.zeros(len(samples))
    failures: list[str] = []
    for fold in plan.folds:
        try:
            found, evidence = _predict(question, samples, fold, spec)
            odds = mean_odds(samples, fold.train)
        except (EstimatorError, CalibrationError, SplitError) as error:
            failures.append(f"fold {fold.groups[0]}: {error}")
            continue
        probabilities[fold.test] = found
        stakes[fold.test] = [_stake(question, float(value), evidence, odds) for value in found]
    tested = plan.tested
    paid = question.exits.entry_cost + question.exits.exit_cost
    return TrialResult(
        trial=spec.describe(),
        net=plan.periods.book(samples, tested, samples.net[tested] * stakes[tested]),
        costs=plan.periods.book(samples, tested, paid * stakes[tested]),
        probabilities=probabilities[tested],
        calibration=_calibration(samples, probabilities, tested),
        failures=tuple(failures),
    )


def _predict(
    question: Question, samples: Samples, fold: Split, spec: EstimatorSpec
) -> tuple[Floats, float]:
    """Return calibrated probabilities of the fold's test, and the evidence that they rest on.

    Evidence is the training's effective number of samples for each figure that the model fits.
    """
    train = fold.train
    sigmoid = _inner_sigmoid(question, samples, train, spec)
    model = make_estimator(spec).fit(
        samples.features[train], samples.profitable[train], samples.weights[train]
    )
    raw = model.probabilities(samples.features[fold.test])
    effective = float(samples.unique[train].sum()) / (samples.features.shape[1] + 1)
    return sigmoid.apply(raw), effective


def _inner_sigmoid(
    question: Question, samples: Samples, train: Indices, spec: EstimatorSpec
) -> Sigmoid:
    """Learn the calibration on purged out-of-fold predictions inside the training."""
    spans = Spans(samples.spans.start[train], samples.spans.end[train])
    order = np.argsort(spans.start, kind="stable")
    raw = np.full(train.size, np.nan)
    for part in np.array_split(order, 3):
        rest = np.setdiff1d(order, part)
        kept = purged(spans, rest, part, question.embargo_seconds)
        rows = train[kept]
        model = make_estimator(spec).fit(
            samples.features[rows], samples.profitable[rows], samples.weights[rows]
        )
        raw[part] = model.probabilities(samples.features[train[part]])
    return fit_sigmoid(raw, samples.profitable[train])


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


def _stake(question: Question, probability: float, evidence: float, odds: Odds) -> float:
    bounded = lower_probability(probability, max(evidence, 1.0))
    return min(question.largest_stake, stake(bounded, odds))


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

"""The gate: a model is promoted only where every test of its evidence passes, else no trade.

Each test yields a figure, a limit and a verdict; a figure that cannot be computed fails its test
and says why. Nothing here knows models or storage: it judges net results out of sample.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import numpy.typing as npt

from models.learning.validation.bootstrap import lower_bound
from models.learning.validation.overfitting import probability_of_overfitting, superior_ability
from models.learning.validation.sharpe import (
    UnknownStatisticError,
    deflated_sharpe_2025,
    detectable_sharpe,
    minimum_track_record,
    moments,
)
from models.learning.validation.trials import TrialsSummary, merge_alike, summarise_trials

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class GateLimits:
    """What must be reached; `deflated` and `track_confidence` are probabilities."""

    deflated: float = 0.95
    overfitting: float = 0.2
    superior: float = 0.05
    bound_confidence: float = 0.95
    cost_multiple: float = 1.5
    track_confidence: float = 0.95
    parts: int = 16
    most_trials: int = 20
    samples: int = 2_000


@dataclass(frozen=True, slots=True)
class Evidence:
    """Net results of one question, out of sample, per period.

    `candidate` has shape (periods,); `costs` what it paid in each period (same unit); `benchmarks`
    the results of what it must beat in the same periods (the champion, its primary rule), by name:
    no trade is always among them. `trials` has shape (periods, trials): every trial that was ever
    run on this data, the candidate's own among them. A benchmark is no trial: nobody searched it,
    and how bad it is says nothing of what the best of chance would show. It is a choice, though.
    """

    candidate: Floats
    costs: Floats
    trials: Floats
    benchmarks: Mapping[str, Floats] = field(default_factory=dict)

    def __post_init__(self) -> None:
        others = {benchmark.shape for benchmark in self.benchmarks.values()}
        if len({self.candidate.shape, self.costs.shape} | others) != 1 or self.candidate.ndim != 1:
            raise UnknownStatisticError("results, costs and benchmarks differ in shape")
        if self.trials.ndim != 2 or self.trials.shape[0] != self.candidate.size:
            raise UnknownStatisticError("the trials' table does not fit the results")

    @property
    def choices(self) -> Floats:
        """Return all that could have been chosen, shape (periods, trials and benchmarks)."""
        benchmarks = [benchmark[:, None] for benchmark in self.benchmarks.values()]
        return np.concatenate([self.trials, *benchmarks], axis=1)


@dataclass(frozen=True, slots=True)
class Finding:
    """One test of the gate: what was measured, what was asked, and whether it passes."""

    test: str
    figure: float
    limit: float
    passed: bool
    note: str = ""

    @property
    def reason(self) -> str:
        """Name the test, and where its figure is unknown why."""
        return f"{self.test}: {self.note}" if math.isnan(self.figure) and self.note else self.test


@dataclass(frozen=True, slots=True)
class GateReport:
    """Every finding, with how many trials counted and what could have been detected at all."""

    findings: tuple[Finding, ...]
    trials: TrialsSummary | None
    detectable_sharpe: float

    @property
    def passed(self) -> bool:
        """Say whether every test passed."""
        return bool(self.findings) and all(finding.passed for finding in self.findings)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Name the tests that did not pass; one that could not be held says why."""
        return tuple(finding.reason for finding in self.findings if not finding.passed)


def judge(
    evidence: Evidence, rng: np.random.Generator, limits: GateLimits | None = None
) -> GateReport:
    """Judge the evidence by every test and report each figure, passing or not."""
    bounds = limits or GateLimits()
    try:
        trials = summarise_trials(evidence.trials)
    except UnknownStatisticError:
        trials = None
    try:
        seen = detectable_sharpe(evidence.candidate.size)
    except UnknownStatisticError:
        seen = math.inf
    return GateReport(tuple(_findings(evidence, rng, bounds, trials)), trials, seen)


def _findings(
    evidence: Evidence,
    rng: np.random.Generator,
    limits: GateLimits,
    trials: TrialsSummary | None,
) -> Iterator[Finding]:
    yield _at_most("trials", limits.most_trials, lambda: float(evidence.trials.shape[1]))
    yield _at_least("deflated_sharpe_2025", limits.deflated, lambda: _deflated(evidence, trials))
    yield _at_most(
        "probability_of_overfitting",
        limits.overfitting,
        lambda: _overfitting(evidence.choices, limits.parts),
    )
    against = {**evidence.benchmarks, "no_trade": np.zeros_like(evidence.candidate)}
    for name, benchmark in against.items():
        ability = partial(
            superior_ability, evidence.candidate, benchmark, rng, samples=limits.samples
        )
        yield _at_most(f"superior_to_{name}", limits.superior, ability)
    stressed = evidence.candidate - (limits.cost_multiple - 1) * evidence.costs
    yield _above(
        "lower_bound_at_stressed_costs",
        0.0,
        lambda: lower_bound(
            stressed, rng, confidence=limits.bound_confidence, samples=limits.samples
        ),
    )
    needed = _number(
        lambda: minimum_track_record(
            moments(evidence.candidate), confidence=limits.track_confidence
        )
    )
    yield _at_least("track_record", needed[0], lambda: float(evidence.candidate.size), needed[1])


def _overfitting(trials: Floats, parts: int) -> float:
    """Judge the choice among trials that differ; where all are one, nothing was chosen."""
    distinct = merge_alike(trials)
    if distinct.shape[1] == 1 and np.isfinite(distinct).all():
        return 0.0
    return probability_of_overfitting(distinct, parts).probability


def _deflated(evidence: Evidence, trials: TrialsSummary | None) -> float:
    if trials is None:
        raise UnknownStatisticError("the trials are not known")
    return deflated_sharpe_2025(moments(evidence.candidate), trials.variance, trials.effective)


def _number(measure: Callable[[], float]) -> tuple[float, str]:
    try:
        figure = measure()
    except UnknownStatisticError as error:
        return math.nan, str(error)
    return (figure, "") if not math.isnan(figure) else (figure, "the figure is not a number")


def _at_least(test: str, limit: float, measure: Callable[[], float], why: str = "") -> Finding:
    figure, note = _number(measure)
    return Finding(test, figure, limit, bool(figure >= limit), note or why)


def _above(test: str, limit: float, measure: Callable[[], float]) -> Finding:
    figure, note = _number(measure)
    return Finding(test, figure, limit, bool(figure > limit), note)


def _at_most(test: str, limit: float, measure: Callable[[], float]) -> Finding:
    figure, note = _number(measure)
    return Finding(test, figure, limit, bool(figure <= limit), note)

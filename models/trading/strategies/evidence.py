"""What a strategy version has earned so far, and what may be expected of its next idea.

A result is what one trade of the version came to, out of sample, with where it comes from. Results
of different sources are never mixed: the most real source that has enough recent results counts
alone, and the verdict names it (live before shadow before simulation before backtest).

The expectation is the posterior mean of a normal mean with a normal prior around zero, which is the
empirical-Bayes shrinkage of Efron and Morris (1973, "Stein's estimation rule and its competitors")
with the spread of the prior given as a setting::

    error     = deviation ^ 2 / results            variance of the mean
    weight    = prior ^ 2 / (prior ^ 2 + error)
    expected  = mean * weight                      shrunk towards zero
    spread    = sqrt(error * weight)               deviation of the posterior
    counted   = expected - deviations_below * spread

The mean counts by default (``deviations_below`` 0): the shrinkage has already taken off what few or
scattered results cannot carry, and going live asks for a lower bound of its own. A deviation below
the prior's is not believed: the prior's stands in, so that a handful of equal results is not taken
for certainty.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

ZERO = Decimal(0)
STEP = Decimal("1e-10")
RESULTS_READ = 500
"""Newest results of a source that are looked at."""


class EvidenceSource(StrEnum):
    """Where a result comes from."""

    LIVE = "live"
    SHADOW = "shadow"
    SIMULATION = "simulation"
    BACKTEST = "backtest"


MOST_REAL_FIRST = (
    EvidenceSource.LIVE,
    EvidenceSource.SHADOW,
    EvidenceSource.SIMULATION,
    EvidenceSource.BACKTEST,
)


@dataclass(frozen=True, slots=True)
class StrategyResult:
    """One result of a strategy version; ``closed_at`` is market time.

    Attributes:
        reference: names the result within its source, so that it counts once.
        move: gross move as a share: from the price at the decision to what was received.
        net: the same less every cost of the round trip, as a share of what was paid.
    """

    source: EvidenceSource
    reference: str
    symbol: str
    closed_at: datetime
    move: Decimal
    net: Decimal


@dataclass(frozen=True, slots=True)
class SourceSummary:
    """The results of one source; ``deviation`` is that of a single move, zero for one result."""

    source: EvidenceSource
    results: int
    mean_move: Decimal
    deviation: Decimal
    mean_net: Decimal
    newest_at: datetime


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one strategy version, source by source."""

    strategy: str
    version: str
    sources: tuple[SourceSummary, ...] = ()


@dataclass(frozen=True, slots=True)
class EvidencePolicy:
    """How much evidence an account asks for; shares are of the price, and of equity.

    Attributes:
        results_minimum: results of a source below which an idea is unproven.
        age_maximum: market time after which a source without a new result counts no more.
        prior_deviation: how far apart true expectations of strategies are taken to lie.
        deviations_below: deviations of the posterior taken off its mean.
        unproven_admitted: whether a simulated account trades unproven ideas. A live one never does.
        cost_budget_share: share of equity that round trips without an expectation may cost a day.
        recorded_as: the source that results of the account have while it is simulated.
    """

    results_minimum: int = 30
    age_maximum: timedelta = timedelta(days=180)
    prior_deviation: Decimal = Decimal("0.01")
    deviations_below: Decimal = ZERO
    unproven_admitted: bool = True
    cost_budget_share: Decimal = Decimal("0.01")
    recorded_as: EvidenceSource = EvidenceSource.SIMULATION


@dataclass(frozen=True, slots=True)
class Expectation:
    """What may be expected of an idea before costs, as shares of the price.

    ``mean`` is that of the results, ``expected`` the shrunk one with its ``spread``; ``counted`` is
    what R-6 compares with the costs.
    """

    source: EvidenceSource
    results: int
    mean: Decimal
    expected: Decimal
    spread: Decimal
    counted: Decimal


def summarise_results(results: Iterable[StrategyResult]) -> tuple[SourceSummary, ...]:
    """Return the results source by source, the most real first; what is no number is left out."""
    found: dict[EvidenceSource, list[StrategyResult]] = {}
    for result in results:
        if result.move.is_finite() and result.net.is_finite():
            found.setdefault(result.source, []).append(result)
    return tuple(_summary(source, found[source]) for source in MOST_REAL_FIRST if source in found)


def expectation_of(
    evidence: Evidence | None, policy: EvidencePolicy, now: datetime
) -> Expectation | None:
    """Return what the evidence lets one expect, None when it is not enough.

    Args:
        evidence: None when it could not be found out.
        policy: what the account asks for.
        now: market time.
    """
    if evidence is None:
        return None
    for source in MOST_REAL_FIRST:
        summary = next((one for one in evidence.sources if one.source is source), None)
        if summary is not None and _is_enough(summary, policy, now):
            return _shrunk(summary, policy)
    return None


def why_unproven(evidence: Evidence | None, policy: EvidencePolicy) -> str:
    """Return why nothing is expected of an idea."""
    if evidence is None:
        return "its strategy's evidence is not known"
    name = f"{evidence.strategy} {evidence.version}"
    counts = ", ".join(f"{one.results} from {one.source.value}" for one in evidence.sources)
    return f"{name} has {counts or 'no results'}, {policy.results_minimum} of late are needed"


def _summary(source: EvidenceSource, results: Sequence[StrategyResult]) -> SourceSummary:
    number = len(results)
    mean = sum((one.move for one in results), ZERO) / number
    squares = sum(((one.move - mean) ** 2 for one in results), ZERO)
    deviation = (squares / (number - 1)).sqrt() if number > 1 else ZERO
    return SourceSummary(
        source,
        number,
        mean.quantize(STEP),
        deviation.quantize(STEP),
        (sum((one.net for one in results), ZERO) / number).quantize(STEP),
        max(one.closed_at for one in results),
    )


def _is_enough(summary: SourceSummary, policy: EvidencePolicy, now: datetime) -> bool:
    figures = (summary.mean_move, summary.deviation)
    usable = all(figure.is_finite() for figure in figures) and summary.deviation >= ZERO
    recent = now - summary.newest_at <= policy.age_maximum
    return usable and recent and summary.results >= max(1, policy.results_minimum)


def _shrunk(summary: SourceSummary, policy: EvidencePolicy) -> Expectation:
    prior = policy.prior_deviation
    error = max(summary.deviation, prior) ** 2 / summary.results
    weight = prior**2 / (prior**2 + error) if prior > ZERO else ZERO
    expected = summary.mean_move * weight
    spread = (error * weight).sqrt()
    return Expectation(
        summary.source,
        summary.results,
        summary.mean_move,
        expected.quantize(STEP),
        spread.quantize(STEP),
        (expected - policy.deviations_below * spread).quantize(STEP),
    )

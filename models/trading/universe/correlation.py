"""Which pairs move together: correlations of log returns, shrunk where history is short (R-3).

Shrinkage follows the constant-correlation target of Ledoit and Wolf, "Honey, I Shrunk the Sample
Covariance Matrix" (2004): every sample correlation is drawn towards the mean of all. Their
intensity needs complete histories of equal length; here each pair has its own number of common
returns ``n``, so the weight of the sample is ``n / (n + k)``, the weight of ``n`` observations
against a prior of ``k``. Without any history a pair is as correlated as the prior says.

Correlations are floats: they measure, they are not money.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import fsum, log, sqrt

from models.trading.market import Candle
from models.trading.universe.correlation_groups import CorrelationGroup, Pair, group_symbols


@dataclass(frozen=True, slots=True)
class CorrelationSettings:
    """How correlations are estimated and grouped.

    Attributes:
        window: newest returns used of each pair, in bars.
        prior_weight: observations that the target counts for (``k``).
        prior: correlation assumed before anything is known; crypto assets fall together.
        threshold: mean correlation from which two groups are one.
        hysteresis: how far below it those that were together must fall to be parted.
    """

    window: int = 720
    prior_weight: int = 60
    prior: float = 0.6
    threshold: float = 0.7
    hysteresis: float = 0.15


@dataclass(frozen=True, slots=True)
class PairCorrelation:
    """One estimate. ``sample`` is None when it cannot be computed; ``returns`` are common ones."""

    first: str
    second: str
    value: float
    sample: float | None
    returns: int


@dataclass(frozen=True, slots=True)
class Correlations:
    """Estimates of all pairs of symbols, the target they are drawn to, and the groups."""

    symbols: tuple[str, ...]
    target: float
    estimates: tuple[PairCorrelation, ...]
    groups: tuple[CorrelationGroup, ...]

    def value(self, first: str, second: str) -> float:
        """Return the estimate for two symbols; one for a symbol with itself.

        Raises:
            KeyError: the two have not been estimated.
        """
        if first == second:
            return 1.0
        wanted = tuple(sorted((first, second)))
        for estimate in self.estimates:
            if (estimate.first, estimate.second) == wanted:
                return estimate.value
        raise KeyError(wanted)

    @property
    def group_names(self) -> dict[str, str]:
        """Return the name of the group of every symbol."""
        return {symbol: group.name for group in self.groups for symbol in group.symbols}


def correlate(
    histories: Mapping[str, Sequence[Candle]],
    settings: CorrelationSettings,
    together: Mapping[str, str] | None = None,
) -> Correlations:
    """Estimate and group; the outcome does not depend on the order of symbols.

    ``together`` are the groups by symbol as they were, which hold together by the hysteresis.
    """
    symbols = tuple(sorted(histories))
    returns = {symbol: log_returns(histories[symbol], settings.window) for symbol in symbols}
    samples: dict[Pair, tuple[float | None, int]] = {}
    for first, second in itertools.combinations(symbols, 2):
        samples[first, second] = sample_correlation(returns[first], returns[second])
    target = _target(samples, settings)
    estimates = tuple(
        PairCorrelation(
            first, second, shrink(sample, count, target, settings.prior_weight), sample, count
        )
        for (first, second), (sample, count) in samples.items()
    )
    values = {(estimate.first, estimate.second): estimate.value for estimate in estimates}
    groups = group_symbols(
        symbols, _holding_together(values, together or {}, settings.hysteresis), settings.threshold
    )
    return Correlations(symbols, target, estimates, groups)


def _holding_together(
    values: Mapping[Pair, float], together: Mapping[str, str], hysteresis: float
) -> dict[Pair, float]:
    """Return the values by which pairs are grouped: those of one group before hold together."""
    return {
        (a, b): value + (hysteresis if a in together and together[a] == together.get(b) else 0.0)
        for (a, b), value in values.items()
    }


def log_returns(candles: Sequence[Candle], window: int) -> dict[datetime, float]:
    """Return the newest log returns by the start of their bar; never across a missing bar."""
    ordered = sorted(candles, key=lambda candle: candle.start)
    found = [
        (later.start, log(float(later.close) / float(earlier.close)))
        for earlier, later in itertools.pairwise(ordered)
        if later.start - earlier.start == timedelta(minutes=earlier.interval_minutes)
        and earlier.close > 0 < later.close
    ]
    return dict(found[-window:])


def sample_correlation(
    first: Mapping[datetime, float], second: Mapping[datetime, float]
) -> tuple[float | None, int]:
    """Return Pearson's correlation over common bars and their number.

    None (and no observations) with fewer than three common bars, or when one does not move.
    """
    common = sorted(first.keys() & second.keys())
    count = len(common)
    if count < 3:
        return None, 0
    mean_first = fsum(first[at] for at in common) / count
    mean_second = fsum(second[at] for at in common) / count
    steps = [(first[at] - mean_first, second[at] - mean_second) for at in common]
    variance_first = fsum(x * x for x, _ in steps)
    variance_second = fsum(y * y for _, y in steps)
    spread = sqrt(variance_first) * sqrt(variance_second)
    if spread < 1e-18:
        return None, 0
    return max(-1.0, min(1.0, fsum(x * y for x, y in steps) / spread)), count


def shrink(sample: float | None, count: int, target: float, prior_weight: int) -> float:
    """Return the sample drawn towards the target, by its own weight ``n / (n + k)``."""
    if sample is None or count == 0:
        return target
    weight = count / (count + prior_weight)
    return weight * sample + (1 - weight) * target


def _target(
    samples: Mapping[Pair, tuple[float | None, int]], settings: CorrelationSettings
) -> float:
    """Return the mean of the samples by their counts, the prior counting for one pair's weight."""
    known = [(sample, count) for sample, count in samples.values() if sample is not None]
    total = settings.prior_weight + sum(count for _, count in known)
    if total == 0:
        return settings.prior
    weighted = fsum(sample * count for sample, count in known)
    return (settings.prior * settings.prior_weight + weighted) / total

"""Averages that are carried from bar to bar, as floats: they measure, they are not money."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log, sqrt

from models.trading.market import Candle


@dataclass(frozen=True, slots=True)
class Exponential:
    """An exponential average that begins as the plain mean of its first ``period`` values.

    ``weight`` is that of a new value afterwards; ``value`` counts from ``period`` values on.
    """

    period: int
    weight: float
    count: int = 0
    value: float = 0.0

    @classmethod
    def average(cls, period: int) -> "Exponential":
        """Return an exponential moving average: weight 2 / (period + 1)."""
        return cls(period, 2 / (period + 1))

    @classmethod
    def wilder(cls, period: int) -> "Exponential":
        """Return Wilder's smoothing (1978): weight 1 / period."""
        return cls(period, 1 / period)

    @property
    def is_ready(self) -> bool:
        """Tell whether the first mean is complete."""
        return self.count >= self.period

    def plus(self, new: float) -> "Exponential":
        """Return the average with one more value."""
        count = self.count + 1
        share = 1 / count if count <= self.period else self.weight
        return Exponential(self.period, self.weight, count, self.value + share * (new - self.value))


def true_range(bar: Candle, before: Candle) -> float:
    """Return the true range of a bar in quote units."""
    high, low, close = float(bar.high), float(bar.low), float(before.close)
    return max(high - low, abs(high - close), abs(low - close))


def log_deviation(closes: Sequence[float]) -> float | None:
    """Return the sample standard deviation of log returns per bar, None with too few closes."""
    if len(closes) < 3 or min(closes) <= 0:
        return None
    returns = [log(later / earlier) for earlier, later in pairwise(closes)]
    mean = sum(returns) / len(returns)
    return sqrt(sum((value - mean) ** 2 for value in returns) / (len(returns) - 1))

"""Indicators over closed bars, as floats: they measure, they are not money.

Prices are converted once with ``float``; what becomes a price again goes through ``Decimal(repr)``
and the pair's tick in the strategy.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import log, sqrt

from models.trading.market import Candle
from models.trading.strategies.running import log_deviation, true_range

DAY = timedelta(days=1)
DAILY_DECAY = 0.94
"""Weight that a day's squared return keeps a day later: the RiskMetrics value for daily data."""


def is_contiguous(window: Sequence[Candle]) -> bool:
    """Tell whether no bar is missing between the first and the last.

    A bar without trades does not exist, so a gap may be a quiet market or a broken feed; an average
    over it would pass one off as the other.
    """
    return all(
        later.start - earlier.start == timedelta(minutes=earlier.interval_minutes)
        for earlier, later in itertools.pairwise(window)
    )


def true_ranges(window: Sequence[Candle]) -> list[float]:
    """Return the true range of every bar but the first, in quote units."""
    return [true_range(bar, previous) for previous, bar in itertools.pairwise(window)]


def average_true_range(window: Sequence[Candle], period: int) -> float | None:
    """Return Wilder's average true range at the last bar, None with too few bars.

    Wilder, New Concepts in Technical Trading Systems (1978): the mean of the first ``period`` true
    ranges, then smoothed by ``(previous * (period - 1) + range) / period``.
    """
    ranges = true_ranges(window)
    if len(ranges) < period:
        return None
    average = sum(ranges[:period]) / period
    for value in ranges[period:]:
        average = (average * (period - 1) + value) / period
    return average


def realised_volatility(window: Sequence[Candle]) -> float | None:
    """Return the sample standard deviation of log returns per bar, None with fewer than 3 bars."""
    return log_deviation([float(bar.close) for bar in window])


@dataclass(slots=True)
class DailyVolatility:
    """The exponentially weighted volatility of a day, taken further bar by bar.

    RiskMetrics (1996): squared log returns with a mean of zero, weighted by ``decay`` to the power
    of their age in days. Both the squares and the days that they cover are weighted, so that the
    figure is that of a day whatever the bar is, also where bars without trades are missing. What
    lies before the first bar counts as what is known does.
    """

    decay: float = DAILY_DECAY
    squares: float = 0.0
    covered: float = 0.0
    returns: int = 0
    last: Candle | None = None

    def take(self, bars: Iterable[Candle]) -> None:
        """Take in the bars that are newer than the newest one known, oldest first."""
        for bar in bars:
            before = self.last
            if before is not None and bar.start <= before.start:
                continue
            self.last = bar
            if before is not None and before.close > 0 and bar.close > 0:
                days = (bar.start - before.start) / DAY
                faded = self.decay**days
                change = log(float(bar.close) / float(before.close))
                self.squares = self.squares * faded + change * change
                self.covered = self.covered * faded + days
                self.returns += 1

    @property
    def value(self) -> float | None:
        """Return the standard deviation of a day's log return, None with fewer than two returns."""
        return sqrt(self.squares / self.covered) if self.returns >= 2 else None


def daily_volatility(window: Iterable[Candle]) -> float | None:
    """Return the weighted volatility of a day over a window, oldest bar first."""
    found = DailyVolatility()
    found.take(window)
    return found.value

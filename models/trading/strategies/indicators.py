"""Indicators over closed bars, as floats: they measure, they are not money.

Prices are converted once with ``float``; what becomes a price again goes through ``Decimal(repr)``
and the pair's tick in the strategy.
"""

import itertools
from collections.abc import Sequence
from datetime import timedelta

from models.trading.market import Candle
from models.trading.strategies.running import log_deviation, true_range


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

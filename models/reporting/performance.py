"""Return, drawdown and volatility of an account, net of flows of capital (RP-1, RP-3, RP-5).

Shares are decimals (0.01 is one percent). What cannot be known from what there is, is None.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from models.trading.capital.flows import NavPoint
from models.trading.risk.drawdown import MEASURED_MINIMUM

ZERO: Final = Decimal(0)
ONE: Final = Decimal(1)
DAYS_A_YEAR: Final = Decimal(365)
"""Crypto trades every day of the year."""


@dataclass(frozen=True, slots=True)
class DayResult:
    """What one closed day came to: its return as a share, and its profit in USD."""

    day: date
    share: Decimal
    profit: Decimal


@dataclass(frozen=True, slots=True)
class DeepestFall:
    """The largest fall from a best to a later low, as a share of the best; market times."""

    share: Decimal
    best_at: datetime
    lowest_at: datetime


@dataclass(frozen=True, slots=True)
class Risk:
    """Risk of a span of days.

    Attributes:
        daily_volatility: sample standard deviation of the days' returns.
        yearly_volatility: the same for a year of 365 days, days taken as independent.
        worst: the worst day, ``best`` the best.
        losing_days: days with a return below zero.
    """

    days: int
    daily_volatility: Decimal | None
    yearly_volatility: Decimal | None
    worst: DayResult | None
    best: DayResult | None
    losing_days: int


def compounded(shares: Sequence[Decimal]) -> Decimal:
    """Return the return of days one after the other."""
    growth = ONE
    for share in shares:
        growth *= ONE + share
    return growth - ONE


def deviation(values: Sequence[Decimal]) -> Decimal | None:
    """Return the sample standard deviation (n - 1), None of fewer than two values."""
    count = len(values)
    if count < 2:
        return None
    mean = sum(values, ZERO) / count
    squares = sum(((value - mean) ** 2 for value in values), ZERO)
    return (squares / (count - 1)).sqrt()


def risk_of(days: Sequence[DayResult]) -> Risk:
    """Return the risk that closed days show."""
    daily = deviation([day.share for day in days])
    return Risk(
        days=len(days),
        daily_volatility=daily,
        yearly_volatility=None if daily is None else daily * DAYS_A_YEAR.sqrt(),
        worst=min(days, key=lambda day: day.share, default=None),
        best=max(days, key=lambda day: day.share, default=None),
        losing_days=sum(1 for day in days if day.share < ZERO),
    )


def deepest_fall(points: Sequence[NavPoint]) -> DeepestFall | None:
    """Return the largest fall of the growth index over points in order of time.

    Flows of capital are taken out: neither a deposit nor a withdrawal is a fall. None of no point.
    """
    if not points:
        return None
    growth = best = ONE
    best_at = points[0].at
    found = DeepestFall(ZERO, best_at, best_at)
    for earlier, later in itertools.pairwise(points):
        if earlier.value >= MEASURED_MINIMUM:
            growth *= (later.value - later.flow) / earlier.value
        if growth >= best:
            best, best_at = growth, later.at
        fall = ONE - growth / best
        if fall > found.share:
            found = DeepestFall(fall, best_at, later.at)
    return found


def change_of(first: Decimal | None, last: Decimal | None) -> Decimal | None:
    """Return the return of holding at two prices, None while either is unknown."""
    if first is None or last is None or first <= ZERO:
        return None
    return last / first - ONE

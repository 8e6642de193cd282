"""Return, drawdown and volatility of an account, net of flows of capital (RP-1, RP-3, RP-5).

Shares are decimals (0.01 is one percent). What cannot be known from what there is, is None.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from models.reporting.lots import UNTRACKED
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
class Measured:
    """What an account was worth in USD at a market time, and how much of that was USD."""

    at: datetime
    value: Decimal
    cash: Decimal

    @property
    def exposure_share(self) -> Decimal | None:
        """Return the share of the value that is not USD, None where nothing is there."""
        return exposure_of(self.value, self.cash)


@dataclass(frozen=True, slots=True)
class Benchmarks:
    """What holding would have returned over the same time; None where that is not known."""

    bitcoin: Decimal | None
    holding: Decimal | None


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


def exposure_of(value: Decimal, cash: Decimal) -> Decimal | None:
    """Return the share of a value that is not USD, None where nothing is there."""
    return (value - cash) / value if value > ZERO else None


def measured_points(points: Sequence[NavPoint], begun: Sequence[NavPoint]) -> list[NavPoint]:
    """Return values in order of time, with a point wherever measuring began anew.

    No return is made of the step between two modes, whose money is not the same: it is a flow.
    """
    found = sorted(points, key=lambda point: point.at)
    for start in sorted(begun, key=lambda point: point.at):
        earlier = [place for place, point in enumerate(found) if point.at < start.at]
        if earlier:
            last = earlier[-1]
            step = start.value - found[last].value
            found.insert(last + 1, NavPoint(start.at, start.value, step))
    return found


def held_before(
    balances: Mapping[str, Decimal], moved: Mapping[str, Decimal]
) -> dict[str, Decimal] | None:
    """Return what was held of each asset but USD before movements came and went.

    ``moved`` is what came in less what went out since. None where it would be less than nothing:
    then the movements are not all that happened.
    """
    held = {}
    for asset in sorted({*balances, *moved} - {"USD"}):
        quantity = balances.get(asset, ZERO) - moved.get(asset, ZERO)
        if quantity < -UNTRACKED:
            return None
        if quantity > UNTRACKED:
            held[asset] = quantity
    return held


def change_of_holding(
    cash: Decimal,
    held: Mapping[str, Decimal] | None,
    first: Mapping[str, Decimal],
    last: Mapping[str, Decimal],
) -> Decimal | None:
    """Return the return of having kept cash and assets as they were, prices in USD by asset.

    None where what was held, or any price of it, is not known, or where nothing was there.
    """
    if held is None or any(asset not in first or asset not in last for asset in held):
        return None
    before = cash + sum((held[asset] * first[asset] for asset in held), ZERO)
    after = cash + sum((held[asset] * last[asset] for asset in held), ZERO)
    return change_of(before, after) if before >= MEASURED_MINIMUM else None


def benchmarks(
    points: Sequence[NavPoint],
    begun: Sequence[NavPoint],
    mark: Measured | None,
    held: Mapping[str, Decimal] | None,
    prices: tuple[Mapping[str, Decimal], Mapping[str, Decimal]],
) -> Benchmarks:
    """Return what holding would have returned from the first of the points to the last price.

    Args:
        points: values of the account in order of time.
        begun: where measuring began anew: what was held before was other money.
        mark: the first value of which it is known how much was USD.
        held: base units by asset that were held then, None where that is not known.
        prices: in USD by asset, at the first point and at the end.
    """
    first, last = prices
    if not points:
        return Benchmarks(None, None)
    comparable = (
        mark is not None
        and mark.at == points[0].at
        and not any(start.at > points[0].at for start in begun)
    )
    holding = None
    if mark is not None and comparable:
        holding = change_of_holding(mark.cash, held, first, last)
    return Benchmarks(change_of(first.get("BTC"), last.get("BTC")), holding)

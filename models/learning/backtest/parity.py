"""Where two runs of the same strategy on the same bars differ, fill by fill, and why they may.

What is sold at one moment may be one order or several (a trade each): it is compared together.
Quantities differ by what earlier rounding came to; more than that is a difference.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from models.learning.backtest.results import BacktestFill, BacktestResult, FillKind, lot_of

QUANTITY_TOLERANCE = 0.001
"""Share by which a quantity may differ where all else is equal: rounding that was carried on."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What was bought, or sold, in one bar."""

    lots: int
    value: int
    fees: float

    @property
    def ticks(self) -> float:
        """Return the average price in ticks."""
        return self.value / self.lots


@dataclass(frozen=True, slots=True)
class Difference:
    """One bar and side on which two runs differ, and what it is put down to."""

    bar: int
    side: str
    reason: str


@dataclass(frozen=True, slots=True)
class Parity:
    """How far two runs agree.

    Attributes:
        moments: bars and sides on which either of them traded.
        differences: those on which they differ.
        gap: difference of the final equities as a share.
    """

    moments: int
    differences: tuple[Difference, ...]
    gap: float

    @property
    def agree(self) -> bool:
        """Tell whether the runs decided the same everywhere."""
        return not self.differences


def compare(one: BacktestResult, other: BacktestResult) -> Parity:
    """Compare two runs over the same bars."""
    first, second = _moments(one.fills), _moments(other.fills)
    differences = []
    for key in sorted(first.keys() | second.keys()):
        reason = _reason(first.get(key), second.get(key), one, other)
        if reason:
            differences.append(Difference(key[0], key[1], reason))
    gap = float(one.equity[-1] / other.equity[-1] - 1)
    return Parity(len(first.keys() | second.keys()), tuple(differences), gap)


def _moments(fills: Iterable[BacktestFill]) -> dict[tuple[int, str], Moment]:
    found: dict[tuple[int, str], Moment] = {}
    for fill in fills:
        key = (fill.bar, "bought" if fill.kind is FillKind.ENTRY else "sold")
        known = found.get(key, Moment(0, 0, 0.0))
        found[key] = Moment(
            known.lots + fill.lots, known.value + fill.lots * fill.ticks, known.fees + fill.fee
        )
    return found


def _reason(
    mine: Moment | None, theirs: Moment | None, one: BacktestResult, other: BacktestResult
) -> str:
    """Return why two moments are not the same, empty where they are."""
    if mine is None or theirs is None:
        who = other.engine if mine is None else one.engine
        return f"only {who} traded"
    lot = lot_of(one.bars)
    if abs(mine.lots - theirs.lots) > max(2, QUANTITY_TOLERANCE * max(mine.lots, theirs.lots)):
        return f"quantity {mine.lots * lot:.8g} against {theirs.lots * lot:.8g}"
    if abs(mine.ticks - theirs.ticks) >= 1:
        tick = one.bars.tick
        return f"price {mine.ticks * tick:.8g} against {theirs.ticks * tick:.8g}"
    return ""

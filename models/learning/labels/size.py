"""How large a position a probability allows: a fraction of Kelly on its lower bound, net."""

import math
from dataclasses import dataclass

FRACTION_OF_KELLY = 0.25


class SizeError(ValueError):
    """A figure that the size needs is missing or impossible."""


@dataclass(frozen=True, slots=True)
class Odds:
    """What an idea wins and loses, and what it costs, all in one unit (per cent or shares)."""

    target: float
    stop: float
    cost: float

    @property
    def ratio(self) -> float:
        """Return what is won for each unit lost, net: (target - cost) / (stop + cost)."""
        figures = (self.target, self.stop, self.cost)
        if not all(math.isfinite(figure) and figure >= 0 for figure in figures) or self.stop == 0:
            raise SizeError("the odds are not known")
        return (self.target - self.cost) / (self.stop + self.cost)


def kelly_fraction(probability: float, odds: Odds) -> float:
    """Return the growth-optimal share of capital, p - (1 - p) / b, at least 0 (Kelly, 1956).

    `probability` is that of reaching the target, b is `odds.ratio`. Raise `SizeError` where one is
    missing or out of range.
    """
    if not 0 <= probability <= 1:
        message = f"{probability} is no probability"
        raise SizeError(message)
    ratio = odds.ratio
    if ratio <= 0:
        return 0.0
    return max(0.0, probability - (1 - probability) / ratio)


def stake(probability_lower: float, odds: Odds, fraction: float = FRACTION_OF_KELLY) -> float:
    """Return the share of capital to stake on the *lower bound* of the probability.

    The account's own caps come after it.
    """
    if not 0 < fraction <= 1:
        message = f"{fraction} of Kelly is not between 0 and 1"
        raise SizeError(message)
    return fraction * kelly_fraction(probability_lower, odds)

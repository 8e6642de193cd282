"""The daily target-weight problem: how much of each pair to hold until the next day, net of trades.

Each challenger is a policy that is fitted on the days before a fold's test and then decides the
days of that test. A change of weight pays its costs; so does every switch of a regime.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from models.learning.features import definitions as define
from models.learning.features.bars import Bars
from models.learning.features.catalogue import FeatureSet
from models.learning.training.question import Plan, TrialResult

Floats = npt.NDArray[np.float64]
STATE = FeatureSet("challenger", 1, (define.trend(20, 100), define.realised_volatility(20)))


@dataclass(frozen=True, slots=True)
class Days:
    """The known days of a pair, in order, each of shape (days,).

    `ends` is when a day's close is known (seconds UTC); `gain` what the price does from that close
    to the next known one, a share, NaN for the newest; `trend` and `volatility` are NaN where their
    window is not whole, `before` is the logarithmic return that led to the close.
    """

    ends: npt.NDArray[np.int64]
    gain: Floats
    before: Floats
    trend: Floats
    volatility: Floats

    def until(self, moment: int) -> "Days":
        """Return the days whose gain was known at a moment: the last one would look ahead."""
        count = int(np.searchsorted(self.ends, moment, side="right"))
        cut = slice(0, max(count - 1, 0))
        return Days(
            self.ends[cut], self.gain[cut], self.before[cut], self.trend[cut], self.volatility[cut]
        )


class Policy(Protocol):
    """Decide weights; the first is decided while nothing is held."""

    def weights(self, days: Days) -> Floats:
        """Return the weight, 0 to 1, to hold after each day, shape (days,), from it and before."""
        ...


class Challenger(Protocol):
    """What can be fitted to days, and named."""

    @property
    def trial(self) -> str:
        """Name it in the ledger."""
        ...

    def fit(self, pairs: Sequence[Days], cost: float, rng: np.random.Generator) -> Policy:
        """Learn from the known days of every pair; `cost` is that of a change by a whole weight.

        `rng` is for whoever starts at random.
        """
        ...


def days_of(bars: Bars) -> Days:
    """Return the known days of a pair's bars."""
    figures = STATE.vectors(bars)
    known = np.flatnonzero(np.isfinite(bars.close))
    close = bars.close[known]
    steps = np.diff(np.log(close))
    return Days(
        bars.time[known] + bars.seconds,
        np.concatenate([np.expm1(steps), [np.nan]]),
        np.concatenate([[np.nan], steps]),
        figures[known, 0],
        figures[known, 1],
    )


def challenge(
    plan: Plan, histories: Sequence[Bars], challenger: Challenger, rng: np.random.Generator
) -> TrialResult:
    """Let a challenger decide the tested days of every fold, fitted on the days before it only."""
    question, periods = plan.question, plan.periods
    pairs = [days_of(bars) for bars in histories]
    cost = (question.exits.entry_cost + question.exits.exit_cost) / 2
    begins = [int(plan.samples.spans.start[fold.test].min()) for fold in plan.folds]
    ends = [*begins[1:], periods.begins + periods.count * periods.seconds]
    net, costs = np.zeros(periods.count), np.zeros(periods.count)
    share = question.largest_stake
    for first, last in zip(begins, ends, strict=True):
        past = [days.until(first - question.embargo_seconds) for days in pairs]
        policy = challenger.fit([days for days in past if days.ends.size], cost, rng)
        for days in pairs:
            _book(days, policy, (first, last), cost, share, plan, (net, costs))
    return TrialResult(challenger.trial, net, costs, np.empty(0), None, ())


def _book(
    days: Days,
    policy: Policy,
    span: tuple[int, int],
    cost: float,
    share: float,
    plan: Plan,
    into: tuple[Floats, Floats],
) -> None:
    net, costs = into
    begins, seconds, count = plan.periods.begins, plan.periods.seconds, plan.periods.count
    # The policy sees all days before its own, as it would live; only those of the span count.
    inside = (days.ends >= span[0]) & (days.ends < span[1]) & np.isfinite(days.gain)
    if not inside.any():
        return
    held = np.where(inside, policy.weights(days), 0.0)
    # What is held at the end of the span is sold: the next fold's policy begins with nothing.
    paid = np.abs(np.diff(held, prepend=0.0)) * cost
    earned = held * np.nan_to_num(days.gain, nan=0.0)
    rows = np.flatnonzero(inside | (paid > 0))
    # A gain is known at the next known close.
    known = np.append(days.ends[1:], days.ends[-1])[rows]
    period = np.clip((known - begins) // seconds, 0, count - 1)
    np.add.at(net, period, share * (earned - paid)[rows])
    np.add.at(costs, period, share * paid[rows])

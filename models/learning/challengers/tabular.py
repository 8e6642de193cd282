"""A small learner by reinforcement: a table of states and weights, valued by dynamic programming.

States are the trend's side by the tercile of volatility and the weight that is held; actions are
the weight to hold next; the reward is what that earns until the next day less the cost of the
change. The table is the certainty-equivalent one (Sutton and Barto, 2018, chapter 8): mean gains
and moves of the market are counted on the past, and value iteration solves them. The market's moves
do not depend on the action, so no exploration is needed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.learning.challengers.weights import Days, Floats, Policy

Codes = npt.NDArray[np.int64]
SIDES, TERCILES = 3, 3
STATES = SIDES * TERCILES
WEIGHTS = np.array([0.0, 0.5, 1.0])
SMALL_TREND = 0.5
DISCOUNT = 0.97
PRIOR_DAYS = 50.0
"""Mean gains are shrunk to zero as if so many days without a gain had been seen in each state."""
ROUNDS, CLOSE_ENOUGH = 2_000, 1e-10


@dataclass(frozen=True, slots=True)
class TableOfWeights:
    """The weight to hold by market state and weight held, shape (states, weights), as a number."""

    cuts: tuple[float, float]
    choice: Codes

    def weights(self, days: Days) -> Floats:
        """Return the weight to hold after each day; nothing while the state is not known."""
        states = codes(days, self.cuts)
        held, found = 0, np.zeros(states.size)
        for row, state in enumerate(states):
            held = 0 if state < 0 else int(self.choice[state, held])
            found[row] = WEIGHTS[held]
        return found


@dataclass(frozen=True, slots=True)
class Tabular:
    """The learner with its only parameter."""

    discount: float = DISCOUNT

    @property
    def trial(self) -> str:
        """Name it in the ledger."""
        return f"rl-table(discount={self.discount:g})"

    def fit(
        self,
        pairs: Sequence[Days],
        cost: float,
        rng: np.random.Generator,  # noqa: ARG002 the port's
    ) -> Policy:
        """Count gains and moves on every pair's past, and solve for the weights."""
        cuts = _cuts(pairs)
        gains, seen = np.zeros(STATES), np.zeros(STATES)
        moves = np.full((STATES, STATES), 1e-3)
        for days in pairs:
            states = codes(days, cuts)
            known = (states >= 0) & np.isfinite(days.gain)
            np.add.at(gains, states[known], days.gain[known])
            np.add.at(seen, states[known], 1.0)
            both = (states[:-1] >= 0) & (states[1:] >= 0)
            np.add.at(moves, (states[:-1][both], states[1:][both]), 1.0)
        mean = gains / (seen + PRIOR_DAYS)
        moves /= moves.sum(axis=1, keepdims=True)
        return TableOfWeights(cuts, solve(mean, moves, cost, self.discount))


def solve(gains: Floats, moves: Floats, cost: float, discount: float) -> Codes:
    """Return the best next weight's number by state and weight held: value iteration.

    `gains` is the mean gain of a day in each state, shape (states,), `moves` the chance of the next
    state, shape (states, states).
    """
    change = np.abs(WEIGHTS[:, None] - WEIGHTS[None, :]) * cost
    reward = gains[:, None, None] * WEIGHTS[None, None, :] - change[None, :, :]
    value = np.zeros((gains.size, WEIGHTS.size))
    for _ in range(ROUNDS):
        ahead = moves @ value
        worth = reward + discount * ahead[:, None, :]
        better = worth.max(axis=2)
        moved = float(np.abs(better - value).max())
        value = better
        if moved < CLOSE_ENOUGH:
            break
    choice: Codes = worth.argmax(axis=2)
    return choice


def codes(days: Days, cuts: tuple[float, float]) -> Codes:
    """Return the market's state after each day, shape (days,); -1 where it is not known."""
    side = np.where(days.trend > SMALL_TREND, 2, np.where(days.trend < -SMALL_TREND, 0, 1))
    tercile = np.searchsorted(np.asarray(cuts), np.nan_to_num(days.volatility, nan=0.0))
    known = np.isfinite(days.trend) & np.isfinite(days.volatility)
    found: Codes = np.where(known, side * TERCILES + tercile, -1).astype(np.int64)
    return found


def _cuts(pairs: Sequence[Days]) -> tuple[float, float]:
    seen = np.concatenate([days.volatility for days in pairs] or [np.zeros(0)])
    seen = seen[np.isfinite(seen)]
    if not seen.size:
        return (0.0, 0.0)
    low, high = np.quantile(seen, [1 / 3, 2 / 3])
    return float(low), float(high)

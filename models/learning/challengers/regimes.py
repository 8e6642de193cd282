"""A hidden Markov model of regimes as a challenger: hold while its filter says the good state.

It sees what was known at each day only (a forward filter, no smoothing), is frozen between fits,
and pays for each of its own switches.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.learning.challengers.weights import Days, Floats, Policy
from models.learning.regime.markov import RESTARTS, MarkovRegimes, RegimeError, fit_regimes

ENTER, LEAVE = 0.7, 0.4
LONGEST_ROUNDS = 60


@dataclass(frozen=True, slots=True)
class NothingHeld:
    """What a challenger does that could not learn: nothing."""

    def weights(self, days: Days) -> Floats:
        """Return zero for each day."""
        return np.zeros(days.ends.size)


@dataclass(frozen=True, slots=True)
class HoldGoodState:
    """Hold all of it from `ENTER` on, until the good states' probability falls below `LEAVE`."""

    model: MarkovRegimes
    good: tuple[int, ...]

    def weights(self, days: Days) -> Floats:
        """Return 1 or 0 for each day, from returns up to it."""
        known = np.isfinite(days.before)
        sure = np.zeros(days.ends.size)
        if self.good and known.any():
            sure[known] = self.model.filtered(days.before[known])[:, list(self.good)].sum(axis=1)
        held, found = 0.0, np.zeros(days.ends.size)
        for row, probability in enumerate(sure):
            held = 1.0 if probability >= ENTER else 0.0 if probability < LEAVE else held
            found[row] = held
        return found


@dataclass(frozen=True, slots=True)
class Regimes:
    """The challenger with its parameters."""

    states: int = 2
    restarts: int = RESTARTS

    @property
    def trial(self) -> str:
        """Name it in the ledger."""
        return f"hmm(states={self.states})"

    def fit(
        self,
        pairs: Sequence[Days],
        cost: float,  # noqa: ARG002 the port's
        rng: np.random.Generator,
    ) -> Policy:
        """Fit on the longest history; states whose mean return is above zero are the good ones."""
        longest = max(pairs, key=lambda days: days.ends.size, default=None)
        if longest is None:
            return NothingHeld()
        returns = longest.before[np.isfinite(longest.before)]
        try:
            model = fit_regimes(
                returns, self.states, rng, restarts=self.restarts, rounds=LONGEST_ROUNDS
            )
        except RegimeError:
            return NothingHeld()
        good = tuple(int(state) for state in np.flatnonzero(model.means > 0))
        return HoldGoodState(model, good)

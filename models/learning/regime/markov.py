"""A hidden Markov model of returns as a challenger, filtered forward: it never looks ahead.

Gaussian emissions, fitted by Baum and Welch's algorithm (Rabiner, 1989) in log-free scaled form,
from many starts; states are ordered by volatility, then by mean, so that a state means the same
after each fit.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
RESTARTS = 10
FEWEST_PER_STATE = 30
SMALLEST_VARIANCE = 1e-10


class RegimeError(ValueError):
    """A model of regimes cannot be fitted or filtered with what was given."""


@dataclass(frozen=True, slots=True)
class MarkovRegimes:
    """A fitted model, frozen until the next training.

    `start` (states,), `moves` (states, states) with rows from, columns to, `means` and `deviations`
    (states,) of the returns, `likelihood` the log-likelihood of the returns that it was fitted on.
    """

    start: Floats
    moves: Floats
    means: Floats
    deviations: Floats
    likelihood: float

    def filtered(self, returns: Floats) -> Floats:
        """Return P(state after bar t | returns up to t), shape (bars, states).

        The forward filter: a later return changes no earlier row, unlike smoothing or Viterbi's
        path.
        """
        if not np.isfinite(returns).all():
            raise RegimeError("a return is unknown")
        densities = _densities(self.means, self.deviations, returns)
        alpha, _ = _forward(self.start, self.moves, densities)
        return alpha


def fit_regimes(
    returns: Floats,
    states: int,
    rng: np.random.Generator,
    *,
    restarts: int = RESTARTS,
    rounds: int = 200,
) -> MarkovRegimes:
    """Fit from `restarts` random starts and keep the likeliest, ordered by volatility, mean."""
    values = np.asarray(returns, dtype=np.float64)
    if values.ndim != 1 or values.size < states * FEWEST_PER_STATE or not np.isfinite(values).all():
        raise RegimeError("too few known returns for so many states")
    if values.std() == 0:
        raise RegimeError("the returns do not vary")
    starts = [_random_start(values, states, rng) for _ in range(restarts)]
    found = max(_fitted(values, starts, rounds), key=lambda model: model.likelihood)
    return _ordered(found)


def _random_start(values: Floats, states: int, rng: np.random.Generator) -> MarkovRegimes:
    moves = rng.dirichlet(np.ones(states), size=states) * 0.2 + 0.8 * np.eye(states)
    spread = values.std() * rng.uniform(0.3, 2.0, states)
    return MarkovRegimes(
        np.full(states, 1 / states),
        moves / moves.sum(axis=1, keepdims=True),
        rng.choice(values, states),
        spread,
        -math.inf,
    )


def _densities(means: Floats, deviations: Floats, values: Floats) -> Floats:
    """Return the densities of values, shape (bars, ..., states), under states of (..., states)."""
    distance = (values.reshape(-1, *[1] * means.ndim) - means) / deviations
    densities: Floats = np.exp(-0.5 * distance**2) / (deviations * math.sqrt(2 * math.pi))
    # A return beyond all states is as likely under each: it moves no probability.
    return np.maximum(densities, 1e-300)


def _forward(start: Floats, moves: Floats, densities: Floats) -> tuple[Floats, Floats]:
    """Filter forward; with a middle axis, many models at once: a loop over bars costs the same."""
    alpha, scale = np.empty_like(densities), np.empty(densities.shape[:-1])
    ahead = start
    for row, density in enumerate(densities):
        joint = ahead * density
        scale[row] = joint.sum(axis=-1)
        alpha[row] = joint / scale[row, ..., None]
        ahead = (alpha[row][..., None, :] @ moves)[..., 0, :]
    return alpha, scale


def _backward(moves: Floats, densities: Floats, scale: Floats) -> Floats:
    beta = np.ones_like(densities)
    for row in range(densities.shape[0] - 2, -1, -1):
        seen = densities[row + 1] * beta[row + 1] / scale[row + 1, ..., None]
        beta[row] = (moves @ seen[..., None])[..., 0]
    return beta


def _fitted(values: Floats, starts: list[MarkovRegimes], rounds: int) -> list[MarkovRegimes]:
    """Improve all starts together until none gains any more, or the rounds are over."""
    start = np.stack([one.start for one in starts])
    moves = np.stack([one.moves for one in starts])
    means = np.stack([one.means for one in starts])
    deviations = np.stack([one.deviations for one in starts])
    floor = max(SMALLEST_VARIANCE, float(values.var()) * 1e-4)
    likelihood = np.full(len(starts), -math.inf)
    for _ in range(rounds):
        densities = _densities(means, deviations, values)
        alpha, scale = _forward(start, moves, densities)
        found = np.log(scale).sum(axis=0)
        beta = _backward(moves, densities, scale)
        weight = alpha * beta
        weight /= weight.sum(axis=-1, keepdims=True)
        seen = densities[1:] * beta[1:] / scale[1:, :, None]
        pairs = np.einsum("tri,trj->rij", alpha[:-1], seen) * moves
        total = weight.sum(axis=0)
        means = np.einsum("trs,t->rs", weight, values) / total
        spread = (values[:, None, None] - means) ** 2
        deviations = np.sqrt(np.maximum((weight * spread).sum(axis=0) / total, floor))
        start, moves = weight[0], pairs / pairs.sum(axis=-1, keepdims=True)
        # The first round gains from nothing known: infinitely much.
        is_done = bool((found - likelihood < 1e-6 * np.abs(found)).all())
        likelihood = found
        if is_done:
            break
    return [
        MarkovRegimes(start[n], moves[n], means[n], deviations[n], float(likelihood[n]))
        for n in range(len(starts))
    ]


def _ordered(model: MarkovRegimes) -> MarkovRegimes:
    order = np.lexsort((model.means, model.deviations))
    return MarkovRegimes(
        model.start[order],
        model.moves[np.ix_(order, order)],
        model.means[order],
        model.deviations[order],
        model.likelihood,
    )

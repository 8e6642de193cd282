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
        alpha, _ = _forward(self, _densities(self, returns))
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
    found = max(
        (_fitted(values, _random_start(values, states, rng), rounds) for _ in range(restarts)),
        key=lambda model: model.likelihood,
    )
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


def _densities(model: MarkovRegimes, values: Floats) -> Floats:
    distance = (values[:, None] - model.means) / model.deviations
    densities: Floats = np.exp(-0.5 * distance**2) / (model.deviations * math.sqrt(2 * math.pi))
    # A return beyond all states is as likely under each: it moves no probability.
    return np.maximum(densities, 1e-300)


def _forward(model: MarkovRegimes, densities: Floats) -> tuple[Floats, Floats]:
    alpha, scale = np.empty_like(densities), np.empty(densities.shape[0])
    ahead = model.start
    for row, density in enumerate(densities):
        joint = ahead * density
        scale[row] = joint.sum()
        alpha[row] = joint / scale[row]
        ahead = alpha[row] @ model.moves
    return alpha, scale


def _fitted(values: Floats, model: MarkovRegimes, rounds: int) -> MarkovRegimes:
    for _ in range(rounds):
        densities = _densities(model, values)
        alpha, scale = _forward(model, densities)
        likelihood = float(np.log(scale).sum())
        beta = _backward(model, densities, scale)
        weight = alpha * beta
        weight /= weight.sum(axis=1, keepdims=True)
        pairs = alpha[:-1].T @ (densities[1:] * beta[1:] / scale[1:, None]) * model.moves
        total = weight.sum(axis=0)
        means = (weight * values[:, None]).sum(axis=0) / total
        variance = (weight * (values[:, None] - means) ** 2).sum(axis=0) / total
        floor = max(SMALLEST_VARIANCE, float(values.var()) * 1e-4)
        gained = likelihood - model.likelihood
        model = MarkovRegimes(
            weight[0],
            pairs / pairs.sum(axis=1, keepdims=True),
            means,
            np.sqrt(np.maximum(variance, floor)),
            likelihood,
        )
        if gained < 1e-6 * abs(likelihood):
            break
    return model


def _backward(model: MarkovRegimes, densities: Floats, scale: Floats) -> Floats:
    beta = np.ones_like(densities)
    for row in range(densities.shape[0] - 2, -1, -1):
        beta[row] = model.moves @ (densities[row + 1] * beta[row + 1]) / scale[row + 1]
    return beta


def _ordered(model: MarkovRegimes) -> MarkovRegimes:
    order = np.lexsort((model.means, model.deviations))
    return MarkovRegimes(
        model.start[order],
        model.moves[np.ix_(order, order)],
        model.means[order],
        model.deviations[order],
        model.likelihood,
    )

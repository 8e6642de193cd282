"""Was the best chosen by luck: probability of overfitting, and superior predictive ability."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from models.learning.validation.bootstrap import optimal_block_length, stationary_indices
from models.learning.validation.sharpe import UnknownStatisticError

Floats = npt.NDArray[np.float64]
PARTS = 16
FEWEST_TRIALS = 2


@dataclass(frozen=True, slots=True)
class Overfitting:
    """How often the best in sample falls below the median out of sample.

    `probability` is the share of the splits; `loss_probability` the share where what was chosen
    lost money out of sample. Never judge by `probability` alone: a set of trials that all lose
    scores low.
    """

    probability: float
    loss_probability: float
    splits: int


def probability_of_overfitting(results: Floats, parts: int = PARTS) -> Overfitting:
    """Judge a table of net results, shape (observations, trials), by symmetric cross-validation.

    Bailey, Borwein, Lopez de Prado, Zhu, "The probability of backtest overfitting" (2017): the rows
    are cut into `parts` (even) blocks; each half of them chooses the trial with the best Sharpe
    ratio, the other half ranks it.
    """
    table = np.asarray(results, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] < FEWEST_TRIALS:
        raise UnknownStatisticError("needs a table of results by at least two trials")
    if parts % 2 or table.shape[0] < 2 * parts or not np.isfinite(table).all():
        raise UnknownStatisticError(
            "needs finite results, two rows for each of an even number of parts"
        )
    blocks = np.array_split(np.arange(table.shape[0]), parts)
    counts = np.array([len(block) for block in blocks], dtype=np.float64)
    sums = np.array([table[block].sum(axis=0) for block in blocks])
    squares = np.array([(table[block] ** 2).sum(axis=0) for block in blocks])
    chosen_rows = np.zeros((_binomial(parts), parts), dtype=np.float64)
    for row, half in enumerate(combinations(range(parts), parts // 2)):
        chosen_rows[row, list(half)] = 1.0
    inside = _sharpes(chosen_rows, counts, sums, squares)
    outside = _sharpes(1 - chosen_rows, counts, sums, squares)
    best = inside.argmax(axis=1)
    taken = outside[np.arange(best.size), best]
    below = (outside < taken[:, None]).sum(axis=1)
    equal = (outside == taken[:, None]).sum(axis=1)
    rank = (below + (equal + 1) / 2) / (table.shape[1] + 1)
    return Overfitting(float((rank <= 0.5).mean()), float((taken < 0).mean()), int(best.size))


def _binomial(parts: int) -> int:
    return sum(1 for _ in combinations(range(parts), parts // 2))


def _sharpes(chosen: Floats, counts: Floats, sums: Floats, squares: Floats) -> Floats:
    """Return Sharpe ratios, shape (splits, trials); a trial that does not vary scores zero."""
    rows = (chosen @ counts)[:, None]
    mean = chosen @ sums / rows
    variance = np.maximum(chosen @ squares / rows - mean**2, 0.0) * rows / (rows - 1)
    deviation = np.sqrt(variance)
    quiet = deviation <= 1e-12 * np.maximum(1.0, np.abs(mean))
    ratio: Floats = np.where(quiet, 0.0, mean / np.where(quiet, 1.0, deviation))
    return ratio


def superior_ability(
    candidate: Floats, benchmarks: Floats, rng: np.random.Generator, *, samples: int = 2_000
) -> float:
    """Return the p-value of "no candidate beats the benchmark", consistent form (Hansen, 2005).

    `candidate` has shape (observations,) or (observations, candidates) and `benchmarks` shape
    (observations,): net results of the same periods. Studentised, stationary bootstrap.
    """
    wins = np.asarray(candidate, dtype=np.float64)
    wins = wins[:, None] if wins.ndim == 1 else wins
    gains = wins - np.asarray(benchmarks, dtype=np.float64)[:, None]
    size = gains.shape[0]
    if not np.isfinite(gains).all():
        raise UnknownStatisticError("a result is not a finite number")
    block = max(optimal_block_length(column)[0] for column in gains.T)
    mean = gains.mean(axis=0)
    drawn = np.stack(
        [gains[row].mean(axis=0) for row in stationary_indices(size, block, rng, samples)]
    )
    spread = np.sqrt(size * ((drawn - mean) ** 2).mean(axis=0))
    live = spread > 0
    if not live.any():
        return 1.0
    mean, spread, drawn = mean[live], spread[live], drawn[:, live]
    observed = max(0.0, float((np.sqrt(size) * mean / spread).max()))
    hopeless = np.sqrt(size) * mean / spread <= -np.sqrt(2 * np.log(np.log(size)))
    centre = np.where(hopeless, 0.0, mean)
    best = np.maximum(0.0, (np.sqrt(size) * (drawn - centre) / spread).max(axis=1))
    return float((best >= observed).mean()) if observed > 0 else 1.0

"""The watch of a champion: what it does is compared with what it did out of sample.

Four questions, in this order: do its log-losses on all decisions rise, do the results of what it
took fall, has it fallen from its high by more than 99 of 100 healthy records do, is its time up.
Both sums look for the change that a signal of the opposite sign would bring (Page, 1954: half of
the shift as the allowance); their thresholds come from a bootstrap of the champion's own record.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.learning.watching.cusum import Cusum, WatchError

Floats = npt.NDArray[np.float64]
EDGE = 1e-6
FEWEST = 30
LOSS_ALARMS, RESULT_ALARMS = 0.3, 0.3
"""False alarms in a thousand trades that each sum may raise; with the drawdown below one."""
HORIZON = 1_000
PATHS = 400
DRAWDOWN_TRADES = 250
DRAWDOWN_CONFIDENCE = 0.99
SMALLEST_ALLOWANCE, LARGEST_ALLOWANCE = 0.1, 1.0
THRESHOLDS = np.geomspace(0.5, 60.0, 60)


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision whose answer is known: the probability, and what an entry came to, net.

    `net` is a share of what was, or would have been, paid; `taken` whether it was.
    """

    probability: float
    net: float
    taken: bool


@dataclass(frozen=True, slots=True)
class Watch:
    """A champion's watch before its first decision."""

    losses: Cusum
    results: Cusum
    drawdown: float

    def alarm(self, decisions: Sequence[Decided]) -> str:
        """Return why the champion is to be withdrawn after these decisions, "" while it is not.

        Raise `WatchError` where a figure is not known.
        """
        return self._first(decisions)[1]

    def first_alarm(self, decisions: Sequence[Decided]) -> int | None:
        """Return how many decisions there were at the first alarm, None where there is none."""
        number, why = self._first(decisions)
        return number if why else None

    def _first(self, decisions: Sequence[Decided]) -> tuple[int, str]:
        losses, results, wealth, high = self.losses, self.results, 0.0, 0.0
        said = np.array([one.probability for one in decisions], dtype=np.float64)
        wins = np.array([one.net > 0 for one in decisions], dtype=np.bool_)
        lost = log_losses(said, wins)
        for number, (decided, loss) in enumerate(zip(decisions, lost, strict=True), start=1):
            if not math.isfinite(decided.net):
                raise WatchError("a result is not known")
            losses = losses.after(-float(loss))
            if losses.fired:
                return number, f"log-losses have risen: {_figures(losses)} by decision {number}"
            if not decided.taken:
                continue
            results = results.after(decided.net)
            if results.fired:
                return number, f"results have fallen: {_figures(results)} by trade {results.count}"
            wealth += decided.net
            high = max(high, wealth)
            if high - wealth > self.drawdown:
                fall = f"{high - wealth:.4f} against {self.drawdown:.4f}"
                return number, f"the fall from its high is beyond what is healthy: {fall}"
        return len(decisions), ""


def log_losses(probabilities: Floats, wins: npt.NDArray[np.bool_]) -> Floats:
    """Return the log-loss of each probability, shape (decisions,). Raise `WatchError` for NaN."""
    if not np.isfinite(probabilities).all():
        raise WatchError("a probability is not known")
    inside = np.clip(probabilities, EDGE, 1 - EDGE)
    found: Floats = -np.log(np.where(wins, inside, 1 - inside))
    return found


def make_watch(losses: Floats, results: Floats, rng: np.random.Generator, block: int = 1) -> Watch:
    """Make the watch of a champion from its out-of-sample losses and results, shape (count,) each.

    `block` is how many neighbours are drawn together: decisions that share days are not
    independent. Raise `WatchError` where there are too few, or they do not vary.
    """
    if losses.size < FEWEST or results.size < FEWEST:
        raise WatchError(f"a watch needs {FEWEST} decisions and {FEWEST} trades out of sample")
    # What the same probabilities lose when every answer is the other one.
    flipped = -np.log(np.clip(-np.expm1(-losses), EDGE, 1.0))
    # There are several decisions to each trade.
    alarms = LOSS_ALARMS * results.size / losses.size
    return Watch(
        _sum_over(-losses, float(losses.mean() - flipped.mean()), alarms, rng, block),
        _sum_over(results, float(-2 * results.mean()), RESULT_ALARMS, rng, block),
        _drawdown(results, rng, block),
    )


def _sum_over(
    values: Floats, change: float, alarms: float, rng: np.random.Generator, block: int
) -> Cusum:
    """Make the sum that looks for a fall of the mean by `change` (below zero)."""
    deviation = float(values.std(ddof=1))
    if not (np.isfinite(values).all() and deviation > 0):
        raise WatchError("the champion's own deviation is not known")
    allowance = min(max(-change / deviation / 2, SMALLEST_ALLOWANCE), LARGEST_ALLOWANCE)
    threshold = threshold_for(values, allowance, rng, alarms=alarms, block=block)
    return Cusum(float(values.mean()), deviation, allowance, threshold)


def threshold_for(
    values: Floats, allowance: float, rng: np.random.Generator, *, alarms: float, block: int = 1
) -> float:
    """Return the smallest threshold with at most `alarms` false alarms in a thousand values.

    By bootstrap of the champion's own values, shape (count,); after an alarm the sum begins anew.
    """
    shortfalls = (values.mean() - values) / values.std(ddof=1) - allowance
    steps = _drawn(shortfalls, HORIZON, rng, block)
    score = np.zeros((PATHS, THRESHOLDS.size))
    raised = np.zeros(THRESHOLDS.size)
    for step in steps.T:
        score = np.maximum(0.0, score + step[:, None])
        fired = score > THRESHOLDS
        raised += fired.sum(axis=0)
        score[fired] = 0.0
    enough = np.flatnonzero(raised / PATHS <= alarms)
    if not enough.size:
        raise WatchError("no threshold keeps false alarms rare: the results do not vary evenly")
    return float(THRESHOLDS[enough[0]])


def _drawdown(results: Floats, rng: np.random.Generator, block: int) -> float:
    wealth = np.cumsum(_drawn(results, DRAWDOWN_TRADES, rng, block), axis=1)
    wealth = np.concatenate([np.zeros((PATHS, 1)), wealth], axis=1)
    falls = (np.maximum.accumulate(wealth, axis=1) - wealth).max(axis=1)
    return float(np.quantile(falls, DRAWDOWN_CONFIDENCE))


def _drawn(values: Floats, length: int, rng: np.random.Generator, block: int) -> Floats:
    begin = rng.integers(0, values.size, size=(PATHS, -(-length // block)))
    rows = (begin[:, :, None] + np.arange(block)) % values.size
    drawn: Floats = values[rows.reshape(PATHS, -1)[:, :length]]
    return drawn


def _figures(found: Cusum) -> str:
    return f"{found.score:.1f} against {found.threshold:.1f} deviations"

"""A one-sided cumulative sum that notices a mean that has fallen (Page, 1954)."""

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
SIEGMUND_CORRECTION = 1.166


class WatchError(ValueError):
    """A figure that the watch needs is missing."""


@dataclass(frozen=True, slots=True)
class Cusum:
    """The state of a watch over results in the champion's own standard deviations.

    `expected` and `deviation` are those of the results that it was promoted on; `allowance` (k) and
    `threshold` (h) are in deviations. `score` is how far the sum has risen, `count` how many
    results.
    """

    expected: float
    deviation: float
    allowance: float
    threshold: float
    score: float = 0.0
    count: int = 0

    def __post_init__(self) -> None:
        if not (self.deviation > 0 and math.isfinite(self.deviation)):
            raise WatchError("the champion's own deviation is not known")
        if not (math.isfinite(self.expected) and self.threshold > 0 and self.allowance >= 0):
            raise WatchError("the watch's figures are not known")

    @property
    def fired(self) -> bool:
        """Say whether the results have fallen: the champion is to be withdrawn."""
        return self.score > self.threshold

    def after(self, result: float) -> "Cusum":
        """Return the state after one more result. Raise `WatchError` where it is not a number."""
        if not math.isfinite(result):
            raise WatchError("a result is not a finite number")
        shortfall = (self.expected - result) / self.deviation
        score = max(0.0, self.score + shortfall - self.allowance)
        return replace(self, score=score, count=self.count + 1)


def run_length(allowance: float, threshold: float, shift: float) -> float:
    """Approximate the mean number of results until the watch fires, for normal ones.

    Siegmund (1985). `shift` is the fall in deviations; 0 gives the run length to a false alarm.
    """
    drift = shift - allowance
    reach = threshold + SIEGMUND_CORRECTION
    if abs(drift) < 1e-9:
        return reach**2
    return (math.exp(-2 * drift * reach) + 2 * drift * reach - 1) / (2 * drift**2)


def calibrated_threshold(
    results: Floats,
    allowance: float,
    rng: np.random.Generator,
    *,
    horizon: int = 1_000,
    false_alarms: float = 0.01,
    samples: int = 2_000,
    block: int = 1,
) -> float:
    """Return the threshold that a healthy champion passes with probability `false_alarms`.

    Within `horizon` results.

    By bootstrap of the champion's own out-of-sample results, shape (results,), in blocks of
    `block`.
    """
    values = np.asarray(results, dtype=np.float64)
    deviation = float(values.std(ddof=1)) if values.size > 1 else math.nan
    if not (deviation > 0 and np.isfinite(values).all()):
        raise WatchError("the champion's own deviation is not known")
    shortfalls = (values.mean() - values) / deviation
    begin = rng.integers(0, values.size, size=(samples, -(-horizon // block)))
    rows = (begin[:, :, None] + np.arange(block)) % values.size
    steps = shortfalls[rows.reshape(samples, -1)[:, :horizon]] - allowance
    # The score is the sum less its running minimum: its maximum over the horizon in one pass.
    sums = np.concatenate([np.zeros((samples, 1)), np.cumsum(steps, axis=1)], axis=1)
    highest = (sums - np.minimum.accumulate(sums, axis=1)).max(axis=1)
    return float(np.quantile(highest, 1 - false_alarms))

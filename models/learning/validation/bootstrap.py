"""The stationary bootstrap: what dependent results could as well have been.

Politis and Romano, "The stationary bootstrap" (1994); block lengths by Politis and White (2004)
with the correction of Patton, Politis and White (2009).
"""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from models.learning.validation.sharpe import UnknownStatisticError

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
SMALLEST_SAMPLE = 8


def stationary_indices(
    observations: int, block_length: float, rng: np.random.Generator, samples: int
) -> Indices:
    """Draw `samples` rows of indices, shape (samples, observations), in blocks of geometric length.

    `block_length` is the mean length in observations (at least 1). A block that reaches the end
    goes on at the beginning.
    """
    if observations < 1 or not block_length >= 1:
        message = f"cannot draw {observations} observations in blocks of {block_length}"
        raise UnknownStatisticError(message)
    starts = rng.integers(0, observations, size=(samples, observations))
    fresh = rng.random((samples, observations)) < 1 / block_length
    fresh[:, 0] = True
    position = np.arange(observations)
    since = np.maximum.accumulate(np.where(fresh, position, 0), axis=1)
    begun = np.take_along_axis(starts, since, axis=1)
    drawn: Indices = (begun + position - since) % observations
    return drawn


def optimal_block_length(values: Floats) -> tuple[float, float]:
    """Return the block lengths for the (stationary, circular) bootstrap of a mean, in observations.

    Both are at least 1 and at most min(3 sqrt(T), T / 3), as Patton's published code has it.
    """
    values = np.asarray(values, dtype=np.float64)
    size = values.size
    if values.ndim != 1 or size < SMALLEST_SAMPLE or not np.isfinite(values).all():
        raise UnknownStatisticError("needs at least eight finite values")
    centred = values - values.mean()
    if not np.any(centred):
        return 1.0, 1.0
    longest = math.ceil(min(3 * math.sqrt(size), size / 3))
    window = max(5, int(math.log10(size)))
    most = math.ceil(math.sqrt(size)) + window
    most = min(most, size - 2)
    threshold = 2 * math.sqrt(math.log10(size) / size)
    covariances = np.array(
        [np.dot(centred[lag:], centred[: size - lag]) for lag in range(most + 1)]
    )
    covariances /= size
    small = np.abs(covariances[1:most] / covariances[0]) < threshold
    bandwidth = _bandwidth(small, window, most)
    lags = np.arange(-bandwidth, bandwidth + 1)
    ratio = np.abs(lags) / bandwidth
    taper = np.where(ratio <= 0.5, 1.0, 2 * (1 - ratio))
    around = covariances[np.abs(lags)]
    slope = float(np.sum(taper * np.abs(lags) * around))
    level = float(np.sum(taper * around))
    if level == 0:
        return 1.0, 1.0
    stationary, circular = 2 * level**2, 4 / 3 * level**2
    lengths = [
        (2 * slope**2 / denominator) ** (1 / 3) * size ** (1 / 3)
        for denominator in (stationary, circular)
    ]
    return (
        min(max(1.0, lengths[0]), float(longest)),
        min(max(1.0, lengths[1]), float(longest)),
    )


def _bandwidth(small: npt.NDArray[np.bool_], window: int, most: int) -> int:
    """Return twice the first lag from which `window` autocorrelations in a row are insignificant.

    `small[0]` belongs to lag one. Where there is no such lag, `most`.
    """
    for first in range(small.size - window + 1):
        if small[first : first + window].all():
            return min(2 * (first + 1), most)
    return most


def lower_bound(
    values: Floats,
    rng: np.random.Generator,
    *,
    confidence: float = 0.95,
    samples: int = 2_000,
    statistic: Callable[[Floats], Floats] | None = None,
) -> float:
    """Return the one-sided lower bound of the mean (or `statistic`) by stationary bootstrap.

    `values` has shape (observations,), in the unit of the answer. `statistic` maps shape
    (samples, observations) to (samples,). The basic (pivotal) interval, 2 x estimate - upper
    quantile, does not inherit the estimate's own bias.
    """
    values = np.asarray(values, dtype=np.float64)
    stationary, _ = optimal_block_length(values)
    measure = statistic or (lambda rows: rows.mean(axis=1))
    drawn = values[stationary_indices(values.size, stationary, rng, samples)]
    spread = measure(drawn)
    estimate = float(measure(values[None, :])[0])
    return 2 * estimate - float(np.quantile(spread, confidence))

"""Have the features moved away from what the model was trained on: a reason to train again.

Never a reason to withdraw: a model may do well in a market that it has not seen much of, and what
it does badly shows in its results.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from models.learning.watching.cusum import WatchError

Floats = npt.NDArray[np.float64]
BINS = 10
FEWEST = 60
CONFIDENCE = 0.99
SMALLEST_SHARE = 1e-4


@dataclass(frozen=True, slots=True)
class Drift:
    """How far a feature has moved: its stability index, and the largest that chance explains."""

    feature: str
    index: float
    limit: float

    @property
    def has_moved(self) -> bool:
        """Say whether chance explains it no more."""
        return self.index > self.limit

    def __str__(self) -> str:
        return f"{self.feature} {self.index:.2f} against {self.limit:.2f}"


def edges_of(features: Floats) -> tuple[tuple[float, ...], ...]:
    """Return the nine inner edges of ten equally full bins of each feature, features first."""
    inner = np.arange(1, BINS) / BINS
    return tuple(tuple(map(float, row)) for row in np.quantile(features, inner, axis=0).T)


def stability_index(edges: Sequence[float], values: Floats) -> float:
    """Return the population stability index of values, shape (count,), against equal bins."""
    now = np.bincount(np.searchsorted(np.asarray(edges), values), minlength=BINS) / values.size
    now = np.maximum(now, SMALLEST_SHARE)
    return float(((now - 1 / BINS) * np.log(now * BINS)).sum())


def largest_healthy_index(trained: float, seen: float, features: int = 1) -> float:
    """Return the index that chance alone exceeds for one of so many features in a hundred looks.

    Where nothing has moved, the index over (1 / trained + 1 / seen) is chi-squared with nine
    degrees of freedom: its mean is (bins - 1) x (1 / trained + 1 / seen), and so large for few
    observations that a fixed limit like 0.25 would alarm on nothing (Yurdakul and Naranjo, 2020).
    `trained` and `seen` are effective numbers. The quantile is Wilson and Hilferty's (1931).
    """
    freedom = BINS - 1
    point = NormalDist().inv_cdf(1 - (1 - CONFIDENCE) / features)
    part = 2 / (9 * freedom)
    quantile = freedom * (1 - part + point * part**0.5) ** 3
    return float(quantile * (1 / trained + 1 / seen))


def drifts_of(
    names: Sequence[str],
    edges: Sequence[Sequence[float]],
    trained: float,
    vectors: Floats,
    overlap: float,
) -> list[Drift]:
    """Measure how far each feature has moved; `vectors` has shape (count, features).

    `overlap` is how many neighbouring vectors tell the same: that many count as one. Nothing is
    said of fewer than sixty vectors. Raise `WatchError` where names, edges and vectors differ.
    """
    if len(names) != len(edges) or vectors.ndim != 2 or vectors.shape[1] != len(names):
        raise WatchError("the model's bins are not those of its features")
    found = []
    for name, own, values in zip(names, edges, vectors.T, strict=True):
        known = values[np.isfinite(values)]
        # A feature of few values, such as the day of the week, has no ten bins.
        if known.size < FEWEST or len(set(own)) < BINS - 1:
            continue
        limit = largest_healthy_index(trained, known.size / overlap, len(names))
        found.append(Drift(name, stability_index(own, known), limit))
    return found


def drifted(
    names: Sequence[str],
    edges: Sequence[Sequence[float]],
    trained: float,
    vectors: Floats,
    overlap: float,
) -> list[str]:
    """Name the features that have moved, with how far; see `drifts_of`."""
    found = drifts_of(names, edges, trained, vectors, overlap)
    return [str(one) for one in found if one.has_moved]

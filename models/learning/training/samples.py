"""Samples of a question: what was known at each decision, and what came of it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.learning.features.bars import Bars
from models.learning.features.catalogue import FeatureSet
from models.learning.labels.exits import UNRESOLVED, Exits, label_entries
from models.learning.labels.uniqueness import average_uniqueness
from models.learning.validation.spans import Spans

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Primary = Callable[[Bars], Flags]
"""A primary rule: says at the close of each bar whether it would enter, shape (bars,)."""


class SamplesError(ValueError):
    """No samples can be made of what was given."""


@dataclass(frozen=True, slots=True)
class Samples:
    """Decisions of all pairs in the order of their time.

    `features` (samples, features), `net` the label's net return (samples,), `spans` in seconds UTC
    from the decision to the answer, `weights` with mean 1 (uniqueness times size), `unique` the
    average uniqueness, `pair` the number of the pair.
    """

    features: Floats
    net: Floats
    spans: Spans
    weights: Floats
    unique: Floats
    pair: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return int(self.net.size)

    @property
    def profitable(self) -> Flags:
        """Say for each sample whether it earned more than it cost."""
        answer: Flags = self.net > 0
        return answer


def make_samples(
    histories: Iterable[Bars],
    features: FeatureSet,
    primary: Primary,
    exits: Exits,
    *,
    shift: int = 0,
) -> Samples:
    """Make the samples of all pairs where the primary rule enters and every figure is known.

    `shift` bars turn the feature vectors against the answers in a circle: a null market in which
    features and answers keep their own nature and have nothing to do with each other. Raise
    `SamplesError` where nothing is left.
    """
    parts = [
        _of_pair(number, bars, features, primary, exits, shift)
        for number, bars in enumerate(histories)
    ]
    rows = [part for part in parts if part[1].size]
    if not rows:
        raise SamplesError("no decision has every figure and an answer")
    vectors, net, start, end, pair = (np.concatenate(column) for column in zip(*rows, strict=True))
    order = np.argsort(start, kind="stable")
    spans = Spans(start[order], end[order])
    unique = _uniqueness_by_pair(spans, pair[order])
    size = np.abs(net[order])
    weights = unique * (size if size.any() else 1.0)
    return Samples(
        vectors[order],
        net[order],
        spans,
        weights * weights.size / weights.sum(),
        unique,
        pair[order],
    )


def _of_pair(
    number: int, bars: Bars, features: FeatureSet, primary: Primary, exits: Exits, shift: int
) -> tuple[Floats, Floats, npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    vectors = np.roll(features.vectors(bars), shift, axis=0)
    labels = label_entries(bars.open, bars.high, bars.low, bars.close, exits)
    wanted = primary(bars) & np.isfinite(vectors).all(axis=1) & (labels.outcome != UNRESOLVED)
    chosen = np.flatnonzero(wanted)
    start = bars.time[chosen] + bars.seconds
    end = bars.time[0] + labels.end[chosen] * bars.seconds
    return vectors[chosen], labels.net[chosen], start, end, np.full(chosen.size, number)


def _uniqueness_by_pair(spans: Spans, pair: npt.NDArray[np.int64]) -> Floats:
    unique = np.empty(len(spans))
    for number in np.unique(pair):
        rows = pair == number
        unique[rows] = average_uniqueness(Spans(spans.start[rows], spans.end[rows]))
    return unique

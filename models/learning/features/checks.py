"""Checks by name that a feature set neither looks ahead nor remembers its warm-up."""

import numpy as np
import numpy.typing as npt

from models.learning.features.bars import Bars
from models.learning.features.catalogue import FeatureSet

Floats = npt.NDArray[np.float64]
CUTS = 7


def features_that_look_ahead(
    features: FeatureSet, bars: Bars, rng: np.random.Generator
) -> list[str]:
    """Name the features whose past values change when the future is cut off or replaced.

    `bars` needs at least twice the set's lookback. Tried at seven cuts, each with the future
    removed and with one drawn anew.
    """
    whole = features.vectors(bars)
    found = np.zeros(len(features.features), dtype=bool)
    for cut in rng.integers(features.lookback + 1, len(bars) - 1, size=CUTS):
        before = whole[:cut]
        for other in (bars.part(0, int(cut)), _with_another_future(bars, int(cut), rng)):
            found |= _differ(features.vectors(other)[:cut], before)
    return [name for name, differs in zip(features.names, found, strict=True) if differs]


def features_that_remember(features: FeatureSet, bars: Bars) -> list[str]:
    """Name the features whose value depends on how much history came before their lookback."""
    whole = features.vectors(bars)
    found = np.zeros(len(features.features), dtype=bool)
    for first in np.linspace(1, len(bars) - features.lookback - 1, CUTS).astype(int):
        late = features.vectors(bars.part(int(first), len(bars)))
        ready = features.lookback - 1
        found |= _differ(late[ready:], whole[first + ready :])
    return [name for name, differs in zip(features.names, found, strict=True) if differs]


def _with_another_future(bars: Bars, cut: int, rng: np.random.Generator) -> Bars:
    order = np.concatenate([np.arange(cut), rng.permutation(np.arange(cut, len(bars)))])
    columns = {name: bars.column(name)[order] * 1.0 for name in bars.names()}
    for column in columns.values():
        column[cut:] *= rng.uniform(0.5, 2.0)
    return Bars(bars.time, bars.seconds, **columns)


def _differ(one: Floats, other: Floats) -> npt.NDArray[np.bool_]:
    same = (one == other) | (np.isnan(one) & np.isnan(other))
    changed: npt.NDArray[np.bool_] = ~same.all(axis=0)
    return changed

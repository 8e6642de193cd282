"""Sets of features by name and version, computed over history or for the newest bar alike."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from models.learning.features import definitions as define
from models.learning.features.bars import COLUMNS, REFERENCE, Bars, BarsError, Window, windows
from models.learning.features.definitions import Feature

Floats = npt.NDArray[np.float64]
ROWS_AT_ONCE = 4_096
"""How many windows are measured together: bounds the memory that a long history takes."""


@dataclass(frozen=True)
class FeatureSet:
    """Features in their order; a model pins the set by `fingerprint`."""

    name: str
    version: int
    features: tuple[Feature, ...]

    def __post_init__(self) -> None:
        names = [feature.name for feature in self.features]
        if not names or len(set(names)) != len(names):
            raise BarsError("a feature set needs features with names of their own")

    @cached_property
    def lookback(self) -> int:
        """Return how many bars a vector needs, the current one included."""
        return max(feature.lookback for feature in self.features)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Return the names in the order of the vector."""
        return tuple(feature.name for feature in self.features)

    @cached_property
    def fingerprint(self) -> str:
        """Return a hash of what the set is made of: names, units, sources, lookbacks, order."""
        parts = [
            f"{f.name}|{f.unit}|{f.source}|{f.lookback}|{f.lag_seconds}" for f in self.features
        ]
        text = "\n".join([self.name, str(self.version), *parts])
        return hashlib.sha256(text.encode()).hexdigest()

    def vectors(self, bars: Bars) -> Floats:
        """Measure every bar, shape (bars, features); bars without a whole window are NaN."""
        found = np.full((len(bars), len(self.features)), np.nan)
        first = self.lookback - 1
        if len(bars) < self.lookback:
            return found
        view = windows(bars, self.lookback)
        for start in range(0, len(bars) - first, ROWS_AT_ONCE):
            rows = slice(start, start + ROWS_AT_ONCE)
            part = Window(
                view.time[rows],
                view.seconds,
                {name: column[rows] for name, column in view.columns.items()},
            )
            found[first + start : first + start + part.time.size] = self.measure(part)
        return found

    def measure(self, window: Window) -> Floats:
        """Measure the newest bar of each window, shape (..., features); NaN is unknown."""
        with np.errstate(all="ignore"):
            measured = [feature.measure(window) for feature in self.features]
        stacked = np.stack(measured, axis=-1)
        return np.where(np.isfinite(stacked), stacked, np.nan)


class LiveFeatures:
    """Keep the last bars of a pair and measure each new one by the very code that history uses."""

    def __init__(self, features: FeatureSet, seconds: int) -> None:
        self._features = features
        self._seconds = seconds
        self._time: int | None = None
        self._bars = 0
        self._columns = {name: np.full(features.lookback, np.nan) for name in (*COLUMNS, REFERENCE)}

    def after(self, time: int, bar: dict[str, float]) -> Floats:
        """Return the vector, shape (features,), after the bar that began at `time` (seconds UTC).

        Bars that are missing in between stand as NaN. Raise `BarsError` for a bar that is not newer
        than the last or not on the grid: it is refused and nothing changes.
        """
        steps = 1 if self._time is None else (time - self._time) // self._seconds
        if time % self._seconds or (self._time is not None and time <= self._time):
            message = f"a bar at {time} does not follow one at {self._time}"
            raise BarsError(message)
        shift = min(steps, self._features.lookback)
        for name, column in self._columns.items():
            column[:-shift] = column[shift:]
            column[-shift:] = np.nan
            column[-1] = bar.get(name, np.nan)
        self._time = time
        self._bars += steps
        if self._bars < self._features.lookback:
            return np.full(len(self._features.features), np.nan)
        window = Window(
            np.array([time]),
            self._seconds,
            {name: column[None, :] for name, column in self._columns.items()},
        )
        vector: Floats = self._features.measure(window)[0]
        return vector


def daily_features() -> FeatureSet:
    """Return the features of a decision at the end of a day, from daily bars."""
    return FeatureSet(
        "daily",
        1,
        (
            *(define.log_return(bars) for bars in (1, 5, 20, 60)),
            define.realised_volatility(20),
            define.parkinson_volatility(20),
            define.ewma_volatility(60),
            define.trend(10, 50),
            define.trend(20, 100),
            define.channel(20),
            define.channel(55),
            define.reversion(20),
            define.volume_surprise(20),
            define.reference_return(1),
            define.reference_return(5),
            define.relative_strength(20),
            define.reference_correlation(30),
            *define.day_of_week(),
        ),
    )


def hourly_features() -> FeatureSet:
    """Return the features of hourly bars, order flow among them."""
    return FeatureSet(
        "hourly",
        1,
        (
            *(define.log_return(bars) for bars in (1, 4, 24, 168)),
            define.realised_volatility(24),
            define.realised_volatility(168),
            define.parkinson_volatility(24),
            define.trend(24, 168),
            define.channel(168),
            define.reversion(24),
            define.volume_surprise(24),
            define.order_flow(24),
            define.reference_return(1),
            define.relative_strength(24),
            *define.hour_of_day(),
            *define.day_of_week(),
        ),
    )


def feature_set(fingerprint: str) -> FeatureSet | None:
    """Return the set of this release with a fingerprint, None where another release made it."""
    sets = (daily_features(), hourly_features())
    return next((one for one in sets if one.fingerprint == fingerprint), None)

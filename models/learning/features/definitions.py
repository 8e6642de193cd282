"""The features: each a function of a finite window of bars, re-summed at every bar.

A finite window makes warm-up irrelevant and the live value equal to the historical one: nothing is
carried from bar to bar that a restart could lose or a rounding could let drift.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.learning.features.bars import Window

Floats = npt.NDArray[np.float64]
Measure = Callable[[Window], Floats]

DAY_SECONDS = 86_400
WEEK_DAYS = 7
THURSDAY = 4
"""1 January 1970 was a Thursday: days since then, plus four, count from Sunday."""


@dataclass(frozen=True, slots=True)
class Feature:
    """One figure that a model may see.

    `lookback` is in bars, the current one included; `lag_seconds` is how long after the bar's end
    the figure is available; `source` names what it is made of. `measure` maps a window of at least
    `lookback` bars, shape (..., lookback), to shape (...); NaN means unknown.
    """

    name: str
    unit: str
    source: str
    lookback: int
    measure: Measure
    lag_seconds: float = 0.0


def log_return(bars: int) -> Feature:
    """Define the logarithmic return over `bars` bars."""

    def measure(window: Window) -> Floats:
        close = window["close"]
        change: Floats = np.log(close[..., -1] / close[..., -1 - bars])
        return change

    return Feature(f"return_{bars}", "log return", "candles", bars + 1, measure)


def realised_volatility(bars: int) -> Feature:
    """Define the standard deviation of the last `bars` returns, scaled to a day."""

    def measure(window: Window) -> Floats:
        steps = np.diff(np.log(window["close"][..., -bars - 1 :]), axis=-1)
        scaled: Floats = steps.std(axis=-1, ddof=1) * math.sqrt(DAY_SECONDS / window.seconds)
        return scaled

    return Feature(f"volatility_{bars}", "per day", "candles", bars + 1, measure)


def parkinson_volatility(bars: int) -> Feature:
    """Define volatility by the range of each bar (Parkinson, 1980), scaled to a day."""

    def measure(window: Window) -> Floats:
        span = np.log(window["high"][..., -bars:] / window["low"][..., -bars:])
        variance = (span**2).mean(axis=-1) / (4 * math.log(2))
        scaled: Floats = np.sqrt(variance * DAY_SECONDS / window.seconds)
        return scaled

    return Feature(f"parkinson_{bars}", "per day", "candles", bars, measure)


def ewma_volatility(bars: int, decay: float = 0.94) -> Feature:
    """Define exponentially weighted volatility (RiskMetrics, 1996), scaled to a day."""
    weights = decay ** np.arange(bars - 1, -1, -1)
    weights /= weights.sum()

    def measure(window: Window) -> Floats:
        steps = np.diff(np.log(window["close"][..., -bars - 1 :]), axis=-1)
        scaled: Floats = np.sqrt((steps**2 * weights).sum(axis=-1) * DAY_SECONDS / window.seconds)
        return scaled

    return Feature(f"ewma_volatility_{bars}", "per day", "candles", bars + 1, measure)


def trend(short: int, long: int) -> Feature:
    """Define the distance of a short from a long moving average, in daily deviations."""
    volatility = realised_volatility(long)

    def measure(window: Window) -> Floats:
        close = np.log(window["close"])
        distance = close[..., -short:].mean(axis=-1) - close[..., -long:].mean(axis=-1)
        return _in_deviations(distance, volatility.measure(window))

    return Feature(f"trend_{short}_{long}", "deviations", "candles", long + 1, measure)


def channel(bars: int) -> Feature:
    """Define where the close stands between the low (0) and high (1) of `bars` bars."""

    def measure(window: Window) -> Floats:
        high = window["high"][..., -bars:].max(axis=-1)
        low = window["low"][..., -bars:].min(axis=-1)
        return _ratio(window["close"][..., -1] - low, high - low)

    return Feature(f"channel_{bars}", "share", "candles", bars, measure)


def reversion(bars: int) -> Feature:
    """Define how many deviations the close stands from its mean of `bars` bars."""

    def measure(window: Window) -> Floats:
        close = np.log(window["close"][..., -bars:])
        return _in_deviations(close[..., -1] - close.mean(axis=-1), close.std(axis=-1, ddof=1))

    return Feature(f"reversion_{bars}", "deviations", "candles", bars, measure)


def volume_surprise(bars: int) -> Feature:
    """Define the logarithm of the bar's volume over the mean of the `bars` bars before it."""

    def measure(window: Window) -> Floats:
        volume = window["volume"]
        usual = volume[..., -bars - 1 : -1].mean(axis=-1)
        surprise: Floats = np.log1p(volume[..., -1]) - np.log1p(usual)
        return surprise

    return Feature(f"volume_surprise_{bars}", "log ratio", "candles", bars + 1, measure)


def order_flow(bars: int) -> Feature:
    """Define what buyers took less what sellers took over `bars` bars, as a share of the volume."""

    def measure(window: Window) -> Floats:
        volume, bought = window["volume"][..., -bars:], window["bought"][..., -bars:]
        return _ratio((volume * (2 * bought - 1)).sum(axis=-1), volume.sum(axis=-1))

    return Feature(f"order_flow_{bars}", "share", "trades", bars, measure)


def reference_return(bars: int) -> Feature:
    """Define the logarithmic return of the reference pair over `bars` bars (its lead)."""

    def measure(window: Window) -> Floats:
        reference = window["reference"]
        change: Floats = np.log(reference[..., -1] / reference[..., -1 - bars])
        return change

    return Feature(f"reference_return_{bars}", "log return", "reference", bars + 1, measure)


def relative_strength(bars: int) -> Feature:
    """Define the pair's return over `bars` bars less the reference's."""
    own, other = log_return(bars), reference_return(bars)

    def measure(window: Window) -> Floats:
        return own.measure(window) - other.measure(window)

    return Feature(f"relative_strength_{bars}", "log return", "reference", bars + 1, measure)


def reference_correlation(bars: int) -> Feature:
    """Define the correlation of the pair's returns with the reference's over `bars` bars."""

    def measure(window: Window) -> Floats:
        own = np.diff(np.log(window["close"][..., -bars - 1 :]), axis=-1)
        other = np.diff(np.log(window["reference"][..., -bars - 1 :]), axis=-1)
        own = own - own.mean(axis=-1, keepdims=True)
        other = other - other.mean(axis=-1, keepdims=True)
        spread = np.sqrt((own**2).sum(axis=-1) * (other**2).sum(axis=-1))
        return _ratio((own * other).sum(axis=-1), spread)

    name = f"reference_correlation_{bars}"
    return Feature(name, "correlation", "reference", bars + 1, measure)


def hour_of_day() -> tuple[Feature, Feature]:
    """Define the hour at which the bar ends as sine and cosine, so that midnight has no edge."""
    return _cycle("hour", DAY_SECONDS, 0)


def day_of_week() -> tuple[Feature, Feature]:
    """Define the weekday at which the bar ends as sine and cosine."""
    return _cycle("weekday", WEEK_DAYS * DAY_SECONDS, THURSDAY * DAY_SECONDS)


def _cycle(name: str, length: int, offset: int) -> tuple[Feature, Feature]:
    def angle(window: Window) -> Floats:
        ends = window.time + window.seconds + offset
        turned: Floats = 2 * math.pi * (ends % length) / length
        return turned

    return (
        Feature(f"{name}_sine", "share", "clock", 1, lambda window: np.sin(angle(window))),
        Feature(f"{name}_cosine", "share", "clock", 1, lambda window: np.cos(angle(window))),
    )


def _ratio(above: Floats, below: Floats) -> Floats:
    """Divide; nothing over nothing is unknown, not zero."""
    known = np.isfinite(below) & (np.abs(below) > np.finfo(np.float64).tiny)
    ratio: Floats = np.where(known, above, np.nan) / np.where(known, below, np.nan)
    return ratio


def _in_deviations(distance: Floats, deviation: Floats) -> Floats:
    return _ratio(distance, np.where(deviation > 1e-12, deviation, np.nan))

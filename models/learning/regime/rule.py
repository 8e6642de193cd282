"""The default regime: the sign of the trend by tercile of volatility, with hysteresis."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.trading.strategies.orchestrator import Regime

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class RegimeRule:
    """How far a trend must go to change the regime, in daily deviations, and when it is left again.

    `enter` begins a bullish (or bearish) regime, `leave` < `enter` ends it. In the highest tercile
    of the volatility of the last `history` bars both widen by `wild`: a wild market needs more to
    be called a trend.
    """

    enter: float = 1.0
    leave: float = 0.25
    history: int = 250
    wild: float = 1.5

    def __post_init__(self) -> None:
        if not 0 <= self.leave < self.enter or self.history < 3 or self.wild < 1:
            raise ValueError("a regime is left before it is entered, and needs a history")


@dataclass(frozen=True, slots=True)
class Reading:
    """The regime after a bar (None: unknown), how sure, and the tercile of volatility (0 calm)."""

    regime: Regime | None
    probability: float
    tercile: int


def read_regimes(trend: Floats, volatility: Floats, rule: RegimeRule) -> list[Reading]:
    """Read the regime after each bar from its trend (deviations) and volatility, shape (bars,).

    Each reading uses its own and earlier bars only. The probability is the share of the last 20
    known bars whose trend had the regime's side, shrunk by one on each side: a plain statement, not
    a model's.
    """
    readings: list[Reading] = []
    current: Regime | None = None
    sides: list[Regime] = []
    for number in range(trend.size):
        past = volatility[max(0, number - rule.history + 1) : number + 1]
        known = past[np.isfinite(past)]
        if not np.isfinite(trend[number]) or known.size < rule.history // 2:
            readings.append(Reading(None, float("nan"), -1))
            current = None
            continue
        tercile = int((known < volatility[number]).mean() * 3)
        tercile = min(tercile, 2)
        scale = rule.wild if tercile == 2 else 1.0
        current = _next(current, float(trend[number]), rule.enter * scale, rule.leave * scale)
        sides = [*sides, _side(float(trend[number]), rule.leave * scale)][-20:]
        share = (sides.count(current) + 1) / (len(sides) + 3)
        readings.append(Reading(current, share, tercile))
    return readings


def _side(trend: float, leave: float) -> Regime:
    if abs(trend) <= leave:
        return Regime.SIDEWAYS
    return Regime.BULLISH if trend > 0 else Regime.BEARISH


def _next(current: Regime | None, trend: float, enter: float, leave: float) -> Regime:
    if trend >= enter:
        return Regime.BULLISH
    if trend <= -enter:
        return Regime.BEARISH
    if current is Regime.BULLISH and trend > leave:
        return current
    if current is Regime.BEARISH and trend < -leave:
        return current
    return Regime.SIDEWAYS

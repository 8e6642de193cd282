"""Long-only trend following by five channels at once, sized by volatility (daily bars).

Each channel of n days buys when the close exceeds every close of the n days before, and follows the
rise with a stop at the channel's midpoint that never falls; a close at or below it ends it. What is
held is the share of channels that are long, scaled so that its volatility comes to the target:

    weight = long channels / channels * min(1, target / yearly volatility)

The lowest of the stops rests on the exchange; when it is reached, every channel is out. So it is
when the price gets ``target_deviations`` beyond the close at which the first channel bought: far
enough that a trend is hardly ever cut, and near enough to take what an excess gives.
Source: Zarattini, Pagani and Barbon, Catching Crypto Trends (2025), with fewer channels.
"""

from dataclasses import dataclass
from decimal import Decimal
from math import sqrt

from models.trading.exits.distances import Exits
from models.trading.ideas import Idea
from models.trading.instruments import Instrument
from models.trading.market import Candle, MarketSnapshot
from models.trading.strategies.making import (
    DAY_MINUTES,
    DAYS_PER_YEAR,
    decimal_of,
    follows,
    make_idea,
)
from models.trading.strategies.running import log_deviation
from models.trading.strategies.strategy import StrategyStanding

GAP_DAYS = 3
"""Days that may be absent between two bars; after a longer gap nothing before it is known."""


@dataclass(frozen=True, slots=True)
class DonchianState:
    """``closes`` are the newest, oldest first; ``stops`` one per channel, zero: it is out.

    ``aim`` is the take-profit since the first channel bought, zero while none is long.
    """

    closes: tuple[float, ...] = ()
    stops: tuple[float, ...] = ()
    aim: float = 0.0
    last: Candle | None = None


@dataclass(frozen=True, slots=True)
class DonchianEnsemble:
    """Channels in days, volatility per year as a share; ``volatility_days`` measure it."""

    channels: tuple[int, ...] = (20, 30, 60, 90, 150)
    volatility_target: float = 0.25
    volatility_days: int = 30
    horizon_days: int = 20
    target_deviations: float = 12.0
    name: str = "donchian_ensemble"
    version: str = "1"
    standing: StrategyStanding = StrategyStanding.SHIPPED
    interval_minutes: int | None = DAY_MINUTES
    rebalances: bool = True
    sees_universe: bool = False

    @property
    def warm_up_bars(self) -> int:
        """Return the days that the longest channel needs before its first close."""
        return max(self.channels) + 1

    def start(self) -> DonchianState:
        """Return the state before the first bar."""
        return DonchianState(stops=(0.0,) * len(self.channels))

    def update(self, state: DonchianState, bar: Candle) -> DonchianState:
        """Take one more day."""
        if state.last is not None and not follows(bar, state.last, GAP_DAYS):
            state = self.start()
        close, low, high = float(bar.close), float(bar.low), float(bar.high)
        resting = min((stop for stop in state.stops if stop > 0), default=0.0)
        out = low <= resting or 0 < state.aim <= high
        closes = (*state.closes, close)[-max(*self.channels, self.volatility_days + 1) :]
        stops = tuple(
            0.0 if out else _follow(days, stop, state.closes, closes)
            for days, stop in zip(self.channels, state.stops, strict=True)
        )
        return DonchianState(
            closes, stops, self._aim(0.0 if out else state.aim, stops, closes), bar
        )

    def _aim(self, aim: float, stops: tuple[float, ...], closes: tuple[float, ...]) -> float:
        """Return the take-profit: set with the first channel that buys, gone with the last."""
        if not any(stops):
            return 0.0
        if aim > 0:
            return aim
        volatility = log_deviation(closes[-self.volatility_days - 1 :]) or 0.0
        return closes[-1] * (1 + self.target_deviations * volatility * sqrt(self.horizon_days))

    def propose(
        self,
        state: DonchianState,
        market: MarketSnapshot,
        instrument: Instrument,
        installation: str,
    ) -> Idea | None:
        """Return the weight that shall be held from this close on."""
        bar = state.last
        if bar is None or len(state.closes) < max(self.channels) or market.stale:
            return None
        volatility = log_deviation(state.closes[-self.volatility_days - 1 :])
        if volatility is None or volatility == 0:
            return None
        active = [stop for stop in state.stops if stop > 0]
        yearly = volatility * sqrt(DAYS_PER_YEAR)
        scale = min(1.0, self.volatility_target / yearly)
        weight = len(active) / len(self.channels) * scale
        close = bar.close
        stop = decimal_of(min(active)) if active else close * Decimal("0.9")
        aim = decimal_of(state.aim) if state.aim > 0 else None
        reasons = (
            f"{len(active)} of {len(self.channels)} channels are long",
            f"yearly volatility {yearly:.1%} against a target of {self.volatility_target:.0%}",
        )
        exits = Exits(stop, aim, None)
        return make_idea(self, bar, instrument, installation, exits, reasons, weight)


def _follow(days: int, stop: float, before: tuple[float, ...], closes: tuple[float, ...]) -> float:
    """Return the stop of one channel after a close, zero when the channel is out."""
    if len(before) < days:
        return 0.0
    close, channel = closes[-1], closes[-days:]
    middle = (max(channel) + min(channel)) / 2
    if stop > 0:
        followed = max(stop, middle)
        return followed if close > followed else 0.0
    return middle if close > max(before[-days:]) else 0.0

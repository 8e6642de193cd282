"""Volatility-managed exposure: hold less when the market is wild (daily bars).

How much is the hedge's own calculation (H-2), with no drawdown: what it would keep in USD is not
held. So the strategy and the hedge never pull in different directions.
Source: Moreira and Muir, Volatility-Managed Portfolios (2017).

The stop lies ``stop_deviations`` daily deviations below the highest close since the position began:
it protects against a collapse and is not meant to time the market. The take-profit lies
``target_deviations`` above the close at which the position began.
"""

from dataclasses import dataclass, field
from math import sqrt

from models.trading.exits.distances import Exits
from models.trading.hedge.target import HedgeSettings, exposure_share
from models.trading.ideas import Idea
from models.trading.instruments import Instrument
from models.trading.market import Candle, MarketSnapshot
from models.trading.strategies.making import (
    DAY_MINUTES,
    decimal_of,
    follows,
    make_idea,
)
from models.trading.strategies.running import log_deviation
from models.trading.strategies.strategy import StrategyStanding

GAP_DAYS = 3
STOP_SHARE_MINIMUM = 0.15
STOP_SHARE_MAXIMUM = 0.50


@dataclass(frozen=True, slots=True)
class ManagedState:
    """``closes`` are the newest, oldest first; ``stop`` and ``aim`` are zero until known."""

    closes: tuple[float, ...] = ()
    stop: float = 0.0
    aim: float = 0.0
    last: Candle | None = None


@dataclass(frozen=True, slots=True)
class VolatilityManaged:
    """The bounds of volatility and of what is held are those of the hedge's settings."""

    bounds: HedgeSettings = field(default_factory=HedgeSettings)
    volatility_days: int = 30
    stop_deviations: float = 8.0
    horizon_days: int = 20
    target_deviations: float = 12.0
    name: str = "volatility_managed"
    version: str = "1"
    standing: StrategyStanding = StrategyStanding.SHIPPED
    interval_minutes: int | None = DAY_MINUTES
    rebalances: bool = True
    sees_universe: bool = False

    @property
    def warm_up_bars(self) -> int:
        """Return the days that a volatility needs."""
        return self.volatility_days + 1

    def start(self) -> ManagedState:
        """Return the state before the first bar."""
        return ManagedState()

    def update(self, state: ManagedState, bar: Candle) -> ManagedState:
        """Take one more day; where stop or take-profit was reached, both begin anew."""
        if state.last is not None and not follows(bar, state.last, GAP_DAYS):
            state = self.start()
        close = float(bar.close)
        closes = (*state.closes, close)[-self.warm_up_bars :]
        volatility = log_deviation(closes) if len(closes) == self.warm_up_bars else None
        if volatility is None:
            return ManagedState(closes, last=bar)
        distance = min(
            STOP_SHARE_MAXIMUM, max(STOP_SHARE_MINIMUM, self.stop_deviations * volatility)
        )
        stop = close * (1 - distance)
        aim = close * (1 + self.target_deviations * volatility * sqrt(self.horizon_days))
        if state.stop == 0 or float(bar.low) <= state.stop or float(bar.high) >= state.aim:
            return ManagedState(closes, stop, aim, bar)
        return ManagedState(closes, max(state.stop, stop), state.aim, bar)

    def propose(
        self,
        state: ManagedState,
        market: MarketSnapshot,
        instrument: Instrument,
        installation: str,
    ) -> Idea | None:
        """Return the weight that shall be held from this close on."""
        bar = state.last
        if bar is None or state.stop == 0 or market.stale:
            return None
        volatility = log_deviation(state.closes)
        if volatility is None or volatility == 0:
            return None
        weight = exposure_share(self.bounds, decimal_of(volatility))
        reasons = (f"daily volatility {volatility:.2%} leaves {weight:.0%} to be held",)
        exits = Exits(decimal_of(state.stop), decimal_of(state.aim), None)
        return make_idea(self, bar, instrument, installation, exits, reasons, float(weight))

"""Intraday breakout: buy the first close above the day before's high, on volume (hourly bars).

In shadow: it trades often, and at the fees of a small account it has not paid them.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from models.trading.exits.distances import Exits
from models.trading.ideas import Idea
from models.trading.instruments import Instrument
from models.trading.market import Candle, MarketSnapshot
from models.trading.strategies.making import decimal_of, make_idea
from models.trading.strategies.running import log_deviation
from models.trading.strategies.strategy import StrategyStanding


@dataclass(frozen=True, slots=True)
class BreakoutState:
    """The running UTC day and the one before; ``broken``: its high was exceeded on this day."""

    day: date | None = None
    high: float = 0.0
    low: float = 0.0
    high_before: float = 0.0
    low_before: float = 0.0
    broken: bool = False
    fresh: bool = False
    closes: tuple[float, ...] = ()
    volumes: tuple[float, ...] = ()
    last: Candle | None = None


@dataclass(frozen=True, slots=True)
class IntradayBreakout:
    """How much more volume than usual the breakout needs, and where its exits lie."""

    volume_factor: float = 1.5
    usual_bars: int = 24
    target_ranges: Decimal = Decimal(2)
    trailing_ranges: Decimal = Decimal(1)
    name: str = "intraday_breakout"
    version: str = "1"
    standing: StrategyStanding = StrategyStanding.SHADOW
    interval_minutes: int | None = 60
    rebalances: bool = False
    sees_universe: bool = False

    @property
    def warm_up_bars(self) -> int:
        """Return two days of bars."""
        return 2 * self.usual_bars

    def start(self) -> BreakoutState:
        """Return the state before the first bar."""
        return BreakoutState()

    def update(self, state: BreakoutState, bar: Candle) -> BreakoutState:
        """Take one more bar; the day turns at midnight UTC."""
        today, high, low, close = (
            bar.start.date(),
            float(bar.high),
            float(bar.low),
            float(bar.close),
        )
        turned = today != state.day
        follows_day = state.day is not None and (today - state.day).days == 1
        high_before = (state.high if follows_day else 0.0) if turned else state.high_before
        low_before = (state.low if follows_day else 0.0) if turned else state.low_before
        broken = False if turned else state.broken
        breaks = high_before > 0 and close > high_before
        return BreakoutState(
            day=today,
            high=high if turned else max(state.high, high),
            low=low if turned else min(state.low, low),
            high_before=high_before,
            low_before=low_before,
            broken=broken or breaks,
            fresh=breaks and not broken,
            closes=(*state.closes, close)[-self.warm_up_bars :],
            volumes=(*state.volumes, float(bar.volume))[-self.usual_bars :],
            last=bar,
        )

    def propose(
        self,
        state: BreakoutState,
        market: MarketSnapshot,
        instrument: Instrument,
        installation: str,
    ) -> Idea | None:
        """Return an idea on the first close above the day before's high, if volume is behind it."""
        bar = state.last
        if bar is None or not state.fresh or market.stale or len(state.closes) < self.warm_up_bars:
            return None
        usual = sum(state.volumes) / len(state.volumes)
        volatility = log_deviation(state.closes)
        if float(bar.volume) < usual * self.volume_factor or volatility is None:
            return None
        day_range = decimal_of(state.high_before - state.low_before)
        exits = Exits(
            decimal_of(state.low_before),
            bar.close + day_range * self.target_ranges,
            day_range * self.trailing_ranges if day_range > 0 else None,
        )
        reasons = (f"close {bar.close} above the day before's high {state.high_before:.2f}",)
        return make_idea(self, bar, instrument, installation, exits, reasons)

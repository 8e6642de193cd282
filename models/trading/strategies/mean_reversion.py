"""Mean reversion: buy a fall far below the mean in a rising market, and sell at the mean (hourly).

In shadow: it trades often, and at the fees of a small account it has not paid them.
"""

from dataclasses import dataclass
from decimal import Decimal

from models.trading.exits.distances import Exits
from models.trading.ideas import Idea
from models.trading.instruments import Instrument
from models.trading.market import Candle, MarketSnapshot
from models.trading.strategies.making import decimal_of, follows, make_idea
from models.trading.strategies.strategy import StrategyStanding


@dataclass(frozen=True, slots=True)
class ReversionState:
    """The newest closes, oldest first, and the last bar."""

    closes: tuple[float, ...] = ()
    last: Candle | None = None


@dataclass(frozen=True, slots=True)
class MeanReversion:
    """Bars of the mean and of the trend; how many deviations a fall has to reach."""

    mean_bars: int = 48
    trend_bars: int = 240
    deviations: float = 2.5
    stop_deviations: Decimal = Decimal(2)
    name: str = "mean_reversion"
    version: str = "1"
    standing: StrategyStanding = StrategyStanding.SHADOW
    interval_minutes: int | None = 60
    rebalances: bool = False
    sees_universe: bool = False

    @property
    def warm_up_bars(self) -> int:
        """Return the bars of the trend."""
        return self.trend_bars

    def start(self) -> ReversionState:
        """Return the state before the first bar."""
        return ReversionState()

    def update(self, state: ReversionState, bar: Candle) -> ReversionState:
        """Take one more bar; a missing one begins it anew."""
        known = state.closes if follows(bar, state.last) else ()
        return ReversionState((*known, float(bar.close))[-self.trend_bars :], bar)

    def propose(
        self,
        state: ReversionState,
        market: MarketSnapshot,
        instrument: Instrument,
        installation: str,
    ) -> Idea | None:
        """Return an idea when the close lies far below the mean, above the trend."""
        bar = state.last
        if bar is None or len(state.closes) < self.trend_bars or market.stale:
            return None
        window = state.closes[-self.mean_bars :]
        mean = sum(window) / len(window)
        deviation = (sum((c - mean) ** 2 for c in window) / len(window)) ** 0.5
        trend = sum(state.closes) / len(state.closes)
        close = state.closes[-1]
        if deviation == 0 or mean - close < self.deviations * deviation or close < trend:
            return None
        exits = Exits(
            bar.close - decimal_of(deviation) * self.stop_deviations, decimal_of(mean), None
        )
        reasons = (f"{(mean - close) / deviation:.1f} deviations below the mean {mean:.2f}",)
        return make_idea(self, bar, instrument, installation, exits, reasons)

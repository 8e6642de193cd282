"""The baseline: buy a fresh breakout in an uptrend when volatility is neither dead nor wild.

An idea on bar close needs all of: the fast exponential average above the slow one, the close above
every close of the channel before it while the bar before was not (a fresh breakout), and the
realised volatility inside a band. Exits are multiples of Wilder's average true range.

The baseline exists to be transparent and to be beaten: nothing here shows that it earns more than
it costs. What may be expected of its ideas is what its results say (``evidence``). It runs in
shadow; under the name ``demonstration`` it shows the platform at work.
"""

from dataclasses import dataclass, field
from decimal import Decimal

from models.trading.exits.distances import range_exits
from models.trading.ideas import Idea
from models.trading.instruments import Instrument
from models.trading.market import Candle, MarketSnapshot
from models.trading.strategies.making import decimal_of, follows, make_idea
from models.trading.strategies.running import Exponential, log_deviation, true_range
from models.trading.strategies.strategy import StrategyStanding


@dataclass(frozen=True, slots=True)
class TrendState:
    """What is carried from bar to bar; a missing bar begins it anew.

    ``closes`` are the newest, oldest first; ``bars`` how many have come without a gap.
    """

    fast: Exponential
    slow: Exponential
    true_range: Exponential
    closes: tuple[float, ...] = ()
    last: Candle | None = None
    bars: int = 0


@dataclass(frozen=True, slots=True)
class TrendStrategy:
    """Trend, breakout and volatility filter; multiples are of the average true range.

    Attributes:
        fast_period: bars of the fast average.
        slow_period: bars of the slow average.
        channel_bars: bars whose closes a breakout exceeds.
        range_period: bars of the average true range.
        volatility_minimum: least standard deviation of log returns per bar.
        volatility_maximum: greatest standard deviation of log returns per bar.
        stop_multiple: distance of the stop below the price.
        target_multiple: distance of the take-profit above the price.
        trailing_multiple: distance that the stop keeps once the price has risen.
        horizon_bars: bars over which volatility is taken.
    """

    name: str = "trend"
    standing: StrategyStanding = StrategyStanding.SHADOW
    fast_period: int = 20
    slow_period: int = 80
    channel_bars: int = 20
    range_period: int = 14
    volatility_minimum: float = 0.0008
    volatility_maximum: float = 0.0120
    stop_multiple: Decimal = Decimal(3)
    target_multiple: Decimal = Decimal(8)
    trailing_multiple: Decimal = Decimal(4)
    horizon_bars: int = 96
    version: str = "2"
    interval_minutes: int | None = None
    rebalances: bool = False
    sees_universe: bool = field(default=False)

    @property
    def warm_up_bars(self) -> int:
        """Return the bars needed: the slow average thrice over, so that its seed has faded."""
        return 3 * self.slow_period

    def start(self) -> TrendState:
        """Return the state before the first bar."""
        return TrendState(
            Exponential.average(self.fast_period),
            Exponential.average(self.slow_period),
            Exponential.wilder(self.range_period),
        )

    def update(self, state: TrendState, bar: Candle) -> TrendState:
        """Take one more bar."""
        if state.last is not None and not follows(bar, state.last):
            state = self.start()
        close = float(bar.close)
        moved = state.true_range
        if state.last is not None:
            moved = moved.plus(true_range(bar, state.last))
        kept = max(self.horizon_bars, self.channel_bars + 2)
        return TrendState(
            state.fast.plus(close),
            state.slow.plus(close),
            moved,
            (*state.closes, close)[-kept:],
            bar,
            state.bars + 1,
        )

    def propose(
        self, state: TrendState, market: MarketSnapshot, instrument: Instrument, installation: str
    ) -> Idea | None:
        """Return an idea on the close of the last bar; see the module for the rules."""
        bar = state.last
        if bar is None or state.bars < self.warm_up_bars or market.stale:
            return None
        if not self._breaks_out(state.closes) or state.fast.value <= state.slow.value:
            return None
        volatility = log_deviation(state.closes[-self.horizon_bars :])
        if volatility is None:
            return None
        if not self.volatility_minimum <= volatility <= self.volatility_maximum:
            return None
        return self._idea(bar, state, volatility, market, instrument, installation)

    def _breaks_out(self, closes: tuple[float, ...]) -> bool:
        breaks_out = closes[-1] > max(closes[-1 - self.channel_bars : -1])
        return breaks_out and closes[-2] <= max(closes[-2 - self.channel_bars : -2])

    def _idea(
        self,
        bar: Candle,
        state: TrendState,
        volatility: float,
        market: MarketSnapshot,
        instrument: Instrument,
        installation: str,
    ) -> Idea | None:
        exits = range_exits(
            market.ask,
            decimal_of(state.true_range.value),
            self.stop_multiple,
            self.target_multiple,
            self.trailing_multiple,
        )
        reasons = (
            f"fast average {state.fast.value:.2f} above slow {state.slow.value:.2f}",
            f"close {bar.close} above the {self.channel_bars} closes before",
            f"volatility {volatility:.4%} per bar, average true range {state.true_range.value:.2f}",
        )
        return make_idea(self, bar, instrument, installation, exits, reasons)

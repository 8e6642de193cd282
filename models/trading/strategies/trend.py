"""The baseline: buy a fresh breakout in an uptrend when volatility is neither dead nor wild.

An idea on bar close needs all of: the fast exponential average above the slow one, the close above
every close of the channel before it while the bar before was not (a fresh breakout), and the
realised volatility inside a band. Exits are multiples of Wilder's average true range.

The baseline exists to be transparent and to be beaten: nothing here shows that it earns more than
it costs. What may be expected of its ideas is what its results say (``evidence``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from models.trading.exits.distances import range_exits, round_exits
from models.trading.ideas import Idea
from models.trading.identities import idea_id
from models.trading.instruments import Instrument
from models.trading.market import Candle, MarketSnapshot
from models.trading.strategies.indicators import (
    average_true_range,
    exponential_average,
    is_contiguous,
    realised_volatility,
)


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
        horizon_bars: bars over which the realised volatility is taken.
        lifetime_bars: bars after its close for which an idea is good.
    """

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
    lifetime_bars: int = 1

    @property
    def name(self) -> str:
        """Return the name by which accounts follow the strategy."""
        return "trend"

    @property
    def version(self) -> str:
        """Return the version."""
        return "1"

    @property
    def warm_up_bars(self) -> int:
        """Return the bars needed: the slow average thrice over, so that its seed has faded."""
        return 3 * self.slow_period

    def propose(
        self,
        window: Sequence[Candle],
        market: MarketSnapshot,
        instrument: Instrument,
        installation: str,
    ) -> Idea | None:
        """Return an idea on the close of the last bar; see the module for the rules."""
        bars = window[-self.warm_up_bars :]
        if len(bars) < self.warm_up_bars or not is_contiguous(bars) or market.stale:
            return None
        trend = self._trend(bars)
        if trend is None:
            return None
        true_range = average_true_range(bars, self.range_period)
        volatility = realised_volatility(bars[-self.horizon_bars :])
        if true_range is None or volatility is None:
            return None
        if not self.volatility_minimum <= volatility <= self.volatility_maximum:
            return None
        reasons = (
            f"fast average {trend[0]:.2f} above slow {trend[1]:.2f}",
            f"close {bars[-1].close} above the {self.channel_bars} closes before",
            f"volatility {volatility:.4%} per bar, average true range {true_range:.2f}",
        )
        return self._idea(bars[-1], market, instrument, installation, true_range, reasons)

    def _trend(self, bars: Sequence[Candle]) -> tuple[float, float] | None:
        """Return both averages when the trend is up and the last bar breaks out afresh."""
        closes = [float(bar.close) for bar in bars]
        breaks_out = closes[-1] > max(closes[-1 - self.channel_bars : -1])
        broke_out = closes[-2] > max(closes[-2 - self.channel_bars : -2])
        if not breaks_out or broke_out:
            return None
        fast = exponential_average(closes, self.fast_period)
        slow = exponential_average(closes, self.slow_period)
        return (fast, slow) if fast is not None and slow is not None and fast > slow else None

    def _idea(
        self,
        bar: Candle,
        market: MarketSnapshot,
        instrument: Instrument,
        installation: str,
        true_range: float,
        reasons: tuple[str, ...],
    ) -> Idea | None:
        exits = range_exits(
            market.ask,
            Decimal(repr(true_range)),
            self.stop_multiple,
            self.target_multiple,
            self.trailing_multiple,
        )
        if exits.stop_price <= 0 or exits.take_profit_price is None:
            return None
        exits = round_exits(instrument, exits)
        length = timedelta(minutes=bar.interval_minutes)
        start = bar.start.isoformat()
        return Idea(
            idea_id=idea_id(installation, self.name, self.version, bar.symbol, start),
            strategy=self.name,
            strategy_version=self.version,
            symbol=bar.symbol,
            bar_start=bar.start,
            expires_at=bar.start + length * (1 + self.lifetime_bars),
            stop_price=exits.stop_price,
            take_profit_price=exits.take_profit_price,
            trailing_distance=exits.trailing_distance,
            reasons=reasons,
        )

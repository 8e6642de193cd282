"""Buy in the upper half of the channel of twenty days: the primary rule of learned models (daily).

In shadow: by itself it has not earned its costs. A learned model judges its ideas, takes some and
sizes them, and has to earn more than this rule does.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

from models.trading.exits.distances import Exits
from models.trading.ideas import Idea
from models.trading.instruments import Instrument
from models.trading.market import Candle, MarketSnapshot
from models.trading.strategies.making import DAY_MINUTES, follows, make_idea
from models.trading.strategies.strategy import StrategyStanding

NAME = "upper_half"
ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class ChannelState:
    """The newest bars without a gap, oldest first."""

    bars: tuple[Candle, ...] = ()


@dataclass(frozen=True, slots=True)
class UpperHalf:
    """Days of the channel; exits as shares of the close, and the longest time that is held."""

    channel_days: int = 20
    stop_share: Decimal = Decimal("0.08")
    target_share: Decimal = Decimal("0.15")
    hold_days: int = 15
    name: str = NAME
    version: str = "1"
    standing: StrategyStanding = StrategyStanding.SHADOW
    interval_minutes: int | None = DAY_MINUTES
    rebalances: bool = False
    sees_universe: bool = False

    @property
    def warm_up_bars(self) -> int:
        """Return the days of the channel."""
        return self.channel_days

    def start(self) -> ChannelState:
        """Return the state before the first bar."""
        return ChannelState()

    def update(self, state: ChannelState, bar: Candle) -> ChannelState:
        """Take one more day; a missing one begins the channel anew."""
        last = state.bars[-1] if state.bars else None
        known = state.bars if follows(bar, last) else ()
        return ChannelState((*known, bar)[-self.channel_days :])

    def propose(
        self,
        state: ChannelState,
        market: MarketSnapshot,
        instrument: Instrument,
        installation: str,
    ) -> Idea | None:
        """Return an idea when the close stands in the upper half of the channel."""
        if len(state.bars) < self.channel_days or market.stale:
            return None
        bar = state.bars[-1]
        low = min(float(one.low) for one in state.bars)
        high = max(float(one.high) for one in state.bars)
        if high <= low or (float(bar.close) - low) / (high - low) <= 0.5:
            return None
        exits = Exits(
            bar.close * (ONE - self.stop_share), bar.close * (ONE + self.target_share), None
        )
        where = (float(bar.close) - low) / (high - low)
        reasons = (f"the close stands at {where:.0%} of its channel of {self.channel_days} days",)
        idea = make_idea(self, bar, instrument, installation, exits, reasons)
        return None if idea is None else replace(idea, hold_maximum=timedelta(days=self.hold_days))

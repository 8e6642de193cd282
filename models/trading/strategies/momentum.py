"""Cross-sectional momentum: hold the pairs that rose most, and only while they rise (daily bars).

Once a week every pair is ranked by its gain over ``lookback_days``; the best ``share_held`` of them
that have gained at all are held. Source: Jegadeesh and Titman (1993), here long only. In shadow: it
has to prove itself on a universe that was not picked with hindsight.
"""

from dataclasses import dataclass
from decimal import Decimal
from math import ceil

from models.trading.exits.distances import Exits
from models.trading.ideas import Idea
from models.trading.instruments import Instrument
from models.trading.market import Candle, MarketSnapshot
from models.trading.strategies.making import (
    DAY_MINUTES,
    follows,
    make_idea,
)
from models.trading.strategies.strategy import StrategyStanding

GAP_DAYS = 3
PAIRS_MINIMUM = 3
"""Fewer pairs are not ranked."""


@dataclass(frozen=True, slots=True)
class PairHistory:
    """The newest closes of one pair, oldest first, and its last bar."""

    closes: tuple[float, ...]
    last: Candle


@dataclass(frozen=True, slots=True)
class MomentumState:
    """Histories by symbol."""

    pairs: tuple[tuple[str, PairHistory], ...] = ()


@dataclass(frozen=True, slots=True)
class CrossSectionalMomentum:
    """Lookback in days, the share of pairs that are held, and the weekday on which it decides."""

    lookback_days: int = 28
    share_held: float = 0.34
    weekday: int = 0
    stop_share: Decimal = Decimal("0.20")
    target_share: Decimal = Decimal("1.00")
    horizon_days: int = 7
    name: str = "cross_sectional_momentum"
    version: str = "1"
    standing: StrategyStanding = StrategyStanding.SHADOW
    interval_minutes: int | None = DAY_MINUTES
    rebalances: bool = True
    sees_universe: bool = True

    @property
    def warm_up_bars(self) -> int:
        """Return the days that a gain needs."""
        return self.lookback_days + 1

    def start(self) -> MomentumState:
        """Return the state before the first bar."""
        return MomentumState()

    def update(self, state: MomentumState, bar: Candle) -> MomentumState:
        """Take one more day of one pair."""
        pairs = dict(state.pairs)
        known = pairs.get(bar.symbol)
        continues = known is not None and follows(bar, known.last, GAP_DAYS)
        before = known.closes if known is not None and continues else ()
        closes = (*before, float(bar.close))[-self.warm_up_bars :]
        pairs[bar.symbol] = PairHistory(closes, bar)
        return MomentumState(tuple(sorted(pairs.items())))

    def propose(
        self,
        state: MomentumState,
        market: MarketSnapshot,
        instrument: Instrument,
        installation: str,
    ) -> Idea | None:
        """Return the weight of one pair, on the weekday of decision only."""
        own = dict(state.pairs).get(instrument.symbol)
        if own is None or market.stale or own.last.start.weekday() != self.weekday:
            return None
        gains = self._gains(state, own.last)
        if instrument.symbol not in gains or len(gains) < PAIRS_MINIMUM:
            return None
        ranked = sorted(gains, key=lambda symbol: (-gains[symbol], symbol))
        best = ranked[: max(1, ceil(len(ranked) * self.share_held - 1e-9))]
        gain = gains[instrument.symbol]
        chosen = instrument.symbol in best and gain > 0
        price = own.last.close
        exits = Exits(price * (1 - self.stop_share), price * (1 + self.target_share), None)
        place = ranked.index(instrument.symbol) + 1
        reasons = (f"gain of {gain:.1%} in {self.lookback_days} days, rank {place}",)
        weight = 1.0 if chosen else 0.0
        return make_idea(self, own.last, instrument, installation, exits, reasons, weight)

    def _gains(self, state: MomentumState, now: Candle) -> dict[str, float]:
        """Return the gains of the pairs whose newest bar is of the same day, or the day before."""
        return {
            symbol: history.closes[-1] / history.closes[0] - 1
            for symbol, history in state.pairs
            if len(history.closes) == self.warm_up_bars
            and abs((now.start - history.last.start).days) <= 1
        }

"""A crossing of two plain averages: the strategy that engines are timed by, and nothing more."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from models.trading.exits.distances import Exits
from models.trading.ideas import Idea
from models.trading.instruments import Instrument
from models.trading.market import Candle, MarketSnapshot
from models.trading.strategies import StrategyStanding
from models.trading.strategies.making import make_idea


@dataclass(slots=True)
class CrossingState:
    """A ring of closes in ticks and both sums, exact; made anew by ``start`` only.

    It is moved on in place: copying two hundred closes for each bar would be what is timed.
    """

    closes: list[int]
    place: int = 0
    count: int = 0
    fast: int = 0
    slow: int = 0
    above: bool | None = None
    crossed: bool = False
    last: Candle | None = None


class AverageCrossing:
    """Buy when the fast average rises above the slow one, leave when it falls below."""

    version = "1"
    standing = StrategyStanding.SHADOW
    interval_minutes: int | None = None
    rebalances = False
    sees_universe = False
    name = "average_crossing"

    def __init__(
        self, fast: int, slow: int, stop: str, target: str, tick: Decimal = Decimal("0.1")
    ) -> None:
        self._fast, self._slow, self._tick = fast, slow, tick
        self._stop, self._target = 1 - Decimal(stop), 1 + Decimal(target)

    @property
    def warm_up_bars(self) -> int:
        """Return the bars of the slow average."""
        return self._slow

    def start(self) -> CrossingState:
        """Return the state before the first bar."""
        return CrossingState([0] * self._slow)

    def update(self, state: CrossingState, bar: Candle) -> CrossingState:
        """Take one more bar."""
        closes, place = state.closes, state.place
        close = int(bar.close / self._tick)
        state.fast += close - closes[place - self._fast]
        state.slow += close - closes[place]
        closes[place] = close
        state.place = place + 1 if place + 1 < self._slow else 0
        state.count += 1
        state.last = bar
        if state.count < self._slow:
            return state
        above = state.fast * self._slow > state.slow * self._fast
        state.crossed = state.above is not None and above != state.above
        state.above = above
        return state

    def propose(
        self,
        state: CrossingState,
        market: MarketSnapshot,
        instrument: Instrument,
        installation: str,
    ) -> Idea | None:
        """Return an idea on a crossing: to buy, or that nothing shall be held."""
        if not state.crossed or state.last is None:
            return None
        del market
        close = state.last.close
        exits = Exits(close * self._stop, close * self._target, None)
        reasons: Sequence[str] = ("the averages crossed",)
        weight = None if state.above else 0.0
        return make_idea(self, state.last, instrument, installation, exits, tuple(reasons), weight)

"""The seam that every strategy stands behind, whether written by hand or learned."""

from typing import Any, Protocol

from models.trading.ideas import Idea, StrategyStanding
from models.trading.instruments import Instrument
from models.trading.market import Candle, MarketSnapshot

__all__ = ["Strategy", "StrategyStanding"]


class Strategy(Protocol):
    """Pure functions from bars to ideas: the same bars in the same order give the same ideas.

    A strategy never changes a state that it was given: ``update`` returns another one.
    """

    @property
    def name(self) -> str:
        """Return the name by which accounts follow the strategy."""
        ...

    @property
    def version(self) -> str:
        """Return the version; it changes whenever the same bars could give another idea."""
        ...

    @property
    def standing(self) -> StrategyStanding:
        """Return what is known of it."""
        ...

    @property
    def interval_minutes(self) -> int | None:
        """Return the length of the bars that it decides on, None: whatever the market has."""
        ...

    @property
    def warm_up_bars(self) -> int:
        """Return how many bars have to be seen before the first idea."""
        ...

    @property
    def rebalances(self) -> bool:
        """Tell whether its ideas are target weights that are followed while something is held."""
        ...

    @property
    def sees_universe(self) -> bool:
        """Tell whether one state takes the bars of all pairs, and not each pair its own."""
        ...

    def start(self) -> Any:
        """Return the state before the first bar."""
        ...

    def update(self, state: Any, bar: Candle) -> Any:
        """Return the state after a closed bar; bars come oldest first, each once."""
        ...

    def propose(
        self, state: Any, market: MarketSnapshot, instrument: Instrument, installation: str
    ) -> Idea | None:
        """Return an idea on the close of the pair's newest bar, None when there is none.

        Prices of the idea lie on the instrument's tick. A stale market gives no idea.
        """
        ...

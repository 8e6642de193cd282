"""The seam that every strategy stands behind, whether written by hand or learned."""

from collections.abc import Sequence
from typing import Protocol

from models.trading.ideas import Idea
from models.trading.instruments import Instrument
from models.trading.market import Candle, MarketSnapshot


class Strategy(Protocol):
    """A pure function over closed bars: the same window and market give the same idea."""

    @property
    def name(self) -> str:
        """Return the name by which accounts follow the strategy."""
        ...

    @property
    def version(self) -> str:
        """Return the version; it changes whenever the same bars could give another idea."""
        ...

    @property
    def warm_up_bars(self) -> int:
        """Return how many contiguous closed bars ``propose`` needs."""
        ...

    def propose(
        self,
        window: Sequence[Candle],
        market: MarketSnapshot,
        instrument: Instrument,
        installation: str,
    ) -> Idea | None:
        """Return an idea on the close of the window's last bar, None when there is none.

        ``window`` holds closed bars of one symbol and interval, oldest first, at least
        ``warm_up_bars`` of them (more are ignored). A window that is too short or has a bar missing
        gives no idea. Prices of the idea lie on the instrument's tick.
        """
        ...

"""What the market looks like at the moment of a decision."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from models.trading.account.entries.book_costs import BookView


@dataclass(frozen=True, slots=True)
class Candle:
    """One bar in market time; ``start`` is inclusive. A bar without trades does not exist."""

    symbol: str
    interval_minutes: int
    start: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    trades: int = 0


@dataclass(frozen=True, slots=True)
class MarketSnapshot:
    """The figures a decision rests on, taken by the market worker.

    ``observed_at`` is market time. ``average_true_range`` is in quote units over the strategy's
    bars, ``volatility`` the standard deviation of log returns per bar; both are None until enough
    bars are known. ``stale`` is set when the feed is silent or its checksum failed: no new entries.
    ``daily_volatility`` is the smoothed one of a day, whatever the bars are; ``measured_at`` the
    end of the newest bar that all three rest on, ``bar_minutes`` how long those bars are.
    ``depth_quantity`` is the base quantity on offer within one percent of the best ask.
    ``book`` are the levels that the market worker holds, None when it holds none; ``book_at`` is
    the market time of their last change. ``second_apart`` is how far a second source's price has
    lain from the market's own at each of its newest looks, as a share; None: none has told.
    """

    symbol: str
    bid: Decimal
    ask: Decimal
    last: Decimal
    observed_at: datetime
    average_true_range: Decimal | None = None
    volatility: Decimal | None = None
    depth_quantity: Decimal | None = None
    stale: bool = False
    book: BookView | None = None
    book_at: datetime | None = None
    measured_at: datetime | None = None
    daily_volatility: Decimal | None = None
    bar_minutes: int = 1
    second_apart: Decimal | None = None

    @property
    def mid(self) -> Decimal:
        """Return the middle between best bid and best ask."""
        return (self.bid + self.ask) / 2

    @property
    def spread(self) -> Decimal:
        """Return the quoted spread in quote units."""
        return self.ask - self.bid

"""What the market worker knows of one symbol now: bars, watches, and the figures of the moment."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import takewhile
from typing import Any

from models.trading.account.entries.book_costs import BookView
from models.trading.instruments import Instrument
from models.trading.market import Candle, MarketSnapshot
from models.trading.market_figures import TradeFlow
from models.trading.strategies.indicators import (
    DailyVolatility,
    average_true_range,
    realised_volatility,
)
from models.trading.watches.prices import WatchIndex

WINDOW_BARS = 720
RANGE_BARS = 14
"""Wilder's own period for the average true range."""
VOLATILITY_BARS = 96


@dataclass
class SymbolState:
    """One symbol. ``changed`` until its snapshot has been written.

    ``reason`` says why its feed is not healthy. ``newest_trade`` is the highest trade id seen: a
    lower one that comes later was missed then. ``book`` reads out the levels of its book as they
    stood at ``book_at``, in market time; ``has_book`` while it has both of its sides,
    ``has_print`` once a trade was seen.
    """

    instrument: Instrument
    bars: deque[Candle] = field(default_factory=lambda: deque(maxlen=WINDOW_BARS))
    watches: WatchIndex = field(default_factory=WatchIndex)
    snapshot: MarketSnapshot | None = None
    healthy: bool = False
    changed: bool = False
    newest_trade: int = 0
    reason: str = ""
    book: Callable[[], BookView] | None = None
    book_at: datetime | None = None
    has_book: bool = False
    has_print: bool = False
    smoothed: DailyVolatility = field(default_factory=DailyVolatility)
    flow: TradeFlow = field(default_factory=TradeFlow)

    def refresh(self, at: datetime, **figures: Any) -> None:
        """Take new prices (fields of the snapshot) seen at a market time; the others stay."""
        old = self.snapshot
        if old is None:
            first = figures.get("last", figures.get("bid", Decimal(0)))
            old = MarketSnapshot(self.instrument.symbol, first, first, first, at, **self._figures())
        self.snapshot = replace(
            old, observed_at=max(at, old.observed_at), stale=not self.healthy, **figures
        )
        self.changed = True

    def note_second(self, apart: Decimal | None) -> None:
        """Keep how far a second source's price has lain from this one."""
        if self.snapshot is not None and self.snapshot.second_apart != apart:
            self.snapshot = replace(self.snapshot, second_apart=apart)
            self.changed = True

    def seen(self) -> MarketSnapshot | None:
        """Return the snapshot with the levels of the book, for whoever decides by them."""
        if self.snapshot is None:
            return None
        book = self.book() if self.book is not None else None
        return replace(self.snapshot, stale=not self.healthy, book=book, book_at=self.book_at)

    def measure(self) -> None:
        """Bring range and volatility up to the newest bar."""
        if self.snapshot is not None:
            self.snapshot = replace(self.snapshot, stale=not self.healthy, **self._figures())
            self.changed = True

    def _figures(self) -> dict[str, Any]:
        known = self.smoothed.last
        fresh = takewhile(lambda b: known is None or b.start > known.start, reversed(self.bars))
        self.smoothed.take(reversed(list(fresh)))
        daily = self.smoothed.value
        smoothed = None if daily is None else Decimal(repr(daily))
        return {**_figures(self.bars), "daily_volatility": smoothed}


def _end_of(bar: Candle) -> datetime:
    return bar.start + timedelta(minutes=bar.interval_minutes)


def _figures(bars: Iterable[Candle]) -> dict[str, Any]:
    window = tuple(bars)
    true_range = average_true_range(window[-10 * RANGE_BARS :], RANGE_BARS)
    volatility = realised_volatility(window[-VOLATILITY_BARS:])
    return {
        "average_true_range": None if true_range is None else Decimal(repr(true_range)),
        "volatility": None if volatility is None else Decimal(repr(volatility)),
        "measured_at": _end_of(window[-1]) if window else None,
        "bar_minutes": window[-1].interval_minutes if window else 1,
    }

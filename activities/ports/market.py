"""The market: its events, its feed, and what the record keeps of it."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from activities.market.marks import AccountMark
from activities.ports.journal import OneSidedBook
from models.trading.account.entries.book_costs import BookView
from models.trading.instruments import Instrument
from models.trading.market import Candle, MarketSnapshot
from models.trading.strategies.evidence import Evidence
from models.trading.trade.facts import PriceWatch


@dataclass(frozen=True, slots=True)
class Tick:
    """A public trade: market time, price and quantity of one print.

    ``side`` is the taker's, ``buy`` or ``sell``; empty where it is not told.
    """

    symbol: str
    price: Decimal
    quantity: Decimal
    trade_id: int
    exchange_time: datetime
    received_at: datetime
    side: str = ""


@dataclass(frozen=True, slots=True)
class BestPrices:
    """Best bid and ask with their quantities, and the quantity within one percent of the ask.

    ``book`` returns the levels as they stood then; they are read out only where somebody asks.
    """

    symbol: str
    bid: Decimal
    bid_quantity: Decimal
    ask: Decimal
    ask_quantity: Decimal
    depth_quantity: Decimal
    exchange_time: datetime
    book: Callable[[], BookView] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class BarClosed:
    """A bar is final: a newer one began."""

    candle: Candle


@dataclass(frozen=True, slots=True)
class FeedStatus:
    """A symbol's feed became healthy or not (silence, checksum, disconnect, exchange mode)."""

    symbol: str
    healthy: bool
    reason: str


@dataclass(frozen=True, slots=True)
class PairChanged:
    """The rules of a pair changed: its steps, minimums or status are now these."""

    instrument: Instrument


@dataclass(frozen=True, slots=True)
class Fence:
    """All that was sent before ``MarketFeed.request_fence`` was called has been yielded."""

    number: int


MarketEvent = Tick | BestPrices | OneSidedBook | BarClosed | FeedStatus | PairChanged | Fence


class MarketFeed(Protocol):
    """The public side of the exchange for the universe."""

    async def instruments(self) -> dict[str, Instrument]:
        """Return the USD spot pairs by symbol."""
        ...

    async def history(self, symbol: str, interval_minutes: int) -> list[Candle]:
        """Return recent closed bars, oldest first (at most 720)."""
        ...

    def events(self, symbols: Sequence[str], interval_minutes: int) -> AsyncIterator[MarketEvent]:
        """Stream the market; reconnects by itself and reports the gap as FeedStatus."""
        ...

    async def request_fence(self, number: int) -> None:
        """Have ``events`` yield ``Fence(number)`` after all that was sent before this call.

        A market in lockstep needs to know that a step has been seen whole. A fence asked for
        without a connection, or lost with one, comes after the next one's snapshots.
        """
        ...


class MarketRecord(Protocol):
    """The market side of the record: candles, snapshots and watches."""

    async def save_candles(self, candles: Sequence[Candle]) -> int:
        """Insert closed bars, replacing equal keys, and return how many rows were written."""
        ...

    async def recent_candles(self, symbol: str, interval_minutes: int, limit: int) -> list[Candle]:
        """Return the newest closed bars, oldest first."""
        ...

    async def save_snapshots(self, snapshots: Sequence[MarketSnapshot]) -> None:
        """Write the latest snapshot per symbol."""
        ...

    async def snapshot(self, symbol: str) -> MarketSnapshot | None:
        """Return the latest snapshot of a symbol."""
        ...

    async def active_watches(self) -> list[PriceWatch]:
        """Return every watch not yet triggered, of all accounts."""
        ...

    def watch_changes(self) -> AsyncIterator[tuple[str, int, tuple[PriceWatch, ...]]]:
        """Yield (account, trade, its watches) whenever a trade's watches change."""
        ...

    async def mark_triggered(self, watch: PriceWatch, price: Decimal, at: datetime) -> bool:
        """Record a crossing; False when it was recorded before."""
        ...

    async def followers(self, strategy: str) -> list[str]:
        """Return the accounts that follow a strategy."""
        ...

    async def evidence(self, strategy: str, version: str) -> Evidence:
        """Return what a strategy version has earned, on all accounts and in backtests."""
        ...

    async def holdings(self) -> dict[str, dict[str, Decimal]]:
        """Return totals by asset of every account that holds something, open trades included."""
        ...

    async def save_equity(self, at: datetime, marks: list[AccountMark]) -> None:
        """Write equity at a market time; the first mark of an account and minute is kept."""
        ...


@dataclass(frozen=True, slots=True)
class HedgeMarketSeen:
    """What the record knows of the market for one account's hedge.

    Attributes:
        held: the pairs that the account holds, or that its hedge may buy back.
        volatilities: daily volatility by symbol, of those.
        market_volatility: the mean of all pairs followed.
        market_at: the newest market time, None before any.
    """

    held: tuple[MarketSnapshot, ...]
    volatilities: dict[str, Decimal]
    market_volatility: Decimal | None
    market_at: datetime | None


class HedgeMarket(Protocol):
    """The market as a hedge sees it."""

    async def hedge_market(self, account: str) -> HedgeMarketSeen:
        """Return the market that concerns an account's hedge."""
        ...

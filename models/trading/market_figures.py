"""Figures of a pair's book and of the trades in it: what a minute of the market looked like."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from models.trading.account.entries.book_costs import BookView, nearby_quantity

ZERO = Decimal(0)
PLACES = Decimal("0.00000001")
TOXICITY_MINUTES = 50
"""Buckets of the flow's toxicity, as many as Easley, López de Prado and O'Hara (2012) use."""


@dataclass(frozen=True, slots=True)
class BookFigures:
    """What the levels of a book show.

    ``spread_share`` is the spread over the middle; ``imbalance`` lies between -1 (only asks) and 1
    (only bids), over the quantity within one percent of the best price, which ``bid_depth`` and
    ``ask_depth`` are (base units); ``microprice`` weighs each best price by the other side's
    quantity (Stoikov 2018).
    """

    spread_share: Decimal
    imbalance: Decimal
    microprice: Decimal
    bid_depth: Decimal
    ask_depth: Decimal


@dataclass(frozen=True, slots=True)
class MarketFigures:
    """One market minute of a pair; ``book`` None while it lacks a side or its feed is broken.

    ``bought`` and ``sold`` are base units by the taker's side; ``toxicity`` is the share of volume
    that was one-sided over the last 50 minutes with trades, None before there are as many.
    """

    symbol: str
    at: datetime
    book: BookFigures | None
    bought: Decimal
    sold: Decimal
    toxicity: Decimal | None

    @property
    def signed_volume(self) -> Decimal:
        """Return what was bought beyond what was sold, in base units."""
        return self.bought - self.sold


def book_figures(book: BookView) -> BookFigures | None:
    """Return the figures of a book, None where a side is empty."""
    if not book.bids or not book.asks:
        return None
    bid, ask = book.bids[0], book.asks[0]
    bids, asks = nearby_quantity(book.bids), nearby_quantity(book.asks)
    beside = bid.quantity + ask.quantity
    if bids + asks <= ZERO or beside <= ZERO:
        return None
    micro = (bid.price * ask.quantity + ask.price * bid.quantity) / beside
    return BookFigures(
        spread_share=((ask.price - bid.price) / ((ask.price + bid.price) / 2)).quantize(PLACES),
        imbalance=((bids - asks) / (bids + asks)).quantize(PLACES),
        microprice=micro.quantize(PLACES),
        bid_depth=bids,
        ask_depth=asks,
    )


@dataclass
class TradeFlow:
    """Trades of one pair by the taker's side, minute by minute."""

    bought: Decimal = ZERO
    sold: Decimal = ZERO
    buckets: deque[tuple[Decimal, Decimal]] = field(
        default_factory=lambda: deque(maxlen=TOXICITY_MINUTES)
    )

    def add(self, quantity: Decimal, *, is_buy: bool) -> None:
        """Take in a trade."""
        if is_buy:
            self.bought += quantity
        else:
            self.sold += quantity

    def close_minute(self) -> tuple[Decimal, Decimal, Decimal | None]:
        """Return what was bought and sold since the last call, and the flow's toxicity."""
        minute = self.bought, self.sold
        self.bought = self.sold = ZERO
        if any(minute):
            self.buckets.append(minute)
        return *minute, toxicity(self.buckets)


def toxicity(buckets: Iterable[tuple[Decimal, Decimal]]) -> Decimal | None:
    """Return the one-sided share of volume, None until there are enough minutes with trades.

    As VPIN, with minutes in place of buckets of equal volume: Σ|bought - sold| / Σ(bought + sold).
    """
    known = list(buckets)
    if len(known) < TOXICITY_MINUTES:
        return None
    one_sided = sum((abs(bought - sold) for bought, sold in known), ZERO)
    return (one_sided / sum((bought + sold for bought, sold in known), ZERO)).quantize(PLACES)

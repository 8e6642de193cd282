"""What a market source hands to the exchange: one step of the market in market time."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from models.trading.instruments import Instrument
from models.trading.orders import Side


@dataclass(frozen=True, slots=True)
class Level:
    """A price level of the book."""

    price: Decimal
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Print:
    """A public trade between others. ``side`` is the taker's."""

    side: Side
    price: Decimal
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class SymbolStep:
    """What a step does to one symbol: first the prints, oldest first, then the new book.

    ``bids`` and ``asks`` are the liquidity of others after the step, best first, already on the
    pair's tick and lot.
    """

    symbol: str
    prints: tuple[Print, ...]
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]


@dataclass(frozen=True, slots=True)
class MarketStep:
    """One step of the market: ``number`` counts from 1, ``at`` is market time, never decreasing."""

    number: int
    at: datetime
    symbols: tuple[SymbolStep, ...]


class MarketSource(Protocol):
    """A seeded or recorded market: the same source from the same state gives the same steps."""

    instruments: dict[str, Instrument]
    bar_minutes: int

    def start_time(self) -> datetime:
        """Return the market time before the first step."""
        ...

    def next_step(self) -> MarketStep | None:
        """Return the next step, None when a recording has ended."""
        ...

    def state(self) -> dict[str, Any]:
        """Return what is needed to go on from here, as JSON-ready values."""
        ...

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state returned earlier by a source with the same configuration."""
        ...

"""What data from outside needs: sources of it, a second source of prices, and where it is kept."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from models.contracts.market.data import MarketDataDone


@dataclass(frozen=True, slots=True)
class ReadSanctions:
    """A list of sanctions that was read: what it is, and the entry that names each asset."""

    digest: str
    source: str
    published: str
    entries: int
    named: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SentimentValue:
    """How a source judges the mood of the market: 0 to 100, of a moment, in the source's words."""

    source: str
    at: datetime
    value: Decimal
    words: str


class SentimentFeed(Protocol):
    """A source of sentiment."""

    async def values(self) -> list[SentimentValue]:
        """Return recent values, oldest first. Raises PlatformError where it tells none."""
        ...


ReadList = Callable[[Sequence[str]], ReadSanctions]
"""Reads the list and finds what it says of assets; blocks. Raises PlatformError."""


class MarketDataRecord(Protocol):
    """Where what came from outside is kept; every method may be repeated."""

    async def allowed_pairs(self) -> list[str]:
        """Return the pairs of the universe that entries may be made in."""
        ...

    async def listed_assets(self) -> list[str]:
        """Return the assets of the universe, and of all pairs that the rules have judged last."""
        ...

    async def named_assets(self) -> frozenset[str]:
        """Return the assets that the list named that was read last."""
        ...

    async def save_sanctions(self, read: ReadSanctions, at: datetime) -> None:
        """Write that a list was read; the same one again is only read anew."""
        ...

    async def save_sentiment(self, values: Sequence[SentimentValue], at: datetime) -> int:
        """Keep what was not told before, as available from now; return how many that were."""
        ...

    async def note_done(self, done: MarketDataDone, at: datetime) -> None:
        """Write what came of a run."""
        ...


class SecondFeed(Protocol):
    """Another source than the exchange."""

    async def prices(self, symbols: Sequence[str]) -> dict[str, Decimal]:
        """Return USD prices by symbol; what it does not know is missing. Raises what it meets."""
        ...


class QualityRecord(Protocol):
    """Faults of the market's data, from their beginning to their end."""

    async def begin(self, symbol: str, kind: str, detail: str, at: datetime) -> None:
        """Write that a fault stands; one that stands already stays as it began."""
        ...

    async def end(self, symbol: str, kind: str, at: datetime) -> None:
        """Write that a fault is over."""
        ...

    async def standing(self) -> list[tuple[str, str]]:
        """Return symbol and kind of every fault that stands, also of an earlier process."""
        ...

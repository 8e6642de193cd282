"""A pair's public book as it goes over the wire: fixed-precision text, changes, checksum.

``BookLines`` follows the exchange's book and tells what changed for each subscribed depth;
``MirroredBook`` is the other end: it applies snapshots and updates and checks them.
"""

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from models.simulation.steps import Level

DEPTHS: Final = (10, 25, 100, 500, 1000)
CHECKSUM_LEVELS: Final = 10


@dataclass(frozen=True, slots=True)
class BookLine:
    """One level with its text; ``digits`` is what it adds to the checksum's input."""

    price: Decimal
    quantity: Decimal
    price_text: str
    quantity_text: str
    digits: str
    changed_second: int


def checksum_digits(price_text: str, quantity_text: str) -> str:
    """Return both numbers without decimal point and leading zeros (kraken-protocol §13.1)."""
    price = price_text.replace(".", "").lstrip("0")
    return price + quantity_text.replace(".", "").lstrip("0")


def checksum_of(asks: Iterable[str], bids: Iterable[str]) -> int:
    """Return the CRC-32 over the digits of the best ten asks, then of the best ten bids."""
    return zlib.crc32("".join((*asks, *bids)).encode("ascii"))


class BookLines:
    """Both sides, best first, with what they were before the last replacement."""

    def __init__(self, price_precision: int, quantity_precision: int) -> None:
        self._price_precision = price_precision
        self._quantity_precision = quantity_precision
        self.bids: list[BookLine] = []
        self.asks: list[BookLine] = []
        self._old_bids: list[BookLine] = []
        self._old_asks: list[BookLine] = []
        self._checksum: int | None = None

    def alter(self, price_precision: int) -> None:
        """Write prices with another precision from the next replacement on."""
        self._price_precision = price_precision
        self.bids, self.asks = [], []

    def replace(self, bids: Sequence[Level], asks: Sequence[Level], second: int) -> bool:
        """Take the book as it is now; tell whether the best price or quantity changed."""
        self._old_bids, self._old_asks = self.bids, self.asks
        self.bids = self._lines(bids, self._old_bids, second)
        self.asks = self._lines(asks, self._old_asks, second)
        self._checksum = None
        return _touch(self.bids) != _touch(self._old_bids) or _touch(self.asks) != _touch(
            self._old_asks
        )

    def changes(self, depth: int) -> tuple[list[BookLine], list[BookLine]]:
        """Return the changed bids and asks that bring a mirror of this depth up to date.

        A removed level has quantity zero. Levels that only fell out of the depth are not removed:
        the mirror truncates. Levels that came back into the depth are sent again.
        """
        return (
            self._side_changes(self._old_bids, self.bids, depth),
            self._side_changes(self._old_asks, self.asks, depth),
        )

    def checksum(self) -> int:
        """Return the checksum of the present book."""
        if self._checksum is None:
            self._checksum = checksum_of(
                (line.digits for line in self.asks[:CHECKSUM_LEVELS]),
                (line.digits for line in self.bids[:CHECKSUM_LEVELS]),
            )
        return self._checksum

    def _lines(
        self, levels: Sequence[Level], before: Sequence[BookLine], second: int
    ) -> list[BookLine]:
        known = {line.price: line for line in before}
        lines = []
        for level in levels:
            line = known.get(level.price)
            if line is None or line.quantity != level.quantity:
                line = self._line(level, second)
            lines.append(line)
        return lines

    def _line(self, level: Level, second: int) -> BookLine:
        price_text = f"{level.price:.{self._price_precision}f}"
        quantity_text = f"{level.quantity:.{self._quantity_precision}f}"
        digits = checksum_digits(price_text, quantity_text)
        return BookLine(level.price, level.quantity, price_text, quantity_text, digits, second)

    def _side_changes(
        self, before: Sequence[BookLine], now: Sequence[BookLine], depth: int
    ) -> list[BookLine]:
        old_top, new_top = before[:depth], now[:depth]
        old = {line.price: line for line in old_top}
        standing = {line.price for line in now}
        removed = [self._removed(line) for line in old_top if line.price not in standing]
        # An unchanged level is the same object: identity spares the comparison of decimals.
        return removed + [line for line in new_top if old.get(line.price) is not line]

    def _removed(self, line: BookLine) -> BookLine:
        zero = f"{Decimal(0):.{self._quantity_precision}f}"
        return BookLine(line.price, Decimal(0), line.price_text, zero, "", line.changed_second)


def _touch(side: Sequence[BookLine]) -> tuple[Decimal, Decimal] | None:
    return (side[0].price, side[0].quantity) if side else None


class ChecksumMismatchError(Exception):
    """A mirrored book is not the exchange's: subscribe anew."""


class MirroredBook:
    """A book built from channel ``book``: price text and quantity text by price, truncated."""

    def __init__(self, depth: int, price_precision: int, quantity_precision: int) -> None:
        self._depth = depth
        self._price_precision = price_precision
        self._quantity_precision = quantity_precision
        self._bids: dict[Decimal, Decimal] = {}
        self._asks: dict[Decimal, Decimal] = {}

    def snapshot(self, bids: Iterable[Level], asks: Iterable[Level], checksum: int | None) -> None:
        """Replace the book; ChecksumMismatchError when the sum is not this book's."""
        self._bids.clear()
        self._asks.clear()
        self.update(bids, asks, checksum)

    def update(self, bids: Iterable[Level], asks: Iterable[Level], checksum: int | None) -> None:
        """Apply changed levels in order, truncate, and check (None: no sum was sent)."""
        self._apply(self._bids, bids, descending=True)
        self._apply(self._asks, asks, descending=False)
        if checksum is not None and checksum != self.checksum():
            raise ChecksumMismatchError(f"checksum was {checksum}, the book has {self.checksum()}")

    @property
    def bids(self) -> tuple[Level, ...]:
        """Return bids, best first."""
        return tuple(Level(price, self._bids[price]) for price in sorted(self._bids, reverse=True))

    @property
    def asks(self) -> tuple[Level, ...]:
        """Return asks, best first."""
        return tuple(Level(price, self._asks[price]) for price in sorted(self._asks))

    def checksum(self) -> int:
        """Return the checksum of the mirrored book."""
        return checksum_of(self._digits(self.asks), self._digits(self.bids))

    def _digits(self, side: Sequence[Level]) -> Iterable[str]:
        for level in side[:CHECKSUM_LEVELS]:
            price_text = f"{level.price:.{self._price_precision}f}"
            yield checksum_digits(price_text, f"{level.quantity:.{self._quantity_precision}f}")

    def _apply(
        self, side: dict[Decimal, Decimal], changes: Iterable[Level], *, descending: bool
    ) -> None:
        for change in changes:
            if change.quantity == 0:
                side.pop(change.price, None)
            else:
                side[change.price] = change.quantity
        if len(side) > self._depth:
            for price in sorted(side, reverse=descending)[self._depth :]:
                del side[price]

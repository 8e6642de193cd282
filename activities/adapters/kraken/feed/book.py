"""An order book kept from WebSocket v2 frames and proven by Kraken's checksum (§13.1)."""

from bisect import bisect_left, insort
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any
from zlib import crc32

from models.trading.account.entries.book_costs import BookLevel, BookView

_CHECKSUM_LEVELS = 10
# Above it float times scale may be off by half a step: the exact text must be read instead.
_EXACT_FLOAT = 2**50


class PrecisionLostError(Exception):
    """A number was too large for the fast parser; parse the frame exactly and apply it again."""


class _Side:
    """Prices sorted best first (bids negated), with quantity and checksum digits by price."""

    __slots__ = ("digits", "prices", "quantities")

    def __init__(self) -> None:
        self.prices: list[int] = []
        self.quantities: dict[int, int] = {}
        self.digits: dict[int, str] = {}


class Book:
    """Both sides of one pair to a fixed depth.

    Prices and quantities are whole numbers of the pair's smallest steps. In that form they are at
    once exact, quick to sort, and the very digits of the checksum: the wire's fixed-point text
    without point and leading zeros. Frames come from a fast float parser (a float holds each of
    these numbers exactly below 2^50) or, for larger ones, with Decimal numbers.
    """

    __slots__ = (
        "_asks",
        "_bids",
        "_depth",
        "_price_precision",
        "_price_scale",
        "_quantity_precision",
        "_quantity_scale",
    )

    def __init__(self, price_precision: int, quantity_precision: int, depth: int) -> None:
        self._price_precision = price_precision
        self._quantity_precision = quantity_precision
        self._price_scale = 10**price_precision
        self._quantity_scale = 10**quantity_precision
        self._depth = depth
        self._asks = _Side()
        self._bids = _Side()

    def replace(self, data: dict[str, Any]) -> bool:
        """Take a snapshot in place of everything; tell whether it agrees with its checksum."""
        self._asks = _Side()
        self._bids = _Side()
        return self.update(data)

    def update(self, data: dict[str, Any]) -> bool:
        """Apply changed levels, cut to the depth and tell whether the checksum agrees.

        A message without a checksum (thin books, §13) agrees. Applying a message twice is harmless,
        so after PrecisionLostError the exactly parsed message can be applied from the start.
        """
        self._apply(self._asks, 1, data["asks"])
        self._apply(self._bids, -1, data["bids"])
        expected = data.get("checksum")
        return expected is None or expected == self.checksum()

    def _apply(self, side: "_Side", sign: int, levels: list[dict[str, Any]]) -> None:
        prices, quantities, digits = side.prices, side.quantities, side.digits
        for level in levels:
            whole = self._whole(level["price"], self._price_scale)
            quantity = self._whole(level["qty"], self._quantity_scale)
            price = whole * sign
            if quantity:
                if price not in quantities:
                    insort(prices, price)
                quantities[price] = quantity
                digits[price] = f"{whole}{quantity}"
            elif quantities.pop(price, None) is not None:
                del digits[price]
                del prices[bisect_left(prices, price)]
        # Kraken sends no deletion for levels that fall off the end.
        while len(prices) > self._depth:
            price = prices.pop()
            del quantities[price], digits[price]

    @staticmethod
    def _whole(number: float | Decimal | str, scale: int) -> int:
        if isinstance(number, str):
            number = Decimal(number)
        whole = round(number * scale)
        if whole >= _EXACT_FLOAT and isinstance(number, float):
            raise PrecisionLostError
        return whole

    def checksum(self) -> int:
        """Return CRC-32 over the top ten asks, then bids, best first (§13.1)."""
        asks, bids = self._asks, self._bids
        parts = [asks.digits[price] for price in asks.prices[:_CHECKSUM_LEVELS]]
        parts += [bids.digits[price] for price in bids.prices[:_CHECKSUM_LEVELS]]
        return crc32("".join(parts).encode())

    @property
    def has_both_sides(self) -> bool:
        """Tell whether there is a best bid and a best ask."""
        return bool(self._asks.prices) and bool(self._bids.prices)

    def best_ask(self) -> tuple[Decimal, Decimal]:
        """Return price and quantity of the best ask."""
        price = self._asks.prices[0]
        return self._price(price), self._quantity(self._asks.quantities[price])

    def best_bid(self) -> tuple[Decimal, Decimal]:
        """Return price and quantity of the best bid."""
        price = self._bids.prices[0]
        return self._price(-price), self._quantity(self._bids.quantities[price])

    def depth_quantity(self) -> Decimal:
        """Return the visible base quantity on offer within one percent of the best ask."""
        prices, quantities = self._asks.prices, self._asks.quantities
        limit = prices[0] * 101 // 100
        return self._quantity(sum(quantities[price] for price in prices if price <= limit))

    def seen(self) -> Callable[[], BookView]:
        """Return what reads out the levels as they stand now, whatever is changed afterwards.

        Taking them as whole numbers costs little, so that it can be done with every change.
        """
        asks = [(price, self._asks.quantities[price]) for price in self._asks.prices]
        bids = [(-price, self._bids.quantities[price]) for price in self._bids.prices]

        def view() -> BookView:
            return BookView(bids=self._view(bids), asks=self._view(asks))

        return view

    def _view(self, levels: Sequence[tuple[int, int]]) -> tuple[BookLevel, ...]:
        return tuple(BookLevel(self._price(p), self._quantity(q)) for p, q in levels)

    def levels(self) -> tuple[Sequence[tuple[Decimal, Decimal]], Sequence[tuple[Decimal, Decimal]]]:
        """Return bids and asks as price and quantity, best first."""
        bids, bid_quantities = self._bids.prices, self._bids.quantities
        asks, ask_quantities = self._asks.prices, self._asks.quantities
        return (
            [(self._price(-price), self._quantity(bid_quantities[price])) for price in bids],
            [(self._price(price), self._quantity(ask_quantities[price])) for price in asks],
        )

    def _price(self, whole: int) -> Decimal:
        return Decimal(whole).scaleb(-self._price_precision)

    def _quantity(self, whole: int) -> Decimal:
        return Decimal(whole).scaleb(-self._quantity_precision)

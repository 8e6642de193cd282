"""The book that candles do not tell."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from models.trading.market import MarketSnapshot
from tests.support.books import a_book

BOOK_USD = Decimal(1_000_000)
"""What each level of a book is taken to hold, in USD."""


def with_book(seen: MarketSnapshot, now: datetime) -> MarketSnapshot:
    """Return what is seen with a deep book."""
    return replace(seen, book=a_book(seen.bid, seen.ask, BOOK_USD / seen.ask), book_at=now)

"""Whether the order book can be relied on when an entry is judged.

Costs, caps and the price that an entry is protected by are read from the book. A book that is
missing, old, crossed or without one of its sides tells none of them: the entry is refused, with a
code for each.
"""

from datetime import datetime

from models.trading.market import MarketSnapshot
from models.trading.verdicts import Check

RULE = "T-7"


def check_book(market: MarketSnapshot, now: datetime, age_limit_seconds: int) -> Check | None:
    """Return why the book of a snapshot tells no costs, None when it does.

    Args:
        market: what the market worker saw.
        now: the newest market time that the account knows.
        age_limit_seconds: how long before ``now`` the book may have changed last.
    """
    book, symbol = market.book, market.symbol
    if book is None or market.book_at is None:
        return _refused("book-unknown", f"no order book of {symbol} is held")
    age = (now - market.book_at).total_seconds()
    if age > age_limit_seconds:
        reason = f"the book of {symbol} last changed {age:.0f} s before the newest market time"
        return _refused("book-old", reason)
    if not book.bids or not book.asks:
        sides = [name for name, side in (("bids", book.bids), ("asks", book.asks)) if not side]
        return _refused("book-one-sided", f"the book of {symbol} has no {' and '.join(sides)}")
    levels = (*book.bids, *book.asks)
    figures = (figure for level in levels for figure in (level.price, level.quantity))
    if not all(figure.is_finite() and figure > 0 for figure in figures):
        return _refused("book-unknown", f"the book of {symbol} has levels that are no numbers")
    bid, ask = book.bids[0].price, book.asks[0].price
    if bid > ask:
        return _refused("book-crossed", f"the book of {symbol} is crossed: {bid} against {ask}")
    return None


def _refused(code: str, reason: str) -> Check:
    return Check(RULE, code, passed=False, reason=reason)

"""Order books around a price, for tests that need an entry to be judged."""

from decimal import Decimal

from models.trading.account.entries.book_costs import BookLevel, BookView

DEEP = Decimal(1000)


def a_book(bid, ask, quantity=DEEP, levels: int = 3, step=Decimal("0.0001")) -> BookView:
    """Return a book with so much on each of its levels, each a share of the price further out."""
    bid, ask, quantity = Decimal(bid), Decimal(ask), Decimal(quantity)
    return BookView(
        tuple(BookLevel(bid * (1 - n * step), quantity) for n in range(levels)),
        tuple(BookLevel(ask * (1 + n * step), quantity) for n in range(levels)),
    )

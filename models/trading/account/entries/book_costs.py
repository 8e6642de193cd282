"""What an order of some size would pay or get from the book that is seen now."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

ZERO = Decimal(0)
DEPTH_SHARE = Decimal("0.01")
"""How far from the best price the depth that counts reaches, as a share."""


@dataclass(frozen=True, slots=True)
class BookLevel:
    """One price with the base quantity on offer there."""

    price: Decimal
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class BookView:
    """Both sides of a book, each with its best price first."""

    bids: tuple[BookLevel, ...]
    asks: tuple[BookLevel, ...]


def nearby_quantity(levels: Sequence[BookLevel]) -> Decimal:
    """Return the base quantity that one side shows within ``DEPTH_SHARE`` of its best price."""
    if not levels:
        return ZERO
    reach = levels[0].price * DEPTH_SHARE
    near = (level for level in levels if abs(level.price - levels[0].price) <= reach)
    return sum((level.quantity for level in near), ZERO)


def tradable_depth(book: BookView) -> Decimal:
    """Return the base quantity near the best prices of the thinner side.

    What is bought has to be sold again: the bids bound an entry as much as the asks.
    """
    return min(nearby_quantity(book.asks), nearby_quantity(book.bids))


@dataclass(frozen=True, slots=True)
class BookWalk:
    """The outcome of taking a quantity from one side; ``complete`` when the side has as much.

    ``average_price`` is that of the quantity found, None when there is nothing at all.
    """

    quantity: Decimal
    average_price: Decimal | None
    worst_price: Decimal | None
    complete: bool


def walk(levels: Sequence[BookLevel], quantity: Decimal) -> BookWalk:
    """Take a base quantity from one side, level by level."""
    left, cost, worst = quantity, ZERO, None
    for level in levels:
        taken = min(left, level.quantity)
        if taken > ZERO:
            cost += taken * level.price
            left -= taken
            worst = level.price
        if left <= ZERO:
            break
    found = quantity - left
    average = cost / found if found > ZERO else None
    return BookWalk(found, average, worst, complete=left <= ZERO)


def slippage_share(levels: Sequence[BookLevel], quantity: Decimal) -> Decimal | None:
    """Return how much worse than the best price a quantity trades, as a share of that price.

    None when the side does not have as much.
    """
    walked = walk(levels, quantity)
    if not walked.complete or walked.average_price is None:
        return None
    best = levels[0].price
    return abs(walked.average_price - best) / best

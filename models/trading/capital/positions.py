"""What the open trades of one pair hold together."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class HeldByTrade:
    """What one trade holds: base units, those of them under stops, and USD paid for each."""

    quantity: Decimal
    protected_quantity: Decimal
    average_entry_price: Decimal | None


@dataclass(frozen=True, slots=True)
class PairPosition:
    """What a pair's trades hold together; the price is None while that of one is not known."""

    quantity: Decimal
    protected_quantity: Decimal
    average_entry_price: Decimal | None

    def value(self, price: Decimal | None) -> Decimal | None:
        """Return what it is worth in USD at a price."""
        return None if price is None else self.quantity * price

    def unrealised(self, price: Decimal | None) -> Decimal | None:
        """Return USD that it is up or down at a price, before fees."""
        if price is None or self.average_entry_price is None:
            return None
        return self.quantity * (price - self.average_entry_price)


def position_of(trades: Iterable[HeldByTrade]) -> PairPosition:
    """Return what trades hold together, at the mean of their prices weighted by quantity."""
    held = list(trades)
    quantity = sum((trade.quantity for trade in held), ZERO)
    paid = [
        trade.quantity * trade.average_entry_price
        for trade in held
        if trade.average_entry_price is not None
    ]
    is_known = len(paid) == len(held) and quantity > ZERO
    return PairPosition(
        quantity,
        sum((trade.protected_quantity for trade in held), ZERO),
        sum(paid, ZERO) / quantity if is_known else None,
    )

"""What a settled trade had counted when it was opened again."""

from dataclasses import dataclass
from decimal import Decimal

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Rescue:
    """A settled trade was opened again: the exchange told of more than it had settled with.

    Attributes:
        number: how often that has happened to this trade.
        cash_flow: what the trade's account had counted in USD when it settled.
        quantity: the same in base units: bought less sold.
        dust: what it had left in the account as dust.
        covered: all that is held is covered by resting stops, so that the danger is over.
    """

    number: int
    cash_flow: Decimal
    quantity: Decimal
    dust: Decimal = ZERO
    covered: bool = False

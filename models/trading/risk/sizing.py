"""What sizing comes to, and what one unit loses at its stop (R-2); the caps are in ``sizing_caps``.

The loss of one unit when the stop is hit counts everything: the way from the worst expected entry
to the worst expected exit, slippage on both sides, and both taker fees.
"""

from dataclasses import dataclass
from decimal import Decimal

from models.trading.risk.limits import AccountLimits, FeeRates


@dataclass(frozen=True, slots=True)
class SizingCap:
    """One bound on the quantity; ``code`` is the refusal's when it leaves too little."""

    name: str
    code: str
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class SizingResult:
    """The quantity on the pair's lot step, every cap that was applied, and which one bound."""

    quantity: Decimal
    caps: tuple[SizingCap, ...]
    binding: SizingCap


def unit_loss(
    entry_price: Decimal, stop_price: Decimal, fees: FeeRates, limits: AccountLimits
) -> Decimal:
    """Return what one base unit loses in USD between entry and stop, costs included."""
    paid = entry_price * (1 + limits.slippage_share) * (1 + fees.taker)
    received = stop_price * (1 - limits.slippage_share) * (1 - fees.taker)
    return paid - received

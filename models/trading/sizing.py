"""How much to buy: as much as the risk allows, and never more than any limit leaves (R-2).

The loss of one unit when the stop is hit counts everything: the way from the worst expected entry
to the worst expected exit, slippage on both sides, and both taker fees.
"""

from dataclasses import dataclass
from decimal import Decimal

from models.trading.instruments import Instrument
from models.trading.limits import AccountLimits, FeeRates

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class SizingRequest:
    """Everything sizing needs; money in USD, prices in USD per base unit.

    ``entry_price`` is the expected price of the entry, ``price_bound`` the price per unit that cash
    is reserved at, ``room`` figures what the limits leave. ``depth_quantity`` None: unknown depth.
    """

    instrument: Instrument
    limits: AccountLimits
    fees: FeeRates
    equity: Decimal
    entry_price: Decimal
    price_bound: Decimal
    stop_price: Decimal
    pair_room: Decimal
    gross_room: Decimal
    spendable_cash: Decimal
    depth_quantity: Decimal | None = None


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


def size_position(request: SizingRequest) -> SizingResult:
    """Return the largest quantity within every cap; zero when one of them leaves nothing."""
    limits = request.limits
    loss = unit_loss(request.entry_price, request.stop_price, request.fees, limits)
    at_risk = max(ZERO, request.equity * limits.risk_share)
    unit_cash = request.price_bound * (1 + request.fees.taker)
    # What is promised counts as exposure with fees and margin, so room is measured likewise.
    caps = [
        SizingCap("risk", "below-minimum", at_risk / loss if loss > ZERO else ZERO),
        SizingCap("pair exposure", "limit-exceeded", request.pair_room / unit_cash),
        SizingCap("gross exposure", "limit-exceeded", request.gross_room / unit_cash),
        SizingCap("cash", "insufficient-balance", request.spendable_cash / unit_cash),
    ]
    if request.depth_quantity is not None:
        depth = request.depth_quantity * limits.depth_share
        caps.append(SizingCap("market depth", "limit-exceeded", depth))
    binding = min(caps, key=lambda cap: cap.quantity)
    quantity = request.instrument.floor_quantity(max(ZERO, binding.quantity))
    return SizingResult(quantity, tuple(caps), binding)

"""What the hedge itself has done: what it sold, what it can buy back, and what it earned (H-4).

The hedge's profit is that of the account against not having hedged: what its sales brought, less
what buying back cost, all fees inside, less what the units it still lacks would be worth now.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal

from models.trading.orders import Side

ZERO = Decimal(0)
CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class HedgeFill:
    """An execution of the hedge: base units, USD, and the fee in USD."""

    asset: str
    side: Side
    quantity: Decimal
    cost: Decimal
    fee: Decimal


@dataclass(frozen=True, slots=True)
class HedgeBook:
    """Carry what the hedge sold and has not bought back.

    ``lacking`` are base units by asset, ``cash`` USD that hedging brought net of fees and buying
    back, ``fees`` all fees in USD (inside ``cash``), ``turnover`` USD moved.
    """

    lacking: Mapping[str, Decimal] = field(default_factory=dict)
    cash: Decimal = ZERO
    fees: Decimal = ZERO
    turnover: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class HedgePerformance:
    """Profit in USD against not having hedged; None where a price is missing, with the assets."""

    profit: Decimal | None
    fees: Decimal
    lacking_value: Decimal
    unpriced: tuple[str, ...] = ()


def note_fill(book: HedgeBook, fill: HedgeFill) -> HedgeBook:
    """Take in one execution of the hedge."""
    sign = 1 if fill.side is Side.SELL else -1
    lacking = dict(book.lacking)
    lacking[fill.asset] = lacking.get(fill.asset, ZERO) + sign * fill.quantity
    if lacking[fill.asset] == ZERO:
        del lacking[fill.asset]
    return HedgeBook(
        lacking=lacking,
        cash=book.cash + sign * fill.cost - fill.fee,
        fees=book.fees + fill.fee,
        turnover=book.turnover + fill.cost,
    )


def performance(book: HedgeBook, prices: Mapping[str, Decimal]) -> HedgePerformance:
    """Compare with not having hedged, at prices in USD by asset."""
    unpriced = tuple(sorted(asset for asset in book.lacking if asset not in prices))
    value = sum((q * prices[a] for a, q in book.lacking.items() if a in prices), ZERO)
    profit = book.cash - value if not unpriced else None
    return HedgePerformance(profit, book.fees, value, unpriced)


def split_reduction(value: Decimal, holdings: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Split USD to be sold over what is held (USD by asset), in proportion, in whole cents.

    Never more than is held, and never more than was asked for.
    """
    total = sum((held for held in holdings.values() if held > ZERO), ZERO)
    if total <= ZERO or value <= ZERO:
        return {}
    share = min(Decimal(1), value / total)
    parts = {
        asset: (held * share).quantize(CENT, rounding=ROUND_DOWN)
        for asset, held in sorted(holdings.items())
        if held > ZERO
    }
    return {asset: part for asset, part in parts.items() if part > ZERO}


def split_restoration(
    value: Decimal, book: HedgeBook, prices: Mapping[str, Decimal]
) -> dict[str, Decimal]:
    """Split USD to be spent over what the hedge sold and may buy back, in proportion.

    The hedge opens no positions of its own: what it did not sell it does not buy.
    """
    missing = {a: q * prices[a] for a, q in book.lacking.items() if a in prices and q > ZERO}
    return split_reduction(value, missing)

"""What the hedge itself has done: what it sold, what it can buy back, and what it earned (H-4).

The hedge's profit is that of the account against not having hedged: what its sales brought, less
what buying back cost, all fees inside, less what would have been made of the units that it sold.
What it may buy back belongs to a trade that is still open: a claim. When that trade closes, the
units would have been sold with the rest of it, so the claim ends at the price of that sale.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import ROUND_DOWN, Decimal

ZERO = Decimal(0)
CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class HedgeClaim:
    """Base units of an asset that the hedge sold of one open trade and has not bought back."""

    asset: str
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class HedgeBook:
    """Carry what the hedge sold and has not bought back.

    ``claims`` are by the number of the trade that was made smaller, ``cash`` USD that hedging
    brought net of fees, of buying back, and of what ended claims would have brought; ``fees`` all
    fees in USD (inside ``cash``), ``turnover`` USD moved.
    """

    claims: Mapping[int, HedgeClaim] = field(default_factory=dict)
    cash: Decimal = ZERO
    fees: Decimal = ZERO
    turnover: Decimal = ZERO

    @property
    def lacking(self) -> dict[str, Decimal]:
        """Return the base units claimed, by asset."""
        units: dict[str, Decimal] = {}
        for claim in self.claims.values():
            units[claim.asset] = units.get(claim.asset, ZERO) + claim.quantity
        return units


@dataclass(frozen=True, slots=True)
class HedgePerformance:
    """Profit in USD against not having hedged; None where a price is missing, with the assets."""

    profit: Decimal | None
    fees: Decimal
    lacking_value: Decimal
    unpriced: tuple[str, ...] = ()


def claim_sold(book: HedgeBook, trade: int, asset: str, quantity: Decimal) -> HedgeBook:
    """Note base units that the hedge sold of an open trade."""
    if quantity <= ZERO:
        return book
    known = book.claims.get(trade, HedgeClaim(asset, ZERO))
    claim = replace(known, quantity=known.quantity + quantity)
    return replace(book, claims={**book.claims, trade: claim})


def claim_bought_back(book: HedgeBook, asset: str, quantity: Decimal) -> HedgeBook:
    """Note base units that the hedge bought back: the oldest claims in the asset shrink first."""
    claims = dict(book.claims)
    for trade in sorted(claims):
        if claims[trade].asset != asset or quantity <= ZERO:
            continue
        part = min(quantity, claims[trade].quantity)
        quantity -= part
        claims[trade] = replace(claims[trade], quantity=claims[trade].quantity - part)
        if claims[trade].quantity <= ZERO:
            del claims[trade]
    return replace(book, claims=claims)


def end_claim(book: HedgeBook, trade: int, net_price: Decimal) -> HedgeBook:
    """End the claim of a trade that has closed: its units would have brought ``net_price`` each.

    Args:
        book: the book before.
        trade: number of the trade.
        net_price: USD per base unit that its last sales brought, after the fee of a sale.
    """
    claim = book.claims.get(trade)
    if claim is None:
        return book
    claims = {number: other for number, other in book.claims.items() if number != trade}
    return replace(book, claims=claims, cash=book.cash - claim.quantity * net_price)


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

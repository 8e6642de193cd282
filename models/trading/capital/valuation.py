"""What holdings are worth in USD: the one rule for what has no price.

- USD is worth itself, and nothing of an asset is worth nothing.
- An asset for which no pair in USD is listed is *unpriceable*: it cannot be sold here, counts as
  nothing, and its name is shown beside the value.
- An asset whose pair is listed and has no usable price makes the value *unknown*, with the pair as
  the reason: a sum without it would pass for a loss. So does a quantity that is no number.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal

ZERO = Decimal(0)
CASH = "USD"


@dataclass(frozen=True, slots=True)
class Valuation:
    """A value in USD, or why there is none.

    Attributes:
        known: the sum of what has a price; the value where nothing is missing.
        unpriceable: assets held that no listed pair values, by name.
        missing: listed pairs of what is held that have no usable price, by name.
    """

    known: Decimal
    unpriceable: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def value(self) -> Decimal | None:
        """Return the value, None while it is unknown."""
        return None if self.missing else self.known

    @property
    def without_price(self) -> tuple[str, ...]:
        """Return the assets that ``known`` leaves out, by name."""
        lacking = (pair.partition("/")[0] for pair in self.missing)
        return tuple(sorted((*self.unpriceable, *lacking)))

    @property
    def reason(self) -> str:
        """Return why the value is unknown, empty where it is known."""
        return f"no price of {', '.join(self.missing)} is known" if self.missing else ""


def how_valued(exit_fee: Decimal) -> str:
    """Say what holdings are valued at, wherever a value is shown."""
    return "the bid" if exit_fee == ZERO else f"the bid less {exit_fee:.2%} exit fee"


def value_holdings(
    held: Mapping[str, Decimal],
    prices: Mapping[str, Decimal],
    listed: Collection[str] | None,
    exit_fee: Decimal = ZERO,
) -> Valuation:
    """Value holdings.

    Args:
        held: quantities by asset (``BTC``), USD among them.
        prices: USD per unit by symbol (``BTC/USD``); one that is not finite or not above zero is
            no price. A pair with a price is listed.
        listed: symbols of the pairs that the exchange lists, None while that is not known: then
            every asset may have a pair.
        exit_fee: share of a sale that its fee takes off; zero: valued without one.
    """
    known, unpriceable, missing = ZERO, [], []
    for asset, quantity in sorted(held.items()):
        if quantity == ZERO:
            continue
        pair = f"{asset}/{CASH}"
        price = Decimal(1) if asset == CASH else prices.get(pair)
        if not quantity.is_finite():
            missing.append(pair)
        elif price is not None and price.is_finite() and price > ZERO:
            known += quantity * price * (1 if asset == CASH else 1 - exit_fee)
        elif price is None and listed is not None and pair not in listed:
            unpriceable.append(asset)
        else:
            missing.append(pair)
    return Valuation(known, tuple(unpriceable), tuple(missing))

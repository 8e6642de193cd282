"""Requested prices made absolute: relative terms, trailing offsets, checks of the tick (§8.1)."""

from dataclasses import dataclass
from decimal import Decimal

from models.simulation.engine.orders import Order, OrderKind, PriceTerm
from models.simulation.errors import VenueError
from models.trading.instruments import Instrument
from models.trading.orders import Side

_HUNDRED = Decimal(100)
_PROFIT_KINDS = (OrderKind.TAKE_PROFIT, OrderKind.TAKE_PROFIT_LIMIT)


@dataclass(frozen=True, slots=True)
class ResolvedPrices:
    """Absolute prices; None where the kind has none or trailing makes it known later."""

    limit: Decimal | None = None
    trigger: Decimal | None = None


def resolve(
    instrument: Instrument,
    side: Side,
    kind: OrderKind,
    price: PriceTerm | None,
    price2: PriceTerm | None,
    base: Decimal | None,
) -> ResolvedPrices:
    """Make the prices of an order absolute; ``base`` is what relative prices are relative to.

    Raises:
        VenueError: a price is off the tick, not positive, or relative without a base.
    """
    if kind is OrderKind.MARKET or kind.is_trailing:
        return ResolvedPrices()
    first = None if price is None else absolute(instrument, price, _sign(side, kind), base)
    if kind in (OrderKind.LIMIT, OrderKind.ICEBERG):
        return ResolvedPrices(limit=first)
    second = None
    if price2 is not None:
        second = absolute(instrument, price2, -1 if side is Side.SELL else 1, base)
    return ResolvedPrices(limit=second, trigger=first)


def resolve_close(instrument: Instrument, parent: Order, fill_price: Decimal) -> ResolvedPrices:
    """Make a child's prices absolute: relative ones start from the primary's price (§9).

    The primary's price is its limit; a market primary's is the price of the fill. Relative terms
    that come out at or below zero end up at one tick.
    """
    terms = parent.close
    assert terms is not None
    side = Side.SELL if parent.side is Side.BUY else Side.BUY
    base = parent.limit_price or fill_price
    try:
        return resolve(instrument, side, terms.kind, terms.price, terms.price2, base)
    except VenueError:
        lowest = PriceTerm(instrument.price_increment)
        return resolve(instrument, side, terms.kind, lowest, lowest if terms.price2 else None, base)


def absolute(
    instrument: Instrument, term: PriceTerm, automatic_sign: int, base: Decimal | None
) -> Decimal:
    """Return an absolute price on the tick; ``automatic_sign`` is what ``#`` stands for."""
    if not term.is_relative:
        check_price(instrument, term.value)
        return term.value
    if base is None:
        raise VenueError("EOrder:Invalid price")
    sign = {"+": 1, "-": -1}.get(term.sign, automatic_sign)
    price = instrument.nearest_price(base + sign * offset(term, base))
    if price <= 0:
        raise VenueError("EOrder:Invalid price")
    return price


def offset(term: PriceTerm, base: Decimal) -> Decimal:
    """Return the size of a relative term in quote units."""
    return base * term.value / _HUNDRED if term.percent else term.value


def check_price(instrument: Instrument, price: Decimal) -> None:
    """Refuse a price that is not positive or off the tick."""
    if price <= 0:
        raise VenueError("EOrder:Invalid price")
    if price % instrument.price_increment:
        raise VenueError("EOrder:Tick size check failed")


def _sign(side: Side, kind: OrderKind) -> int:
    """Return the sign of ``#``: below the market for limit buys and sell stops, else above."""
    rises_when_selling = kind in (OrderKind.LIMIT, OrderKind.ICEBERG, *_PROFIT_KINDS)
    return 1 if (side is Side.SELL) == rises_when_selling else -1

"""Which arguments of an order go together (§8.1, §9): checks that need no state."""

from datetime import datetime, timedelta
from decimal import Decimal

from models.simulation.engine.orders import (
    CloseTerms,
    ForceKind,
    OrderKind,
    OrderRequest,
    PriceTerm,
)
from models.simulation.errors import VenueError
from models.simulation.gateway.parsing import invalid
from models.trading.instruments import Instrument
from models.trading.orders import Side

_EXPIRY_MINIMUM = timedelta(seconds=5)
_EXPIRY_MAXIMUM = timedelta(days=31)
_BOOK_KINDS = (OrderKind.LIMIT, OrderKind.ICEBERG)
_PAIRED_KINDS = (
    OrderKind.STOP_LOSS_LIMIT,
    OrderKind.TAKE_PROFIT_LIMIT,
    OrderKind.TRAILING_STOP_LIMIT,
)


def check_arguments(request: OrderRequest, instrument: Instrument, market_now: datetime) -> None:
    """Refuse combinations that Kraken does not take."""
    _check_volume(request, instrument)
    check_terms(request.kind, request.price, request.price2)
    _check_flags(request)
    _check_times(request, market_now)
    if request.trigger == "index":
        raise VenueError("EGeneral:Invalid arguments:Index unavailable")
    if request.userref is not None and request.cl_ord_id is not None:
        raise invalid("userref")
    if request.close is not None:
        _check_close(request.close)


def check_terms(
    kind: OrderKind, price: PriceTerm | None, price2: PriceTerm | None, naming: str = "{}"
) -> None:
    """Check that an order kind has the prices it needs; ``naming`` forms the field's name."""
    first, second = naming.format("price"), naming.format("price2")
    if kind is OrderKind.MARKET:
        if price is not None or price2 is not None:
            raise invalid(first)
        return
    if price is None or not price.value.is_finite():
        raise invalid(first)
    if kind.is_trailing and (price.sign != "+" or price.value <= 0):
        raise invalid(first)
    if (price2 is not None) != (kind in _PAIRED_KINDS):
        raise invalid(second)
    if price2 is not None and not price2.value.is_finite():
        raise invalid(second)
    relative = price2 is not None and price2.sign in ("+", "-")
    if kind is OrderKind.TRAILING_STOP_LIMIT and not relative:
        raise invalid(second)


def quantity_fits(quantity: Decimal, instrument: Instrument) -> bool:
    """Tell whether a quantity is above zero and on the pair's lot step."""
    if not quantity.is_finite() or not 0 < quantity < Decimal(10) ** 15:
        return False
    return quantity == instrument.floor_quantity(quantity)


def _check_volume(request: OrderRequest, instrument: Instrument) -> None:
    if request.volume_in_quote:
        if request.kind is not OrderKind.MARKET or request.side is not Side.BUY:
            raise invalid("oflags")
        if not request.volume.is_finite() or request.volume <= 0:
            raise invalid("volume")
    elif not quantity_fits(request.volume, instrument):
        raise invalid("volume")
    shown = request.display_volume
    if shown is None:
        if request.kind is OrderKind.ICEBERG:
            raise invalid("displayvol")
        return
    fits = quantity_fits(shown, instrument) and request.volume / 15 <= shown <= request.volume
    if request.kind is not OrderKind.ICEBERG or not fits:
        raise invalid("displayvol")


def _check_flags(request: OrderRequest) -> None:
    if request.post_only and request.kind not in _BOOK_KINDS:
        raise invalid("oflags")
    if request.time_in_force is ForceKind.FOK and not request.kind.is_priced:
        raise invalid("timeinforce")
    if request.post_only and request.time_in_force in (ForceKind.IOC, ForceKind.FOK):
        raise invalid("timeinforce")


def _check_times(request: OrderRequest, market_now: datetime) -> None:
    expires = request.expires_at
    if (expires is not None) != (request.time_in_force is ForceKind.GTD):
        raise invalid("expiretm")
    if expires is not None:
        ahead = expires - max(market_now, request.starts_at or market_now)
        if not _EXPIRY_MINIMUM <= ahead <= _EXPIRY_MAXIMUM:
            raise invalid("expiretm")
    if request.starts_at is not None and request.starts_at - market_now > _EXPIRY_MAXIMUM:
        raise invalid("starttm")


def _check_close(close: CloseTerms) -> None:
    if close.kind in (OrderKind.MARKET, OrderKind.ICEBERG):
        raise invalid("close[ordertype]")
    check_terms(close.kind, close.price, close.price2, naming="close[{}]")

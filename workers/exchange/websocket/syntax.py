"""Read the parameters of WebSocket v2 trading methods: numbers must be numbers, fields known."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from models.simulation.engine.orders import (
    AmendRequest,
    CloseTerms,
    EditRequest,
    ForceKind,
    OrderKind,
    OrderRequest,
    PriceTerm,
    SelfTradePrevention,
)
from models.trading.orders import Side
from workers.exchange.errors import ApiError
from workers.exchange.rest.syntax import invalid, rfc3339

Params = Mapping[str, Any]

ORDER_FIELDS = frozenset(
    ("order_type", "side", "symbol", "order_qty", "limit_price", "limit_price_type", "triggers",
     "time_in_force", "expire_time", "effective_time", "deadline", "post_only", "reduce_only",
     "margin", "display_qty", "fee_preference", "stp_type", "cash_order_qty", "cl_ord_id",
     "order_userref", "conditional", "validate", "no_mpp", "token", "sender_sub_id")
)  # fmt: skip
AMEND_FIELDS = frozenset(
    ("order_id", "cl_ord_id", "order_qty", "limit_price", "limit_price_type", "display_qty",
     "trigger_price", "trigger_price_type", "post_only", "deadline", "symbol", "token")
)  # fmt: skip
EDIT_FIELDS = (ORDER_FIELDS - {"cl_ord_id", "order_type", "side"}) | {"order_id"}
BATCH_FIELDS = frozenset(("symbol", "orders", "deadline", "validate", "token"))


def check_fields(params: Params, known: frozenset[str]) -> None:
    """Refuse a field that the method does not have."""
    for name in params:
        if name not in known:
            raise ApiError(f"Unsupported field: '{name}'")


def order_request(params: Params, symbol: str) -> OrderRequest:
    """Read ``add_order`` (or one row of ``batch_add``)."""
    check_fields(params, ORDER_FIELDS)
    _refuse_margin(params)
    kind = _member(OrderKind, params.get("order_type"), "order_type")
    price, price2 = _prices(kind, params)
    cash = number(params, "cash_order_qty")
    volume = cash if cash is not None else number(params, "order_qty")
    if volume is None:
        raise invalid("order_qty")
    triggers = _object(params, "triggers")
    force = str(params.get("time_in_force") or "gtc").upper()
    return OrderRequest(
        symbol=symbol,
        side=_member(Side, params.get("side"), "side"),
        kind=kind,
        volume=volume,
        price=price,
        price2=price2,
        display_volume=number(params, "display_qty"),
        trigger=_choice(triggers.get("reference"), ("last", "index"), "triggers"),
        post_only=_flag(params, "post_only"),
        fee_in_base=_choice(params.get("fee_preference"), ("quote", "base"), "fee_preference")
        == "base",
        volume_in_quote=cash is not None,
        time_in_force=_member(ForceKind, force, "time_in_force"),
        starts_at=_moment(params, "effective_time"),
        expires_at=_moment(params, "expire_time"),
        userref=_userref(params),
        cl_ord_id=_string(params, "cl_ord_id"),
        self_trade=_member(
            SelfTradePrevention,
            str(params.get("stp_type") or "cancel_newest").replace("_", "-"),
            "stp_type",
        ),
        deadline=_moment(params, "deadline"),
        validate=_flag(params, "validate"),
        close=_close(params),
    )


def amend_request(params: Params) -> AmendRequest:
    """Read ``amend_order``."""
    check_fields(params, AMEND_FIELDS)
    return AmendRequest(
        txid=_string(params, "order_id"),
        cl_ord_id=_string(params, "cl_ord_id"),
        volume=number(params, "order_qty"),
        display_volume=number(params, "display_qty"),
        limit_price=_term(params, "limit_price", "limit_price_type"),
        trigger_price=_term(params, "trigger_price", "trigger_price_type"),
        post_only=_flag(params, "post_only") if "post_only" in params else None,
        deadline=_moment(params, "deadline"),
    )


def edit_request(params: Params, symbol: str) -> EditRequest:
    """Read ``edit_order``: ``limit_price`` and ``triggers`` as on ``add_order``."""
    check_fields(params, EDIT_FIELDS)
    _refuse_margin(params)
    triggers = _object(params, "triggers")
    trigger = _term(triggers, "price", "price_type")
    limit = _term(params, "limit_price", "limit_price_type")
    return EditRequest(
        txid=_string(params, "order_id") or "",
        symbol=symbol,
        volume=number(params, "order_qty"),
        price=trigger if trigger is not None else limit,
        price2=limit if trigger is not None else None,
        display_volume=number(params, "display_qty"),
        post_only=_flag(params, "post_only") if "post_only" in params else None,
        userref=_userref(params),
        deadline=_moment(params, "deadline"),
        validate=_flag(params, "validate"),
    )


def number(params: Params, name: str) -> Decimal | None:
    """Return a JSON number; a string is refused in Kraken's words."""
    value = params.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise ApiError(f"{name.capitalize()} field must be a number_float")
    return Decimal(value)


def strings(params: Params, name: str) -> list[str]:
    """Return a list of strings, empty when absent."""
    value = params.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ApiError(f"{name.capitalize()} field must be an array of strings")
    return value


def integers(params: Params, name: str) -> list[int]:
    """Return a list of whole numbers, empty when absent."""
    value = params.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(type(item) is int for item in value):
        raise ApiError(f"{name.capitalize()} field must be an array of integers")
    return value


def _prices(kind: OrderKind, params: Params) -> tuple[PriceTerm | None, PriceTerm | None]:
    limit = _term(params, "limit_price", "limit_price_type")
    if not kind.is_triggered_kind:
        return limit, None
    trigger = _term(_object(params, "triggers"), "price", "price_type")
    if kind.is_trailing:
        # Trailing offsets carry no sign in v2: they are distances, the REST "+".
        trigger = None if trigger is None else PriceTerm(trigger.value, "+", trigger.percent)
        if limit is not None and not limit.is_relative:
            limit = PriceTerm(abs(limit.value), "-" if limit.value < 0 else "+")
    return trigger, limit


def _close(params: Params) -> CloseTerms | None:
    terms = _object(params, "conditional")
    if not terms:
        return None
    kind = _member(OrderKind, terms.get("order_type"), "conditional")
    trigger = _term(terms, "trigger_price", "trigger_price_type")
    limit = _term(terms, "limit_price", "limit_price_type")
    if not kind.is_triggered_kind:
        return CloseTerms(kind, price=limit)
    if kind.is_trailing and trigger is not None:
        trigger = PriceTerm(trigger.value, "+", trigger.percent)
    return CloseTerms(kind, price=trigger, price2=limit)


def _term(params: Params, name: str, kind_name: str) -> PriceTerm | None:
    value = number(params, name)
    if value is None:
        return None
    kind = _choice(params.get(kind_name), ("static", "pct", "quote"), kind_name)
    if kind == "static":
        return PriceTerm(value)
    return PriceTerm(abs(value), "-" if value < 0 else "+", kind == "pct")


def _refuse_margin(params: Params) -> None:
    for name in ("margin", "reduce_only"):
        if _flag(params, name):
            raise invalid(name)


def _flag(params: Params, name: str) -> bool:
    value = params.get(name, False)
    if not isinstance(value, bool):
        raise ApiError(f"{name.capitalize()} field must be a boolean")
    return value


def _string(params: Params, name: str) -> str | None:
    value = params.get(name)
    if value is not None and not isinstance(value, str):
        raise ApiError(f"{name.capitalize()} field must be a string")
    return value


def _object(params: Params, name: str) -> Params:
    value = params.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ApiError(f"{name.capitalize()} field must be an object")
    return value


def _moment(params: Params, name: str) -> datetime | None:
    value = _string(params, name)
    moment = rfc3339(value or "", name)
    return None if moment is None else moment.astimezone(UTC)


def _userref(params: Params) -> int | None:
    value = params.get("order_userref")
    if value is None:
        return None
    if type(value) is not int or not -(2**31) <= value < 2**31:
        raise ApiError("Order_userref field must be a number_integer")
    return value


def _choice(value: Any, allowed: tuple[str, ...], name: str) -> str:
    chosen = allowed[0] if value is None else value
    if chosen not in allowed:
        raise invalid(name)
    return str(chosen)


def _member(kind: Any, value: Any, name: str) -> Any:
    try:
        return kind(value)
    except ValueError:
        raise invalid(name) from None

"""Read the parameters of REST calls other than a single order's, which the exchange model reads.

Form bodies give flat strings (``close[ordertype]``), JSON bodies give nested values; both are
brought to flat strings first, so that one reader serves both.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from models.simulation.engine.orders import AmendRequest, EditRequest
from models.simulation.errors import VenueError
from models.simulation.gateway.parsing import (
    invalid,
    parse_client_id,
    parse_deadline,
    parse_price,
    parse_quantity,
    parse_userref,
)

__all__ = [
    "Fields",
    "amend_request",
    "boolean",
    "decimal_of",
    "edit_request",
    "flatten",
    "integer",
    "invalid",
    "order_fields",
    "required",
    "rfc3339",
]

Fields = Mapping[str, str]


def flatten(body: Mapping[str, Any]) -> dict[str, str]:
    """Bring a JSON object to the flat strings of a form; lists become comma lists."""
    fields: dict[str, str] = {}
    for name, value in body.items():
        if isinstance(value, dict):
            fields.update({f"{name}[{key}]": _text(inner) for key, inner in value.items()})
        elif value is not None:
            fields[name] = _text(value)
    return fields


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(_text(item) for item in value)
    if isinstance(value, Decimal):
        return format(value, "f")
    return "" if value is None else str(value)


def order_fields(body: Mapping[str, Any]) -> dict[str, str]:
    """Bring an order to flat strings with its flags in the one spelling the exchange model reads.

    Clients send ``True`` (Python) and ``1`` (PHP), and the real exchange takes them: an order with
    ``validate=True`` is only checked.
    """
    fields = flatten(body)
    for name in ("validate", "reduce_only"):
        if fields.get(name):
            fields[name] = "true" if boolean(fields, name) else "false"
    return fields


def required(fields: Fields, name: str) -> str:
    """Return a field that must be there."""
    value = fields.get(name, "")
    if not value:
        raise invalid(name)
    return value


def boolean(fields: Fields, name: str, *, default: bool = False) -> bool:
    """Return a flag in any case: clients that send Python's ``True`` work on the real exchange."""
    value = fields.get(name, "").lower()
    if value in ("true", "1"):
        return True
    if value in ("false", "0"):
        return False
    if value:
        raise invalid(name)
    return default


def integer(fields: Fields, name: str) -> int | None:
    """Return a whole number or None when absent."""
    value = fields.get(name, "")
    if not value:
        return None
    try:
        return int(value)
    except ValueError:
        raise invalid(name) from None


def decimal_of(text: str, name: str) -> Decimal:
    """Parse a finite decimal."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise invalid(name) from None
    if not value.is_finite():
        raise invalid(name)
    return value


def rfc3339(text: str, name: str) -> datetime | None:
    """Parse RFC 3339, None when empty; a time without a zone is refused."""
    try:
        return parse_deadline(text)
    except VenueError:
        raise invalid(name) from None


def amend_request(fields: Fields) -> AmendRequest:
    """Read AmendOrder."""
    return AmendRequest(
        txid=fields.get("txid") or None,
        cl_ord_id=parse_client_id(fields.get("cl_ord_id", "")),
        volume=_quantity(fields, "order_qty"),
        display_volume=_quantity(fields, "display_qty"),
        limit_price=parse_price(fields.get("limit_price", ""), "limit_price"),
        trigger_price=parse_price(fields.get("trigger_price", ""), "trigger_price"),
        post_only=boolean(fields, "post_only") if fields.get("post_only") else None,
        deadline=parse_deadline(fields.get("deadline", "")),
    )


def edit_request(fields: Fields, symbol: str) -> EditRequest:
    """Read EditOrder."""
    flags = fields.get("oflags", "")
    return EditRequest(
        txid=required(fields, "txid"),
        symbol=symbol,
        volume=_quantity(fields, "volume"),
        price=parse_price(fields.get("price", ""), "price"),
        price2=parse_price(fields.get("price2", ""), "price2"),
        display_volume=_quantity(fields, "displayvol"),
        post_only="post" in flags.split(",") if flags else None,
        userref=parse_userref(fields.get("userref", "")),
        deadline=parse_deadline(fields.get("deadline", "")),
        validate=boolean(fields, "validate"),
    )


def _quantity(fields: Fields, name: str) -> Decimal | None:
    text = fields.get(name, "")
    return parse_quantity(text, name) if text else None

"""AddOrder's REST parameters read into an ``OrderRequest`` (§8.1): syntax only, no state."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from models.simulation.engine.orders import (
    CloseTerms,
    ForceKind,
    OrderKind,
    OrderRequest,
    PriceTerm,
    SelfTradePrevention,
)
from models.simulation.errors import VenueError
from models.trading.orders import Side

_Choice = TypeVar("_Choice", bound=StrEnum)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}")
_FREE_TEXT = re.compile(r"[a-z0-9_-]{1,18}")
_NUMBER = re.compile(r"\d{1,18}(\.\d{0,18})?|\.\d{1,18}")
_FLAGS = frozenset(("post", "fcib", "fciq", "nompp", "viqc"))
_NO_LEVERAGE = frozenset(("", "none", "0", "1"))


def invalid(field: str) -> VenueError:
    """Return the refusal of one argument."""
    return VenueError(f"EGeneral:Invalid arguments:{field}")


def parse_order(symbol: str, parameters: Mapping[str, str], market_now: datetime) -> OrderRequest:
    """Read flat AddOrder parameters; ``symbol`` is the v2 symbol that ``pair`` resolved to.

    Raises:
        VenueError: ``EGeneral:Invalid arguments:<field>`` for the first field that is wrong.
    """
    _refuse_margin(parameters)
    flags = _flags(parameters.get("oflags", ""))
    reference = parameters.get("trigger", "") or "last"
    if reference not in ("last", "index"):
        raise invalid("trigger")
    return OrderRequest(
        symbol=symbol,
        side=_one_of(Side, parameters, "type"),
        kind=_one_of(OrderKind, parameters, "ordertype"),
        volume=parse_quantity(parameters.get("volume", ""), "volume"),
        price=parse_price(parameters.get("price", ""), "price"),
        price2=parse_price(parameters.get("price2", ""), "price2"),
        display_volume=_optional_quantity(parameters.get("displayvol", ""), "displayvol"),
        trigger=reference,
        post_only="post" in flags,
        fee_in_base="fcib" in flags,
        volume_in_quote="viqc" in flags,
        time_in_force=_one_of(ForceKind, parameters, "timeinforce", ForceKind.GTC),
        starts_at=_when(parameters.get("starttm", ""), "starttm", market_now),
        expires_at=_when(parameters.get("expiretm", ""), "expiretm", market_now),
        userref=parse_userref(parameters.get("userref", "")),
        cl_ord_id=parse_client_id(parameters.get("cl_ord_id", "")),
        self_trade=_one_of(
            SelfTradePrevention, parameters, "stptype", SelfTradePrevention.CANCEL_NEWEST
        ),
        deadline=parse_deadline(parameters.get("deadline", "")),
        validate=_boolean(parameters.get("validate", ""), "validate"),
        close=_close(parameters),
    )


def parse_price(text: str, field: str) -> PriceTerm | None:
    """Read ``27500.0``, ``+100``, ``-1.5%`` or ``#2%``; empty and ``0`` are no price."""
    if text in ("", "0"):
        return None
    sign = text[0] if text[0] in "+-#" else ""
    number = text[len(sign) :]
    percent = number.endswith("%")
    value = _number(number.removesuffix("%"), field)
    if percent and not sign:
        raise invalid(field)
    return PriceTerm(value, sign, percent)


def parse_quantity(text: str, field: str) -> Decimal:
    """Read a quantity above zero."""
    value = _number(text, field)
    if value <= 0:
        raise invalid(field)
    return value


def parse_userref(text: str) -> int | None:
    """Read a 32-bit tag; empty is none."""
    if text == "":
        return None
    if not re.fullmatch(r"[+-]?\d{1,10}", text) or not -(2**31) <= int(text) < 2**31:
        raise invalid("userref")
    return int(text)


def parse_client_id(text: str) -> str | None:
    """Check the form of a ``cl_ord_id``: UUID, 32 hex digits, or up to 18 of ``a-z0-9_-``."""
    if text == "":
        return None
    if not _UUID.fullmatch(text) and not _FREE_TEXT.fullmatch(text):
        raise invalid("cl_ord_id")
    return text


def parse_deadline(text: str) -> datetime | None:
    """Read an RFC 3339 time with zone; empty is none."""
    if text == "":
        return None
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise invalid("deadline") from None
    if when.tzinfo is None:
        raise invalid("deadline")
    return when.astimezone(UTC)


def _refuse_margin(parameters: Mapping[str, str]) -> None:
    if parameters.get("leverage", "").lower() not in _NO_LEVERAGE:
        raise invalid("leverage")
    if _boolean(parameters.get("reduce_only", ""), "reduce_only"):
        raise invalid("reduce_only")


def _flags(text: str) -> frozenset[str]:
    flags = frozenset(flag for flag in text.split(",") if flag)
    if flags - _FLAGS or {"fcib", "fciq"} <= flags:
        raise invalid("oflags")
    return flags


def _one_of(
    kind: type[_Choice],
    parameters: Mapping[str, str],
    field: str,
    default: _Choice | None = None,
) -> _Choice:
    text = parameters.get(field, "")
    if text == "" and default is not None:
        return default
    try:
        return kind(text.upper() if issubclass(kind, ForceKind) else text)
    except ValueError:
        raise invalid(field) from None


def _number(text: str, field: str) -> Decimal:
    if not _NUMBER.fullmatch(text):
        raise invalid(field)
    return Decimal(text)


def _optional_quantity(text: str, field: str) -> Decimal | None:
    return None if text == "" else parse_quantity(text, field)


def _boolean(text: str, field: str) -> bool:
    if text not in ("", "true", "false"):
        raise invalid(field)
    return text == "true"


def _when(text: str, field: str, market_now: datetime) -> datetime | None:
    """Read ``0``, ``+<seconds>`` or unix seconds as market time."""
    if text in ("", "0"):
        return None
    if not re.fullmatch(r"\+?\d{1,11}", text):
        raise invalid(field)
    if text[0] == "+":
        return market_now + timedelta(seconds=int(text[1:]))
    return datetime.fromtimestamp(int(text), UTC)


def _close(parameters: Mapping[str, str]) -> CloseTerms | None:
    text = parameters.get("close[ordertype]", "")
    if text == "":
        return None
    kind = _one_of(OrderKind, parameters, "close[ordertype]")
    return CloseTerms(
        kind,
        parse_price(parameters.get("close[price]", ""), "close[price]"),
        parse_price(parameters.get("close[price2]", ""), "close[price2]"),
    )

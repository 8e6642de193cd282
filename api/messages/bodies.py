"""What the API takes: request bodies, and the bounds of everything that comes from outside."""

import re
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from fastapi import Path, Query
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)

from models.trading.bounds import bounded_number, check_plain
from models.trading.orders import OrderType
from models.trading.risk.limits import Mode, ProtectionMode

LARGEST_INTEGER = 2**31 - 1
"""What the database's integer columns hold."""


def no_truth_value(value: Any) -> Any:
    """Refuse true and false where a number is meant."""
    if isinstance(value, bool):
        raise ValueError("Input should be a number")  # noqa: TRY004  # pydantic reads ValueError
    return value


def bounded_by(value: Any) -> Any:
    """Hold a plain value of any shape to the bounds of texts, numbers, items and depth."""
    check_plain(value)
    return value


def figure(value: Any) -> Any:
    """Hold a number's digits and exponent to bounds before anything is calculated with it."""
    return bounded_number(no_truth_value(value), digits=30, exponent=30)


def _dated(value: Any) -> Any:
    """Refuse a number where a date and time is meant: it would be read as seconds since 1970."""
    if not isinstance(value, str) or not _DATED.match(value):
        raise ValueError("Input should be a date and time as RFC 3339 has it")
    return value


def number_schema(
    text: str, *ranges: tuple[float, float], with_zero: bool = False
) -> WithJsonSchema:
    """Return the schema of a number: as text without an exponent, or as a number in a range.

    Ranges keep off zero because the digits of a number are bounded: nothing is traded by less.
    """
    shapes: list[dict[str, Any]] = [
        {"type": "string", "pattern": text},
        *({"type": "number", "minimum": least, "maximum": most} for least, most in ranges),
    ]
    if with_zero:
        shapes.append({"type": "number", "enum": [0]})
    return WithJsonSchema({"anyOf": shapes})


_DATED = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ]|$)")
_SHARE_TEXT = r"^(0|1|0\.[0-9]{1,9})$"
_ABOVE_ZERO_TEXT = r"^(1|0\.[0-9]{0,8}[1-9])$"
_POSITIVE_TEXT = r"^([1-9][0-9]{0,17}(\.[0-9]{1,10})?|0\.[0-9]{0,9}[1-9])$"
_AMOUNT_TEXT = r"^([1-9][0-9]{0,13}(\.[0-9]{1,10})?|0\.[0-9]{0,9}[1-9])$"
# Text that the database, a terminal and a log can hold: no control characters. Half a surrogate
# pair is refused by pydantic itself.
Reason = Annotated[
    str,
    Field(min_length=3, max_length=500, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$"),
]
Base64 = Annotated[
    str,
    Field(pattern=r"^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"),
]
Title = Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]
Name = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[!-~]+$")]
Positive = Annotated[
    Decimal,
    BeforeValidator(figure),
    Field(gt=0, le=10**20, allow_inf_nan=False),
    number_schema(_POSITIVE_TEXT, (1e-10, 1e20)),
]
Amount = Annotated[
    Decimal,
    BeforeValidator(figure),
    Field(gt=0, le=10**14, allow_inf_nan=False),
    number_schema(_AMOUNT_TEXT, (1e-10, 1e14)),
]
Share = Annotated[
    Decimal,
    BeforeValidator(figure),
    Field(ge=0, le=1, allow_inf_nan=False),
    number_schema(_SHARE_TEXT, (1e-10, 1), with_zero=True),
]
PartShare = Annotated[
    Decimal,
    BeforeValidator(figure),
    Field(gt=0, le=1, allow_inf_nan=False),
    number_schema(_ABOVE_ZERO_TEXT, (1e-10, 1)),
]
Seconds = Annotated[int, Field(ge=1, le=366 * 86_400)]
Clearable = Literal[
    "take_profit_price",
    "trailing_distance",
    "trailing_share",
    "trailing_multiple",
    "hold_maximum",
    "break_even_gain",
    "partials",
]
Moment = Annotated[
    datetime,
    BeforeValidator(_dated),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
Number = Annotated[int, Path(ge=1, le=LARGEST_INTEGER)]
Whole = Annotated[int | None, Query(ge=0, le=LARGEST_INTEGER)]
AccountName = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[!-~]+$")]
RunName = Annotated[str, Path(min_length=1, max_length=200, pattern=r"^[!-~]+$")]
PageSize = Annotated[int, Query(ge=1, le=500)]


def one_given(*fields: str) -> dict[str, Any]:
    """Return what a schema says of fields of which at least one is given and not null."""
    return {
        "anyOf": [
            {"required": [field], "properties": {field: {"not": {"type": "null"}}}}
            for field in fields
        ]
    }


class RequestBody(BaseModel):
    """A request body: unknown fields are refused, so that a misspelt limit is never ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Partial(RequestBody):
    """A share of what was bought, sold when the gain over the entry price reaches a share of it."""

    gain_share: PartShare
    quantity_share: PartShare


class MoreExits(RequestBody):
    """Exits beyond stop and target; times are market time, in seconds."""

    trailing_share: PartShare | None = None
    trailing_multiple: Positive | None = None
    hold_seconds: Seconds | None = None
    break_even_gain: PartShare | None = None
    break_even_offset: Share | None = None
    partials: tuple[Partial, ...] | None = Field(default=None, max_length=5)


class OpenTrade(MoreExits):
    """A trade to open. Without ``quantity`` the account sizes it by its own rules."""

    symbol: Name = Field(examples=["BTC/USD"])
    order_type: Literal[OrderType.MARKET, OrderType.LIMIT] = OrderType.MARKET
    stop_price: Positive
    quantity: Positive | None = None
    limit_price: Positive | None = None
    take_profit_price: Positive | None = None
    trailing_distance: Positive | None = None
    protection: ProtectionMode | None = None


class MoveStop(RequestBody):
    """Other exits of an open trade; None leaves a price as it is."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra=one_given("stop_price", "take_profit_price"),
    )

    stop_price: Positive | None = None
    take_profit_price: Positive | None = None

    @model_validator(mode="after")
    def _asks_for_something(self) -> Self:
        if self.stop_price is None and self.take_profit_price is None:
            raise ValueError("stop_price or take_profit_price is needed")
        return self


class Engage(RequestBody):
    """A kill switch for all accounts, or for those named; in all pairs, or in those named."""

    reason: Reason
    flatten: bool = False
    accounts: tuple[Name, ...] = Field(default=(), max_length=1000)
    symbols: tuple[Name, ...] = Field(default=(), max_length=1000)


class Lift(RequestBody):
    """Why a kill switch is to be lifted."""

    reason: Reason


class Halt(RequestBody):
    """Why entries of an account are stopped."""

    reason: Reason


class ChangeMode(RequestBody):
    """The mode an account is to run in."""

    mode: Mode


class MoveCapital(RequestBody):
    """Simulated capital to bring in or take out, in units of the asset."""

    kind: Literal["deposit", "withdrawal"]
    asset: Name = "USD"
    amount: Amount
    note: Reason


class LiftDrawdown(RequestBody):
    """Why the halt of the total drawdown is lifted."""

    reason: Reason


class EncodedPayload(BaseModel):
    """One of Temporal's payloads as its JSON form has it: bytes in base64."""

    metadata: dict[str, Base64] = Field(default={}, max_length=100)
    data: Base64 = ""


class EncodedPayloads(BaseModel):
    """Payloads to decrypt or encrypt, and the answer to that."""

    payloads: list[EncodedPayload] = Field(default=[], max_length=10_000)

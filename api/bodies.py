"""What the API takes: request bodies, and the bounds of everything that comes from outside."""

from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from fastapi import Path, Query
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from models.trading.limits import Mode, ProtectionMode
from models.trading.orders import OrderType

LARGEST_INTEGER = 2**31 - 1
"""What the database's integer columns hold."""


def no_truth_value(value: Any) -> Any:
    """Refuse true and false where a number is meant."""
    if isinstance(value, bool):
        raise ValueError("Input should be a number")  # noqa: TRY004  # pydantic reads ValueError
    return value


# Text that the database, a terminal and a log can hold: no control characters.
Reason = Annotated[str, Field(min_length=3, max_length=500, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")]
Name = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[!-~]+$")]
Positive = Annotated[
    Decimal,
    BeforeValidator(no_truth_value),
    Field(gt=0, allow_inf_nan=False, max_digits=30),
]
Share = Annotated[
    Decimal,
    BeforeValidator(no_truth_value),
    Field(ge=0, le=1, allow_inf_nan=False, max_digits=12),
]
PartShare = Annotated[
    Decimal,
    BeforeValidator(no_truth_value),
    Field(gt=0, le=1, allow_inf_nan=False, max_digits=12),
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
Number = Annotated[int, Path(ge=1, le=LARGEST_INTEGER)]
Whole = Annotated[int | None, Query(ge=0, le=LARGEST_INTEGER)]
PageSize = Annotated[int, Query(ge=1, le=500)]


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

    stop_price: Positive | None = None
    take_profit_price: Positive | None = None

    @model_validator(mode="after")
    def _asks_for_something(self) -> Self:
        if self.stop_price is None and self.take_profit_price is None:
            raise ValueError("stop_price or take_profit_price is needed")
        return self


class Engage(RequestBody):
    """A kill switch for all accounts, or for those named."""

    reason: Reason
    flatten: bool = False
    accounts: tuple[Name, ...] = Field(default=(), max_length=1000)


class Lift(RequestBody):
    """The approval to lift a kill switch."""

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
    amount: Positive
    note: Reason


class LiftDrawdown(RequestBody):
    """Why the halt of the total drawdown is lifted."""

    reason: Reason


class EncodedPayload(BaseModel):
    """One of Temporal's payloads as its JSON form has it: bytes in base64."""

    metadata: dict[str, str] = {}
    data: str = ""


class EncodedPayloads(BaseModel):
    """Payloads to decrypt or encrypt, and the answer to that."""

    payloads: list[EncodedPayload] = []

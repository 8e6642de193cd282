"""Approvals and the hedge: bodies taken and views given."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from api.messages.bodies import (
    Clearable,
    MoreExits,
    Positive,
    Reason,
    RequestBody,
    Seconds,
    Share,
    one_given,
)
from api.messages.schemas import Money, Row


def _some_exit(schema: dict[str, Any]) -> None:
    exits = [field for field in schema["properties"] if field != "clear"]
    some = {"required": ["clear"], "properties": {"clear": {"minItems": 1}}}
    schema["anyOf"] = [*one_given(*exits)["anyOf"], some]


class ChangeExits(MoreExits):
    """Other exits of an open trade; what is not given stays, ``clear`` names those to be gone.

    What protects the trade less waits for a second person.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=_some_exit)

    stop_price: Positive | None = None
    take_profit_price: Positive | None = None
    trailing_distance: Positive | None = None
    clear: tuple[Clearable, ...] = Field(default=(), max_length=10)

    @model_validator(mode="after")
    def _asks_for_something(self) -> "ChangeExits":
        given = self.model_dump(exclude_none=True, exclude={"clear"})
        if not given and not self.clear:
            raise ValueError("an exit to set or to clear is needed")
        return self


class Approve(RequestBody):
    """Why a request is approved, if anybody wants to say."""

    reason: Reason | None = None


class Refuse(RequestBody):
    """Why a request is refused."""

    reason: Reason


class Approval(Row):
    """A request for approval; ``outcome_code`` says what carrying the decision out came to.

    ``changes_since`` says of one that is shown by itself what has changed since it was asked for.
    """

    account_id: str
    approval_id: str
    subject: str
    requested_by: str
    detail: str
    requested_at: datetime
    expires_at: datetime
    value: Money | None
    reference_price: Money | None
    stop_price: Money | None
    symbol: str | None
    trade: int | None
    status: str
    decided_by: str | None
    decided_at: datetime | None
    reason: str
    outcome_code: str | None
    outcome_detail: str | None
    changes_since: list[str] = Field(default_factory=list)


class OverrideHedge(RequestBody):
    """A share of the account's value to be held in USD, until it is cleared or expires.

    ``expires_after_seconds`` is market time.
    """

    share: Share
    reason: Reason
    expires_after_seconds: Seconds | None = None


class HedgeReview(Row):
    """One review of the hedge; shares of the account's value in USD, money in USD."""

    at: datetime
    decided_at: datetime
    cause: str
    target: Money | None
    automatic_target: Money | None
    actual: Money
    equity: Money
    volatility: Money | None
    drawdown: Money
    override_share: Money | None
    override_author: str | None
    override_reason: str | None
    override_expires_at: datetime | None
    move: str | None
    value: Money
    reason: str
    trades: list[int]
    fees: Money
    turnover: Money
    lacking: dict[str, str]
    profit: Money | None


class Hedge(BaseModel):
    """The hedge of an account as last looked at; ``latest`` is None before the first review."""

    account: str
    state: Literal["off", "automatic", "override"]
    latest: HedgeReview | None

"""What the overview of the control room shows."""

from datetime import datetime

from pydantic import BaseModel

from api.messages.overview import MarketLine, Process
from api.messages.schemas import HaltInForce, Money


class Bounded(BaseModel):
    """A figure beside the limit it is held to; None is unknown, ``unknown`` says why."""

    value: Money | None
    limit: Money
    unknown: str | None = None


class HedgeFigures(BaseModel):
    """The hedge as it was last looked at: shares of the account's value in USD."""

    state: str
    ratio: Money | None
    target: Money | None
    as_of: datetime | None


class AccountFigures(BaseModel):
    """One account at the last prices; money in USD, shares of equity.

    ``equity`` is None while a listed asset that is held has no price; ``unknown`` says so.
    ``not_counted`` are held assets that no pair of the record prices. ``unprotected`` counts
    the open trades whose coins no stop covers, since ``unprotected_since`` (protocol time).
    """

    account: str
    kind: str
    mode: str
    state: str
    why: str | None
    halts: list[HaltInForce]
    equity: Money | None
    unknown: str | None
    not_counted: list[str]
    cash: Money
    day_share: Money | None
    day: Bounded
    total: Bounded
    exposure: Bounded
    hedge: HedgeFigures
    open_trades: int
    trades_maximum: int
    unprotected: int
    unprotected_since: datetime | None
    day_zone: str
    day_starts_at: str


class ControlRoom(BaseModel):
    """Everything that the first page shows, as of one reading of the record.

    ``as_of`` is protocol time; prices carry their own market time in ``market``.
    """

    as_of: datetime
    accounts: list[AccountFigures]
    market: MarketLine
    market_followed: bool
    prices_unknown: str | None
    processes: list[Process]
    degraded_modes: list[str]
    waiting_approvals: int
    kill_switches: list[int]

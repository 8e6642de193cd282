"""What the API takes and gives. Money travels as decimal strings, times as UTC ISO 8601."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from models.trading.limits import Mode, ProtectionMode
from models.trading.orders import OrderType

Positive = Annotated[Decimal, Field(gt=0, allow_inf_nan=False, max_digits=30)]


class Request(BaseModel):
    """A request body: unknown fields are refused, so that a misspelt limit is never ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class OpenTrade(Request):
    """A trade to open. Without ``quantity`` the account sizes it by its own rules."""

    symbol: str = Field(max_length=32, examples=["BTC/USD"])
    order_type: Literal[OrderType.MARKET, OrderType.LIMIT] = OrderType.MARKET
    stop_price: Positive
    quantity: Positive | None = None
    limit_price: Positive | None = None
    take_profit_price: Positive | None = None
    trailing_distance: Positive | None = None
    protection: ProtectionMode | None = None


class MoveStop(Request):
    """Other exits of an open trade; None leaves a price as it is."""

    stop_price: Positive | None = None
    take_profit_price: Positive | None = None


class Engage(Request):
    """A kill switch for all accounts, or for those named."""

    reason: str = Field(min_length=3, max_length=500)
    flatten: bool = False
    accounts: tuple[str, ...] = ()


class Lift(Request):
    """The approval to lift a kill switch."""

    reason: str = Field(min_length=3, max_length=500)


class Halt(Request):
    """Why entries of an account are stopped."""

    reason: str = Field(min_length=3, max_length=500)


class ChangeMode(Request):
    """The mode an account is to run in."""

    mode: Mode


class Answered(BaseModel):
    """What a request came to."""

    code: str
    detail: str
    trade: int | None = None
    client_order_id: str | None = None
    workflow: str | None = None
    checks: list[dict[str, Any]] = []


class Account(BaseModel):
    """An account with its present figures; USD."""

    account: str
    kind: str
    mode: str
    protection: str
    state: str
    strategies: list[str]
    limits: dict[str, Any]
    halts: list[dict[str, Any]]
    balances: dict[str, Decimal]
    equity: Decimal
    cash: Decimal
    day_pnl_share: Decimal | None
    open_trades: int
    closed_trades: int


class Trade(BaseModel):
    """One trade as recorded; see the glossary for market and protocol time."""

    model_config = ConfigDict(from_attributes=True)

    number: int
    symbol: str
    phase: str
    source: str
    protection: str
    quantity: Decimal
    reference_price: Decimal
    stop_price: Decimal
    take_profit_price: Decimal | None
    trailing_distance: Decimal | None
    trailed: bool
    bought: Decimal
    sold: Decimal
    average_entry_price: Decimal | None
    average_exit_price: Decimal | None
    fees: Decimal
    pnl: Decimal | None
    slippage: Decimal
    exit_reason: str | None
    protected_quantity: Decimal
    unprotected_since: datetime | None
    unprotected_seconds: Decimal
    refusals: list[str]
    decided_at: datetime
    opened_at: datetime | None
    closed_at: datetime | None


class Order(BaseModel):
    """One order as intended and as the exchange reports it."""

    model_config = ConfigDict(from_attributes=True)

    client_order_id: str
    order_id: str | None
    trade: int
    leg: str
    symbol: str
    side: str
    order_type: str
    quantity: Decimal
    limit_price: Decimal | None
    trigger_price: Decimal | None
    status: str
    filled_quantity: Decimal
    average_price: Decimal
    cost: Decimal
    fee: Decimal
    reason: str | None
    sends: int
    intended_at: datetime
    sent_at: datetime | None
    acknowledged_at: datetime | None
    ended_at: datetime | None


class Position(BaseModel):
    """What an account holds of one pair through its open trades, marked to the last price."""

    symbol: str
    quantity: Decimal
    protected_quantity: Decimal
    average_entry_price: Decimal | None
    last_price: Decimal | None
    value: Decimal | None
    unrealised_pnl: Decimal | None
    trades: list[int]


class Watch(BaseModel):
    """A price level that is watched for a trade."""

    model_config = ConfigDict(from_attributes=True)

    watch_id: str
    trade: int
    symbol: str
    kind: str
    direction: str
    level: Decimal
    triggered_at: datetime | None
    triggered_price: Decimal | None


class KillSwitch(BaseModel):
    """One engagement of the kill switch."""

    model_config = ConfigDict(from_attributes=True)

    number: int
    accounts: list[str]
    flatten: bool
    reason: str
    engaged_by: str
    engaged_at: datetime
    acknowledged: dict[str, Any]
    lifted_by: str | None
    lifted_at: datetime | None


class AuditEntry(BaseModel):
    """One link of an account's hash chain."""

    model_config = ConfigDict(from_attributes=True)

    account_id: str
    sequence: int
    recorded_at: datetime
    actor: str
    action: str
    details: dict[str, Any]
    correlation: str
    previous_hash: str
    hash: str


class MarketFigures(BaseModel):
    """The latest figures of one symbol."""

    model_config = ConfigDict(from_attributes=True)

    symbol: str
    bid: Decimal
    ask: Decimal
    last: Decimal
    observed_at: datetime
    stale: bool


class Process(BaseModel):
    """A process of the platform and whether it is ready."""

    name: str
    ready: bool
    detail: str


class AccountLine(BaseModel):
    """An account in the overview."""

    account: str
    mode: str
    state: str
    equity: Decimal
    cash: Decimal
    day_pnl_share: Decimal | None
    open_trades: int
    closed_trades: int
    halts: list[str]


class MarketLine(BaseModel):
    """The market in the overview."""

    source: str
    speed: str
    market_time: datetime | None
    symbols: list[MarketFigures]


class Status(BaseModel):
    """The whole platform at a glance."""

    accounts: list[AccountLine]
    market: MarketLine
    lesser_forms: list[str]
    processes: list[Process]

"""What the API gives. Money travels as plain decimal strings, times as UTC ISO 8601."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, PlainSerializer

# Never with an exponent: ``0E-8`` is a number to Decimal and a riddle to most other readers.
Money = Annotated[Decimal, PlainSerializer(lambda d: format(d, "f"), str, when_used="json")]


class Problem(BaseModel):
    """A problem as RFC 9457 describes it; ``type`` is stable, further members may follow."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str


class Row(BaseModel):
    """What is read from a row of the record."""

    model_config = ConfigDict(from_attributes=True)


class CheckMade(BaseModel):
    """One rule that was applied to a request."""

    rule: str
    code: str
    passed: bool
    reason: str


class Answered(BaseModel):
    """What a request came to; ``approval`` names what a second person has to decide first."""

    code: str
    detail: str
    trade: int | None = None
    client_order_id: str | None = None
    workflow: str | None = None
    approval: str | None = None
    checks: list[CheckMade] = []


class HaltInForce(Row):
    """Why an account takes no entries; ``number`` is the kill switch's."""

    kind: str
    reason: str
    since: datetime
    number: int | None = None


class Limits(Row):
    """The bounds of an account; shares are of equity unless said otherwise in the glossary."""

    risk_share: Money
    pair_exposure_share: Money
    gross_exposure_share: Money
    cash_reserve_share: Money
    open_trades_maximum: int
    open_trades_per_pair: int
    reward_to_cost_minimum: Money
    stop_distance_minimum: Money
    slippage_share: Money
    market_data_age_seconds: int
    depth_share: Money
    trade_minimum: Money


class Account(BaseModel):
    """An account with its present figures; USD.

    ``unpriced`` names assets held without a known price, which count nothing in ``equity``;
    ``valued_at`` says what the others count at.
    """

    account: str
    kind: str
    mode: str
    protection: str
    state: str
    strategies: list[str]
    limits: Limits
    halts: list[HaltInForce]
    balances: dict[str, Money]
    equity: Money
    valued_at: str
    unpriced: list[str]
    cash: Money
    day_pnl_share: Money | None
    open_trades: int
    closed_trades: int


class PartialExit(BaseModel):
    """A share of what was bought, sold when the gain over the entry price reaches a share of it."""

    gain_share: Money
    quantity_share: Money


class TradeExits(BaseModel):
    """How a trade is left, as set when it was opened or changed since; null: not used."""

    stop_price: Money | None = None
    take_profit_price: Money | None = None
    trailing_share: Money | None = None
    trailing_multiple: Money | None = None
    trailing_distance: Money | None = None
    hold_maximum: timedelta | None = None
    break_even_gain: Money | None = None
    break_even_offset: Money | None = None
    partials: list[PartialExit] = []


class Trade(Row):
    """One trade as recorded; see the glossary for market and protocol time.

    ``basis`` is on what the worth of its entry rests: evidence, unproven, target, no_expectation,
    hedge, or unstated for a trade older than this.
    """

    number: int
    symbol: str
    phase: str
    source: str
    protection: str
    quantity: Money
    reference_price: Money
    stop_price: Money
    take_profit_price: Money | None
    trailing_distance: Money | None
    trailed: bool
    bought: Money
    sold: Money
    average_entry_price: Money | None
    average_exit_price: Money | None
    fees: Money
    pnl: Money | None
    slippage: Money
    slippage_basis_points: Money | None
    slippage_unmeasured: int
    executions: int
    carried: Money
    dust: Money
    exit_reason: str | None
    exits: TradeExits
    partials_taken: int
    hedge_sold: Money
    entry_result: str
    maker_share: Money | None
    fees_saved: Money
    protected_quantity: Money
    unprotected_since: datetime | None
    unprotected_seconds: Money
    refusals: list[str]
    settings_version: int
    basis: str
    decided_at: datetime
    opened_at: datetime | None
    closed_at: datetime | None


class Order(Row):
    """One order as intended and as the exchange reports it."""

    client_order_id: str
    order_id: str | None
    trade: int
    leg: str
    symbol: str
    side: str
    order_type: str
    quantity: Money
    limit_price: Money | None
    trigger_price: Money | None
    status: str
    filled_quantity: Money
    average_price: Money
    cost: Money
    fee: Money
    reason: str | None
    sends: int
    intended_at: datetime
    sent_at: datetime | None
    acknowledged_at: datetime | None
    ended_at: datetime | None


class Position(BaseModel):
    """What an account holds of one pair through its open trades, marked to the last price."""

    symbol: str
    quantity: Money
    protected_quantity: Money
    average_entry_price: Money | None
    last_price: Money | None
    value: Money | None
    unrealised_pnl: Money | None
    trades: list[int]


class Watch(Row):
    """A price level that is watched for a trade."""

    watch_id: str
    trade: int
    symbol: str
    kind: str
    direction: str
    level: Money
    due_at: datetime | None
    triggered_at: datetime | None
    triggered_price: Money | None


class KillSwitch(Row):
    """One engagement of the kill switch; ``acknowledged`` tells when an account was halted.

    Without ``symbols`` it stops every pair. ``lift_approval`` is the request that another person
    than who asked, and than who engaged it, approves.

    ``silent`` are, in the answer to an engagement, the accounts whose workflow does not run or does
    not answer: nothing more of them is bought, but what they hold waits until they are back.
    ``recorded`` is false (and ``number`` 0) where the record could not be written: entries have
    stopped, ``withdrawn`` says what came of those that rested, and the engagement gets its number,
    and closes what it is to close, as soon as it can be recorded.
    """

    number: int
    accounts: list[str]
    symbols: list[str] = []
    flatten: bool
    reason: str
    engaged_by: str
    engaged_at: datetime
    acknowledged: dict[str, datetime]
    lift_requested_by: str | None = None
    lift_requested_at: datetime | None = None
    lift_approval: str | None = None
    lift_reason: str | None = None
    lifted_by: str | None
    lifted_at: datetime | None
    silent: list[str] = []
    recorded: bool = True
    withdrawn: dict[str, str] = {}


class AuditEntry(Row):
    """One link of an account's hash chain."""

    account_id: str
    sequence: int
    recorded_at: datetime
    actor: str
    action: str
    details: dict[str, str]
    correlation: str
    previous_hash: str
    hash: str
    context: dict[str, str | int] | None = None


class AuditPage(BaseModel):
    """Entries of all chains, newest first; ``following`` is "" after the last page."""

    entries: list[AuditEntry]
    following: str


class CheckpointShown(Row):
    """A signed checkpoint of the record: how many rows it covers, and whether it was cosigned."""

    size: int
    at: datetime
    reason: str
    cosigned: bool


class RecordProtection(BaseModel):
    """Up to where the record is protected against whoever owns the database.

    ``cosigned_at`` is when a witness cosigned the newest checkpoint whose signatures hold, None:
    never. ``unprotected`` are the rows after it. ``fault`` says why the record is not protected up
    to now, "" when it is.
    """

    as_of: datetime
    cosigned_at: datetime | None
    size: int
    unprotected: int
    fault: str
    witnesses: int
    checkpoints: list[CheckpointShown]


class Alive(BaseModel):
    """The process answers."""

    status: str = "alive"


class Readiness(BaseModel):
    """Whether requests can be served; ``checks`` maps each part to ``ok`` or what is wrong."""

    status: str
    checks: dict[str, str]
    degraded_modes: list[str]

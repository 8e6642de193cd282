"""What the API gives on the whole platform: accounts, market and processes in one answer."""

from datetime import datetime

from pydantic import BaseModel

from api.messages.schemas import Money, Row


class MarketFigures(Row):
    """The latest figures of one symbol."""

    symbol: str
    bid: Money
    ask: Money
    last: Money
    observed_at: datetime
    stale: bool


class Process(BaseModel):
    """A process of the platform and whether it is ready."""

    name: str
    ready: bool
    detail: str


class AccountLine(BaseModel):
    """An account in the overview; ``valued_at`` says what ``equity`` counts holdings at."""

    account: str
    mode: str
    state: str
    equity: Money
    valued_at: str
    cash: Money
    day_pnl_share: Money | None
    open_trades: int
    closed_trades: int
    halts: list[str]
    nearest_limit: str | None = None
    nearest_limit_used: Money | None = None


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
    degraded_modes: list[str]
    processes: list[Process]


class ScheduleShown(BaseModel):
    """A schedule of the workflow engine: when it last ran and will run next, protocol time."""

    name: str
    paused: bool
    note: str
    last_at: datetime | None
    next_at: datetime | None


class StepTaken(BaseModel):
    """How long a step of orders took since the trading process started, in seconds.

    ``half`` and ``most`` are bounds that half, and 95 of 100, stayed within; None: beyond the
    largest that is told apart.
    """

    step: str
    leg: str
    count: int
    half: float | None
    most: float | None


class Headroom(BaseModel):
    """The free shares of Kraken's limits on an account's key; None: not known."""

    account: str
    reading: float | None
    trading: float | None
    waiting_seconds: float


class SystemFigures(BaseModel):
    """Schedules, latencies and rate limits; what could not be asked says why instead."""

    as_of: datetime
    schedules: list[ScheduleShown]
    schedules_unknown: str | None
    steps: list[StepTaken]
    headroom: list[Headroom]
    trading_unknown: str | None

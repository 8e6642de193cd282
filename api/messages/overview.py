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
    """An account in the overview."""

    account: str
    mode: str
    state: str
    equity: Money
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
    lesser_forms: list[str]
    processes: list[Process]

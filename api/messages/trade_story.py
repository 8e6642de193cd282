"""What the page of one trade shows beside the trade itself."""

from datetime import datetime

from pydantic import BaseModel

from api.messages.schemas import AuditEntry, CheckMade, Money, Row


class IdeaShown(BaseModel):
    """The idea that a trade came from; times are market time but ``decided_at``."""

    idea: str
    strategy: str
    strategy_version: str
    bar_start: datetime
    expires_at: datetime
    reasons: list[str]
    checks: list[CheckMade]
    decided_at: datetime


class Execution(Row):
    """One execution; ``exchange_time`` is market time, ``recorded_at`` protocol time."""

    execution_id: str
    order_id: str
    side: str
    quantity: Money
    price: Money
    cost: Money
    fee: Money
    maker: bool
    exchange_time: datetime
    recorded_at: datetime


class Candle(Row):
    """One bar; ``start`` is market time."""

    start: datetime
    open: Money
    high: Money
    low: Money
    close: Money
    volume: Money


class Levels(Row):
    """Stop and target of a trade from a moment on, until the next.

    ``at`` is protocol time, ``market_time`` that of the pair's newest price then.
    """

    at: datetime
    market_time: datetime | None
    stop_price: Money
    take_profit_price: Money | None


class TradeStory(BaseModel):
    """Idea, executions, levels, audit, bars around the trade, and where its workflow is shown.

    ``idea`` is None for a trade that a person or the hedge opened. ``workflow_url`` leads to
    Temporal's web UI.
    """

    idea: IdeaShown | None
    executions: list[Execution]
    levels: list[Levels]
    audit: list[AuditEntry]
    bar_minutes: int
    candles: list[Candle]
    workflow: str
    workflow_url: str

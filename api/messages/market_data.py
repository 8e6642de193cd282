"""The shapes of what is known of the market's data: figures, doubts, sentiment, work on it."""

from datetime import datetime
from typing import Any

from api.messages.schemas import Money, Row


class MarketCandleView(Row):
    """One closed bar of the market that is traded; a bar without trades does not exist.

    Prices are quote units, the volume is base units.
    """

    symbol: str
    interval_minutes: int
    start: datetime
    open: Money
    high: Money
    low: Money
    close: Money
    volume: Money
    trades: int


class MarketFiguresView(Row):
    """One market minute of a pair; what was not known then is null. Depths are base units."""

    symbol: str
    at: datetime
    spread_share: Money | None
    imbalance: Money | None
    microprice: Money | None
    bid_depth: Money | None
    ask_depth: Money | None
    bought: Money
    sold: Money
    toxicity: Money | None


class MarketDoubtView(Row):
    """What a second source of prices found with the market's own; it stands until it has ended."""

    symbol: str
    kind: str
    detail: str
    began_at: datetime
    ended_at: datetime | None


class SentimentView(Row):
    """The market's mood of a moment as a source told it: 0 (fear) to 100 (greed).

    ``available_at`` is when it was known here; a value that the source changed is there twice.
    """

    source: str
    at: datetime
    value: Money
    words: str
    available_at: datetime


class MarketDataWorkView(Row):
    """What is brought from outside on a schedule, and how its last run went; null: none yet."""

    work: str
    scheduled_since: datetime
    finished_at: datetime | None
    succeeded_at: datetime | None
    failures: int
    detail: dict[str, Any]

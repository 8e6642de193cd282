"""What is known of the market's data: figures, doubts about prices, sanctions, sentiment."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from models.tables.columns import Amount, Document, Moment


class MarketQualityRow(SQLModel, table=True):
    """One fault that a second source of prices found; ``ended_at`` None: it stands."""

    __tablename__ = "market_quality_events"

    number: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    symbol: str
    kind: str
    detail: str
    began_at: datetime = Field(sa_type=Moment)
    ended_at: datetime | None = Field(default=None, sa_type=Moment)


class MarketFiguresRow(SQLModel, table=True):
    """One market minute of a pair; what was not known then is None."""

    __tablename__ = "market_figures"

    symbol: str = Field(primary_key=True)
    at: datetime = Field(primary_key=True, sa_type=Moment)
    spread_share: Decimal | None = Field(default=None, sa_type=Amount)
    imbalance: Decimal | None = Field(default=None, sa_type=Amount)
    microprice: Decimal | None = Field(default=None, sa_type=Amount)
    bid_depth: Decimal | None = Field(default=None, sa_type=Amount)
    ask_depth: Decimal | None = Field(default=None, sa_type=Amount)
    bought: Decimal = Field(sa_type=Amount)
    sold: Decimal = Field(sa_type=Amount)
    toxicity: Decimal | None = Field(default=None, sa_type=Amount)


class SanctionsListRow(SQLModel, table=True):
    """One published list that was read; ``named`` has the entry that names each asset."""

    __tablename__ = "sanctions_lists"

    digest: str = Field(primary_key=True)
    source: str
    published: str
    entries: int
    named: dict[str, Any] = Field(sa_type=Document)
    first_read_at: datetime = Field(sa_type=Moment)
    read_at: datetime = Field(sa_type=Moment)


class MarketDataWorkRow(SQLModel, table=True):
    """How one work that brings data from outside goes; it has a row while it is scheduled."""

    __tablename__ = "market_data_work"

    work: str = Field(primary_key=True)
    scheduled_since: datetime = Field(sa_type=Moment)
    finished_at: datetime | None = Field(default=None, sa_type=Moment)
    succeeded_at: datetime | None = Field(default=None, sa_type=Moment)
    failures: int = 0
    detail: dict[str, Any] = Field(sa_type=Document)


class SentimentRow(SQLModel, table=True):
    """The market's mood of a moment as a source told it; known here from ``available_at`` on."""

    __tablename__ = "sentiment_values"

    source: str = Field(primary_key=True)
    at: datetime = Field(primary_key=True, sa_type=Moment)
    available_at: datetime = Field(primary_key=True, sa_type=Moment)
    value: Decimal = Field(sa_type=Amount)
    words: str

"""Recorded history: series, their candles and trades, and how each batch was judged.

Nothing here is owned by an account, and nothing here is decided by: that is ``candles``.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from models.tables.columns import Amount, Document, Moment


class HistorySeriesRow(SQLModel, table=True):
    """One series: a pair's bars of one length at one venue."""

    __tablename__ = "history_series"

    series_id: int | None = Field(default=None, primary_key=True)
    venue: str
    symbol: str
    interval_minutes: int


class HistoryCandleRow(SQLModel, table=True):
    """One recorded bar; what its source does not tell is None.

    ``available_at`` is when it was known: the end of the bar, or later where a source is late.
    """

    __tablename__ = "history_candles"

    series_id: int = Field(primary_key=True)
    start: datetime = Field(primary_key=True, sa_type=Moment)
    open: Decimal | None = Field(default=None, sa_type=Amount)
    high: Decimal | None = Field(default=None, sa_type=Amount)
    low: Decimal | None = Field(default=None, sa_type=Amount)
    close: Decimal = Field(sa_type=Amount)
    volume: Decimal | None = Field(default=None, sa_type=Amount)
    trades: int | None = None
    available_at: datetime = Field(sa_type=Moment)


class HistoryImportRow(SQLModel, table=True):
    """One file's import into a series; ``digest`` is the hash of its contents."""

    __tablename__ = "history_imports"

    import_id: int | None = Field(default=None, primary_key=True)
    series_id: int
    digest: str
    label: str
    batch_rows: int
    started_at: datetime = Field(sa_type=Moment)
    finished_at: datetime | None = Field(default=None, sa_type=Moment)


class HistoryBatchRow(SQLModel, table=True):
    """Some rows of an import: part of the record, or in quarantine with what was found."""

    __tablename__ = "history_batches"

    import_id: int = Field(primary_key=True)
    first_row: int = Field(primary_key=True, sa_type=BigInteger)
    rows: int
    quarantined: bool
    new_rows: int
    gaps: int
    absent_bars: int = Field(sa_type=BigInteger)
    last_start: datetime | None = Field(default=None, sa_type=Moment)
    findings: list[dict[str, Any]] = Field(sa_type=Document)
    accepted_reason: str | None = None
    written_at: datetime = Field(sa_type=Moment)


class HistoryTradeRow(SQLModel, table=True):
    """One public trade of the past; ``side`` is the taker's."""

    __tablename__ = "history_trades"

    venue: str = Field(primary_key=True)
    symbol: str = Field(primary_key=True)
    trade_id: int = Field(primary_key=True, sa_type=BigInteger)
    at: datetime = Field(sa_type=Moment)
    price: Decimal = Field(sa_type=Amount)
    quantity: Decimal = Field(sa_type=Amount)
    side: str


class HistoryCursorRow(SQLModel, table=True):
    """Where the back-fill of a pair's trades goes on, and why its last page was refused."""

    __tablename__ = "history_cursors"

    venue: str = Field(primary_key=True)
    symbol: str = Field(primary_key=True)
    cursor: str
    reached: datetime | None = Field(default=None, sa_type=Moment)
    finding: str | None = None
    written_at: datetime = Field(sa_type=Moment)

"""Which pairs moved together, as computed from stored candles."""

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel

from models.tables.columns import Document, Moment


class CorrelationRow(SQLModel, table=True):
    """One computation: ``groups`` maps a symbol to its group's name, ``estimates`` are by pair.

    ``at`` is protocol time, ``market_time`` that of the newest bar used.
    """

    __tablename__ = "correlations"

    number: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_type=Moment)
    market_time: datetime | None = Field(default=None, sa_type=Moment)
    target: str
    groups: dict[str, Any] = Field(sa_type=Document)
    estimates: list[dict[str, Any]] = Field(sa_type=Document)

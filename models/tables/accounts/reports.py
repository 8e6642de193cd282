"""Reports as they were made; append-only."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from models.tables.columns import Document, Moment


class ReportRow(SQLModel, table=True):
    """One report of an account over a span of market time; ``made_at`` is protocol time."""

    __tablename__ = "reports"

    account_id: str = Field(primary_key=True, foreign_key="accounts.account_id")
    number: int | None = Field(
        default=None,
        primary_key=True,
        sa_type=BigInteger,
        sa_column_kwargs={"autoincrement": True},
    )
    kind: str
    since: datetime = Field(sa_type=Moment)
    until: datetime = Field(sa_type=Moment)
    made_at: datetime = Field(sa_type=Moment)
    document: dict[str, Any] = Field(sa_type=Document)

"""Backtests that people asked for, what each came to, and its page."""

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel

from models.tables.columns import Document, Moment


class BacktestRow(SQLModel, table=True):
    """One backtest: what was asked, and how far it came.

    ``state`` is ``queued``, ``running``, ``finished``, ``refused`` or ``cancelled``; the last three
    stay. ``stage`` says in words what is under way, ``reason`` why it ended without a result.
    """

    __tablename__ = "backtests"

    run_id: str = Field(primary_key=True)
    requested_by: str
    requested_at: datetime = Field(sa_type=Moment)
    asked: dict[str, Any] = Field(sa_type=Document)
    state: str
    stage: str
    done: int
    planned: int
    reason: str
    started_at: datetime | None = Field(default=None, sa_type=Moment)
    ended_at: datetime | None = Field(default=None, sa_type=Moment)
    cancelled_by: str | None = None


class BacktestResultRow(SQLModel, table=True):
    """What one strategy came to on one pair or portfolio; append-only."""

    __tablename__ = "backtest_results"

    run_id: str = Field(primary_key=True, foreign_key="backtests.run_id")
    number: int = Field(primary_key=True)
    document: dict[str, Any] = Field(sa_type=Document)


class BacktestPageRow(SQLModel, table=True):
    """The self-contained HTML page of a backtest; append-only."""

    __tablename__ = "backtest_pages"

    run_id: str = Field(primary_key=True, foreign_key="backtests.run_id")
    html: str

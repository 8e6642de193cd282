"""Portfolios put through shocks, with what each would do to the limits."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlmodel import Field, SQLModel

from models.tables.columns import Amount, Document, Moment


class StressRow(SQLModel, table=True):
    """One run for one account; ``results`` are as in StressResult, the largest loss first.

    ``at`` is protocol time, ``market_time`` that of the prices. ``equity`` and ``worst_loss`` are
    USD; ``unpriced`` are assets held without a known price, which the run could not move.
    """

    __tablename__ = "stress_runs"

    account_id: str = Field(primary_key=True, foreign_key="accounts.account_id")
    run_id: str = Field(primary_key=True)
    requested_by: str
    at: datetime = Field(sa_type=Moment)
    market_time: datetime | None = Field(default=None, sa_type=Moment)
    equity: Decimal = Field(sa_type=Amount)
    worst_loss: Decimal = Field(sa_type=Amount)
    breaches: int
    unpriced: list[str] = Field(sa_type=Document)
    shocks: list[dict[str, Any]] = Field(sa_type=Document)
    results: list[dict[str, Any]] = Field(sa_type=Document)

"""The hedge of an account over time: what was asked for, what was, and what it cost and earned."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlmodel import Field, SQLModel

from models.tables.columns import Amount, Document, Moment


class HedgeReviewRow(SQLModel, table=True):
    """One review of the hedge; ``at`` is market time, ``decided_at`` protocol time; money is USD.

    Shares are of the account's value held in USD. ``target`` is the one in force, None: there is no
    hedge. ``value`` was to be moved, through ``trades``; ``fees`` and ``turnover`` are those of the
    hedge since its beginning, ``profit`` what it earned against not having hedged, ``lacking`` the
    base units by asset that it sold and has not bought back.
    """

    __tablename__ = "hedge_reviews"

    account_id: str = Field(primary_key=True, foreign_key="accounts.account_id")
    review_id: str = Field(primary_key=True)
    number: int
    at: datetime = Field(sa_type=Moment)
    decided_at: datetime = Field(sa_type=Moment)
    cause: str
    target: Decimal | None = Field(default=None, sa_type=Amount)
    automatic_target: Decimal | None = Field(default=None, sa_type=Amount)
    actual: Decimal = Field(sa_type=Amount)
    equity: Decimal = Field(sa_type=Amount)
    volatility: Decimal | None = Field(default=None, sa_type=Amount)
    drawdown: Decimal = Field(sa_type=Amount)
    override_share: Decimal | None = Field(default=None, sa_type=Amount)
    override_author: str | None = None
    override_reason: str | None = None
    override_expires_at: datetime | None = Field(default=None, sa_type=Moment)
    move: str | None = None
    value: Decimal = Field(sa_type=Amount)
    reason: str
    trades: list[int] = Field(sa_type=Document)
    fees: Decimal = Field(sa_type=Amount)
    turnover: Decimal = Field(sa_type=Amount)
    lacking: dict[str, Any] = Field(sa_type=Document)
    profit: Decimal | None = Field(default=None, sa_type=Amount)

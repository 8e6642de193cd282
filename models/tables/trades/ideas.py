"""Ideas and what became of them."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlmodel import Field, SQLModel

from models.tables.columns import Amount, Document, Moment


class IdeaRow(SQLModel, table=True):
    """One idea as one account judged it; ``trade`` is set when it became one.

    ``bar_start`` and ``expires_at`` are market times, ``decided_at`` protocol time. ``standing`` is
    that of the idea's strategy: a demonstration is named so here as well.
    """

    __tablename__ = "ideas"

    account_id: str = Field(primary_key=True, foreign_key="accounts.account_id")
    idea_id: str = Field(primary_key=True)
    strategy: str
    strategy_version: str
    symbol: str
    bar_start: datetime = Field(sa_type=Moment)
    expires_at: datetime = Field(sa_type=Moment)
    stop_price: Decimal = Field(sa_type=Amount)
    take_profit_price: Decimal | None = Field(default=None, sa_type=Amount)
    trailing_distance: Decimal | None = Field(default=None, sa_type=Amount)
    target_weight: Decimal | None = Field(default=None, sa_type=Amount)
    limit_price: Decimal | None = Field(default=None, sa_type=Amount)
    standing: str = "shipped"
    equity_share: Decimal | None = Field(default=None, sa_type=Amount)
    hold_maximum: timedelta | None = None
    model: str = ""
    feature_hash: str = ""
    reasons: list[str] = Field(sa_type=Document)
    allowed: bool
    verdict: dict[str, Any] = Field(sa_type=Document)
    trade: int | None = None
    decided_at: datetime = Field(sa_type=Moment)

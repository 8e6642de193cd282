"""Trades: what was decided, what it came to, and how long it was unprotected."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlmodel import Field, SQLModel

from models.tables.columns import Amount, Document, Moment


class TradeRow(SQLModel, table=True):
    """One trade of an account.

    Money is USD. ``pnl`` is net of fees and set when the trade is settled. ``slippage`` is what
    execution cost against the reference price (entries) and the stop's trigger (stops); positive
    is worse. ``protected_quantity`` is covered by resting stops; ``unprotected_seconds`` adds up
    the finished gaps, ``unprotected_since`` is the start of a running one (protocol time).
    ``decided_at``, ``opened_at`` and ``closed_at`` are market times, ``requested_at`` and
    ``updated_at`` protocol times.
    """

    __tablename__ = "trades"

    account_id: str = Field(primary_key=True, foreign_key="accounts.account_id")
    number: int = Field(primary_key=True)
    symbol: str
    phase: str
    source: str
    protection: str
    entry_client_order_id: str
    quantity: Decimal = Field(sa_type=Amount)
    reference_price: Decimal = Field(sa_type=Amount)
    stop_price: Decimal = Field(sa_type=Amount)
    take_profit_price: Decimal | None = Field(default=None, sa_type=Amount)
    trailing_distance: Decimal | None = Field(default=None, sa_type=Amount)
    trailed: bool
    bought: Decimal = Field(sa_type=Amount)
    sold: Decimal = Field(sa_type=Amount)
    average_entry_price: Decimal | None = Field(default=None, sa_type=Amount)
    average_exit_price: Decimal | None = Field(default=None, sa_type=Amount)
    fees: Decimal = Field(sa_type=Amount)
    cash_flow: Decimal = Field(sa_type=Amount)
    pnl: Decimal | None = Field(default=None, sa_type=Amount)
    slippage: Decimal = Field(sa_type=Amount)
    exit_reason: str | None = None
    protected_quantity: Decimal = Field(sa_type=Amount)
    unprotected_since: datetime | None = Field(default=None, sa_type=Moment)
    unprotected_seconds: Decimal = Field(sa_type=Amount)
    verdict: dict[str, Any] | None = Field(default=None, sa_type=Document)
    refusals: list[str] = Field(sa_type=Document)
    decided_at: datetime = Field(sa_type=Moment)
    requested_at: datetime = Field(sa_type=Moment)
    opened_at: datetime | None = Field(default=None, sa_type=Moment)
    closed_at: datetime | None = Field(default=None, sa_type=Moment)
    updated_at: datetime = Field(sa_type=Moment)

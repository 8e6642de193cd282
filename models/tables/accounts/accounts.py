"""Accounts with their settings and present figures."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlmodel import Field, SQLModel

from models.tables.columns import Amount, Document, Moment, Names


class AccountRow(SQLModel, table=True):
    """One trading account: its configuration and why it may be halted.

    ``halts`` is a list of ``{kind, reason, since, number}``, ``limits`` maps the fields of
    AccountLimits, ``drawdown`` those of DrawdownState, ``day_rule`` those of DayRule,
    ``strategy_results`` maps strategies to StrategyResults. Times are protocol times but for
    ``measured_since`` and what is in ``drawdown``, which are market times.
    """

    __tablename__ = "accounts"

    account_id: str = Field(primary_key=True)
    kind: str
    installation: str
    mode: str
    protection: str
    strategies: list[str] = Field(sa_type=Names)
    limits: dict[str, Any] = Field(sa_type=Document)
    halts: list[dict[str, Any]] = Field(sa_type=Document)
    next_trade: int
    closed_trades: int
    strategy_results: dict[str, Any] = Field(default_factory=dict, sa_type=Document)
    drawdown: dict[str, Any] | None = Field(default=None, sa_type=Document)
    measured_since: datetime | None = Field(default=None, sa_type=Moment)
    day_rule: dict[str, Any] | None = Field(default=None, sa_type=Document)
    created_at: datetime = Field(sa_type=Moment)
    updated_at: datetime = Field(sa_type=Moment)


class BalanceRow(SQLModel, table=True):
    """The latest total of one asset of an account, open trades included."""

    __tablename__ = "balances"

    account_id: str = Field(primary_key=True, foreign_key="accounts.account_id")
    asset: str = Field(primary_key=True)
    total: Decimal = Field(sa_type=Amount)
    updated_at: datetime = Field(sa_type=Moment)


class NetAssetValueRow(SQLModel, table=True):
    """What an account was worth in USD at one moment (market time)."""

    __tablename__ = "nav_marks"

    account_id: str = Field(primary_key=True, foreign_key="accounts.account_id")
    at: datetime = Field(primary_key=True, sa_type=Moment)
    equity: Decimal = Field(sa_type=Amount)
    cash: Decimal = Field(sa_type=Amount)

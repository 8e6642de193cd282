"""Closed days, capital flows and baselines of accounts. Money in USD, times are market time."""

import datetime as dt
from decimal import Decimal

from sqlmodel import Field, SQLModel

from models.tables.columns import Amount, Moment


class TradingDayRow(SQLModel, table=True):
    """What one day of an account came to; see ``models.trading.capital.days.DailyRecord``."""

    __tablename__ = "trading_days"

    account_id: str = Field(primary_key=True, foreign_key="accounts.account_id")
    closed_at: dt.datetime = Field(primary_key=True, sa_type=Moment)
    day: dt.date
    opened_at: dt.datetime = Field(sa_type=Moment)
    opening_equity: Decimal = Field(sa_type=Amount)
    closing_equity: Decimal = Field(sa_type=Amount)
    flows: Decimal = Field(sa_type=Amount)
    profit: Decimal = Field(sa_type=Amount)
    profit_share: Decimal = Field(sa_type=Amount)
    worst_share: Decimal = Field(sa_type=Amount)
    halted: bool
    realised: Decimal | None = Field(default=None, sa_type=Amount)
    unrealised: Decimal | None = Field(default=None, sa_type=Amount)
    fees: Decimal | None = Field(default=None, sa_type=Amount)
    recorded_at: dt.datetime = Field(sa_type=Moment)


class CapitalFlowRow(SQLModel, table=True):
    """Capital that came in or went out; ``amount`` in units of the asset, ``value`` in USD.

    ``value_after`` is equity right after it was counted, at ``noted_at``; None for what was there
    before anything was measured.
    """

    __tablename__ = "capital_flows"

    account_id: str = Field(primary_key=True, foreign_key="accounts.account_id")
    flow_id: str = Field(primary_key=True)
    asset: str
    amount: Decimal = Field(sa_type=Amount)
    value: Decimal = Field(sa_type=Amount)
    at: dt.datetime = Field(sa_type=Moment)
    source: str
    author: str
    note: str
    noted_at: dt.datetime | None = Field(default=None, sa_type=Moment)
    value_after: Decimal | None = Field(default=None, sa_type=Amount)
    recorded_at: dt.datetime = Field(sa_type=Moment)


class NavBaselineRow(SQLModel, table=True):
    """A value that profit is measured from, and why it was set."""

    __tablename__ = "nav_baselines"

    account_id: str = Field(primary_key=True, foreign_key="accounts.account_id")
    at: dt.datetime = Field(primary_key=True, sa_type=Moment)
    reason: str = Field(primary_key=True)
    value: Decimal = Field(sa_type=Amount)


class LedgerMarkRow(SQLModel, table=True):
    """The market time up to which capital flows of the exchange's ledger are recorded."""

    __tablename__ = "ledger_marks"

    account_id: str = Field(primary_key=True, foreign_key="accounts.account_id")
    read_until: dt.datetime = Field(sa_type=Moment)

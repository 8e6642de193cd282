"""Results of strategy versions, one row for each, with where it comes from."""

from datetime import datetime
from decimal import Decimal

from sqlmodel import Field, SQLModel

from models.tables.columns import Amount, Moment


class StrategyResultRow(SQLModel, table=True):
    """One result, of the account's trade; a backtest's is the platform's and of no trade.

    ``move`` and ``net`` are shares (0.01 is one percent), ``closed_at`` market time,
    ``recorded_at`` protocol time.
    """

    __tablename__ = "strategy_results"

    strategy: str = Field(primary_key=True)
    strategy_version: str = Field(primary_key=True)
    source: str = Field(primary_key=True)
    reference: str = Field(primary_key=True)
    account_id: str
    trade: int | None = None
    symbol: str
    move: Decimal = Field(sa_type=Amount)
    net: Decimal = Field(sa_type=Amount)
    exit_reason: str | None = None
    closed_at: datetime = Field(sa_type=Moment)
    recorded_at: datetime = Field(sa_type=Moment)

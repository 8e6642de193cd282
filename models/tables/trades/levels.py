"""Where a trade's stop and target have stood; a trigger writes them beside the trade."""

from datetime import datetime
from decimal import Decimal

from sqlmodel import Field, SQLModel

from models.tables.columns import Amount, Moment


class TradeLevelRow(SQLModel, table=True):
    """Stop and target of a trade from a moment on, until the next row.

    ``at`` is protocol time; ``market_time`` that of the pair's newest price then, None where there
    was none.
    """

    __tablename__ = "trade_levels"

    account_id: str = Field(primary_key=True, foreign_key="accounts.account_id")
    number: int = Field(primary_key=True)
    at: datetime = Field(primary_key=True, sa_type=Moment)
    market_time: datetime | None = Field(default=None, sa_type=Moment)
    stop_price: Decimal = Field(sa_type=Amount)
    take_profit_price: Decimal | None = Field(default=None, sa_type=Amount)

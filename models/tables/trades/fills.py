"""Executions as the exchange reported them."""

from datetime import datetime
from decimal import Decimal

from sqlmodel import Field, SQLModel

from models.tables.columns import Amount, Moment
from models.trading.orders import Fill, Side


class FillRow(SQLModel, table=True):
    """One execution. ``trade`` is None while the order it belongs to is not known.

    ``exchange_time`` is market time; ``recorded_at`` and ``delivered_at`` are protocol times.
    """

    __tablename__ = "fills"

    account_id: str = Field(primary_key=True, foreign_key="accounts.account_id")
    execution_id: str = Field(primary_key=True)
    order_id: str
    trade: int | None = None
    symbol: str
    side: str
    quantity: Decimal = Field(sa_type=Amount)
    price: Decimal = Field(sa_type=Amount)
    cost: Decimal = Field(sa_type=Amount)
    fee: Decimal = Field(sa_type=Amount)
    maker: bool
    exchange_time: datetime = Field(sa_type=Moment)
    recorded_at: datetime = Field(sa_type=Moment)
    delivered_at: datetime | None = Field(default=None, sa_type=Moment)

    def fill(self) -> Fill:
        """Return the execution in the domain's words."""
        return Fill(
            execution_id=self.execution_id,
            order_id=self.order_id,
            symbol=self.symbol,
            side=Side(self.side),
            quantity=self.quantity,
            price=self.price,
            cost=self.cost,
            fee=self.fee,
            exchange_time=self.exchange_time,
            maker=self.maker,
        )

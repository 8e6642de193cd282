"""Orders: the intent as it was fixed, and what became of it on the exchange."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlmodel import Field, SQLModel

from models.tables.columns import Amount, Document, Moment
from models.trading.orders import OrderReport, OrderStatus, OrderType, Side


class OrderRow(SQLModel, table=True):
    """One order of an account.

    ``spec`` is the intent and never changes; the other figures follow the exchange. An order that
    the exchange made itself (a child of a conditional close) has its exchange id as
    ``client_order_id`` and its parent in ``parent_order_id``. ``intended_at``, ``sent_at``,
    ``acknowledged_at`` and ``ended_at`` are protocol times, ``opened_at`` and ``closed_at`` market
    times.
    """

    __tablename__ = "orders"

    account_id: str = Field(primary_key=True, foreign_key="accounts.account_id")
    client_order_id: str = Field(primary_key=True)
    userref: int
    trade: int
    leg: str
    symbol: str
    side: str
    order_type: str
    quantity: Decimal = Field(sa_type=Amount)
    limit_price: Decimal | None = Field(default=None, sa_type=Amount)
    trigger_price: Decimal | None = Field(default=None, sa_type=Amount)
    spec: dict[str, Any] = Field(sa_type=Document)
    status: str
    order_id: str | None = None
    parent_order_id: str | None = None
    filled_quantity: Decimal = Field(default=Decimal(0), sa_type=Amount)
    average_price: Decimal = Field(default=Decimal(0), sa_type=Amount)
    cost: Decimal = Field(default=Decimal(0), sa_type=Amount)
    fee: Decimal = Field(default=Decimal(0), sa_type=Amount)
    reason: str | None = None
    sends: int = 0
    intended_at: datetime = Field(sa_type=Moment)
    sent_at: datetime | None = Field(default=None, sa_type=Moment)
    acknowledged_at: datetime | None = Field(default=None, sa_type=Moment)
    ended_at: datetime | None = Field(default=None, sa_type=Moment)
    opened_at: datetime | None = Field(default=None, sa_type=Moment)
    closed_at: datetime | None = Field(default=None, sa_type=Moment)

    def report(self) -> OrderReport:
        """Return what the exchange last told of this order; it must have told something.

        Which executions it named is not recorded here: they are rows of their own.
        """
        assert self.order_id is not None
        is_child = self.parent_order_id is not None
        return OrderReport(
            order_id=self.order_id,
            client_order_id=None if is_child else self.client_order_id,
            userref=self.userref,
            parent_order_id=self.parent_order_id,
            symbol=self.symbol,
            side=Side(self.side),
            order_type=OrderType(self.order_type),
            status=OrderStatus(self.status),
            quantity=self.quantity,
            filled_quantity=self.filled_quantity,
            cost=self.cost,
            fee=self.fee,
            average_price=self.average_price,
            limit_price=self.limit_price,
            trigger_price=self.trigger_price,
            opened_at=self.opened_at,
            closed_at=self.closed_at,
            reason=self.reason,
        )

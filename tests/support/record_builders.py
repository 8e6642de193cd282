"""Orders, reports and executions for tests of the record."""

from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from uuid import uuid4

from models.trading.orders import (
    Fill,
    Leg,
    OrderReport,
    OrderSpec,
    OrderStatus,
    OrderType,
    Side,
)

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
_numbers = count(1)


def an_order(**changes) -> OrderSpec:
    number = next(_numbers)
    values = {
        "account": "company",
        "trade": number,
        "leg": Leg.ENTRY,
        "client_order_id": str(uuid4()),
        "userref": number,
        "symbol": "BTC/USD",
        "side": Side.BUY,
        "order_type": OrderType.LIMIT,
        "quantity": Decimal("0.10"),
        "limit_price": Decimal(50000),
    }
    return OrderSpec(**(values | changes))


def a_report(order: OrderSpec, order_id: str, **changes) -> OrderReport:
    values = {
        "order_id": order_id,
        "client_order_id": order.client_order_id,
        "userref": order.userref,
        "parent_order_id": None,
        "symbol": order.symbol,
        "side": order.side,
        "order_type": order.order_type,
        "status": OrderStatus.OPEN,
        "quantity": order.quantity,
        "filled_quantity": Decimal(0),
        "cost": Decimal(0),
        "fee": Decimal(0),
        "average_price": Decimal(0),
        "limit_price": order.limit_price,
        "trigger_price": order.trigger_price,
        "opened_at": NOW,
    }
    return OrderReport(**(values | changes))


def a_fill(order_id: str, **changes) -> Fill:
    values = {
        "execution_id": f"E{uuid4().hex[:12]}",
        "order_id": order_id,
        "symbol": "BTC/USD",
        "side": Side.BUY,
        "quantity": Decimal("0.04"),
        "price": Decimal(50000),
        "cost": Decimal(2000),
        "fee": Decimal("5.20"),
        "exchange_time": NOW,
    }
    return Fill(**(values | changes))


def an_exchange_id() -> str:
    return f"O{uuid4().hex[:12].upper()}"

"""What the exchange reports of an order, as a fact for its trade."""

from datetime import datetime

from models.trading.orders import OrderReport
from models.trading.trade.facts import OrderEnded


def ended_fact(report: OrderReport, at: datetime, client_order_id: str | None) -> OrderEnded:
    """Return the fact that an order is final."""
    return OrderEnded(
        order_id=report.order_id,
        status=report.status,
        filled_quantity=report.filled_quantity,
        reason=report.reason,
        at=report.closed_at or at,
        client_order_id=client_order_id,
        parent_order_id=report.parent_order_id,
    )

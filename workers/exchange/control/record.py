"""The exchange's own truth about an account: all orders, fills and bookings ever, and balances.

Names are those of the platform's reports (``OrderReport``, ``Fill``, ``LedgerEntry``); decimals are
strings, times RFC 3339 market time, symbols and assets WebSocket v2 names.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any

from models.simulation.engine.orders import Execution, LedgerEntry, Order
from models.simulation.venue import Venue
from workers.exchange.wire import plain


def account_record(venue: Venue, account: str) -> dict[str, Any]:
    """Return everything of one account, oldest first."""
    return {
        "orders": [_order(order) for order in venue.all_orders(account)],
        "fills": [_fill(execution) for execution in venue.executions(account)],
        "balances": {
            asset: {"total": plain(balance.total), "held": plain(balance.held)}
            for asset, balance in venue.balances(account).items()
        },
        "ledger": [booking(entry) for entry in venue.ledger(account)],
    }


def protocol_times(venue: Venue, account: str) -> dict[str, dict[str, str | None]]:
    """Return when orders were accepted and fills happened by the wall clock, by their ids.

    Latencies are measured by it. It is no part of the record, which the same input repeats exactly.
    """
    return {
        "orders": {o.txid: o.opened_wall.isoformat() for o in venue.all_orders(account)},
        "fills": {e.txid: _moment(e.wall) for e in venue.executions(account)},
    }


def _order(order: Order) -> dict[str, Any]:
    return {
        "order_id": order.txid,
        "client_order_id": order.cl_ord_id,
        "userref": order.userref,
        "parent_order_id": order.parent,
        "symbol": order.symbol,
        "side": order.side.value,
        "order_type": order.kind.value,
        "status": order.status.value,
        "quantity": plain(order.volume),
        "filled_quantity": plain(order.executed),
        "cost": plain(order.cost),
        "fee": plain(order.fee),
        "average_price": plain(order.average_price),
        "limit_price": _optional(order.limit_price),
        "trigger_price": _optional(order.trigger_price),
        "triggered": order.triggered,
        "opened_at": order.opened_at.isoformat(),
        "closed_at": _moment(order.closed_at),
        "reason": order.reason,
        "execution_ids": list(order.fill_ids),
    }


def _fill(execution: Execution) -> dict[str, Any]:
    return {
        "execution_id": execution.txid,
        "order_id": execution.order_txid,
        "symbol": execution.symbol,
        "side": execution.side.value,
        "quantity": plain(execution.quantity),
        "price": plain(execution.price),
        "cost": plain(execution.cost),
        "fee": plain(execution.fee),
        "fee_asset": execution.fee_asset,
        "exchange_time": execution.at.isoformat(),
        "maker": execution.maker,
        "trade_id": execution.trade_id,
    }


def booking(entry: LedgerEntry) -> dict[str, Any]:
    """Return a ledger entry in the platform's words."""
    return {
        "ledger_id": entry.txid,
        "reference_id": entry.refid,
        "kind": entry.kind,
        "subtype": entry.subtype,
        "asset": entry.asset,
        "amount": plain(entry.amount),
        "fee": plain(entry.fee),
        "balance": plain(entry.balance),
        "exchange_time": entry.at.isoformat(),
    }


def _optional(price: Decimal | None) -> str | None:
    return None if price is None else plain(price)


def _moment(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()

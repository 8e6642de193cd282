"""Orders put together from sparse ``executions`` entries (§14.1), and the fills among them.

No I/O: entries go in, execution reports come out.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from activities.adapters.kraken.errors import stranger_text
from activities.adapters.kraken.feed.rows import wire_time
from activities.adapters.kraken.instruments import number
from activities.adapters.kraken.rest.orders import order_type, positive
from activities.ports.exchange import ExecutionReport
from models.trading.orders import Fill, OrderReport, OrderStatus, Side

_STATUSES = {
    "pending_new": OrderStatus.PENDING,
    "new": OrderStatus.OPEN,
    "partially_filled": OrderStatus.OPEN,
    "filled": OrderStatus.CLOSED,
    "canceled": OrderStatus.CANCELED,
    "expired": OrderStatus.EXPIRED,
}
_KINDS = {
    "new": "new",
    "trade": "trade",
    "filled": "ended",
    "canceled": "ended",
    "expired": "ended",
    "amended": "amended",
    "restated": "amended",
}
_UNTOLD = ("pending_new", "status", "iceberg_refill")
_REMEMBERED_ORDERS = 5_000
_REMEMBERED_EXECUTIONS = 20_000


class OrderViews:
    """What is known of each order, and which executions were reported before."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self._executions: OrderedDict[str, None] = OrderedDict()

    def knows_execution(self, execution_id: str) -> bool:
        """Tell whether an execution was reported."""
        return execution_id in self._executions

    def knows_end(self, order_id: str) -> bool:
        """Tell whether an order was reported as final."""
        return _report(self._known[order_id]).status.is_final if order_id in self._known else False

    def news_of(self, snapshot: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """Return what a snapshot tells anew; no trade of it says more of its order than it knows.

        Trades of a snapshot say ``filled`` whatever became of their order (§14.1). It is over if
        the snapshot does not name it as open, and then with the last of its trades only.
        """
        told = [entry for entry in snapshot if str(entry.get("exec_id")) not in self._executions]
        orders = [str(entry.get("order_id")) for entry in told]
        is_open = {name for name, entry in zip(orders, told, strict=True) if not _is_trade(entry)}
        last = {name: number for number, name in enumerate(orders)}
        return [
            {name: value for name, value in entry.items() if name != "order_status"}
            if _is_trade(entry) and (orders[number] in is_open or last[orders[number]] != number)
            else entry
            for number, entry in enumerate(told)
        ]

    def take(
        self, entry: Mapping[str, Any], *, snapshot: bool, sequence: int, received_at: datetime
    ) -> ExecutionReport | None:
        """Merge an entry and return its report; None when the execution was reported before.

        Raises:
            KeyError: the entry is about an order of which symbol or side were never told.
        """
        entry = {name: value for name, value in entry.items() if value is not None}
        is_trade = entry.get("exec_type") == "trade" and entry.get("exec_id")
        execution_id = str(entry["exec_id"]) if is_trade else None
        if execution_id is not None and execution_id in self._executions:
            return None
        view = self._merged(entry)
        fill = None
        if execution_id is not None:
            fill = self._fill(execution_id, entry, view)
            view["_fees"] = view.get("_fees", Decimal(0)) + fill.fee
            view["_quantity"] = view.get("_quantity", Decimal(0)) + fill.quantity
            view["_cost"] = view.get("_cost", Decimal(0)) + fill.cost
        report = ExecutionReport(
            kind=_KINDS.get(str(entry.get("exec_type")), "status"),
            order=_report(view),
            fill=fill,
            snapshot=snapshot,
            sequence=sequence,
            received_at=received_at,
        )
        # Kept only now: an entry that could not be read leaves nothing half done behind.
        self._keep(view)
        if execution_id is not None:
            self._remember(execution_id)
        return report

    def _merged(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        order_id = str(entry["order_id"])
        view = {**self._known.get(order_id, {}), **entry}
        if "symbol" not in view or "side" not in view:
            raise KeyError(order_id)
        if entry.get("exec_type") == "pending_new":
            view["_opened_at"] = entry.get("timestamp")
        return view

    def _keep(self, view: dict[str, Any]) -> None:
        order_id = str(view["order_id"])
        self._known[order_id] = view
        self._known.move_to_end(order_id)
        while len(self._known) > _REMEMBERED_ORDERS:
            self._known.popitem(last=False)

    def _remember(self, execution_id: str) -> None:
        self._executions[execution_id] = None
        while len(self._executions) > _REMEMBERED_EXECUTIONS:
            self._executions.popitem(last=False)

    @staticmethod
    def _fill(execution_id: str, entry: Mapping[str, Any], view: Mapping[str, Any]) -> Fill:
        quantity, price = number(entry["last_qty"]), number(entry["last_price"])
        return Fill(
            execution_id=execution_id,
            order_id=str(entry["order_id"]),
            symbol=str(view["symbol"]),
            side=Side(view["side"]),
            quantity=quantity,
            price=price,
            cost=number(entry["cost"]) if "cost" in entry else quantity * price,
            fee=_fee(entry),
            exchange_time=wire_time(entry["timestamp"]),
            maker=entry.get("liquidity_ind") == "m",
        )


def _is_trade(entry: Mapping[str, Any]) -> bool:
    return entry.get("exec_type") == "trade"


def is_unknown(entry: Mapping[str, Any]) -> bool:
    """Tell whether an entry may say more than its report: a status or money in unknown words."""
    exec_type, status = entry.get("exec_type"), entry.get("order_status")
    if status is not None and str(status) not in _STATUSES:
        return True
    if exec_type == "trade":
        return not entry.get("exec_id")
    known = exec_type in _KINDS or exec_type in _UNTOLD
    return not known and ("exec_id" in entry or "last_qty" in entry)


def _fee(entry: Mapping[str, Any]) -> Decimal:
    fees = entry.get("fees") or ()
    if fees and all(fee["asset"] == "USD" for fee in fees):
        return sum((number(fee["qty"]) for fee in fees), Decimal(0))
    return number(entry.get("fee_usd_equiv", 0))


def _report(view: Mapping[str, Any]) -> OrderReport:
    filled = max(number(view.get("cum_qty", 0)), view.get("_quantity", Decimal(0)))
    cost = max(number(view.get("cum_cost", 0)), view.get("_cost", Decimal(0)))
    status = _STATUSES.get(str(view.get("order_status")), OrderStatus.UNKNOWN)
    triggers = view.get("triggers")
    trigger_price = triggers.get("price") if isinstance(triggers, Mapping) else None
    userref = view.get("order_userref")
    opened = view.get("_opened_at")
    return OrderReport(
        order_id=str(view["order_id"]),
        client_order_id=view.get("cl_ord_id") or None,
        userref=int(userref) if userref else None,
        parent_order_id=view.get("ord_ref_id") or None,
        symbol=str(view["symbol"]),
        side=Side(view["side"]),
        order_type=order_type(str(view.get("order_type", ""))),
        status=status,
        quantity=max(number(view.get("order_qty", 0)), filled),
        filled_quantity=filled,
        cost=cost,
        fee=max(number(view.get("fee_usd_equiv", 0)), view.get("_fees", Decimal(0))),
        average_price=number(view.get("avg_price", 0)) or (cost / filled if filled else Decimal(0)),
        limit_price=positive(view.get("limit_price")),
        trigger_price=positive(trigger_price) or positive(view.get("stop_price")),
        opened_at=wire_time(opened) if opened else None,
        closed_at=wire_time(view["timestamp"]) if status.is_final else None,
        reason=stranger_text(view.get("reason") or view.get("cancel_reason")),
    )

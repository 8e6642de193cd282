"""Events of an account as the channels ``executions`` and ``balances`` carry them (§14)."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from models.simulation.engine.orders import (
    CloseTerms,
    Execution,
    LedgerEntry,
    Order,
    OrderKind,
    PriceTerm,
    VenueOrderStatus,
)
from models.simulation.events import ExecutionType, OrderChanged
from models.simulation.outcomes import Balance
from models.simulation.symbols import Directory
from models.trading.instruments import Instrument
from workers.exchange.clock import to_rfc3339
from workers.exchange.rest.format import asset_decimals

Entry = dict[str, Any]

_FINAL = {
    VenueOrderStatus.PENDING: "pending_new",
    VenueOrderStatus.CLOSED: "filled",
    VenueOrderStatus.CANCELED: "canceled",
    VenueOrderStatus.EXPIRED: "expired",
}


def execution_entry(change: OrderChanged, directory: Directory) -> Entry:
    """Return the sparse entry of one change of an order."""
    order, kind = change.order, change.execution_type
    instrument = directory.instruments[order.symbol]
    if kind is ExecutionType.PENDING_NEW:
        return _full(order, instrument, "pending_new", change.at)
    if kind is ExecutionType.NEW:
        return {
            "timestamp": to_rfc3339(change.at),
            "order_status": "new",
            "exec_type": "new",
            **_tags(order),
            "order_id": order.txid,
        }
    if kind is ExecutionType.TRADE:
        assert change.execution is not None
        return trade_entry(change.execution, order, instrument, "partially_filled")
    if kind in (ExecutionType.AMENDED, ExecutionType.RESTATED):
        return _amended(change, instrument)
    if kind is ExecutionType.STATUS:
        return {
            "timestamp": to_rfc3339(change.at),
            "order_status": order_status(order),
            "exec_type": "status",
            **_tags(order),
            "triggers": _triggers(order, instrument),
            "order_id": order.txid,
        }
    return _ended(change, instrument)


def open_order_entry(order: Order, directory: Directory) -> Entry:
    """Return an open order as the snapshot shows it: whole, not sparse."""
    instrument = directory.instruments[order.symbol]
    entry = _full(order, instrument, order_status(order), order.opened_at)
    entry["exec_type"] = "pending_new" if order.status is VenueOrderStatus.PENDING else "new"
    entry["cum_qty"] = _quantity(order.executed, instrument)
    entry["avg_price"] = _cost(order.average_price, instrument)
    return entry


def trade_entry(execution: Execution, order: Order, instrument: Instrument, status: str) -> Entry:
    """Return one fill. Snapshots call every trade ``filled``; updates carry the running sums."""
    entry: Entry = {
        "order_id": execution.order_txid,
        **_tags(order),
        "exec_id": execution.txid,
        "exec_type": "trade",
        "trade_id": execution.trade_id,
        "symbol": execution.symbol,
        "side": execution.side.value,
        "last_qty": _quantity(execution.quantity, instrument),
        "last_price": _price(execution.price, instrument),
        "liquidity_ind": "m" if execution.maker else "t",
        "cost": _cost(execution.cost, instrument),
        "order_status": status,
        "order_type": execution.kind.value,
        "timestamp": to_rfc3339(execution.at),
        "fee_usd_equiv": _cost(execution.fee_quote, instrument),
        "fees": [{"asset": execution.fee_asset, "qty": execution.fee}],
    }
    if order.parent is not None:
        entry["ord_ref_id"] = order.parent
    if status != "filled":
        entry["cum_qty"] = _quantity(order.executed, instrument)
        entry["cum_cost"] = _cost(order.cost, instrument)
        entry["avg_price"] = _cost(order.average_price, instrument)
    return entry


_WALLET_IDS = {"": "main", "F": "flex"}


def balances_snapshot(balances: dict[str, Balance]) -> list[Entry]:
    """Return the snapshot of the channel ``balances``; holds are not part of it."""
    wallets: dict[str, dict[str, Balance]] = {}
    for name, balance in balances.items():
        asset, _, suffix = name.partition(".")
        wallets.setdefault(asset, {})[suffix] = balance
    return [
        {
            "asset": asset,
            "asset_class": "currency",
            "balance": _amount(asset, sum((one.total for one in held.values()), Decimal(0))),
            "wallets": [
                {**_wallet(suffix), "balance": _amount(asset, one.total)}
                for suffix, one in held.items()
            ],
        }
        for asset, held in wallets.items()
    ]


def _wallet(suffix: str) -> Entry:
    return {
        "type": "earn" if suffix else "spot",
        "id": _WALLET_IDS.get(suffix, "locked"),
    }


def balance_entry(entry: LedgerEntry) -> Entry:
    """Return one booking, under the asset whose wallet it changes."""
    asset, _, suffix = entry.asset.partition(".")
    return {
        "ledger_id": entry.txid,
        "ref_id": entry.refid,
        "timestamp": to_rfc3339(entry.at),
        "type": entry.kind,
        "asset": asset,
        "asset_class": "currency",
        "category": entry.kind,
        "wallet_type": _wallet(suffix)["type"],
        "wallet_id": _wallet(suffix)["id"],
        "amount": _amount(entry.asset, entry.amount),
        "fee": _amount(entry.asset, entry.fee),
        "balance": _amount(entry.asset, entry.balance),
    }


def order_status(order: Order) -> str:
    """Return ``order_status`` in v2 words."""
    final = _FINAL.get(order.status)
    if final is not None:
        return final
    return "partially_filled" if order.executed else "new"


def is_open_or_close(kind: ExecutionType) -> bool:
    """Tell whether an event is sent where ``order_status`` is false: trades always are."""
    return kind in (
        ExecutionType.NEW,
        ExecutionType.TRADE,
        ExecutionType.FILLED,
        ExecutionType.CANCELED,
        ExecutionType.EXPIRED,
    )


def _full(order: Order, instrument: Instrument, status: str, at: datetime) -> Entry:
    entry: Entry = {
        "order_id": order.txid,
        **_tags(order),
        "symbol": order.symbol,
        "order_qty": _quantity(order.volume, instrument),
        "cum_cost": _cost(order.cost, instrument),
        "time_in_force": order.time_in_force.value,
        "exec_type": "pending_new",
        "side": order.side.value,
        "order_type": order.kind.value,
        "limit_price_type": "static",
        "stop_price": _price(order.trigger_price or Decimal(0), instrument),
        "order_status": status,
        "fee_usd_equiv": _cost(order.fee, instrument),
        "fee_ccy_pref": "fcib" if order.fee_in_base else "fciq",
        "timestamp": to_rfc3339(at),
    }
    if order.limit_price is not None:
        entry["limit_price"] = _price(order.limit_price, instrument)
    if order.parent is not None:
        entry["ord_ref_id"] = order.parent
    if order.post_only:
        entry["post_only"] = True
    if order.display_volume is not None:
        entry["display_qty"] = _quantity(order.display_volume, instrument)
    for name, moment in (("expire_time", order.expires_at), ("effective_time", order.starts_at)):
        if moment is not None:
            entry[name] = to_rfc3339(moment)
    if order.kind.is_triggered_kind:
        entry["triggers"] = _triggers(order, instrument)
    if order.close is not None:
        entry["contingent"] = _contingent(order.close, instrument)
    return entry


def _tags(order: Order) -> Entry:
    if order.cl_ord_id is not None:
        return {"cl_ord_id": order.cl_ord_id}
    return {"order_userref": order.userref or 0}


def _amended(change: OrderChanged, instrument: Instrument) -> Entry:
    order = change.order
    entry: Entry = {
        "timestamp": to_rfc3339(change.at),
        "exec_type": change.execution_type.value,
        "order_status": order_status(order),
        "cum_qty": _quantity(order.executed, instrument),
        "reason": "User requested",
        "amended": order.amended,
        "order_qty": _quantity(order.volume, instrument),
        "limit_price_type": "static",
        **_tags(order),
        "order_id": order.txid,
    }
    if order.limit_price is not None:
        entry["limit_price"] = _price(order.limit_price, instrument)
    if order.kind.is_triggered_kind:
        entry["triggers"] = _triggers(order, instrument)
    return entry


def _ended(change: OrderChanged, instrument: Instrument) -> Entry:
    order = change.order
    entry: Entry = {
        "timestamp": to_rfc3339(change.at),
        "order_status": change.execution_type.value,
        "exec_type": change.execution_type.value,
        "cum_qty": _quantity(order.executed, instrument),
        "cum_cost": _cost(order.cost, instrument),
        "fee_usd_equiv": _cost(order.fee, instrument),
        "avg_price": _cost(order.average_price, instrument),
        **_tags(order),
        "order_id": order.txid,
    }
    if order.reason is not None:
        entry["cancel_reason"] = entry["reason"] = order.reason
    return entry


def _triggers(order: Order, instrument: Instrument) -> Entry:
    triggers: Entry = {
        "reference": "last",
        "price": _price(order.trigger_price or Decimal(0), instrument),
        "price_type": "static",
        "status": "triggered" if order.triggered else "untriggered",
    }
    if order.kind.is_trailing and order.price is not None:
        triggers["price"] = order.price.value
        triggers["price_type"] = "pct" if order.price.percent else "quote"
        triggers["actual_price"] = _price(order.trigger_price or Decimal(0), instrument)
    if order.peak_price is not None:
        triggers["peak_price"] = _price(order.peak_price, instrument)
    if order.triggered_at is not None:
        triggers["timestamp"] = to_rfc3339(order.triggered_at)
    return triggers


def _contingent(close: CloseTerms, instrument: Instrument) -> Entry:
    trigger, limit = close.price, close.price2
    if close.kind is OrderKind.LIMIT:
        trigger, limit = None, close.price
    entry: Entry = {"order_type": close.kind.value}
    for name, term in (("trigger_price", trigger), ("limit_price", limit)):
        if term is not None:
            entry[name] = _price(term.value, instrument) if not term.percent else term.value
            entry[f"{name}_type"] = _term_type(term)
    return entry


def _term_type(term: PriceTerm) -> str:
    if not term.is_relative:
        return "static"
    return "pct" if term.percent else "quote"


def _quantity(value: Decimal, instrument: Instrument) -> Decimal:
    return round(value, instrument.quantity_precision)


def _price(value: Decimal, instrument: Instrument) -> Decimal:
    return round(value, instrument.price_precision)


def _cost(value: Decimal, instrument: Instrument) -> Decimal:
    return round(value, instrument.cost_precision)


def _amount(asset: str, value: Decimal) -> Decimal:
    return round(value, asset_decimals(asset))


def newest_trades(executions: Iterable[Execution], limit: int = 50) -> list[Execution]:
    """Return the last fills, newest first, as the snapshot lists them."""
    return list(executions)[-limit:][::-1]

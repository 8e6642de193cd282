"""Orders, trades and ledger entries as Kraken's REST answers show them (protocol §7, §8.3)."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from models.simulation.engine.orders import AmendRecord, Execution, LedgerEntry, Order
from models.simulation.gateway.descriptions import describe_close, describe_order, price_text
from models.simulation.markets.instruments import UNIVERSE, UnknownPairError
from models.simulation.symbols import Directory
from models.trading.instruments import Instrument
from workers.exchange.wire import fixed

DEFAULT_DECIMALS = 10


def seconds(moment: datetime | None) -> float | int:
    """Return unix seconds with microseconds, 0 for none."""
    return 0 if moment is None else moment.timestamp()


def asset_decimals(name: str) -> int:
    """Return the decimals of balances of an asset, by its v2 name."""
    try:
        return UNIVERSE.asset(name.partition(".")[0]).decimals
    except UnknownPairError:
        return DEFAULT_DECIMALS


def order_object(order: Order, directory: Directory, *, trades: bool = False) -> dict[str, Any]:
    """Return an order as OpenOrders, ClosedOrders and QueryOrders show it."""
    instrument = directory.instruments[order.symbol]
    cost = instrument.cost_precision
    shown: dict[str, Any] = {
        "refid": order.parent,
        "userref": order.userref,
    }
    if order.cl_ord_id is not None:
        shown["cl_ord_id"] = order.cl_ord_id
    shown |= {
        "status": order.status.value,
        "opentm": seconds(order.opened_at),
        "starttm": seconds(order.starts_at),
        "expiretm": seconds(order.expires_at),
        "descr": describe(order, directory),
        "vol": fixed(order.volume, instrument.quantity_precision),
        "vol_exec": fixed(order.executed, instrument.quantity_precision),
        "cost": fixed(order.cost, cost),
        "fee": fixed(order.fee, cost),
        "price": fixed(order.average_price, cost),
        "stopprice": _effective(order.trigger_price, order, instrument),
        "limitprice": _effective(order.limit_price, order, instrument),
        "misc": ",".join(order.misc),
        "oflags": ",".join(order.flags),
        "time_in_force": order.time_in_force.value.lower(),
    }
    if order.amended:
        shown["amended"] = True
    if trades and order.fill_ids:
        shown["trades"] = list(order.fill_ids)
    if not order.status.is_live:
        shown["closetm"] = seconds(order.closed_at)
        shown["reason"] = order.reason
    return shown


def describe(order: Order, directory: Directory) -> dict[str, Any]:
    """Return ``descr``: the order's terms as requested."""
    instrument = directory.instruments[order.symbol]
    return {
        "pair": directory.names(order.symbol).altname,
        "aclass": "forex",
        "type": order.side.value,
        "ordertype": order.kind.value,
        "price": price_text(instrument, order.price),
        "price2": price_text(instrument, order.price2),
        "leverage": "none",
        "order": describe_order(directory, order),
        "close": describe_close(directory, order.symbol, order.close) or "",
    }


def trade_object(
    execution: Execution, directory: Directory, *, ledgers: bool = False
) -> dict[str, Any]:
    """Return a fill as TradesHistory and QueryTrades show it."""
    instrument = directory.instruments[execution.symbol]
    cost = instrument.cost_precision
    shown: dict[str, Any] = {
        "ordertxid": execution.order_txid,
        "postxid": execution.postxid,
        "pair": instrument.rest_id,
        "aclass": "forex",
        "time": seconds(execution.at),
        "type": execution.side.value,
        "ordertype": execution.kind.value,
        "price": fixed(execution.price, max(cost, instrument.price_precision)),
        "cost": fixed(execution.cost, cost),
        "fee": fixed(execution.fee, cost),
        "vol": fixed(execution.quantity, instrument.quantity_precision),
        "margin": fixed(Decimal(0), cost),
        "leverage": "0",
        "misc": "",
        "trade_id": execution.trade_id,
        "maker": execution.maker,
    }
    if ledgers:
        shown["ledgers"] = list(execution.ledger_ids)
    return shown


def consolidated(trades: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return several taker fills of one order, oldest first, as the one trade REST shows."""
    merged = dict(trades[0])
    if len(trades) == 1:
        return merged
    for name in ("cost", "fee", "vol"):
        merged[name] = str(sum((Decimal(trade[name]) for trade in trades), Decimal(0)))
    average = Decimal(merged["cost"]) / Decimal(merged["vol"])
    merged["price"] = fixed(average, len(merged["price"].partition(".")[2]))
    if "ledgers" in merged:
        merged["ledgers"] = [entry for trade in trades for entry in trade["ledgers"]]
    return merged


def ledger_object(entry: LedgerEntry, directory: Directory) -> dict[str, Any]:
    """Return a booking as Ledgers and QueryLedgers show it."""
    decimals = asset_decimals(entry.asset)
    return {
        "refid": entry.refid,
        "time": seconds(entry.at),
        "type": entry.kind,
        "subtype": entry.subtype,
        "aclass": "currency",
        "asset": directory.asset(entry.asset).rest_id,
        "amount": fixed(entry.amount, decimals),
        "fee": fixed(entry.fee, decimals),
        "balance": fixed(entry.balance, decimals),
    }


def amend_object(record: AmendRecord, instrument: Instrument) -> dict[str, Any]:
    """Return one version of an order as OrderAmends shows it."""
    shown: dict[str, Any] = {
        "amend_id": record.amend_id,
        "amend_type": record.amend_type,
        "order_qty": fixed(record.volume, instrument.quantity_precision),
        "remaining_qty": fixed(record.remaining, instrument.quantity_precision),
        "post_only": record.post_only,
        "timestamp": int(record.at.timestamp() * 1000),
    }
    for name, price in (
        ("limit_price", record.limit_price),
        ("trigger_price", record.trigger_price),
    ):
        if price is not None:
            shown[name] = fixed(price, instrument.price_precision)
    if record.display_volume is not None:
        shown["display_qty"] = fixed(record.display_volume, instrument.quantity_precision)
    return shown


def _effective(price: Decimal | None, order: Order, instrument: Instrument) -> str:
    if price is None or not order.kind.is_triggered_kind:
        return fixed(Decimal(0), instrument.cost_precision)
    return fixed(price, instrument.price_precision)

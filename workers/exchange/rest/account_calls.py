"""Reads of the REST plane: balances, orders, trades, ledgers, fees. Nothing changes here."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from models.simulation.engine.orders import Execution, LedgerEntry, Order
from models.simulation.errors import VenueError
from models.simulation.gateway.parsing import parse_userref
from models.simulation.outcomes import FeeFigures
from models.simulation.venue import Venue
from workers.exchange.rest.format import (
    amend_object,
    asset_decimals,
    consolidated,
    ledger_object,
    order_object,
    seconds,
    trade_object,
)
from workers.exchange.rest.syntax import boolean, decimal_of, integer, invalid, required
from workers.exchange.wire import fixed

PAGE = 50
QUERY_ORDERS_MAXIMUM = 50
QUERY_TRADES_MAXIMUM = 20


@dataclass(frozen=True, slots=True)
class ReadPlane:
    """What a read sees: ``opened_before`` hides younger orders (the read plane lags behind)."""

    venue: Venue
    opened_before: datetime | None = None

    @classmethod
    def lagging(cls, venue: Venue, now: datetime, lag: float) -> "ReadPlane":
        """Return a view that does not know orders of the last ``lag`` seconds of protocol time."""
        return cls(venue, now - timedelta(seconds=lag) if lag else None)

    def open_orders(self, account: str) -> list[Order]:
        """Return live orders, newest first."""
        return self._seen(self.venue.open_orders(account))[::-1]

    def closed_orders(self, account: str) -> list[Order]:
        """Return done orders, the last to end first."""
        orders = self._seen(self.venue.closed_orders(account))
        return sorted(orders, key=lambda order: order.closed_at or order.opened_at)[::-1]

    def order(self, account: str, txid: str) -> Order | None:
        """Return one order."""
        found = self.venue.order(account, txid)
        return None if found is None or not self._seen([found]) else found

    def _seen(self, orders: Sequence[Order]) -> list[Order]:
        limit = self.opened_before
        return [order for order in orders if limit is None or order.opened_wall <= limit]


Fields = Mapping[str, str]


def balance(plane: ReadPlane, account: str, _: Fields) -> Any:
    """Answer Balance."""
    directory = plane.venue.directory
    return {
        directory.asset(name).rest_id: fixed(held.total, asset_decimals(name))
        for name, held in plane.venue.balances(account).items()
    }


def balance_extended(plane: ReadPlane, account: str, _: Fields) -> Any:
    """Answer BalanceEx."""
    directory = plane.venue.directory
    answer: dict[str, Any] = {}
    for name, held in plane.venue.balances(account).items():
        decimals = asset_decimals(name)
        answer[directory.asset(name).rest_id] = {
            "balance": fixed(held.total, decimals),
            "hold_trade": fixed(held.held, decimals),
        }
    return answer


def trade_balance(plane: ReadPlane, account: str, fields: Fields) -> Any:
    """Answer TradeBalance; without margin most figures are zero and ``ml`` is absent."""
    plane.venue.directory.asset(fields.get("asset") or "ZUSD")
    figures = plane.venue.trade_balance(account)
    zero, equity = fixed(Decimal(0), 4), fixed(figures.equivalent, 4)
    return {
        "eb": equity,
        "tb": equity,
        "m": zero,
        "uv": fixed(figures.unexecuted, 4),
        "n": zero,
        "c": zero,
        "v": zero,
        "e": equity,
        "mf": equity,
        "mfo": equity,
    }


def open_orders(plane: ReadPlane, account: str, fields: Fields) -> Any:
    """Answer OpenOrders."""
    trades = boolean(fields, "trades")
    return {
        "open": {
            order.txid: order_object(order, plane.venue.directory, trades=trades)
            for order in _matching(plane.open_orders(account), fields)
        }
    }


def closed_orders(plane: ReadPlane, account: str, fields: Fields) -> Any:
    """Answer ClosedOrders: 50 a page, the last to end first."""
    which = fields.get("closetime") or "both"
    if which not in ("open", "close", "both"):
        raise invalid("closetime")
    start = _bound(plane, account, fields, "start")
    end = _bound(plane, account, fields, "end")
    orders = [
        order
        for order in _matching(plane.closed_orders(account), fields)
        if any(_within(moment, start, end) for moment in _times(order, which))
    ]
    trades = boolean(fields, "trades")
    page = {
        order.txid: order_object(order, plane.venue.directory, trades=trades)
        for order in _page(orders, fields)
    }
    return _counted("closed", page, len(orders), fields)


def query_orders(plane: ReadPlane, account: str, fields: Fields) -> Any:
    """Answer QueryOrders; ``cl_ord_id`` and ``userref`` only filter what ``txid`` names."""
    txids = _identities(fields, QUERY_ORDERS_MAXIMUM)
    found = [plane.order(account, txid) for txid in txids]
    if any(order is None for order in found):
        raise VenueError("EOrder:Invalid order")
    trades = boolean(fields, "trades")
    return {
        order.txid: order_object(order, plane.venue.directory, trades=trades)
        for order in _matching([order for order in found if order is not None], fields)
    }


def order_amends(plane: ReadPlane, account: str, fields: Fields) -> Any:
    """Answer OrderAmends."""
    order = plane.order(account, required(fields, "order_id"))
    if order is None:
        raise VenueError("EOrder:Unknown order")
    instrument = plane.venue.directory.instruments[order.symbol]
    records = plane.venue.amends(account, order.txid)
    return {
        "amends": [amend_object(record, instrument) for record in records],
        "count": len(records),
    }


def trades_history(plane: ReadPlane, account: str, fields: Fields) -> Any:
    """Answer TradesHistory; taker fills of one order at one time are merged unless asked not."""
    if (fields.get("type") or "all") not in ("all", "no position"):
        return _counted("trades", {}, 0, fields)
    start = _bound(plane, account, fields, "start")
    end = _bound(plane, account, fields, "end")
    executions = [
        execution
        for execution in plane.venue.executions(account)
        if _within(seconds(execution.at), start, end)
    ]
    merge = boolean(fields, "consolidate_taker", default=True)
    groups = _grouped(executions, merge=merge)[::-1]
    ledgers = boolean(fields, "ledgers")
    page = {
        group[0].txid: consolidated(
            [trade_object(one, plane.venue.directory, ledgers=ledgers) for one in group]
        )
        for group in _page(groups, fields)
    }
    return _counted("trades", page, len(groups), fields)


def open_positions(_: ReadPlane, _account: str, _fields: Fields) -> Any:
    """Answer OpenPositions: a cash account has none."""
    return {}


def query_trades(plane: ReadPlane, account: str, fields: Fields) -> Any:
    """Answer QueryTrades."""
    answer = {}
    for txid in _identities(fields, QUERY_TRADES_MAXIMUM):
        execution = plane.venue.execution(account, txid)
        if execution is None:
            raise VenueError("EOrder:Invalid order")
        answer[txid] = trade_object(execution, plane.venue.directory)
    return answer


def ledgers(plane: ReadPlane, account: str, fields: Fields) -> Any:
    """Answer Ledgers: 50 a page, newest first."""
    directory = plane.venue.directory
    wanted = {
        directory.asset(name).name for name in _list(fields.get("asset", "all")) if name != "all"
    }
    kind = fields.get("type") or "all"
    start = _bound(plane, account, fields, "start")
    end = _bound(plane, account, fields, "end")
    entries = [
        entry
        for entry in plane.venue.ledger(account)
        if (not wanted or entry.asset in wanted)
        and kind in ("all", entry.kind)
        and _within(seconds(entry.at), start, end)
    ][::-1]
    page = {entry.txid: ledger_object(entry, directory) for entry in _page(entries, fields)}
    return _counted("ledger", page, len(entries), fields)


def query_ledgers(plane: ReadPlane, account: str, fields: Fields) -> Any:
    """Answer QueryLedgers."""
    wanted = _list(required(fields, "id"))
    if len(wanted) > QUERY_TRADES_MAXIMUM:
        raise invalid("id")
    known: dict[str, LedgerEntry] = {entry.txid: entry for entry in plane.venue.ledger(account)}
    if any(txid not in known for txid in wanted):
        raise VenueError("EQuery:Unknown ledger")
    return {txid: ledger_object(known[txid], plane.venue.directory) for txid in wanted}


def trade_volume(plane: ReadPlane, account: str, fields: Fields) -> Any:
    """Answer TradeVolume: the only reliable source of an account's fees."""
    venue = plane.venue
    answer: dict[str, Any] = {
        "currency": "ZUSD",
        "volume": fixed(venue.volume_30d(account), 4),
    }
    names = _list(fields.get("pair", ""))
    if names:
        taker, maker = {}, {}
        for name in names:
            if not venue.is_listed(venue.directory.pair(name).symbol):
                raise VenueError("EQuery:Unknown asset pair")
            key = venue.directory.result_key(name)
            figures = venue.fees(account, venue.directory.pair(name).symbol)
            taker[key], maker[key] = _fees(figures[0]), _fees(figures[1])
        answer |= {"fees": taker, "fees_maker": maker}
    return answer


def _fees(figures: FeeFigures) -> dict[str, str | None]:
    return {
        "fee": fixed(figures.fee, 4),
        "min_fee": fixed(figures.minimum_fee, 4),
        "max_fee": fixed(figures.maximum_fee, 4),
        "next_fee": None if figures.next_fee is None else fixed(figures.next_fee, 4),
        "next_volume": None if figures.next_volume is None else fixed(figures.next_volume, 4),
        "tier_volume": fixed(figures.tier_volume, 4),
    }


def _list(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]


def _identities(fields: Fields, maximum: int) -> list[str]:
    txids = _list(fields.get("txid", ""))
    if not 1 <= len(txids) <= maximum:
        raise VenueError("EGeneral:Invalid arguments")
    return txids


def _matching(orders: Sequence[Order], fields: Fields) -> list[Order]:
    userref, cl_ord_id = parse_userref(fields.get("userref", "")), fields.get("cl_ord_id")
    return [
        order
        for order in orders
        if (userref is None or order.userref == userref)
        and (not cl_ord_id or order.cl_ord_id == cl_ord_id)
    ]


def _times(order: Order, which: str) -> list[float]:
    opened = [] if which == "close" else [order.opened_at.timestamp()]
    if which == "open" or order.closed_at is None:
        return opened
    return [*opened, order.closed_at.timestamp()]


def _bound(plane: ReadPlane, account: str, fields: Fields, name: str) -> float | None:
    """Return a bound in unix seconds; a txid stands for its own time."""
    text = fields.get(name, "")
    if not text:
        return None
    if text[0] in "OTL" and "-" in text:
        moment = _time_of(plane, account, text)
        if moment is None:
            raise invalid(name)
        return moment.timestamp()
    return float(decimal_of(text, name))


def _time_of(plane: ReadPlane, account: str, txid: str) -> datetime | None:
    if txid[0] == "O":
        order = plane.venue.order(account, txid)
        return None if order is None else order.closed_at or order.opened_at
    if txid[0] == "T":
        execution = plane.venue.execution(account, txid)
        return None if execution is None else execution.at
    entries = (entry.at for entry in plane.venue.ledger(account) if entry.txid == txid)
    return next(entries, None)


def _within(moment: float, start: float | None, end: float | None) -> bool:
    return (start is None or moment > start) and (end is None or moment <= end)


def _grouped(executions: Sequence[Execution], *, merge: bool) -> list[list[Execution]]:
    groups: list[list[Execution]] = []
    open_groups: dict[tuple[str, datetime], list[Execution]] = {}
    for execution in executions:
        key = (execution.order_txid, execution.at)
        if merge and not execution.maker and key in open_groups:
            open_groups[key].append(execution)
            continue
        group = [execution]
        groups.append(group)
        if not execution.maker:
            open_groups[key] = group
    return groups


def _page(rows: Sequence[Any], fields: Fields) -> Sequence[Any]:
    offset = integer(fields, "ofs") or 0
    if offset < 0:
        raise invalid("ofs")
    return rows[offset : offset + PAGE]


def _counted(name: str, page: Any, count: int, fields: Fields) -> dict[str, Any]:
    return {name: page} if boolean(fields, "without_count") else {name: page, "count": count}


READS: dict[str, Callable[[ReadPlane, str, Fields], Any]] = {
    "Balance": balance,
    "BalanceEx": balance_extended,
    "TradeBalance": trade_balance,
    "OpenOrders": open_orders,
    "ClosedOrders": closed_orders,
    "QueryOrders": query_orders,
    "OpenPositions": open_positions,
    "OrderAmends": order_amends,
    "TradesHistory": trades_history,
    "QueryTrades": query_trades,
    "Ledgers": ledgers,
    "QueryLedgers": query_ledgers,
    "TradeVolume": trade_volume,
}

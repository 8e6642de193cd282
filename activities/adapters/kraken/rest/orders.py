"""Our orders as AddOrder parameters, and Kraken's orders, trades and ledger rows as ours.

Fields that we do not use are ignored on purpose; optional ones may be missing.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import ROUND_DOWN, Decimal, InvalidOperation
from typing import Any

from activities.adapters.kraken.errors import stranger_text
from activities.adapters.kraken.instruments import moment, number
from activities.adapters.kraken.rest.transport import Parameter
from activities.adapters.kraken.symbols import SymbolTable
from activities.ports.exchange import Balance, LedgerEntry
from activities.ports.exchange_errors import OrderRejectedError
from models.trading.instruments import Instrument
from models.trading.orders import (
    ConditionalClose,
    Fill,
    OrderReport,
    OrderSpec,
    OrderStatus,
    OrderType,
    Side,
    TimeInForce,
)

_LIMIT_PRICED = (OrderType.LIMIT,)
_TRIGGERED = (OrderType.STOP_LOSS, OrderType.STOP_LOSS_LIMIT, OrderType.TAKE_PROFIT)
_WITH_LIMIT_LEG = ("stop-loss-limit", "take-profit-limit", "trailing-stop-limit")
_CLOSES = (OrderType.STOP_LOSS, OrderType.STOP_LOSS_LIMIT, OrderType.TAKE_PROFIT)
_STATUSES = {
    status.value: status
    for status in (
        OrderStatus.PENDING,
        OrderStatus.OPEN,
        OrderStatus.CLOSED,
        OrderStatus.CANCELED,
        OrderStatus.EXPIRED,
    )
}
_LOT_DECIMALS = 10
_UNTRIGGERED = ("market", "limit", "iceberg", "settle-position")

# --- ours to theirs ----------------------------------------------------------------------------


def order_parameters(
    order: OrderSpec, instrument: Instrument | None, deadline: datetime | None
) -> dict[str, str]:
    """Return the AddOrder parameters of an order, quantised to the pair's steps.

    Only names from this function ever reach AddOrder, so no margin or leverage field can.

    Raises:
        OrderRejectedError: the order is not USD spot (T-2), or lacks or misuses a price.
    """
    if instrument is None or not instrument.is_spot_usd or instrument.symbol != order.symbol:
        raise OrderRejectedError(f"symbol was {order.symbol!r}, which is no USD spot pair")
    quantity = instrument.floor_quantity(order.quantity)
    if not quantity.is_finite() or quantity <= 0:
        raise OrderRejectedError(f"quantity was {order.quantity}, which is less than one lot step")
    parameters = {
        "pair": instrument.rest_id,
        "type": order.side.value,
        "ordertype": order.order_type.value,
        "volume": f"{quantity:f}",
        # Fees in quote: a fee in base would leave less than a conditional close wants to sell (§9).
        "oflags": "post,fciq" if order.post_only else "fciq",
    }
    parameters.update(_prices(order, instrument))
    if order.time_in_force is not TimeInForce.GTC:
        parameters["timeinforce"] = order.time_in_force.value
    if order.close is None:
        parameters["cl_ord_id"] = order.client_order_id
    else:
        # A client order id and a conditional close are refused together (§9).
        parameters["userref"] = str(order.userref)
        parameters.update(_close(order.close, order.side, instrument))
    if deadline is not None:
        parameters["deadline"] = rfc3339(deadline)
    return parameters


def sendable_quantities(quantity: Decimal) -> set[Decimal]:
    """Return the quantity on every lot step: it was sent on the step that the pair had then."""
    steps = (Decimal(1).scaleb(-decimals) for decimals in range(_LOT_DECIMALS + 1))
    return {quantity, *(quantity.quantize(step, rounding=ROUND_DOWN) for step in steps)}


def amend_parameters(
    order_id: str,
    quantity: Decimal | None,
    trigger_price: Decimal | None,
    instrument: Instrument | None,
) -> dict[str, Parameter]:
    """Return the AmendOrder parameters of a resting stop, which sells, on the pair's steps.

    Without an instrument (an order nobody has told of) the figures go as they are.

    Raises:
        OrderRejectedError: the quantity is below one lot step, or the trigger not above zero.
    """
    parameters: dict[str, Parameter] = {"txid": order_id}
    if quantity is not None:
        wanted = quantity if instrument is None else instrument.floor_quantity(quantity)
        if wanted <= 0:
            raise OrderRejectedError(f"quantity was {quantity}, which is less than one lot step")
        parameters["order_qty"] = wanted
    if trigger_price is not None:
        parameters["trigger_price"] = (
            trigger_price
            if instrument is None
            else Decimal(trigger_text(trigger_price, Side.SELL, instrument))
        )
    return parameters


def reprice_parameters(
    order_id: str, limit_price: Decimal, instrument: Instrument | None, *, post_only: bool
) -> dict[str, Parameter]:
    """Return the AmendOrder parameters of another limit for a resting purchase.

    Raises:
        OrderRejectedError: the limit is below one tick.
    """
    limit = limit_price
    if instrument is not None:
        limit = Decimal(limit_text(limit_price, Side.BUY, instrument))
    return {"txid": order_id, "limit_price": limit, "post_only": post_only}


def _prices(order: OrderSpec, instrument: Instrument) -> dict[str, str]:
    if order.order_type is OrderType.MARKET:
        return {}
    if order.order_type in _LIMIT_PRICED:
        return {"price": limit_text(order.limit_price, order.side, instrument)}
    if order.order_type is OrderType.TRAILING_STOP:
        offset = _required(order.trigger_price, "a trailing stop needs its offset as trigger price")
        return {"price": f"+{instrument.nearest_price(offset):f}"}
    if order.order_type not in _TRIGGERED:
        raise OrderRejectedError(f"order type was {order.order_type.value!r}, which is never sent")
    prices = {"price": trigger_text(order.trigger_price, order.side, instrument)}
    if order.order_type is OrderType.STOP_LOSS_LIMIT:
        prices["price2"] = limit_text(order.limit_price, order.side, instrument)
    return prices


def _close(close: ConditionalClose, entry_side: Side, instrument: Instrument) -> dict[str, str]:
    if close.order_type not in _CLOSES:
        raise OrderRejectedError(f"conditional close was {close.order_type.value!r}")
    side = Side.SELL if entry_side is Side.BUY else Side.BUY
    parameters = {
        "close[ordertype]": close.order_type.value,
        "close[price]": trigger_text(close.trigger_price, side, instrument),
    }
    if close.order_type is OrderType.STOP_LOSS_LIMIT:
        parameters["close[price2]"] = limit_text(close.limit_price, side, instrument)
    return parameters


def limit_text(price: Decimal | None, side: Side, instrument: Instrument) -> str:
    """Return a limit price on the tick, rounded so that it is never worse than asked for."""
    asked = _required(price, "the order needs a limit price")
    rounded = instrument.floor_price(asked) if side is Side.BUY else instrument.ceil_price(asked)
    return f"{_required(rounded, 'the price is below one tick'):f}"


def trigger_text(price: Decimal | None, side: Side, instrument: Instrument) -> str:
    """Return a trigger on the tick, rounded towards the market: the risk never grows."""
    asked = _required(price, "the order needs a trigger price")
    rounded = instrument.ceil_price(asked) if side is Side.SELL else instrument.floor_price(asked)
    return f"{_required(rounded, 'the price is below one tick'):f}"


def _required(price: Decimal | None, message: str) -> Decimal:
    if price is None or not price.is_finite() or price <= 0:
        raise OrderRejectedError(message)
    return price


def rfc3339(at: datetime) -> str:
    """Return a time as Kraken reads it, in UTC with milliseconds."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


# --- theirs to ours ----------------------------------------------------------------------------


def order_type(text: str) -> OrderType:
    """Return an order type; types that we never send are ``other``."""
    try:
        return OrderType(text)
    except ValueError:
        return OrderType.OTHER


def order_status(text: str) -> OrderStatus:
    """Return where an order stands by Kraken's word; one of tomorrow is ``unknown``: not final."""
    return _STATUSES.get(text, OrderStatus.UNKNOWN)


def positive(text: Any) -> Decimal | None:
    """Return a price above zero, None for what is missing, zero or relative."""
    if text is None:
        return None
    try:
        value = Decimal(str(text))
    except InvalidOperation:
        return None
    return value if value.is_finite() and value > 0 else None


def report_from_rest(order_id: str, row: Mapping[str, Any], symbols: SymbolTable) -> OrderReport:
    """Return an order object of OpenOrders, ClosedOrders or QueryOrders (§8.3)."""
    descr = row["descr"]
    kind = str(descr.get("ordertype"))
    userref = row.get("userref")
    return OrderReport(
        order_id=order_id,
        client_order_id=row.get("cl_ord_id") or None,
        userref=int(userref) if userref else None,
        parent_order_id=row.get("refid") or None,
        symbol=symbols.symbol(str(descr["pair"])),
        side=Side(descr["type"]),
        order_type=order_type(kind),
        status=order_status(str(row["status"])),
        quantity=number(row["vol"]),
        filled_quantity=number(row["vol_exec"]),
        # What the platform books comes from the executions; these are shown.
        cost=number(row.get("cost") or 0),
        fee=number(row.get("fee") or 0),
        average_price=number(row.get("price") or 0),
        limit_price=_limit_price(kind, row),
        trigger_price=_trigger_price(kind, row),
        opened_at=moment(row["opentm"]) if row.get("opentm") else None,
        closed_at=moment(row["closetm"]) if row.get("closetm") else None,
        reason=stranger_text(row.get("reason")),
        execution_ids=tuple(row.get("trades") or ()),
    )


def _limit_price(kind: str, row: Mapping[str, Any]) -> Decimal | None:
    if kind in ("limit", "iceberg"):
        return positive(row["descr"].get("price"))
    if kind in _WITH_LIMIT_LEG:
        return positive(row["descr"].get("price2")) or positive(row.get("limitprice"))
    return None


def _trigger_price(kind: str, row: Mapping[str, Any]) -> Decimal | None:
    if kind in _UNTRIGGERED:
        return None
    return positive(row.get("stopprice")) or positive(row["descr"].get("price"))


def fill_from_rest(execution_id: str, row: Mapping[str, Any], symbols: SymbolTable) -> Fill:
    """Return a trade object of TradesHistory."""
    return Fill(
        execution_id=execution_id,
        order_id=str(row["ordertxid"]),
        symbol=symbols.symbol(str(row["pair"])),
        side=Side(row["type"]),
        quantity=number(row["vol"]),
        price=number(row["price"]),
        cost=number(row["cost"]),
        fee=number(row["fee"]),
        exchange_time=moment(row["time"]),
        maker=bool(row.get("maker", False)),
    )


def ledger_entry(ledger_id: str, row: Mapping[str, Any], symbols: SymbolTable) -> LedgerEntry:
    """Return a row of Ledgers, under the asset that balances count its wallet as."""
    wallet = symbols.wallet(str(row["asset"]))
    return LedgerEntry(
        ledger_id=ledger_id,
        reference_id=str(row["refid"]),
        kind=str(row["type"]),
        asset=wallet.counted_as,
        amount=number(row["amount"]),
        fee=number(row["fee"]),
        balance=number(row["balance"]),
        exchange_time=moment(row["time"]),
        subtype=str(row.get("subtype") or ""),
        wallet=wallet.name,
    )


def balances(answer: Mapping[str, Any], table: SymbolTable) -> dict[str, Balance]:
    """Return totals and holds by asset from an answer to BalanceEx; zero ones are left out."""
    found: dict[str, Balance] = {}
    for asset, row in answer.items():
        wallet, booked = table.wallet(asset), number(row["balance"])
        before = found.get(wallet.counted_as, Balance(Decimal(0), Decimal(0)))
        total = before.total + booked
        held = before.held + number(row.get("hold_trade") or 0)
        wallets = {**before.wallets, wallet.name: booked} if booked else before.wallets
        if total or held:
            found[wallet.counted_as] = Balance(total, held, wallets)
    return found


def identity(order: OrderSpec) -> dict[str, Parameter]:
    """Return what closed orders are searched by; with a close only the userref is known."""
    if order.close is None:
        return {"cl_ord_id": order.client_order_id}
    return {"userref": order.userref}

"""Commands of both planes, applied to the exchange model: parameters in, answer and events out.

Every function here is deterministic in (venue, account, parameters, moment): the journal replays
them. What an answer looks like on REST and on WebSocket is decided here and nowhere else.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from models.simulation.engine.orders import Moment
from models.simulation.errors import VenueError
from models.simulation.events import Event
from models.simulation.gateway.parsing import parse_deadline, parse_order
from models.simulation.ledger.funding import Row
from models.simulation.outcomes import DeadManSwitch, Placement
from models.simulation.venue import Venue
from workers.exchange.errors import ApiError
from workers.exchange.rest import syntax as rest_syntax
from workers.exchange.websocket import syntax as ws_syntax

DEAD_MAN_MAXIMUM = 86_400
BATCH_CANCEL_MAXIMUM = 50


@dataclass(frozen=True, slots=True)
class Call:
    """One command as the journal keeps it: JSON-ready parameters as the client sent them."""

    plane: str
    method: str
    account: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command gives: the result for the client and what happened.

    ``results`` has one entry, but several for methods that answer per order; an entry may be an
    error. ``triggers_at`` is set when the dead-man switch was armed (or disarmed: None).
    """

    results: Sequence[Any]
    events: Sequence[Event]
    dead_man: DeadManSwitch | None = None


Handler = Callable[[Venue, str, Mapping[str, Any], Moment], Answer]


def execute(venue: Venue, call: Call, moment: Moment) -> Answer:
    """Apply a command.

    Raises:
        VenueError, ApiError: refused in Kraken's words.
    """
    return HANDLERS[call.plane, call.method](venue, call.account, call.parameters, moment)


# --- REST ----------------------------------------------------------------------------------------


def _rest_add(venue: Venue, account: str, body: Mapping[str, Any], moment: Moment) -> Answer:
    fields = rest_syntax.order_fields(body)
    symbol = venue.directory.pair(rest_syntax.required(fields, "pair")).symbol
    request = parse_order(symbol, fields, moment.market)
    placement = venue.add_order(account, request, moment)
    result: dict[str, Any] = {"descr": _description(placement)}
    if placement.txid is not None:
        result["txid"] = [placement.txid]
    return Answer([result], placement.events)


def _description(placement: Placement) -> dict[str, str]:
    shown = {"order": placement.description}
    if placement.close_description is not None:
        shown["close"] = placement.close_description
    return shown


def _rest_batch(venue: Venue, account: str, body: Mapping[str, Any], moment: Moment) -> Answer:
    rows = body.get("orders")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise rest_syntax.invalid("orders")
    fields = rest_syntax.flatten({name: body[name] for name in body if name != "orders"})
    symbol = venue.directory.pair(rest_syntax.required(fields, "pair")).symbol
    batch = venue.add_batch(
        account,
        symbol,
        [parse_order(symbol, rest_syntax.order_fields(row), moment.market) for row in rows],
        moment,
        validate=rest_syntax.boolean(fields, "validate"),
        deadline=parse_deadline(fields.get("deadline", "")),
    )
    orders: list[dict[str, Any]] = []
    for row in batch.rows:
        if isinstance(row, VenueError):
            orders.append({"error": row.text})
        else:
            named = {} if row.txid is None else {"txid": row.txid}
            orders.append({"descr": _description(row), **named})
    return Answer([{"orders": orders}], batch.events)


def _rest_amend(venue: Venue, account: str, body: Mapping[str, Any], moment: Moment) -> Answer:
    request = rest_syntax.amend_request(rest_syntax.flatten(body))
    amendment = venue.amend(account, request, moment)
    return Answer([{"amend_id": amendment.amend_id}], amendment.events)


def _rest_edit(venue: Venue, account: str, body: Mapping[str, Any], moment: Moment) -> Answer:
    fields = rest_syntax.flatten(body)
    symbol = venue.directory.pair(rest_syntax.required(fields, "pair")).symbol
    request = rest_syntax.edit_request(fields, symbol)
    edition = venue.edit(account, request, moment)
    order, instrument = edition.placement.order, venue.directory.instruments[symbol]
    result: dict[str, Any] = {
        "status": "ok",
        "txid": edition.placement.txid,
        "originaltxid": edition.original.txid,
        "orders_cancelled": 0 if request.validate else 1,
        "descr": _description(edition.placement),
    }
    if order is not None:
        result["volume"] = f"{order.volume:.{instrument.quantity_precision}f}"
        for name, term in (("price", order.price), ("price2", order.price2)):
            result[name] = "0" if term is None else f"{term.sign}{term.value:f}"
    return Answer([result], edition.events)


def _rest_cancel(venue: Venue, account: str, body: Mapping[str, Any], moment: Moment) -> Answer:
    fields = rest_syntax.flatten(body)
    txid, cl_ord_id = fields.get("txid", ""), fields.get("cl_ord_id", "")
    if bool(txid) == bool(cl_ord_id):
        raise rest_syntax.invalid("txid")
    reference = _reference(txid)
    if isinstance(reference, int):
        canceled = venue.cancel(account, moment, userref=reference)
    else:
        canceled = venue.cancel(
            account, moment, txid=reference or None, cl_ord_id=cl_ord_id or None
        )
    return Answer([{"count": len(canceled.orders)}], canceled.events)


def _rest_cancel_batch(
    venue: Venue, account: str, body: Mapping[str, Any], moment: Moment
) -> Answer:
    references = [_reference(item) for item in _listed(body, "orders")]
    cl_ord_ids = [str(item) for item in _listed(body, "cl_ord_ids")]
    if not 1 <= len(references) + len(cl_ord_ids) <= BATCH_CANCEL_MAXIMUM:
        raise rest_syntax.invalid("orders")
    canceled = venue.cancel_batch(account, moment, references=references, cl_ord_ids=cl_ord_ids)
    return Answer([{"count": len(canceled.orders)}], canceled.events)


def _listed(body: Mapping[str, Any], name: str) -> list[Any]:
    rows = body.get(name, [])
    if isinstance(rows, str):
        rows = [row for row in rows.split(",") if row]
    if not isinstance(rows, list):
        raise rest_syntax.invalid(name)
    return [next(iter(row.values()), "") if isinstance(row, dict) else row for row in rows]


def _reference(value: Any) -> str | int:
    """Return a txid, or a userref where the value is a number."""
    text = str(value)
    return int(text) if text.lstrip("-").isdigit() else text


def _rest_cancel_all(venue: Venue, account: str, _: Mapping[str, Any], moment: Moment) -> Answer:
    canceled = venue.cancel_all(account, moment)
    return Answer([{"count": len(canceled.orders)}], canceled.events)


def _dead_man(venue: Venue, account: str, body: Mapping[str, Any], moment: Moment) -> Answer:
    text = str(body.get("timeout", ""))
    if not text.isdigit() or int(text) > DEAD_MAN_MAXIMUM:
        raise ApiError("EGeneral:Invalid arguments:timeout")
    switch = venue.cancel_all_after(account, int(text), moment)
    triggers = "0" if switch.triggers_at is None else _whole_seconds(switch.triggers_at)
    result = {"currentTime": _whole_seconds(switch.current), "triggerTime": triggers}
    return Answer([result], (), switch)


def _whole_seconds(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# --- WebSocket v2 --------------------------------------------------------------------------------


def _symbol(venue: Venue, params: Mapping[str, Any]) -> str:
    symbol = params.get("symbol")
    if symbol not in venue.directory.instruments:
        raise ApiError(f"Currency pair not supported {symbol}")
    return str(symbol)


def _ws_add(venue: Venue, account: str, params: Mapping[str, Any], moment: Moment) -> Answer:
    request = ws_syntax.order_request(params, _symbol(venue, params))
    placement = venue.add_order(account, request, moment)
    return Answer([_ws_placed(placement, params)], placement.events)


def _ws_placed(placement: Placement, params: Mapping[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {"order_id": placement.txid or ""}
    for name in ("cl_ord_id", "order_userref"):
        if params.get(name) is not None:
            result[name] = params[name]
    return result


def _ws_batch(venue: Venue, account: str, params: Mapping[str, Any], moment: Moment) -> Answer:
    ws_syntax.check_fields(params, ws_syntax.BATCH_FIELDS)
    symbol = _symbol(venue, params)
    rows = params.get("orders")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ApiError("Orders field must be an array of objects")
    deadline = rest_syntax.rfc3339(str(params.get("deadline") or ""), "deadline")
    batch = venue.add_batch(
        account,
        symbol,
        [ws_syntax.order_request(row, symbol) for row in rows],
        moment,
        validate=params.get("validate") is True,
        deadline=deadline,
    )
    result = [
        {"error": placed.text} if isinstance(placed, VenueError) else _ws_placed(placed, row)
        for placed, row in zip(batch.rows, rows, strict=True)
    ]
    return Answer([result], batch.events)


def _ws_amend(venue: Venue, account: str, params: Mapping[str, Any], moment: Moment) -> Answer:
    amendment = venue.amend(account, ws_syntax.amend_request(params), moment)
    name = "cl_ord_id" if params.get("cl_ord_id") else "order_id"
    return Answer([{"amend_id": amendment.amend_id, name: params[name]}], amendment.events)


def _ws_edit(venue: Venue, account: str, params: Mapping[str, Any], moment: Moment) -> Answer:
    edition = venue.edit(account, ws_syntax.edit_request(params, _symbol(venue, params)), moment)
    result = {
        "order_id": edition.placement.txid or "",
        "original_order_id": edition.original.txid,
    }
    return Answer([result], edition.events)


def _ws_cancel(venue: Venue, account: str, params: Mapping[str, Any], moment: Moment) -> Answer:
    """Cancel one by one: each order has its own answer."""
    targets: list[tuple[str, Any]] = [
        *(("order_id", value) for value in ws_syntax.strings(params, "order_id")),
        *(("cl_ord_id", value) for value in ws_syntax.strings(params, "cl_ord_id")),
        *(("order_userref", value) for value in ws_syntax.integers(params, "order_userref")),
    ]
    if not targets:
        raise rest_syntax.invalid("order_id")
    results: list[Any] = []
    events: list[Event] = []
    for name, value in targets:
        argument = {"order_id": "txid", "order_userref": "userref"}.get(name, name)
        try:
            canceled = venue.cancel(account, moment, **{argument: value})
        except VenueError as error:
            results.append(error)
            continue
        events.extend(canceled.events)
        if name == "order_userref":
            results.extend({"order_id": order.txid} for order in canceled.orders)
        else:
            results.append({name: value})
    return Answer(results, events)


def _ws_cancel_all(venue: Venue, account: str, _: Mapping[str, Any], moment: Moment) -> Answer:
    canceled = venue.cancel_all(account, moment)
    return Answer([{"count": len(canceled.orders)}], canceled.events)


def _ws_cancel_batch(
    venue: Venue, account: str, params: Mapping[str, Any], moment: Moment
) -> Answer:
    references = [_reference(item) for item in ws_syntax.strings(params, "orders")]
    cl_ord_ids = ws_syntax.strings(params, "cl_ord_id")
    if not 1 <= len(references) + len(cl_ord_ids) <= BATCH_CANCEL_MAXIMUM:
        raise rest_syntax.invalid("orders")
    canceled = venue.cancel_batch(account, moment, references=references, cl_ord_ids=cl_ord_ids)
    return Answer([{"orders_cancelled": len(canceled.orders)}], canceled.events)


# --- control -------------------------------------------------------------------------------------


def _control_transfer(
    venue: Venue, account: str, body: Mapping[str, Any], moment: Moment
) -> Answer:
    entry, events = venue.transfer(
        account, body["reference"], body["asset"], Decimal(body["amount"]), moment
    )
    return Answer([entry], events)


def _control_book(venue: Venue, account: str, body: Mapping[str, Any], moment: Moment) -> Answer:
    rows = [Row(kind, sub, asset, Decimal(amount)) for kind, sub, asset, amount in body["rows"]]
    entries, events = venue.book_rows(account, body["reference"], rows, moment)
    return Answer(list(entries), events)


def _control_earn(venue: Venue, account: str, _: Mapping[str, Any], moment: Moment) -> Answer:
    return Answer([], venue.earn(account, moment))


def _control_fill(venue: Venue, account: str, body: Mapping[str, Any], moment: Moment) -> Answer:
    return Answer([], venue.fill_canceled(account, str(body["symbol"]), moment))


HANDLERS: dict[tuple[str, str], Handler] = {
    ("control", "Transfer"): _control_transfer,
    ("control", "Book"): _control_book,
    ("control", "Earn"): _control_earn,
    ("control", "FillCanceled"): _control_fill,
    ("rest", "AddOrder"): _rest_add,
    ("rest", "AddOrderBatch"): _rest_batch,
    ("rest", "AmendOrder"): _rest_amend,
    ("rest", "EditOrder"): _rest_edit,
    ("rest", "CancelOrder"): _rest_cancel,
    ("rest", "CancelOrderBatch"): _rest_cancel_batch,
    ("rest", "CancelAll"): _rest_cancel_all,
    ("rest", "CancelAllOrdersAfter"): _dead_man,
    ("ws", "add_order"): _ws_add,
    ("ws", "batch_add"): _ws_batch,
    ("ws", "amend_order"): _ws_amend,
    ("ws", "edit_order"): _ws_edit,
    ("ws", "cancel_order"): _ws_cancel,
    ("ws", "cancel_all"): _ws_cancel_all,
    ("ws", "batch_cancel"): _ws_cancel_batch,
    ("ws", "cancel_all_orders_after"): _dead_man,
}

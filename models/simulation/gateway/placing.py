"""Placing orders: one, or a batch of one pair; and what is due by market time."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from models.simulation.engine.lifecycle import accept, activate, finish
from models.simulation.engine.matching import drain
from models.simulation.engine.orders import Moment, Order, OrderRequest, VenueOrderStatus
from models.simulation.errors import VenueError
from models.simulation.events import ExecutionType
from models.simulation.exchange_state import ExchangeState
from models.simulation.gateway.admission import admit, charge_engine, check_deadline
from models.simulation.gateway.descriptions import describe_close, describe_order
from models.simulation.gateway.parsing import invalid, parse_order
from models.simulation.ledger.accounts import AccountBook
from models.simulation.ledger.settlement import reserve
from models.simulation.outcomes import AccountSetup, BatchPlacement, Placement


def open_account(exchange_state: ExchangeState, setup: AccountSetup) -> None:
    """Open an account: its balances enter the ledger as deposits."""
    book = AccountBook(setup.name, exchange_state.seed, setup.tier, setup.volume_30d)
    exchange_state.accounts[setup.name] = book
    for asset, amount in setup.balances.items():
        exchange_state.directory.add_asset(asset)
        refid = book.new_id("Q")
        book.write(refid, exchange_state.market_time, "deposit", "", asset, amount, Decimal(0))


def place(
    exchange_state: ExchangeState, account: str, request: OrderRequest, moment: Moment
) -> Placement:
    """Place an order, or only validate it."""
    exchange_state.instrument(request.symbol)
    charge_engine(exchange_state, account, request.symbol, Decimal(1), moment.wall)
    return place_charged(exchange_state, account, request, moment)


def place_rest(
    exchange_state: ExchangeState, account: str, parameters: Mapping[str, str], moment: Moment
) -> Placement:
    """Place an order from REST parameters: the rate is charged before the arguments are read."""
    instrument = exchange_state.directory.pair(parameters.get("pair", ""))
    charge_engine(exchange_state, account, instrument.symbol, Decimal(1), moment.wall)
    request = parse_order(instrument.symbol, parameters, exchange_state.market_time)
    return place_charged(exchange_state, account, request, moment)


def place_charged(
    exchange_state: ExchangeState, account: str, request: OrderRequest, moment: Moment
) -> Placement:
    """Place an order whose rate was charged before its arguments were read."""
    order = admit(exchange_state, account, request, moment)
    if not request.validate:
        launch(exchange_state, order)
    return _placement(exchange_state, request, order)


def launch(exchange_state: ExchangeState, order: Order) -> None:
    """Give an admitted order its id, reserve its funds and let it work."""
    order.txid = exchange_state.account(order.account).new_id("O")
    order.priority = exchange_state.next_priority()
    if order.starts_at is not None and order.starts_at > exchange_state.market_time:
        accept(exchange_state, order)
        return
    if not order.waits_for_trigger or exchange_state.options.stops_place_holds:
        reserve(exchange_state, order)
    accept(exchange_state, order)
    activate(exchange_state, order)
    drain(exchange_state)


def place_batch(
    exchange_state: ExchangeState,
    account: str,
    symbol: str,
    requests: Sequence[OrderRequest],
    moment: Moment,
    *,
    validate: bool,
    deadline: datetime | None,
) -> BatchPlacement:
    """Place a batch: wrong arguments of one refuse all, missing funds refuse only their row."""
    exchange_state.instrument(symbol)
    charge_engine(exchange_state, account, symbol, Decimal(len(requests)) / 2, moment.wall)
    if not 2 <= len(requests) <= 15 or any(r.symbol != symbol for r in requests):
        raise invalid("orders")
    check_deadline(deadline, moment.wall)
    ids = [request.cl_ord_id for request in requests if request.cl_ord_id is not None]
    if len(set(ids)) != len(ids):
        raise invalid("cl_ord_id not unique")
    for request in requests:
        try:
            admit(exchange_state, account, request, moment)
        except VenueError as refusal:
            if refusal.text != "EOrder:Insufficient funds":
                raise
    rows: list[Placement | VenueError] = []
    for request in requests:
        try:
            row = place_charged(
                exchange_state, account, replace(request, validate=validate), moment
            )
        except VenueError as refusal:
            rows.append(refusal)
        else:
            rows.append(row)
    events = tuple(e for row in rows if isinstance(row, Placement) for e in row.events)
    return BatchPlacement(tuple(rows), events)


def handle_due(exchange_state: ExchangeState, now: datetime) -> None:
    """Move market time on: expire orders that are over, start orders that are due."""
    exchange_state.market_time = max(exchange_state.market_time, now)
    for order in tuple(exchange_state.timed.values()):
        over = order.expires_at is not None and order.expires_at <= exchange_state.market_time
        if over:
            finish(exchange_state, order, VenueOrderStatus.EXPIRED, ExecutionType.EXPIRED)
        elif _is_due(exchange_state, order):
            activate(exchange_state, order)
    drain(exchange_state)


def _is_due(exchange_state: ExchangeState, order: Order) -> bool:
    if order.status is not VenueOrderStatus.PENDING or order.starts_at is None:
        return False
    return order.starts_at <= exchange_state.market_time and not exchange_state.is_halted(
        order.symbol
    )


def _placement(exchange_state: ExchangeState, request: OrderRequest, order: Order) -> Placement:
    placed = not request.validate
    return Placement(
        txid=order.txid if placed else None,
        description=describe_order(exchange_state.directory, order),
        close_description=describe_close(exchange_state.directory, order.symbol, order.close),
        order=order.copy() if placed else None,
        events=tuple(exchange_state.take_events()),
    )

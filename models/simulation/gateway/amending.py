"""Changing orders: amends in place, and the older edit that cancels and places anew (§8.2).

Queue priority is kept when only the quantity shrinks and lost when it grows or the price moves.
"""

from dataclasses import replace
from decimal import Decimal

from models.simulation.engine.lifecycle import amend_record, cancel
from models.simulation.engine.matching import drain, would_take
from models.simulation.engine.orders import (
    AmendRequest,
    EditRequest,
    Moment,
    Order,
    OrderKind,
    OrderRequest,
    PriceTerm,
    VenueOrderStatus,
)
from models.simulation.engine.triggers import arm
from models.simulation.errors import VenueError
from models.simulation.events import ExecutionType
from models.simulation.exchange_state import ExchangeState
from models.simulation.gateway.admission import (
    admit,
    charge_engine,
    check_deadline,
    check_funds,
    check_gate,
    check_minimums,
)
from models.simulation.gateway.arguments import quantity_fits
from models.simulation.gateway.canceling import age_cost, age_seconds, find_live
from models.simulation.gateway.descriptions import describe_close, describe_order
from models.simulation.gateway.parsing import invalid
from models.simulation.gateway.placing import launch
from models.simulation.gateway.prices import ResolvedPrices, absolute
from models.simulation.gateway.rates import amend_cost, edit_cost
from models.simulation.ledger.settlement import release, reserve
from models.simulation.outcomes import Amendment, Edition, Placement
from models.trading.instruments import Instrument
from models.trading.orders import Side


def amend(
    exchange_state: ExchangeState, account: str, request: AmendRequest, moment: Moment
) -> Amendment:
    """Change quantity, prices or display of a live order; ids and fills stay.

    A quantity at or below what is filled is accepted and cancels the rest; it costs what a cancel
    costs, too.
    """
    order = _find(exchange_state, account, request)
    cost = amend_cost(age_seconds(order, moment))
    ends = request.volume is not None and request.volume <= order.executed
    if ends:
        cost += age_cost(order, moment)
    charge_engine(exchange_state, account, order.symbol, cost, moment.wall)
    check_deadline(request.deadline, moment.wall)
    check_gate(exchange_state, order.symbol, None)
    wanted = _wanted(exchange_state, order, request)
    if not ends:
        _check(exchange_state, order, wanted)
    order.amended, order.amended_wall = True, moment.wall
    if ends:
        cancel(exchange_state, order, "User requested")
    else:
        _apply(exchange_state, order, wanted)
    amend_id = exchange_state.account(account).new_id("TA")
    exchange_state.account(account).amends[order.txid].append(
        amend_record(exchange_state, order, amend_id, "user")
    )
    if not ends:
        exchange_state.emit_order(ExecutionType.AMENDED, order, amend_id=amend_id)
        drain(exchange_state)
    return Amendment(amend_id, order.copy(), tuple(exchange_state.take_events()))


def edit(
    exchange_state: ExchangeState, account: str, request: EditRequest, moment: Moment
) -> Edition:
    """Cancel an order and place it again, changed, under a new txid; fills stay with the old one.

    The new order asks for the given volume less what the old one has executed.
    """
    instrument = exchange_state.instrument(request.symbol)
    order = find_live(exchange_state, account, request.txid)
    charge_engine(
        exchange_state, account, order.symbol, edit_cost(age_seconds(order, moment)), moment.wall
    )
    if order.symbol != instrument.symbol:
        raise invalid("pair")
    if order.close is not None or order.cl_ord_id is not None or order.triggered:
        raise VenueError("EOrder:Invalid order")
    volume = order.volume if request.volume is None else request.volume
    if volume <= order.executed:
        raise invalid("volume")
    new_request = _edited(order, request, volume - order.executed)
    # The old order's hold counts for the new one: it is given back before the check.
    held = order.held
    release(exchange_state, order)
    try:
        new = admit(exchange_state, account, new_request, moment)
    except VenueError:
        order.held = held
        _hold_again(exchange_state, order, instrument)
        raise
    if request.validate:
        order.held = held
        _hold_again(exchange_state, order, instrument)
    else:
        cancel(exchange_state, order, "User requested")
        launch(exchange_state, new)
    placement = Placement(
        txid=None if request.validate else new.txid,
        description=describe_order(exchange_state.directory, new),
        close_description=describe_close(exchange_state.directory, new.symbol, new.close),
        order=None if request.validate else new.copy(),
        events=tuple(exchange_state.take_events()),
    )
    return Edition(placement, order.copy(), placement.events)


def _hold_again(exchange_state: ExchangeState, order: Order, instrument: Instrument) -> None:
    asset = instrument.quote if order.side is Side.BUY else instrument.base
    exchange_state.account(order.account).hold(asset, order.held)


def _find(exchange_state: ExchangeState, account: str, request: AmendRequest) -> Order:
    if (request.txid is None) == (request.cl_ord_id is None):
        raise invalid("txid")
    if request.txid is not None:
        return find_live(exchange_state, account, request.txid)
    assert request.cl_ord_id is not None
    order = exchange_state.account(account).live_with(request.cl_ord_id)
    if order is None:
        raise VenueError("EOrder:Unknown order")
    return order


def _wanted(exchange_state: ExchangeState, order: Order, request: AmendRequest) -> Order:
    """Return a copy of the order as it is to become."""
    instrument = exchange_state.instrument(order.symbol)
    base = exchange_state.books[order.symbol].last
    wanted = order.copy()
    if request.volume is not None:
        if not quantity_fits(request.volume, instrument):
            raise invalid("order_qty")
        wanted.volume = request.volume
    if request.limit_price is not None:
        if order.limit_price is None:
            raise invalid("limit_price")
        wanted.limit_price = absolute(instrument, request.limit_price, 1, base)
    if request.trigger_price is not None:
        _want_trigger(instrument, wanted, request.trigger_price, base)
    _want_flags(wanted, request)
    if _version(wanted) == _version(order):
        raise VenueError("EGeneral:Invalid arguments:No amendable parameters")
    return wanted


def _want_flags(wanted: Order, request: AmendRequest) -> None:
    if request.display_volume is not None:
        if wanted.kind is not OrderKind.ICEBERG:
            raise invalid("display_qty")
        if not wanted.volume / 15 <= request.display_volume <= wanted.volume:
            raise invalid("display_qty")
        wanted.display_volume = request.display_volume
    if request.post_only is not None:
        if wanted.kind not in (OrderKind.LIMIT, OrderKind.ICEBERG):
            raise invalid("post_only")
        wanted.post_only = request.post_only


def _want_trigger(
    instrument: Instrument, wanted: Order, term: PriceTerm, base: Decimal | None
) -> None:
    """Set the trigger; a trailing order takes a new offset, counted from the last trade."""
    if not wanted.waits_for_trigger:
        raise invalid("trigger_price")
    if not wanted.kind.is_trailing:
        wanted.trigger_price = absolute(instrument, term, 1, base)
        wanted.price = PriceTerm(wanted.trigger_price)
        return
    if term.sign != "+" or term.value <= 0:
        raise invalid("trigger_price")
    wanted.price = term
    wanted.peak_price = wanted.trigger_price = None


def _version(order: Order) -> tuple[object, ...]:
    return (
        order.volume,
        order.limit_price,
        order.trigger_price,
        order.price if order.kind.is_trailing else None,
        order.display_volume,
        order.post_only,
    )


def _check(exchange_state: ExchangeState, order: Order, wanted: Order) -> None:
    instrument = exchange_state.instrument(order.symbol)
    prices = ResolvedPrices(wanted.limit_price, wanted.trigger_price)
    check_minimums(exchange_state, instrument, wanted.volume, prices)
    if order.status is VenueOrderStatus.OPEN:
        check_funds(exchange_state, wanted)
    if wanted.post_only and not order.waits_for_trigger and would_take(exchange_state, wanted):
        raise VenueError("EOrder:Post only order")


def _apply(exchange_state: ExchangeState, order: Order, wanted: Order) -> None:
    """Take over the wanted version; the order is queued anew where it loses its place."""
    book = exchange_state.books[order.symbol]
    keeps_place = wanted.volume <= order.volume and wanted.limit_price == order.limit_price
    rested = not order.waits_for_trigger and order.status is VenueOrderStatus.OPEN
    if rested and not keeps_place:
        book.leave(order)
    if order.waits_for_trigger and order in book.stops:
        book.stops.remove(order)
    order.volume, order.display_volume = wanted.volume, wanted.display_volume
    order.limit_price, order.trigger_price = wanted.limit_price, wanted.trigger_price
    order.post_only, order.peak_price = wanted.post_only, wanted.peak_price
    order.price = wanted.price
    if order.kind in (OrderKind.LIMIT, OrderKind.ICEBERG) and order.limit_price is not None:
        order.price = PriceTerm(order.limit_price)
    elif order.limit_price is not None and not order.kind.is_trailing:
        order.price2 = PriceTerm(order.limit_price)
    if order.held or rested:
        reserve(exchange_state, order)
    if order.status is not VenueOrderStatus.OPEN:
        return
    if order.waits_for_trigger:
        if not arm(exchange_state, order):
            cancel(exchange_state, order, "Order would trigger immediately")
    elif not keeps_place:
        order.priority = exchange_state.next_priority()
        exchange_state.incoming.append(order)
    exchange_state.emit_book(order.symbol)


def _edited(order: Order, request: EditRequest, volume: Decimal) -> OrderRequest:
    original = OrderRequest(
        symbol=order.symbol,
        side=order.side,
        kind=order.kind,
        volume=volume,
        price=request.price or order.price,
        price2=request.price2 or order.price2,
        display_volume=request.display_volume or order.display_volume,
        post_only=order.post_only if request.post_only is None else request.post_only,
        fee_in_base=order.fee_in_base,
        time_in_force=order.time_in_force,
        starts_at=order.starts_at,
        expires_at=order.expires_at,
        userref=order.userref if request.userref is None else request.userref,
        self_trade=order.self_trade,
    )
    return replace(original, deadline=request.deadline, validate=request.validate)

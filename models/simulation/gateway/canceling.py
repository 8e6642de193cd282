"""Canceling orders: by id, by tag, all of an account, and by the dead-man switch (§8.2)."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from models.simulation.engine.lifecycle import cancel
from models.simulation.engine.orders import Moment, Order
from models.simulation.errors import VenueError
from models.simulation.exchange_state import ExchangeState
from models.simulation.gateway.admission import charge_engine
from models.simulation.gateway.parsing import invalid
from models.simulation.gateway.rates import cancel_cost
from models.simulation.outcomes import Cancellation, DeadManSwitch
from models.trading.instruments import InstrumentStatus

USER_REQUESTED = "User requested"
_TXID = re.compile(r"O[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{6}")
_TIMEOUT_MAXIMUM = 86400


def cancel_orders(
    exchange_state: ExchangeState,
    account: str,
    moment: Moment,
    *,
    txid: str | None,
    cl_ord_id: str | None,
    userref: int | None,
) -> Cancellation:
    """Cancel one order by id, or every live order with a userref; refuse when none is live."""
    if sum(reference is not None for reference in (txid, cl_ord_id, userref)) != 1:
        raise invalid("txid")
    _check_running(exchange_state)
    if txid is not None:
        chosen = [find_live(exchange_state, account, txid)]
    elif cl_ord_id is not None:
        found = exchange_state.account(account).live_with(cl_ord_id)
        chosen = [found] if found else []
    else:
        chosen = _with_userref(exchange_state, account, userref)
    if not chosen:
        raise VenueError("EOrder:Unknown order")
    for order in chosen:
        charge_engine(exchange_state, account, order.symbol, age_cost(order, moment), moment.wall)
    return _cancel(exchange_state, chosen)


def cancel_batch(
    exchange_state: ExchangeState,
    account: str,
    moment: Moment,
    references: Sequence[str | int],
    cl_ord_ids: Sequence[str],
) -> Cancellation:
    """Cancel up to 50 orders; references that name no live order are skipped."""
    if not 1 <= len(references) + len(cl_ord_ids) <= 50:
        raise invalid("orders")
    _check_running(exchange_state)
    book = exchange_state.account(account)
    chosen: dict[str, Order] = {}
    for reference in references:
        if isinstance(reference, int):
            chosen |= {o.txid: o for o in _with_userref(exchange_state, account, reference)}
        elif reference in book.live:
            chosen[reference] = book.live[reference]
    for cl_ord_id in cl_ord_ids:
        found = book.live_with(cl_ord_id)
        if found is not None:
            chosen[found.txid] = found
    for order in chosen.values():
        cost = age_cost(order, moment)
        charge_engine(exchange_state, account, order.symbol, cost, moment.wall, force=True)
    return _cancel(exchange_state, chosen.values())


def cancel_all(exchange_state: ExchangeState, account: str, moment: Moment) -> Cancellation:
    """Cancel every live order of the account; charged once per pair."""
    _check_running(exchange_state)
    chosen = tuple(exchange_state.account(account).live.values())
    for symbol in sorted({order.symbol for order in chosen}):
        charge_engine(exchange_state, account, symbol, Decimal(1), moment.wall, force=True)
    return _cancel(exchange_state, chosen)


def arm_dead_man(
    exchange_state: ExchangeState, account: str, timeout: int, moment: Moment
) -> DeadManSwitch:
    """Arm, re-arm or (with 0) disarm the dead-man switch of an account."""
    if not 0 <= timeout <= _TIMEOUT_MAXIMUM:
        raise VenueError("EGeneral:Invalid arguments:Invalid timeout argument")
    at = moment.wall + timedelta(seconds=timeout) if timeout else None
    exchange_state.account(account).dead_man_at = at
    return DeadManSwitch(moment.wall, at)


def fire_dead_men(exchange_state: ExchangeState, wall: datetime) -> None:
    """Cancel everything, stops included, of accounts whose switch is due; it fires once."""
    for book in exchange_state.accounts.values():
        if book.dead_man_at is not None and book.dead_man_at <= wall:
            book.dead_man_at = None
            for order in tuple(book.live.values()):
                cancel(exchange_state, order, "Cancel all orders after")


def find_live(exchange_state: ExchangeState, account: str, txid: str) -> Order:
    """Return a live order of an account.

    Raises:
        VenueError: ``EOrder:Unknown order`` when it is done, ``EOrder:Invalid order`` when it
            never existed (the split is uncertain on Kraken, §3).
    """
    book = exchange_state.account(account)
    order = book.live.get(txid)
    if order is not None:
        return order
    if txid in book.orders and _TXID.fullmatch(txid):
        raise VenueError("EOrder:Unknown order")
    raise VenueError("EOrder:Invalid order")


def age_cost(order: Order, moment: Moment) -> Decimal:
    """Return what canceling an order costs at its age since creation or last amend."""
    return cancel_cost(age_seconds(order, moment))


def age_seconds(order: Order, moment: Moment) -> float:
    """Return the order's age in protocol time since creation or its last amend."""
    return (moment.wall - (order.amended_wall or order.opened_wall)).total_seconds()


def _with_userref(exchange_state: ExchangeState, account: str, userref: int | None) -> list[Order]:
    live = exchange_state.account(account).live.values()
    return [order for order in live if order.userref is not None and order.userref == userref]


def _check_running(exchange_state: ExchangeState) -> None:
    if exchange_state.system_status is InstrumentStatus.MAINTENANCE:
        raise VenueError("EService:Unavailable")


def _cancel(exchange_state: ExchangeState, chosen: Iterable[Order]) -> Cancellation:
    chosen = tuple(chosen)
    for order in chosen:
        cancel(exchange_state, order, USER_REQUESTED)
    return Cancellation(
        tuple(order.copy() for order in chosen), tuple(exchange_state.take_events())
    )

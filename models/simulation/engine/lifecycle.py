"""How an order comes to life and ends: acceptance, arming of stops, children, cancel, expiry."""

from decimal import Decimal

from models.simulation.engine.orders import (
    AmendRecord,
    Execution,
    ForceKind,
    Order,
    OrderKind,
    PriceTerm,
    SelfTradePrevention,
    VenueOrderStatus,
)
from models.simulation.engine.triggers import arm
from models.simulation.events import ExecutionType
from models.simulation.exchange_state import ExchangeState
from models.simulation.gateway.prices import resolve_close
from models.simulation.ledger.settlement import release, reserve
from models.trading.orders import Side

ZERO = Decimal(0)
INSUFFICIENT_FUNDS = "Insufficient funds"


def accept(exchange_state: ExchangeState, order: Order) -> None:
    """Enter an order into the account's record as pending."""
    account = exchange_state.account(order.account)
    account.orders[order.txid] = order
    account.live[order.txid] = order
    account.amends[order.txid] = [amend_record(exchange_state, order, order.txid, "original")]
    if order.starts_at is not None or order.expires_at is not None:
        exchange_state.timed[order.txid] = order
    exchange_state.emit_order(ExecutionType.PENDING_NEW, order)


def activate(exchange_state: ExchangeState, order: Order) -> None:
    """Open an accepted order: arm it if it waits for a trigger, else let it enter the book."""
    order.status = VenueOrderStatus.OPEN
    exchange_state.emit_order(ExecutionType.NEW, order)
    if not order.waits_for_trigger:
        exchange_state.incoming.append(order)
        return
    if (
        exchange_state.options.stops_place_holds
        and not order.held
        and not reserve(exchange_state, order)
    ):
        cancel(exchange_state, order, INSUFFICIENT_FUNDS)
    elif not arm(exchange_state, order):
        cancel(exchange_state, order, "Order would trigger immediately")


def finish(
    exchange_state: ExchangeState,
    order: Order,
    status: VenueOrderStatus,
    execution_type: ExecutionType,
    reason: str | None = None,
) -> None:
    """End an order: free its hold, take it off the book and tell."""
    release(exchange_state, order)
    if exchange_state.books[order.symbol].leave(order):
        exchange_state.emit_book(order.symbol)
    exchange_state.account(order.account).live.pop(order.txid, None)
    exchange_state.timed.pop(order.txid, None)
    order.status = status
    order.reason = reason
    order.closed_at = exchange_state.market_time
    exchange_state.emit_order(execution_type, order)


def cancel(exchange_state: ExchangeState, order: Order, reason: str) -> None:
    """Cancel a live order; what it has executed stays."""
    finish(exchange_state, order, VenueOrderStatus.CANCELED, ExecutionType.CANCELED, reason)


def after_fill(exchange_state: ExchangeState, order: Order, execution: Execution) -> None:
    """End a filled order, and let the fill bring forth its conditional close."""
    if not order.remaining:
        finish(exchange_state, order, VenueOrderStatus.CLOSED, ExecutionType.FILLED)
    if order.close is not None:
        _bear_child(exchange_state, order, execution)


def _bear_child(exchange_state: ExchangeState, parent: Order, execution: Execution) -> None:
    """Create the close order of one fill, sized to it, on the opposite side.

    A fill below the pair's minimum creates no child (uncertain on Kraken, §9): that part of the
    position stays without its close, which an owner of positions must reckon with.
    """
    instrument = exchange_state.instrument(parent.symbol)
    terms = parent.close
    if terms is None or execution.quantity < instrument.quantity_minimum:
        return
    prices = resolve_close(instrument, parent, execution.price)
    child = Order(
        txid=exchange_state.account(parent.account).new_id("O"),
        account=parent.account,
        symbol=parent.symbol,
        side=Side.SELL if parent.side is Side.BUY else Side.BUY,
        kind=terms.kind,
        volume=execution.quantity,
        price=_absolute(terms.kind, terms.price, prices.trigger or prices.limit),
        price2=_absolute(terms.kind, terms.price2, prices.limit),
        limit_price=prices.limit,
        trigger_price=prices.trigger,
        display_volume=None,
        post_only=False,
        fee_in_base=False,
        volume_in_quote=False,
        time_in_force=ForceKind.GTC,
        starts_at=None,
        expires_at=None,
        userref=parent.userref if exchange_state.options.children_inherit_userref else None,
        cl_ord_id=None,
        self_trade=SelfTradePrevention.CANCEL_NEWEST,
        close=None,
        parent=parent.txid,
        opened_at=exchange_state.market_time,
        opened_wall=exchange_state.wall_time,
        priority=exchange_state.next_priority(),
    )
    accept(exchange_state, child)
    activate(exchange_state, child)


def _absolute(kind: OrderKind, term: PriceTerm | None, price: Decimal | None) -> PriceTerm | None:
    if term is None or kind.is_trailing or price is None:
        return term
    return PriceTerm(price)


def amend_record(
    exchange_state: ExchangeState, order: Order, amend_id: str, amend_type: str
) -> AmendRecord:
    """Return the order's present version for its history."""
    return AmendRecord(
        amend_id,
        amend_type,
        order.volume,
        order.remaining,
        order.limit_price,
        order.trigger_price,
        order.display_volume,
        order.post_only,
        exchange_state.market_time,
    )

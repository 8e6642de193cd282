"""What the exchange says of a trade's orders, written into the trade's state.

Only bookkeeping happens here, so that it can be right for facts that are repeated, late or out of
order: an execution counts once, by its id; a final order stays final, except that proof of its
existence outweighs an earlier proof of absence. What to do about it is decided elsewhere.
"""

from dataclasses import replace
from decimal import Decimal

from models.trading.orders import Leg, OrderSpec, OrderStatus, OrderType, Side
from models.trading.risk.limits import ProtectionMode
from models.trading.trade.draft import TradeDraft
from models.trading.trade.facts import (
    ChildAppeared,
    ExitReason,
    FillReported,
    OrderAcknowledged,
    OrderDoubted,
    OrderEnded,
    OrderRefused,
)
from models.trading.trade.state import ZERO, TradeOrder, TradeState

ABSENT = (OrderStatus.REJECTED, OrderStatus.NOT_PLACED)
SENDING = (OrderStatus.INTENDED, OrderStatus.PENDING)
UNANSWERED = (*SENDING, OrderStatus.UNKNOWN)


def note_acknowledged(draft: TradeDraft, fact: OrderAcknowledged) -> None:
    """Write down that the exchange holds, or held, an order."""
    order = draft.state.order(fact.client_order_id)
    if order is not None:
        _confirm(draft, order, fact.order_id)


def note_refused(draft: TradeDraft, fact: OrderRefused) -> TradeOrder | None:
    """Write down that an order does not exist; None when that is news from the past."""
    order = draft.state.order(fact.client_order_id)
    if order is None or order.status not in UNANSWERED:
        return None
    draft.note_refusal(f"{order.spec.leg.value} {fact.status.value}: {fact.reason}")
    return draft.change_order(order, status=fact.status, reason=fact.reason, gone=False)


def note_doubted(draft: TradeDraft, fact: OrderDoubted) -> None:
    """Write down that nobody can say whether an order exists; it stays unanswered."""
    order = draft.state.order(fact.client_order_id)
    if order is None or order.status not in UNANSWERED or order.status is OrderStatus.UNKNOWN:
        return
    draft.change_order(order, status=OrderStatus.UNKNOWN, reason=fact.reason)
    draft.note_event("order_in_doubt")


def note_fill(draft: TradeDraft, fact: FillReported) -> TradeOrder | None:
    """Book an execution once. Return the order it belongs to, None when it was known already."""
    fill, state = fact.fill, draft.state
    if any(known.execution_id == fill.execution_id for known in state.fills):
        return None
    order = find_order(state, fill.order_id, fact.client_order_id)
    if order is None and fill.side is Side.BUY:
        order = state.entry
    if order is None:
        order = _adopt_child(draft, fill.order_id, fact.parent_order_id, fill.quantity, None)
    draft.change(fills=(*draft.state.fills, fill))
    if fill.side is Side.BUY and (state.opened_at is None or fill.exchange_time < state.opened_at):
        draft.change(opened_at=fill.exchange_time)
    order = _confirm(draft, order, fill.order_id)
    order = draft.change_order(order, filled_quantity=order.filled_quantity + fill.quantity)
    if not order.size_known:
        return draft.change_order(order, quantity=max(order.quantity, order.filled_quantity))
    complete = order.filled_quantity >= order.quantity and not order.pending_amend
    if complete and not order.status.is_final:
        order = draft.change_order(order, status=OrderStatus.CLOSED, gone=False)
    return order


def note_ended(draft: TradeDraft, fact: OrderEnded) -> TradeOrder | None:
    """Write down that an order is final. Return it, None when that was known already."""
    order = find_order(draft.state, fact.order_id, fact.client_order_id)
    nameless = fact.client_order_id is None and fact.parent_order_id is None
    if order is None and nameless and draft.state.entry.order_id is None:
        # An entry with a conditional close carries no client order id on the exchange.
        order = draft.state.entry
    if order is None:
        if fact.parent_order_id is None:
            return None
        order = _adopt_child(draft, fact.order_id, fact.parent_order_id, fact.filled_quantity, None)
    known = order.ended_quantity is not None
    order = _confirm(draft, order, fact.order_id)
    if not order.size_known and fact.status is OrderStatus.CLOSED:
        size = max(order.quantity, fact.filled_quantity)
        spec = replace(order.spec, quantity=size)
        order = draft.change_order(order, quantity=size, spec=spec, size_known=True)
    was_open = not order.status.is_final
    order = draft.change_order(
        order,
        status=fact.status if was_open else order.status,
        reason=fact.reason or order.reason,
        ended_quantity=max(fact.filled_quantity, order.ended_quantity or ZERO),
        pending_amend=False,
        gone=False,
    )
    return None if known or not was_open else order


def note_child(draft: TradeDraft, fact: ChildAppeared) -> None:
    """Write down an attached stop; a repeat changes nothing that is known better."""
    order = find_order(draft.state, fact.order_id, None)
    if order is None:
        order = _adopt_child(
            draft, fact.order_id, fact.parent_order_id, fact.quantity, fact.trigger_price
        )
        draft.change_order(order, size_known=True)
    elif not order.size_known:
        spec = replace(order.spec, quantity=fact.quantity, trigger_price=fact.trigger_price)
        closed = order.filled_quantity >= fact.quantity and not order.status.is_final
        draft.change_order(
            order,
            spec=spec,
            quantity=fact.quantity,
            trigger_price=fact.trigger_price,
            size_known=True,
            status=OrderStatus.CLOSED if closed else order.status,
        )


def find_order(state: TradeState, order_id: str, name: str | None) -> TradeOrder | None:
    """Find an order by the exchange's id or, failing that, by its client order id."""
    by_id = next((o for o in state.orders if o.order_id == order_id), None)
    return by_id or (state.order(name) if name is not None else None)


def stop_reason(state: TradeState) -> ExitReason:
    """Return what a stop that fires now means."""
    return ExitReason.TRAILING_STOP if state.trailed else ExitReason.STOP_LOSS


def _confirm(draft: TradeDraft, order: TradeOrder, order_id: str) -> TradeOrder:
    exists = order.status in UNANSWERED or order.status in ABSENT
    status = OrderStatus.OPEN if exists else order.status
    return draft.change_order(order, order_id=order.order_id or order_id, status=status)


def _adopt_child(
    draft: TradeDraft,
    order_id: str,
    parent_order_id: str | None,
    quantity: Decimal,
    trigger_price: Decimal | None,
) -> TradeOrder:
    state = draft.state
    plan, entry = state.plan, state.entry
    # Facts reach a trade only when the record says that they are its own: the parent is its entry.
    if parent_order_id is not None and plan.protection is ProtectionMode.ATTACHED:
        _confirm(draft, entry, parent_order_id)
    trigger = trigger_price if trigger_price is not None else plan.stop_price
    spec = OrderSpec(
        account=plan.account,
        trade=plan.number,
        leg=Leg.STOP,
        client_order_id=order_id,
        userref=plan.entry.userref,
        symbol=plan.instrument.symbol,
        side=Side.SELL,
        order_type=OrderType.STOP_LOSS,
        quantity=quantity,
        trigger_price=trigger,
    )
    order = TradeOrder(
        spec=spec,
        status=OrderStatus.OPEN,
        quantity=quantity,
        order_id=order_id,
        trigger_price=trigger,
        parent_order_id=parent_order_id or entry.order_id or order_id,
        size_known=False,
    )
    draft.add_order(order)
    return order

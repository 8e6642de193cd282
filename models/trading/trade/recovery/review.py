"""Ask again for what never came: commands may get lost, and so may their answers.

Everything re-issued here carries the figures and ids of the first time, and whoever carries it out
asks the exchange before anything is sent again; so a review too many does no harm.
"""

from datetime import datetime

from models.trading.orders import Leg, OrderStatus
from models.trading.refusals.repetition import Requested
from models.trading.trade.draft import TradeDraft
from models.trading.trade.facts import (
    AmendStop,
    CancelOrder,
    PlaceOrder,
    ResolveOrderStatus,
    SellPart,
)
from models.trading.trade.orders import SENDING, UNANSWERED
from models.trading.trade.refusals import note_taken, review_refusals, waits
from models.trading.trade.resting_entry import amend_again
from models.trading.trade.state import ZERO, TradeOrder, TradeState


def review(draft: TradeDraft, at: datetime) -> None:
    """Re-issue what is under way, ask for what is overdue, and let a paused exit go on.

    ``at`` is protocol time: what was refused again and again goes on when its pause is over.
    """
    waited = waits(draft.state, Requested.STOP)
    review_refusals(draft, at)
    draft.change(exit_paused=False, part_paused=False)
    if any(o.status is OrderStatus.OPEN for o in draft.state.live_stops):
        draft.change(stop_refusals=0)
        if draft.state.sellable <= draft.state.protected_quantity:
            note_taken(draft, Requested.STOP)
    elif waited and not waits(draft.state, Requested.STOP):
        draft.change(stop_refusals=0)
    for order in draft.state.orders:
        if order.amend_blocked and not waits(draft.state, Requested.AMEND):
            draft.change_order(order, amend_blocked=False)
        if not order.status.is_final:
            _reissue(draft, order)
    amend_again(draft)
    _review_children(draft)
    overdue = tuple(
        dict.fromkeys(
            o.order_id for o in draft.state.orders if o.order_id and _is_overdue(draft.state, o)
        )
    )
    if overdue:
        draft.send(ResolveOrderStatus(overdue))
    # A stop is a market order once it fires. One that does not finish must not hold up the exit,
    # which drops it and counts what it sold.
    for stop in draft.state.live_stops:
        if stop.is_firing:
            draft.change_order(stop, overdue=True)


def _reissue(draft: TradeDraft, order: TradeOrder) -> None:
    state = draft.state
    if order.spec.leg is Leg.EXIT and state.exit_sent is not None:
        if order.status in UNANSWERED:
            draft.send(state.exit_sent)
        return
    dropping = state.live_exit is not None and state.live_exit.status in SENDING
    if order.spec.leg is Leg.STOP and dropping:
        return  # the exit's own command drops the stops
    if _reissue_part(draft, order):
        return
    withdrawn = order.spec.leg is Leg.ENTRY and (state.exit_wanted or state.entry_cancel_wanted)
    # What covered the position while its exit was in doubt is not sent again beside that exit.
    leaving = state.live_exit is not None and not state.live_exit.is_in_doubt
    withdrawn = withdrawn or (order.spec.leg is Leg.STOP and leaving)
    if order.pending_cancel or (order.status in UNANSWERED and withdrawn):
        _withdraw_again(draft, order)
    elif order.status in UNANSWERED:
        draft.send(PlaceOrder(order.spec))
    if order.pending_amend and order.amend_quantity is not None and order.amend_trigger is not None:
        assert order.order_id is not None
        name = order.spec.client_order_id if order.parent_order_id is None else None
        draft.send(AmendStop(order.order_id, name, order.amend_quantity, order.amend_trigger))


def _reissue_part(draft: TradeDraft, order: TradeOrder) -> bool:
    """Ask again for the sale of a part; tell whether that was all there is to ask for an order."""
    part, command = draft.state.live_part, draft.state.part_sent
    if part is None or part.status not in UNANSWERED or command is None:
        return False
    if order is part and part.is_in_doubt:
        # It was sent, and is never sent again: this asks what became of it, and no more. Its own
        # command would make the stop smaller once more.
        draft.send(PlaceOrder(part.spec))
    elif order is part:
        _send_part_again(draft, command)
    # The part's own command makes the stop smaller.
    return order is part or (not part.is_in_doubt and order.order_id == command.amend.order_id)


def _send_part_again(draft: TradeDraft, command: SellPart) -> None:
    """Ask for a part once more; its stop awaits the answer again, whatever was answered before."""
    amend = command.amend
    for stop in draft.state.live_stops:
        if stop.order_id == amend.order_id and not stop.pending_amend:
            draft.change_order(
                stop,
                pending_amend=True,
                amend_quantity=amend.quantity,
                amend_trigger=amend.trigger_price,
            )
    draft.send(command)


def _withdraw_again(draft: TradeDraft, order: TradeOrder) -> None:
    name = order.spec.client_order_id
    if not waits(draft.state, Requested.CANCEL, name):
        draft.send(CancelOrder(order.order_id, name))


def _review_children(draft: TradeDraft) -> None:
    """Count attached stops as missing once the exchange was asked and did not name them."""
    state = draft.state
    if state.awaited_children <= ZERO:
        return
    if state.children_requested == state.bought:
        missing = state.children_missing + state.awaited_children
        draft.change(children_missing=missing)
    else:
        draft.change(children_requested=state.bought)


def _is_overdue(state: TradeState, order: TradeOrder) -> bool:
    """Tell whether news of an order should have come by now."""
    if order.awaits_fills or order.gone or order.is_firing or not order.size_known:
        return True
    if order.spec.leg is Leg.ENTRY:
        ending = order.spec.ends_at_once and not order.status.is_final
        return ending or state.awaited_children > ZERO
    if order.spec.leg is Leg.EXIT or order.spec.leg.sells_part:
        return order.status is OrderStatus.OPEN
    return order.pending_cancel and not order.status.is_final

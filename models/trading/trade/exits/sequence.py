"""Withdraw the entry, drop the stops and sell: in this order, and never two exits at once."""

from decimal import Decimal

from models.trading.orders import Leg, OrderSpec, OrderStatus, OrderType, Side
from models.trading.refusals.kinds import STOPS_SOLD_ALL, STOPS_STAY
from models.trading.refusals.repetition import Requested
from models.trading.trade.draft import TradeDraft
from models.trading.trade.facts import CancelOrder, ExitPosition, ExitReason
from models.trading.trade.refusals import figures_of, note_order_refused, note_taken, waits
from models.trading.trade.state import ZERO, TradeOrder, TradeState


def want_exit(draft: TradeDraft, reason: ExitReason, price: Decimal | None) -> None:
    """Decide that the trade shall end; the first reason stands, and a paused exit goes on.

    ``price`` is the pair's price as that was decided; the first one known stands as well.
    """
    state = draft.state
    kept = state.exit_reason or reason
    decided = state.decided_price if state.exit_wanted else None
    decided = price if decided is None else decided
    draft.change(exit_wanted=True, exit_reason=kept, exit_paused=False, decided_price=decided)


def note_exit_ended(draft: TradeDraft, order: TradeOrder) -> None:
    """Stop trying until the next review, so that the stop goes back first."""
    draft.change(exit_paused=True, exit_sent=None, stop_refusals=0)
    if (order.reason or "").endswith(STOPS_STAY):
        for stop in draft.state.live_stops:
            draft.change_order(stop, pending_cancel=False)
    if max(order.filled_quantity, order.ended_quantity or ZERO) > ZERO:
        note_taken(draft, Requested.EXIT)
    elif order.status is not OrderStatus.NOT_PLACED or order.reason != STOPS_SOLD_ALL:
        note_order_refused(draft, order)
    if draft.state.held > draft.state.sales_awaited:
        draft.note_event("exit_failed")


def is_dust(state: TradeState) -> bool:
    """Tell whether what is held can be neither protected nor sold."""
    instrument, held = state.plan.instrument, state.sellable
    if held < instrument.quantity_minimum:
        return True
    tried = any(o.status is OrderStatus.REJECTED for o in state.of_leg(Leg.EXIT))
    return tried and not instrument.meets_minimum(held, state.stop_price)


def pursue_exit(draft: TradeDraft) -> None:
    """Take the next step towards the end of the trade, if one is wanted and due."""
    state = draft.state
    if state.exit_wanted or state.entry_cancel_wanted:
        _withdraw_entry(draft, state.entry)
    state = draft.state
    if not state.exit_wanted or state.exit_paused or state.live_exit is not None:
        return
    if state.live_part is not None:
        return  # a market order that ends by itself; what it sells is not to be sold twice
    if waits(state, Requested.EXIT, _figures(state)):
        return
    if _is_quiet(state) and state.sellable > ZERO and not is_dust(state):
        _send_exit(draft)


def _withdraw_entry(draft: TradeDraft, entry: TradeOrder) -> None:
    # An entry whose sending is not answered yet is left alone: it may still be on its way.
    if entry.status is OrderStatus.OPEN and not entry.pending_cancel:
        draft.change_order(entry, pending_cancel=True)
        draft.send(CancelOrder(entry.order_id, entry.spec.client_order_id))


def _is_quiet(state: TradeState) -> bool:
    """Tell whether what is held, and by which orders, is certain."""
    busy = any(o.status is not OrderStatus.OPEN or o.is_firing or o.gone for o in state.live_stops)
    uncertain = state.awaits_fills or state.awaited_children > ZERO
    return state.entry_is_done and not busy and not uncertain


def _figures(state: TradeState) -> str:
    return figures_of(state.sellable, None)


def _send_exit(draft: TradeDraft) -> None:
    state = draft.state
    name, tag = draft.new_order_ids(Leg.EXIT)
    spec = OrderSpec(
        account=state.plan.account,
        trade=state.plan.number,
        leg=Leg.EXIT,
        client_order_id=name,
        userref=tag,
        symbol=state.plan.instrument.symbol,
        side=Side.SELL,
        order_type=OrderType.MARKET,
        quantity=state.sellable,
        decision_price=state.decided_price,
    )
    stops = [o for o in state.live_stops if o.order_id is not None]
    command = ExitPosition(
        stop_order_ids=tuple(o.order_id for o in stops if o.order_id is not None),
        stops_filled_known=sum((o.filled_quantity for o in stops), ZERO),
        exit=spec,
    )
    for stop in stops:
        draft.change_order(stop, pending_cancel=True)
    draft.intend(spec)
    draft.change(exit_sent=command)
    draft.note_event("exit_sent")
    draft.send(command)

"""Withdraw the entry, drop the stops and sell: in this order, and never two exits at once."""

from dataclasses import replace
from decimal import Decimal

from models.trading.execution import exit_share, sale_limit
from models.trading.orders import Leg, OrderSpec, OrderStatus, OrderType, Side, TimeInForce
from models.trading.refusals.kinds import STOPS_SOLD_ALL, STOPS_STAY, is_short_of_funds
from models.trading.refusals.repetition import Requested
from models.trading.trade.draft import TradeDraft
from models.trading.trade.facts import CancelOrder, ExitPosition, ExitReason
from models.trading.trade.refusals import figures_of, note_order_refused, note_taken, waits
from models.trading.trade.state import ZERO, TradeOrder, TradeState


def want_exit(draft: TradeDraft, reason: ExitReason, price: Decimal | None = None) -> None:
    """Decide that the trade shall end; the first reason stands, and a paused exit goes on.

    ``price`` is what it is decided at: around the first one that is known the exit is limited.
    """
    state = draft.state
    kept, price = state.exit_reason or reason, state.exit_price or price
    draft.change(exit_wanted=True, exit_reason=kept, exit_paused=False, exit_price=price)


def limited(spec: OrderSpec, limit: Decimal | None) -> OrderSpec:
    """Return a sale at market as one that takes at once down to a limit; None leaves it as it is.

    Kraken: ``ordertype=limit`` with ``timeinforce=IOC``; what it does not get is cancelled.
    """
    if limit is None:
        return spec
    return replace(
        spec, order_type=OrderType.LIMIT, limit_price=limit, time_in_force=TimeInForce.IOC
    )


def ran_out(order: TradeOrder) -> bool:
    """Tell whether an order took what lay within its limit and was cancelled over the rest."""
    limited_to_now = order.spec.time_in_force is TimeInForce.IOC
    ended = order.status is OrderStatus.CANCELED and not is_short_of_funds(order.reason)
    return limited_to_now and ended


def note_exit_ended(draft: TradeDraft, order: TradeOrder) -> None:
    """Stop trying until the next review, so that the stop goes back first.

    Where only the limit was too narrow the next try goes out at once, wider, and covers what is
    held: the stop would be dropped again in the same moment.
    """
    widened = ran_out(order)
    draft.change(exit_paused=not widened, exit_sent=None, stop_refusals=0)
    if order.spec.time_in_force is TimeInForce.IOC:
        draft.change(exit_tries=draft.state.exit_tries + 1)
    if (order.reason or "").endswith(STOPS_STAY):
        for stop in draft.state.live_stops:
            draft.change_order(stop, pending_cancel=False)
    if max(order.filled_quantity, order.ended_quantity or ZERO) > ZERO:
        note_taken(draft, Requested.EXIT)
    elif widened:
        draft.note_event("exit_widened")
    elif order.status is not OrderStatus.NOT_PLACED or order.reason != STOPS_SOLD_ALL:
        note_order_refused(draft, order)
    if draft.state.held > draft.state.sales_awaited and not widened:
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
        decision_price=state.exit_price,
    )
    spec = limited(spec, _exit_limit(state))
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


def _exit_limit(state: TradeState) -> Decimal | None:
    """Return the lowest price of the exit's next try, None: it goes at market."""
    target = state.take_profit_price
    at_target = state.exit_reason is ExitReason.TAKE_PROFIT and target is not None
    share = exit_share(state.plan.execution, state.exit_tries, at_target=at_target)
    return sale_limit(state.plan.instrument, target if at_target else state.exit_price, share)

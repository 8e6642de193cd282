"""Keep every coin that a trade holds covered by a resting stop, and the stops where they belong.

``ensure_protected`` looks at the state, not at the fact that changed it: whatever the order in
which facts arrive, the difference between what is held and what rests is what is sent.
"""

from decimal import Decimal

from models.trading.orders import Leg, OrderSpec, OrderStatus, OrderType, Side
from models.trading.refusals.repetition import Requested
from models.trading.trade.draft import TradeDraft
from models.trading.trade.facts import (
    AmendRefused,
    AmendStop,
    CancelOrder,
    ExitReason,
    PlaceOrder,
    ResolveOrderStatus,
    StopAmended,
)
from models.trading.trade.orders import find_order
from models.trading.trade.refusals import figures_of, note_request_refused, note_taken, waits
from models.trading.trade.state import ZERO, TradeOrder, TradeState

REFUSALS_MAXIMUM = 2
"""Stops refused in a row after which the position is sold at market instead."""

_THROUGH_MARKET = ("trigger immediately", "through the market", "already triggered")


def is_through_market(reason: str | None) -> bool:
    """Tell whether a stop was refused because the price has passed its trigger.

    Kraken words it ``Order would trigger immediately`` (order lifecycle guide).
    """
    return reason is not None and any(words in reason.lower() for words in _THROUGH_MARKET)


def uncovered_quantity(state: TradeState) -> Decimal:
    """Return what is held beyond what stops cover or, as far as is known, are about to cover.

    What the exchange has counted as sold is not held any more, even while its executions are on
    their way here; nor is a part whose sale is under way. A sale in doubt has no deadline to run
    any more: until the exchange tells what became of it, its part may still be held.
    """
    covered = sum((_promised_cover(o) for o in state.live_stops), ZERO)
    part = state.live_part
    leaving = part.remaining if part is not None and not part.is_in_doubt else ZERO
    return state.sellable - state.sales_awaited - leaving - covered - state.awaited_children


def note_amended(draft: TradeDraft, fact: StopAmended) -> None:
    """Take over an amend that was under way; the answer to an older one is ignored.

    An amend asked for twice may be refused and then taken. That a stop covers less than is believed
    must not be missed; where it is no news, the next amend puts it right.
    """
    order = find_order(draft.state, fact.order_id, None)
    if order is None:
        return
    if (fact.quantity, fact.trigger_price) != (order.amend_quantity, order.amend_trigger):
        return
    covers_less = not order.status.is_final and fact.quantity < order.quantity
    if not order.pending_amend and not covers_less:
        return
    if order.trigger_price != fact.trigger_price:
        draft.note_event("stop_moved")
    note_taken(draft, Requested.AMEND)
    closed = order.filled_quantity >= fact.quantity and not order.status.is_final
    draft.change_order(
        order,
        quantity=fact.quantity,
        trigger_price=fact.trigger_price,
        pending_amend=False,
        amend_blocked=False,
        amend_refusals=0,
        status=OrderStatus.CLOSED if closed else order.status,
    )


def note_amend_refused(draft: TradeDraft, fact: AmendRefused) -> None:
    """Keep the stop as it was; a trigger that was not taken is not asked for again."""
    order = find_order(draft.state, fact.order_id, None)
    if order is None or not order.pending_amend or order.status.is_final:
        return
    draft.note_refusal(f"amend: {fact.reason}")
    if fact.order_is_gone:
        draft.change_order(order, pending_amend=False, gone=True)
        draft.send(ResolveOrderStatus((fact.order_id,)))
        return
    filled = order.filled_quantity >= order.quantity
    status = OrderStatus.CLOSED if filled and order.size_known else order.status
    if order.amend_trigger == order.trigger_price:
        refusals = order.amend_refusals + 1
        wanted = figures_of(order.amend_quantity or ZERO, order.trigger_price)
        figures = f"{order.order_id} {wanted}"
        note_request_refused(draft, Requested.AMEND, figures, fact.reason)
        draft.change_order(
            order,
            pending_amend=False,
            amend_blocked=True,
            amend_refusals=refusals,
            status=status,
        )
        return
    draft.note_event("stop_move_refused")
    draft.change_order(
        order, pending_amend=False, refused_trigger=order.amend_trigger, status=status
    )
    _withdraw_refused_trigger(draft)


def note_stop_lost(draft: TradeDraft, reason: str | None) -> None:
    """Count a stop that was refused, or ended without our asking; the second is the last."""
    final = is_through_market(reason)
    draft.change(stop_refusals=REFUSALS_MAXIMUM if final else draft.state.stop_refusals + 1)


def ensure_protected(draft: TradeDraft) -> None:
    """Send what is missing between the stops that rest and those that should."""
    state = draft.state
    # An exit in doubt has dropped the stops, and its deadline has passed: until the exchange tells
    # what became of it, what may still be held is covered again.
    if state.live_exit is not None and not state.live_exit.is_in_doubt:
        _drop_stops_beside_exit(draft, state.live_exit)
        return
    _withdraw_excess(draft)
    if state.sellable <= ZERO:
        return
    missing = max(ZERO, uncovered_quantity(state))
    stops = [o for o in state.live_stops if _is_amendable(o)]
    growth = next((o for o in reversed(stops) if not o.amend_blocked), None)
    for stop in stops:
        _amend(draft, stop, missing if stop is growth else ZERO)
    if missing > ZERO and growth is None and not any(_is_moving(o) for o in state.live_stops):
        _place(draft, missing)


def _place(draft: TradeDraft, quantity: Decimal) -> None:
    state = draft.state
    if state.stop_refusals >= REFUSALS_MAXIMUM:
        _give_up(draft)
        return
    if waits(state, Requested.STOP, figures_of(quantity, state.stop_price)):
        return
    instrument = state.plan.instrument
    if not instrument.meets_minimum(quantity, state.stop_price):
        blocked = any(o.amend_refusals >= REFUSALS_MAXIMUM for o in state.live_stops)
        if state.entry_is_done and (blocked or not state.live_stops):
            _give_up(draft)
        return
    name, tag = draft.new_order_ids(Leg.STOP)
    spec = OrderSpec(
        account=state.plan.account,
        trade=state.plan.number,
        leg=Leg.STOP,
        client_order_id=name,
        userref=tag,
        symbol=instrument.symbol,
        side=Side.SELL,
        order_type=OrderType.STOP_LOSS,
        quantity=quantity,
        trigger_price=state.stop_price,
        decision_price=state.stop_price,
    )
    draft.intend(spec)
    draft.send(PlaceOrder(spec))


def _give_up(draft: TradeDraft) -> None:
    if not draft.state.exit_wanted:
        reason = draft.state.exit_reason or ExitReason.PROTECTION_FAILED
        draft.change(exit_wanted=True, exit_reason=reason)


def _promised_cover(order: TradeOrder) -> Decimal:
    if order.pending_amend and order.amend_quantity is not None:
        return max(order.remaining, order.amend_quantity - order.filled_quantity)
    return order.remaining


def _is_moving(order: TradeOrder) -> bool:
    """Tell whether news of this stop is due that may change what is missing."""
    changing = order.pending_amend or order.pending_cancel or order.gone or order.is_firing
    return order.status is not OrderStatus.OPEN or changing


def _is_amendable(order: TradeOrder) -> bool:
    return order.order_id is not None and not _is_moving(order)


def _amend(draft: TradeDraft, stop: TradeOrder, growth: Decimal) -> None:
    wanted = draft.state.stop_price
    resting = stop.trigger_price if stop.trigger_price is not None else wanted
    highest = wanted if draft.state.stop_lowered else max(resting, wanted)
    trigger = resting if wanted == stop.refused_trigger else highest
    quantity = stop.quantity + growth
    if (quantity, trigger) == (stop.quantity, resting):
        return
    assert stop.order_id is not None
    draft.change_order(stop, pending_amend=True, amend_quantity=quantity, amend_trigger=trigger)
    name = stop.spec.client_order_id if stop.parent_order_id is None else None
    draft.send(AmendStop(stop.order_id, name, quantity, trigger))


def _drop_stops_beside_exit(draft: TradeDraft, leaving: TradeOrder) -> None:
    """Withdraw what covered the position while its exit was in doubt: the exit is known to exist.

    What the exit sells, a stop would sell a second time, out of what another trade holds
    (kraken-protocol §8.5: a resting stop is not linked to holdings).
    """
    if leaving.status is not OrderStatus.OPEN:
        return  # on its way: its own command drops the stops first
    for stop in draft.state.live_stops:
        rests = stop.status is OrderStatus.OPEN and not (stop.is_firing or stop.gone)
        if rests and not stop.pending_cancel:
            _cancel(draft, stop)


def _withdraw_excess(draft: TradeDraft) -> None:
    """Take back what rests beyond what is held: a child that came very late, a part sold after all.

    So that nothing is bare a stop is made smaller where it stays one, the newest first; else the
    newest is cancelled. While a part is being sold only that is cancelled of which all is too much.
    """
    state = draft.state
    children = sum((o.spec.quantity for o in state.orders if o.parent_order_id), ZERO)
    part = state.live_part
    if (
        not state.entry_is_done
        or (part is not None and part.status is not OrderStatus.OPEN)
        or any(_is_moving(o) for o in state.live_stops)
        or (children > state.bought and state.children_missing == ZERO)
    ):
        return
    stops = [o for o in state.live_stops if o.order_id is not None]
    excess = -uncovered_quantity(state)
    if not stops or excess <= ZERO:
        return
    newest = stops[-1]
    if newest.remaining == excess:
        _cancel(draft, newest)
        return
    instrument = state.plan.instrument
    for stop in reversed(stops):
        left = stop.remaining - excess
        if instrument.meets_minimum(left, state.stop_price) and not stop.amend_blocked:
            _amend(draft, stop, -excess)
            return
    if part is None or newest.remaining < excess:
        _cancel(draft, newest)


def _cancel(draft: TradeDraft, stop: TradeOrder) -> None:
    draft.change_order(stop, pending_cancel=True)
    draft.send(CancelOrder(stop.order_id, stop.spec.client_order_id))


def _withdraw_refused_trigger(draft: TradeDraft) -> None:
    """Fall back to the triggers that rest once no stop took the wanted one."""
    state = draft.state
    stops = [o for o in state.live_stops if o.trigger_price is not None]
    if any(o.refused_trigger != state.stop_price for o in stops):
        return
    resting = max((o.trigger_price for o in stops if o.trigger_price is not None), default=None)
    if resting is not None:
        trailed = state.trailed and resting > state.plan.stop_price
        draft.change(stop_price=resting, trailed=trailed)

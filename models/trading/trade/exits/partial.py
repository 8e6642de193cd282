"""Selling a part of a position while the rest stays protected: partial profit, and the hedge.

What is wanted is a total: all sales of the trade together shall reach ``sold_target``. The stop is
made smaller in place and the part is sold, as one step; what the stop still covers is never without
it. A part that cannot be sold leaves the stop to grow back over it.
"""

from decimal import Decimal

from models.trading.execution import sale_limit
from models.trading.orders import Leg, OrderSpec, OrderStatus, OrderType, Side
from models.trading.refusals.repetition import Requested
from models.trading.trade.draft import TradeDraft
from models.trading.trade.exits.sequence import limited, ran_out, want_exit
from models.trading.trade.facts import AmendStop, ExitReason, PartialExitRequested, SellPart
from models.trading.trade.refusals import figures_of, note_order_refused, note_taken, waits
from models.trading.trade.state import ZERO, TradeOrder, TradePhase, TradeState

FAILURES_MAXIMUM = 2
"""Sales of one part that come to nothing before it is given up: it protects nothing."""

_REASONS = {Leg.PART: ExitReason.PARTIAL_PROFIT, Leg.HEDGE: ExitReason.HEDGE}


def want_part(
    draft: TradeDraft, sold_target: Decimal, leg: Leg, price: Decimal | None = None
) -> None:
    """Want all sales to reach a total; a smaller one than is wanted already changes nothing.

    ``price`` is what the sale is decided at, None where it is not known.
    """
    state = draft.state
    reached = max(state.sold_target, state.sold + state.sales_awaited)
    if sold_target > reached and not state.exit_wanted:
        draft.change(
            sold_target=sold_target,
            part_leg=leg,
            part_failures=0,
            part_paused=False,
            part_price=price,
        )


def note_part_request(draft: TradeDraft, fact: PartialExitRequested) -> None:
    """Take up what the hedge or a strategy wants, as far as there is something to sell."""
    if draft.state.phase is not TradePhase.SETTLED:
        want_part(draft, min(fact.sold_target, draft.state.bought), fact.leg, fact.price)


def note_part_failed(draft: TradeDraft, order: TradeOrder) -> None:
    """Wait for a review, or give the part up, after a sale that came to nothing."""
    if order.filled_quantity > ZERO or (order.ended_quantity or ZERO) > ZERO:
        note_taken(draft, Requested.PART)
        return
    if not ran_out(order):
        note_order_refused(draft, order)
    failures = draft.state.part_failures + 1
    draft.note_event("partial_exit_failed")
    draft.change(part_failures=failures, part_paused=True, part_sent=None)
    if failures >= FAILURES_MAXIMUM:
        draft.note_refusal(f"a part was not sold: {order.reason}")
        draft.change(sold_target=ZERO)


def part_to_sell(state: TradeState) -> Decimal:
    """Return the base quantity still to be sold as a part, beyond what is under way."""
    if state.sold_target <= ZERO:
        return ZERO
    way = state.live_part.remaining if state.live_part is not None else ZERO
    wanted = state.sold_target - state.sold - state.sales_awaited - way
    return max(ZERO, state.plan.instrument.floor_quantity(min(wanted, state.sellable)))


def pursue_part(draft: TradeDraft) -> None:
    """Send the sale of a part, if one is wanted, due and possible."""
    state = draft.state
    if state.exit_wanted or state.live_exit is not None or state.live_part is not None:
        return
    quantity = part_to_sell(state)
    if quantity <= ZERO or state.part_paused or not state.entry_is_done or state.awaits_fills:
        return
    instrument = state.plan.instrument
    if not instrument.meets_minimum(state.held - quantity, state.stop_price):
        # What is left could not be protected: all of it goes.
        want_exit(draft, _REASONS[state.part_leg], state.part_price)
        return
    if not instrument.meets_minimum(quantity, state.stop_price):
        draft.change(sold_target=ZERO)
        return
    stop = _stop_to_reduce(state)
    if stop is not None:
        _send(draft, stop, quantity)


def _stop_to_reduce(state: TradeState) -> TradeOrder | None:
    """Return the largest stop once every stop rests and covers all that is held."""
    stops = state.live_stops
    still = all(
        o.status is OrderStatus.OPEN
        and o.order_id is not None
        and not (o.pending_amend or o.pending_cancel or o.gone or o.amend_blocked)
        and o.filled_quantity == ZERO
        for o in stops
    )
    if not stops or not still or state.awaited_children > ZERO:
        return None
    return max(stops, key=lambda o: o.remaining)


def _send(draft: TradeDraft, stop: TradeOrder, quantity: Decimal) -> None:
    state = draft.state
    instrument = state.plan.instrument
    # With several stops the largest bears it alone, as far as it stays one: the rest comes next.
    least = max(instrument.quantity_minimum, instrument.cost_minimum / state.stop_price)
    quantity = min(quantity, instrument.floor_quantity(max(ZERO, stop.remaining - least)))
    if not instrument.meets_minimum(quantity, state.stop_price):
        draft.change(sold_target=ZERO)
        return
    if waits(state, Requested.PART, figures_of(quantity, None)):
        return
    name, tag = draft.new_order_ids(state.part_leg)
    order = OrderSpec(
        account=state.plan.account,
        trade=state.plan.number,
        leg=state.part_leg,
        client_order_id=name,
        userref=tag,
        symbol=instrument.symbol,
        side=Side.SELL,
        order_type=OrderType.MARKET,
        quantity=quantity,
        decision_price=state.part_price,
    )
    order = limited(order, _part_limit(state))
    trigger = stop.trigger_price if stop.trigger_price is not None else state.stop_price
    left = stop.quantity - quantity
    assert stop.order_id is not None
    shown = stop.spec.client_order_id if stop.parent_order_id is None else None
    command = SellPart(AmendStop(stop.order_id, shown, left, trigger), order)
    draft.change_order(stop, pending_amend=True, amend_quantity=left, amend_trigger=trigger)
    draft.intend(order)
    draft.change(part_sent=command)
    draft.note_event("partial_exit_sent")
    draft.send(command)


def _part_limit(state: TradeState) -> Decimal | None:
    """Return the lowest price that a part is sold at; a second try goes at market."""
    policy = state.plan.execution
    share = policy.exit_collar if policy.exit_tries > 0 and state.part_failures == 0 else None
    return sale_limit(state.plan.instrument, state.part_price, share)

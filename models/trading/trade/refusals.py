"""What a trade does about a refusal: count it, ask what is held, wait, and say so."""

from datetime import datetime, timedelta
from decimal import Decimal

from models.trading.orders import Leg, OrderStatus, Side
from models.trading.refusals.kinds import is_short_of_funds
from models.trading.refusals.repetition import (
    SENDS_MAXIMUM,
    Requested,
    at_review,
    must_wait,
    next_try,
    refused,
    with_refusal,
    without_refusal,
)
from models.trading.trade.draft import TradeDraft
from models.trading.trade.facts import (
    CancelRefused,
    HoldingReported,
    RequestHolding,
    ShortfallCause,
)
from models.trading.trade.state import ZERO, TradeOrder, TradeState

CONFIRMATION = timedelta(minutes=1)
"""What is missing must be missing still after this before the trade ends without it: the
exchange's balances may be behind its executions."""

ALERTS = (*(f"{what.value}_blocked" for what in Requested), "holding_short")
"""Events that people have to hear of."""

_REQUESTS = {Leg.EXIT: Requested.EXIT, Leg.STOP: Requested.STOP}


def figures_of(quantity: Decimal, trigger: Decimal | None) -> str:
    """Return what makes two requests of a kind the same."""
    return f"{quantity.normalize():f} at {'market' if trigger is None else trigger.normalize()}"


def note_order_refused(draft: TradeDraft, order: TradeOrder) -> None:
    """Count an order that came to nothing, and ask about what may be the reason."""
    if order.spec.leg is Leg.STOP and order.status is OrderStatus.NOT_PLACED:
        return  # the exchange has not refused it, and nothing is covered until it rests
    what = _REQUESTS.get(order.spec.leg, Requested.PART)
    figures = figures_of(order.spec.quantity, order.spec.trigger_price)
    note_request_refused(draft, what, figures, order.reason)


def note_request_refused(
    draft: TradeDraft, what: Requested, figures: str, reason: str | None
) -> None:
    """Count a refusal; from the second of the same request on, its repetition waits."""
    known = with_refusal(draft.state.refused, what, figures, reason)
    draft.change(refused=known)
    one = refused(known, what)
    if one is not None and one.times == SENDS_MAXIMUM:
        draft.note_event(f"{what.value}_blocked")
        draft.note_refusal(
            f"{what.value}_blocked ({one.kind.value}): {one.figures} refused {one.times} times: "
            f"{one.reason}"
        )
    if is_short_of_funds(reason):
        draft.change(holding_doubted=True)
        _ask(draft)


def note_cancel_refused(draft: TradeDraft, fact: CancelRefused) -> None:
    """Count a cancel that the exchange refused; the order stands, and is withdrawn later."""
    order = draft.state.order(fact.client_order_id)
    if order is not None and order.pending_cancel and not order.status.is_final:
        note_request_refused(draft, Requested.CANCEL, fact.client_order_id, fact.reason)


def note_taken(draft: TradeDraft, what: Requested) -> None:
    """Forget what was refused before: the exchange took the request, or nobody wants it now."""
    if refused(draft.state.refused, what) is not None:
        draft.change(refused=without_refusal(draft.state.refused, what))


def waits(state: TradeState, what: Requested, figures: str | None = None) -> bool:
    """Tell whether a request must not be sent now."""
    return must_wait(state.refused, what, figures)


def review_refusals(draft: TradeDraft, at: datetime) -> None:
    """Begin and end pauses, and ask again what was not answered or is to be confirmed."""
    state = draft.state
    bare = state.sellable > state.protected_quantity
    draft.change(refused=at_review(state.refused, at, bare=bare))
    due = _confirmation_due(state)
    if state.holding_doubted or (due is not None and at >= due):
        _ask(draft)


def next_look(state: TradeState) -> datetime | None:
    """Return the protocol time of the next review that may find something due."""
    times = (next_try(state.refused), _confirmation_due(state))
    return min((at for at in times if at is not None), default=None)


def note_holding(draft: TradeDraft, fact: HoldingReported) -> None:
    """Take the exchange's word for what is held; what it lacks is neither sold nor protected."""
    state = draft.state
    moving = state.live_exit is not None or state.live_part is not None
    if moving or not state.entry_is_done or fact.orders != len(_own_order_ids(state)):
        return  # what was sold since is in one figure and not in the other; a review asks again
    missing = max(ZERO, state.bought + state.swept - fact.sold - max(ZERO, fact.available))
    changed = missing != state.missing
    since = fact.at if changed or state.missing_since is None else state.missing_since
    draft.change(
        holding_doubted=False,
        missing=missing,
        missing_since=since if missing > ZERO else None,
        missing_cause=_cause(missing, fact),
        missing_confirmed=missing > ZERO and not changed and fact.at >= since + CONFIRMATION,
    )
    if changed and missing > ZERO:
        cause = _cause(missing, fact)
        base = state.plan.instrument.base
        draft.note_event("holding_short")
        draft.note_refusal(
            f"holding_short ({cause.value if cause else ''}): bought {state.held} {base}, "
            f"the exchange holds {fact.available}"
        )
    if changed:
        # Another quantity is another request.
        draft.change(exit_paused=False, stop_refusals=0)


def blocked_text(state: TradeState) -> str:
    """Say which requests the exchange goes on refusing, empty: none."""
    return "; ".join(
        f"{one.what.value}_blocked ({one.kind.value}): {one.reason}"
        for one in state.refused
        if one.times >= SENDS_MAXIMUM and one.what is not Requested.PART
    )


def _cause(missing: Decimal, fact: HoldingReported) -> ShortfallCause | None:
    if missing <= ZERO:
        return None
    if missing <= fact.fees:
        return ShortfallCause.FEE
    if missing <= fact.fees + fact.moved:
        return ShortfallCause.WITHDRAWN
    return ShortfallCause.UNEXPLAINED


def _confirmation_due(state: TradeState) -> datetime | None:
    if state.missing_since is None or state.missing_confirmed:
        return None
    return state.missing_since + CONFIRMATION


def _own_order_ids(state: TradeState) -> tuple[str, ...]:
    """Return the orders of the trade that may have sold something."""
    sales = (o for o in state.orders if o.spec.side is Side.SELL and o.order_id is not None)
    return tuple(o.order_id for o in sales if o.order_id is not None)


def _ask(draft: TradeDraft) -> None:
    state = draft.state
    draft.send(
        RequestHolding(
            symbol=state.plan.instrument.symbol,
            base=state.plan.instrument.base,
            own_order_ids=_own_order_ids(state),
            since=state.opened_at or state.plan.decided_at,
        )
    )

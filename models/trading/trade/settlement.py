"""When a trade is over, and what it then came to."""

from datetime import datetime

from models.trading.orders import Leg, OrderStatus, Side
from models.trading.trade.draft import TradeDraft
from models.trading.trade.exits.sequence import is_dust
from models.trading.trade.facts import CancelOrder, ExitReason
from models.trading.trade.orders import stop_reason
from models.trading.trade.state import ZERO, TradePhase, TradeState


def settle_if_over(draft: TradeDraft, at: datetime) -> None:
    """Settle once nothing is held, nothing rests and nothing more can arrive.

    A remainder below the pair's minimum can neither be protected nor sold; it stays in the account
    and is written down with the trade. ``closed_at`` is the time of the last sale, or of the fact
    that ended a trade without one.
    """
    state = draft.state
    if not _is_over(state):
        _drop_stops_of_dust(draft)
        return
    if state.held != ZERO:
        base = state.plan.instrument.base
        kind = "dust left" if state.held > ZERO else "sold more than was bought"
        if state.missing > ZERO and state.held > ZERO:
            cause = state.missing_cause.value if state.missing_cause else "unexplained"
            kind = f"not held by the exchange ({cause})"
        draft.note_refusal(f"{kind}: {abs(state.held)} {base}")
    sales = [fill.exchange_time for fill in state.fills if fill.side is Side.SELL]
    draft.change(
        phase=TradePhase.SETTLED,
        refused=(),
        holding_doubted=False,
        exit_reason=_final_reason(state),
        closed_at=max(sales, default=at),
    )
    draft.note_event("trade_closed")


def _is_over(state: TradeState) -> bool:
    known = state.entry_is_done and not state.awaits_fills and state.awaited_children <= ZERO
    resting = state.live_stops or state.live_exit is not None or state.live_part is not None
    certain = state.missing_confirmed or state.missing == ZERO or _is_small(state)
    return known and not resting and certain and is_dust(state)


def _is_small(state: TradeState) -> bool:
    return state.held < state.plan.instrument.quantity_minimum


def _drop_stops_of_dust(draft: TradeDraft) -> None:
    state = draft.state
    wanted = state.exit_wanted and state.entry_is_done and not state.awaits_fills
    if not wanted or state.live_exit is not None or not is_dust(state):
        return
    for stop in state.live_stops:
        idle = stop.status is OrderStatus.OPEN and not (stop.is_firing or stop.gone)
        if idle and not stop.pending_cancel:
            draft.change_order(stop, pending_cancel=True)
            draft.send(CancelOrder(stop.order_id, stop.spec.client_order_id))


def _final_reason(state: TradeState) -> ExitReason:
    """Name what ended the trade: what sold it counts, not what was wanted too late."""
    sold_by_exit = any(o.filled_quantity > ZERO for o in state.of_leg(Leg.EXIT))
    sold_by_stop = any(o.filled_quantity > ZERO for o in state.of_leg(Leg.STOP))
    if sold_by_stop and not sold_by_exit:
        return stop_reason(state)
    return state.exit_reason or state.entry_cancel_reason or ExitReason.ENTRY_NOT_FILLED

"""A settled trade is opened again when the exchange tells of more than it had settled with.

An execution that arrives after the settlement, an order that trades after it was said to be absent
or cancelled: what it bought belongs to this trade and to nobody else. By rule the trade takes it,
withdraws what rests of the entry and protects the position with its own stop; a stop whose price
has passed is refused by the exchange, and the position is sold.
"""

from models.trading.trade.draft import TradeDraft
from models.trading.trade.facts import (
    ChildAppeared,
    ExitReason,
    FillReported,
    OrderAcknowledged,
    OrderEnded,
    TradeFact,
)
from models.trading.trade.figures import dust_left
from models.trading.trade.orders import ABSENT, find_order
from models.trading.trade.recovery.reopened import Rescue
from models.trading.trade.state import TradePhase, TradeState


def reopens(state: TradeState, fact: TradeFact) -> bool:
    """Tell whether a fact says that a settled trade has settled in error."""
    match fact:
        case FillReported(fill=fill):
            return all(known.execution_id != fill.execution_id for known in state.fills)
        case OrderEnded():
            order = find_order(state, fact.order_id, fact.client_order_id)
            booked = sum(f.quantity for f in state.fills if f.order_id == fact.order_id)
            return order is not None and fact.filled_quantity > booked
        case OrderAcknowledged():
            order = state.order(fact.client_order_id)
            return order is not None and order.status in ABSENT
        case ChildAppeared():
            return find_order(state, fact.order_id, None) is None
        case _:
            return False


def reopen(draft: TradeDraft) -> None:
    """Open a settled trade again; whatever rests of its entry is withdrawn."""
    state = draft.state
    number = state.rescue.number + 1 if state.rescue else 1
    unfilled = state.exit_reason is ExitReason.ENTRY_NOT_FILLED
    draft.change(
        phase=TradePhase.OPEN,
        rescue=Rescue(number, state.cash_flow, state.bought - state.sold, dust_left(state)),
        exit_reason=None if unfilled else state.exit_reason,
        entry_cancel_wanted=True,
        exit_paused=False,
        stop_refusals=0,
        closed_at=None,
    )
    draft.note_refusal("settled, and opened again: the exchange told of more")
    draft.note_event("trade_rescued")

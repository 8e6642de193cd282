"""The decisions of one trade: a fact comes in, the new state and what to do come out.

Each fact is first written into the state; what follows is then derived from the state alone. So it
does not matter in which order facts arrive, nor how often: repeated, late and early ones lead to
the same trade. Commands that got lost are asked for again on ReviewDue.

Events of RecordTrade, each an audit row: ``trade_entering`` (begun), ``trade_opened`` (first fill),
``trade_protected`` (all that is held is covered by resting stops), ``exits_changed`` (by request),
``stop_moved``, ``stop_move_refused``, ``stop_refused``, ``exit_sent``, ``exit_failed``,
``entry_crosses`` (it has rested long enough), ``exit_widened`` (the next try goes lower),
``partial_exit_sent``, ``partial_exit_failed``, ``trade_closed``; ``trade_restored`` (taken up
from the record after its workflow was ended from outside, see ``recovery.restore``),
``order_in_doubt`` (nobody can say whether it exists), ``trade_rescued`` (settled, opened again);
``exit_blocked``,
``stop_blocked``, ``amend_blocked``, ``cancel_blocked`` and ``part_blocked`` (refused twice,
unchanged: the next try waits) and ``holding_short`` (the exchange holds less than was bought).
"""

from dataclasses import replace
from datetime import datetime

from models.trading.answers import Answer
from models.trading.exits.requests import ExitsChangeRequested
from models.trading.governance.approval import ApprovalSettled
from models.trading.orders import Leg, OrderStatus
from models.trading.refusals.repetition import Requested
from models.trading.trade.decision import TradeDecision
from models.trading.trade.draft import TradeDraft
from models.trading.trade.entry_facts import EntryAmended, EntryAmendRefused
from models.trading.trade.exits.partial import note_part_failed, note_part_request, pursue_part
from models.trading.trade.exits.sequence import note_exit_ended, pursue_exit, want_exit
from models.trading.trade.facts import (
    AmendRefused,
    CancelRefused,
    ChildAppeared,
    CloseRequested,
    EntryCancelRequested,
    FillReported,
    HoldingReported,
    OrderAcknowledged,
    OrderDoubted,
    OrderEnded,
    OrderRefused,
    PartialExitRequested,
    PriceCrossed,
    RecordTrade,
    ReportToAccount,
    ReviewDue,
    SetWatches,
    StopAmended,
    StopMoveRequested,
    TradeFact,
)
from models.trading.trade.figures import summarise
from models.trading.trade.orders import (
    note_acknowledged,
    note_child,
    note_doubted,
    note_ended,
    note_fill,
    note_refused,
    stop_reason,
)
from models.trading.trade.protection import (
    ensure_protected,
    note_amend_refused,
    note_amended,
    note_stop_lost,
)
from models.trading.trade.recovery.rescue import reopen, reopens
from models.trading.trade.recovery.review import review
from models.trading.trade.refusals import (
    note_cancel_refused,
    note_holding,
    note_order_refused,
    note_taken,
)
from models.trading.trade.requests import (
    answer_close,
    answer_exits_change,
    answer_settled_approval,
    answer_stop_move,
)
from models.trading.trade.resting_entry import note_entry_amend
from models.trading.trade.settlement import settle_if_over
from models.trading.trade.state import ZERO, TradeOrder, TradePhase, TradePlan, TradeState
from models.trading.trade.watches import note_crossing, refresh_watches

OrderNews = (
    OrderAcknowledged
    | OrderRefused
    | OrderDoubted
    | FillReported
    | OrderEnded
    | ChildAppeared
    | StopAmended
    | AmendRefused
    | CancelRefused
)

__all__ = ["TradeDecision", "begin", "decide"]


def begin(plan: TradePlan) -> TradeDecision:
    """Return the first state of a trade. The account sends the entry; it counts as intended."""
    entry = TradeOrder(spec=plan.entry, status=OrderStatus.INTENDED, quantity=plan.entry.quantity)
    state = TradeState(
        plan=plan,
        phase=TradePhase.ENTERING,
        stop_price=plan.stop_price,
        take_profit_price=plan.take_profit_price,
        orders=(entry,),
        exits=plan.exits,
    )
    commands = (RecordTrade("trade_entering"), ReportToAccount(closed=False))
    return TradeDecision(state, commands)


def decide(state: TradeState, fact: TradeFact) -> TradeDecision:
    """Return what follows from a fact. A settled trade changes only where it settled in error."""
    draft = TradeDraft(state)
    if state.phase is TradePhase.SETTLED:
        if not reopens(state, fact):
            return TradeDecision(state, (), _answer_request(draft, fact))
        reopen(draft)
    answer = _write_down(draft, fact)
    _follow_up(draft, _time_of(fact))
    _tell(draft, state)
    return TradeDecision(draft.state, tuple(draft.commands), answer)


def _answer_request(draft: TradeDraft, fact: TradeFact) -> Answer | None:
    if isinstance(fact, CloseRequested):
        return answer_close(draft, fact)
    if isinstance(fact, StopMoveRequested):
        return answer_stop_move(draft, fact)
    if isinstance(fact, ExitsChangeRequested):
        return answer_exits_change(draft, fact)
    if isinstance(fact, ApprovalSettled):
        return answer_settled_approval(draft, fact)
    return None


def _write_down(draft: TradeDraft, fact: TradeFact) -> Answer | None:
    match fact:
        case PriceCrossed():
            note_crossing(draft, fact)
        case EntryCancelRequested():
            reason = draft.state.entry_cancel_reason or fact.reason
            draft.change(entry_cancel_wanted=True, entry_cancel_reason=reason)
        case CloseRequested() | StopMoveRequested() | ExitsChangeRequested() | ApprovalSettled():
            return _answer_request(draft, fact)
        case PartialExitRequested():
            note_part_request(draft, fact)
        case HoldingReported():
            note_holding(draft, fact)
        case EntryAmended() | EntryAmendRefused():
            note_entry_amend(draft, fact)
        case ReviewDue():
            review(draft, fact.at)
        case _:
            _note_order_news(draft, fact)
    return None


def _note_order_news(draft: TradeDraft, fact: OrderNews) -> None:
    match fact:
        case OrderAcknowledged():
            note_acknowledged(draft, fact)
        case OrderRefused():
            _after_end(draft, note_refused(draft, fact))
        case OrderDoubted():
            note_doubted(draft, fact)
        case FillReported():
            _after_fill(draft, note_fill(draft, fact))
        case OrderEnded():
            _after_end(draft, note_ended(draft, fact))
        case ChildAppeared():
            note_child(draft, fact)
        case StopAmended():
            note_amended(draft, fact)
        case AmendRefused():
            note_amend_refused(draft, fact)
        case CancelRefused():
            note_cancel_refused(draft, fact)


def _after_fill(draft: TradeDraft, order: TradeOrder | None) -> None:
    # A stop that fires ends the trade: the rest of the entry is withdrawn, what is left is sold.
    if order is not None and order.spec.leg is Leg.STOP and not draft.state.exit_wanted:
        want_exit(draft, stop_reason(draft.state), draft.state.stop_price)


def _after_end(draft: TradeDraft, order: TradeOrder | None) -> None:
    """Draw the consequences of an order that ended just now."""
    if order is None:
        return
    if order.pending_cancel:
        note_taken(draft, Requested.CANCEL)
    if order.spec.leg is Leg.EXIT:
        note_exit_ended(draft, order)
    elif order.spec.leg.sells_part:
        note_part_failed(draft, order)
    elif order.spec.leg is Leg.STOP and order.status is not OrderStatus.CLOSED:
        filled = max(order.filled_quantity, order.ended_quantity or ZERO)
        if not order.pending_cancel and filled == ZERO:
            note_stop_lost(draft, order.reason)
            note_order_refused(draft, order)
            draft.note_event("stop_refused")
    if order.spec.leg is Leg.STOP and (order.ended_quantity or ZERO) > ZERO:
        _after_fill(draft, order)


def _follow_up(draft: TradeDraft, at: datetime) -> None:
    """Send what the state calls for. Protection may find that the position must be sold."""
    pursue_exit(draft)
    ensure_protected(draft)
    pursue_part(draft)
    pursue_exit(draft)
    settle_if_over(draft, at)
    state = draft.state
    if state.phase is TradePhase.SETTLED:
        if state.watches:
            draft.change(watches=())
            draft.send(SetWatches(()))
        return
    exiting = state.live_exit is not None
    opened = TradePhase.OPEN if state.bought > ZERO else TradePhase.ENTERING
    draft.change(phase=TradePhase.EXITING if exiting else opened)
    refresh_watches(draft)


def _tell(draft: TradeDraft, before: TradeState) -> None:
    """Write the trade down and tell the account, where something changed."""
    after = draft.state
    if after is before or after == before:
        return
    if before.bought == ZERO < after.bought:
        draft.note_event("trade_opened")
    if after.is_covered and not before.is_covered:
        draft.note_event("trade_protected")
    events: list[str | None] = [*draft.events]
    for event in events or [None]:
        draft.send(RecordTrade(event))
    settled = after.phase is TradePhase.SETTLED
    if settled or _matters_to_account(after, before):
        draft.send(ReportToAccount(closed=settled))


def _matters_to_account(after: TradeState, before: TradeState) -> bool:
    # A stop that trails moves often, and the account decides nothing by it.
    return summarise(after) != replace(summarise(before), stop_price=after.stop_price)


def _time_of(fact: TradeFact) -> datetime:
    return fact.fill.exchange_time if isinstance(fact, FillReported) else fact.at

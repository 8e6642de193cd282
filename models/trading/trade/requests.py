"""What people ask of a running trade, and the answers they get at once."""

from dataclasses import replace
from decimal import Decimal

from models.trading.answers import WAITING, Answer
from models.trading.exits.changes import judge_change, judge_rules, judge_sides
from models.trading.exits.requests import (
    ExitsChange,
    ExitsChangeRequested,
    PendingExits,
    changed_exits,
    numbers_of,
)
from models.trading.exits.rules import ExitRules
from models.trading.governance.approval import (
    ApprovalPolicy,
    ApprovalRequest,
    ApprovalSettled,
    ApprovalStatus,
    RequestApproval,
)
from models.trading.governance.subjects import Subject
from models.trading.identities import approval_id
from models.trading.trade.draft import TradeDraft
from models.trading.trade.exits.conditions import rules_of
from models.trading.trade.exits.sequence import want_exit
from models.trading.trade.facts import CloseRequested, StopMoveRequested
from models.trading.trade.figures import figures
from models.trading.trade.state import TradePhase, TradeState
from models.trading.verdicts import Verdict

MOST = Decimal(10) ** 15
NO_PRICE = ("no-market-data", "the pair's price is not known now, so no exit can be judged")
PENDING_MAXIMUM = 5
"""Changes of one trade's exits that may wait at once; the oldest gives way."""


def answer_close(draft: TradeDraft, fact: CloseRequested) -> Answer:
    """Take up a request to close now; asking again hurries a paused exit."""
    if draft.state.phase is TradePhase.SETTLED:
        return _answer(draft.state, "trade-closing", "the trade is settled")
    want_exit(draft, fact.reason, fact.price)
    return _answer(draft.state, "accepted", "the trade is being closed")


def answer_stop_move(draft: TradeDraft, fact: StopMoveRequested) -> Answer:
    """Check other exits and take them over; a stop moves up only, on the pair's tick."""
    state = draft.state
    refusal = _refuse_move(state, fact)
    if refusal is not None:
        return _answer(state, *refusal)
    instrument = state.plan.instrument
    if fact.stop_price is not None:
        draft.change(stop_price=instrument.floor_price(fact.stop_price))
    if fact.take_profit_price is not None:
        draft.change(take_profit_price=instrument.nearest_price(fact.take_profit_price))
    draft.note_event("exits_changed")
    return _answer(state, "accepted", "the exits are being moved")


def answer_exits_change(draft: TradeDraft, fact: ExitsChangeRequested) -> Answer:
    """Take over other exits; what protects less waits for a second person."""
    state = draft.state
    if state.phase is TradePhase.SETTLED or state.exit_wanted:
        return _answer(state, "trade-closing", "the trade is being closed")
    if any(not n.is_finite() or not 0 <= n < MOST for n in numbers_of(fact.change)):
        return _answer(state, "invalid-price", "exits are given in numbers from zero up")
    old = rules_of(state)
    new = changed_exits(old, fact.change, state.plan.instrument)
    refusal = _refuse_exits(state, new, fact.price, fact.change)
    if refusal is not None:
        return _answer(state, *refusal)
    worse = judge_change(old, new)
    if worse.allowed:
        _adopt_exits(draft, new)
        return _answer(state, "accepted", "the exits are being changed")
    plan = state.plan
    name = approval_id(plan.installation, plan.account, Subject.WORSE_PROTECTION, fact.request_id)
    known = tuple(p for p in state.pending_exits if p.approval_id != name)
    asked = PendingExits(name, new, fact.change, state.stop_price)
    draft.change(pending_exits=(*known, asked)[-PENDING_MAXIMUM:])
    draft.send(
        RequestApproval(
            ApprovalRequest(
                request_id=name,
                subject=Subject.WORSE_PROTECTION,
                requested_by=fact.by,
                detail=f"trade {plan.number} {plan.instrument.symbol}: {worse.reason}",
                requested_at=fact.at,
                expires_at=fact.at + ApprovalPolicy().expires_after,
                trade=plan.number,
                symbol=plan.instrument.symbol,
            )
        )
    )
    detail = f"a second person decides: {worse.reason}"
    return replace(_answer(state, WAITING, detail), approval=name)


def answer_settled_approval(draft: TradeDraft, fact: ApprovalSettled) -> Answer:
    """Take over exits that a second person approved, if they still make sense; once."""
    state = draft.state
    pending = next((p for p in state.pending_exits if p.approval_id == fact.request_id), None)
    if pending is None:
        return _answer(state, "approval-decided", "nothing waits for this approval any more")
    left = tuple(p for p in state.pending_exits if p is not pending)
    draft.change(pending_exits=left)
    if fact.status is not ApprovalStatus.APPROVED:
        return _answer(state, "accepted", "the exits stay as they are")
    if state.phase is TradePhase.SETTLED or state.exit_wanted:
        return _answer(state, "trade-closing", "the trade is being closed")
    new = _approved_exits(state, pending)
    if new is None:
        detail = f"the stop stands at {state.stop_price} by now: ask for the change again"
        return _answer(state, "outdated-change", detail)
    refusal = _refuse_exits(state, new, fact.market.last if fact.market else None)
    if refusal is not None:
        return _answer(state, *refusal)
    if new.stop_price < state.stop_price:
        draft.change(stop_lowered=True, trail_from=None)
    _adopt_exits(draft, new)
    return _answer(state, "accepted", "the exits are being changed")


def _approved_exits(state: TradeState, pending: PendingExits) -> ExitRules | None:
    """Return the exits of now with what was approved, and nothing else, changed.

    None where the approval has been overtaken: the stop was to go down, and stands elsewhere by
    now, so that it would go down further than the second person saw.
    """
    if pending.change is None:
        return None
    new = changed_exits(rules_of(state), pending.change, state.plan.instrument)
    moved = pending.stop_price != state.stop_price
    return None if new.stop_price < state.stop_price and moved else new


def _adopt_exits(draft: TradeDraft, rules: ExitRules) -> None:
    draft.change(
        exits=rules, stop_price=rules.stop_price, take_profit_price=rules.take_profit_price
    )
    draft.note_event("exits_changed")


def _refuse_exits(
    state: TradeState, rules: ExitRules, price: Decimal | None, change: ExitsChange | None = None
) -> tuple[str, str] | None:
    """Judge exits against the market of this moment, which must be known.

    Partial sales are held against the take-profit where the change touches either: those that
    the trade had before keep nobody from moving its stop.
    """
    reference = _judged_against(state, price)
    if reference is None:
        return NO_PRICE
    touched = change is not None and (change.partials or change.take_profit_price)
    paid = (figures(state).average_entry or reference) if touched else None
    return _refusal(judge_rules(rules, state.plan.instrument, reference, paid))


def _judged_against(state: TradeState, price: Decimal | None) -> Decimal | None:
    """Return the price that exits are judged by: the entry's limit, then the market's, if known."""
    bound = _entry_bound(state)
    if bound is not None:
        return bound
    return price if price is not None and price.is_finite() and price > 0 else None


def _refusal(verdict: Verdict) -> tuple[str, str] | None:
    return None if verdict.allowed else (verdict.failures[0].code, verdict.reason)


def _refuse_move(state: TradeState, fact: StopMoveRequested) -> tuple[str, str] | None:
    if state.phase is TradePhase.SETTLED or state.exit_wanted:
        return "trade-closing", "the trade is being closed"
    for price in (fact.stop_price, fact.take_profit_price):
        if price is not None and (not price.is_finite() or price <= 0):
            return "invalid-price", "prices must be positive numbers"
    instrument = state.plan.instrument
    stop = state.stop_price
    if fact.stop_price is not None:
        stop = instrument.floor_price(fact.stop_price)
        if stop < state.stop_price:
            return "worse-protection", f"the stop rests at {state.stop_price} and only moves up"
    target = state.take_profit_price
    if fact.take_profit_price is not None:
        target = instrument.nearest_price(fact.take_profit_price)
    reference = _judged_against(state, fact.price)
    if reference is None:
        return NO_PRICE
    return _refusal(judge_sides(stop, target, instrument, reference))


def _entry_bound(state: TradeState) -> Decimal | None:
    """Return the price that a stop may not reach before anything is bought."""
    return state.plan.entry.limit_price if not state.fills else None


def _answer(state: TradeState, code: str, detail: str) -> Answer:
    return Answer(request_id="", code=code, detail=detail, trade=state.plan.number)

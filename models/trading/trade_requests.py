"""What people ask of a running trade, and the answers they get at once."""

from decimal import Decimal

from models.trading.account_facts import Answer
from models.trading.trade_draft import TradeDraft
from models.trading.trade_exit import want_exit
from models.trading.trade_facts import CloseRequested, StopMoveRequested
from models.trading.trade_state import TradePhase, TradeState


def answer_close(draft: TradeDraft, fact: CloseRequested) -> Answer:
    """Take up a request to close now; asking again hurries a paused exit."""
    if draft.state.phase is TradePhase.SETTLED:
        return _answer(draft.state, "trade-closing", "the trade is settled")
    want_exit(draft, fact.reason)
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
    if target is not None and stop >= target:
        moved_target = fact.take_profit_price is not None
        code = "take-profit-on-wrong-side" if moved_target else "stop-on-wrong-side"
        return code, f"stop {stop} is not below take-profit {target}"
    market = _entry_bound(state)
    if market is not None and stop >= market:
        return "stop-on-wrong-side", f"stop {stop} is not below the entry limit {market}"
    return None


def _entry_bound(state: TradeState) -> Decimal | None:
    """Return the price that a stop may not reach before anything is bought."""
    return state.plan.entry.limit_price if not state.fills else None


def _answer(state: TradeState, code: str, detail: str) -> Answer:
    return Answer(request_id="", code=code, detail=detail, trade=state.plan.number)

"""The exits of a running trade beyond stop and target: what price or moment each waits for."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from models.trading.exits.rules import (
    ExitCause,
    ExitMoment,
    ExitPositionState,
    ExitRules,
    MoveStop,
    SellAll,
    decide_exits,
)
from models.trading.exits.rules import SellPart as PartDue
from models.trading.orders import Leg
from models.trading.trade.draft import TradeDraft
from models.trading.trade.exits.partial import part_to_sell, want_part
from models.trading.trade.exits.sequence import want_exit
from models.trading.trade.facts import ExitReason
from models.trading.trade.figures import figures
from models.trading.trade.state import ZERO, TradeState

ONE = Decimal(1)
STEP = Decimal("0.2")
"""A trailing stop follows in steps of this share of its distance."""

AGAIN = Decimal("0.001")
"""How much further the price must have come before a refused move to break-even is tried again."""

_REASONS = {
    ExitCause.TIME: ExitReason.TIME_STOP,
    ExitCause.PARTIAL: ExitReason.PARTIAL_PROFIT,
    ExitCause.TAKE_PROFIT: ExitReason.TAKE_PROFIT,
}


def rules_of(state: TradeState) -> ExitRules:
    """Return every exit in force, as people see and change them."""
    own = state.exits or ExitRules(state.stop_price, trailing_distance=state.plan.trailing_distance)
    return replace(own, stop_price=state.stop_price, take_profit_price=state.take_profit_price)


def trailing_distance(state: TradeState, price: Decimal) -> Decimal | None:
    """Return how far below a price the stop trails, in quote units; the shortest way counts."""
    rules = rules_of(state)
    distances = [rules.trailing_distance] if rules.trailing_distance is not None else []
    if rules.trailing_share is not None:
        distances.append(price * rules.trailing_share)
    if (by_range := _range_distance(state, rules)) is not None:
        distances.append(by_range)
    return min(distances, default=None)


def trailing_level(state: TradeState) -> Decimal | None:
    """Return the price from which the stop is due to follow by one step."""
    rules, tick = rules_of(state), state.plan.instrument.price_increment
    base = max(state.stop_price, state.trail_from or state.stop_price)
    levels = [
        base + distance + max(tick, distance * STEP)
        for distance in (rules.trailing_distance, _range_distance(state, rules))
        if distance is not None
    ]
    share = rules.trailing_share
    if share is not None and share * (1 + STEP) < ONE:
        levels.append(max(base / (1 - share * (1 + STEP)), (base + tick) / (1 - share)))
    return min(levels, default=None)


def next_gains(state: TradeState) -> tuple[Decimal | None, Decimal | None]:
    """Return the prices of the next partial sale and of the move to break-even, None: not due."""
    rules, entry = state.exits, figures(state).average_entry
    if rules is None or entry is None or not state.entry_is_done:
        return None, None
    partial = None
    if state.partials_taken < len(rules.partials):
        partial = entry * (1 + rules.partials[state.partials_taken].gain_share)
    even = None
    if rules.break_even_gain is not None:
        reached = state.plan.instrument.floor_price(entry * (1 + rules.break_even_offset))
        # From one tick above where the stop goes: at that price or below it would fire at once.
        usable = reached + state.plan.instrument.price_increment
        gained = max(entry * (1 + rules.break_even_gain), usable)
        if state.even_tried_at is not None:  # it was refused there: again a little further up
            gained = max(gained, state.even_tried_at * (1 + AGAIN))
        even = gained if state.stop_price < reached else None
    return partial, even


def closing_time(state: TradeState) -> datetime | None:
    """Return the market time at which the trade has lasted long enough."""
    if state.exits is None or state.exits.hold_maximum is None or state.opened_at is None:
        return None
    return state.opened_at + state.exits.hold_maximum


def apply_exits(draft: TradeDraft, price: Decimal, at: datetime) -> None:
    """Do what partial sales, break-even and time call for at a price and a moment."""
    state = draft.state
    entry, due = figures(state).average_entry, closing_time(state)
    if due is not None and at >= due:
        want_exit(draft, ExitReason.TIME_STOP, price)
        return
    if state.exits is None or entry is None or state.opened_at is None or state.exit_wanted:
        return
    rules = replace(
        rules_of(state), take_profit_price=None, trailing_share=None, trailing_multiple=None
    )
    leaving = part_to_sell(state)
    leaving += state.live_part.remaining if state.live_part is not None else ZERO
    position = ExitPositionState(
        instrument=state.plan.instrument,
        entry_price=entry,
        bought=state.bought,
        held=max(ZERO, state.held - leaving),
        opened_at=state.opened_at,
        stop_price=state.stop_price,
        highest_price=price,
        partials_taken=state.partials_taken,
    )
    decision = decide_exits(replace(rules, trailing_distance=None), position, ExitMoment(price, at))
    for action in decision.actions:
        match action:
            case SellAll(cause=cause):
                # Where the price is at the stop, the stop itself sells.
                if cause in _REASONS:
                    want_exit(draft, _REASONS[cause], price)
            case PartDue(quantity=quantity):
                want_part(draft, draft.state.sold + leaving + quantity, Leg.PART, price)
            case MoveStop(price=stop):
                draft.change(stop_price=max(stop, draft.state.stop_price))
    draft.change(partials_taken=decision.position.partials_taken)


def _range_distance(state: TradeState, rules: ExitRules) -> Decimal | None:
    common = state.plan.average_true_range
    if rules.trailing_multiple is None or common is None:
        return None
    return max(
        state.plan.instrument.price_increment,
        state.plan.instrument.floor_price(common * rules.trailing_multiple),
    )

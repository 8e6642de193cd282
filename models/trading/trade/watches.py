"""The prices and moments a trade waits for: target, trailing, partial sales, break-even, time.

A trailing stop is a stop that rests on the exchange and is amended upwards. It is watched at
``stop + trailing distance + step``; when the price gets there, the stop follows to one trailing
distance below. The step is the larger of one tick and a fifth of the trailing distance, so that a
rising market costs at most five amends per trailing distance: Kraken charges young orders for
every amend (kraken-protocol §4.2).
"""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from models.trading.trade.draft import TradeDraft
from models.trading.trade.exits.conditions import (
    apply_exits,
    closing_time,
    next_gains,
    trailing_distance,
    trailing_level,
)
from models.trading.trade.exits.sequence import want_exit
from models.trading.trade.facts import (
    Direction,
    ExitReason,
    PriceCrossed,
    PriceWatch,
    SetWatches,
    WatchKind,
)
from models.trading.trade.resting_entry import note_rest_over, resting_until
from models.trading.trade.state import ZERO, TradeState

Level = tuple[Decimal, datetime | None]


def note_crossing(draft: TradeDraft, fact: PriceCrossed) -> None:
    """Act on a watched price; a watch that was replaced since is ignored."""
    state = draft.state
    if not any(watch.watch_id == fact.watch_id for watch in state.watches):
        return
    if fact.kind is WatchKind.TAKE_PROFIT:
        want_exit(draft, ExitReason.TAKE_PROFIT, state.take_profit_price or fact.price)
    elif fact.kind is WatchKind.REST:
        note_rest_over(draft, fact)
    elif _ends_entry(state, fact):
        reason = state.entry_cancel_reason or ExitReason.ENTRY_NOT_FILLED
        draft.change(entry_cancel_wanted=True, entry_cancel_reason=reason)
    elif fact.kind is WatchKind.TRAIL:
        _follow(draft, fact.price)
    else:
        if fact.kind is WatchKind.BREAK_EVEN:
            _try_break_even_again(draft, fact.price)
        apply_exits(draft, fact.price, fact.at)


def _ends_entry(state: TradeState, fact: PriceCrossed) -> bool:
    """Tell whether the time is over within which the entry could fill."""
    until = state.plan.entry_until
    is_time = fact.kind is WatchKind.TIME and until is not None and fact.at >= until
    return is_time and not state.entry.status.is_final


def _try_break_even_again(draft: TradeDraft, price: Decimal) -> None:
    """Forget an earlier refusal: the price has come further, so the same stop may be taken now."""
    if draft.state.even_tried_at is not None:
        for order in draft.state.live_stops:
            draft.change_order(order, refused_trigger=None)
    draft.change(even_tried_at=price)


def _follow(draft: TradeDraft, price: Decimal) -> None:
    state, distance = draft.state, trailing_distance(draft.state, price)
    if distance is None:
        return
    stop = state.plan.instrument.floor_price(price - distance)
    draft.change(
        stop_price=max(stop, state.stop_price),
        trail_from=max(stop, state.trail_from or state.stop_price),
        trailed=state.trailed or stop > state.stop_price,
    )


def refresh_watches(draft: TradeDraft) -> None:
    """Bring the watches in line with the state; the id of a watch changes with its level."""
    state = draft.state
    levels = _wanted_levels(state)
    current = {watch.kind: watch for watch in state.watches}
    if levels == {kind: (watch.level, watch.due_at) for kind, watch in current.items()}:
        return
    generation = state.watch_generation + 1
    watches = tuple(
        current[kind]
        if kind in current and (current[kind].level, current[kind].due_at) == level
        else _watch(state, kind, level, generation)
        for kind, level in levels.items()
    )
    draft.change(watches=watches, watch_generation=generation)
    draft.send(SetWatches(watches))


def _wanted_levels(state: TradeState) -> dict[WatchKind, Level]:
    rests_until = resting_until(state)
    resting: dict[WatchKind, Level] = {}
    if rests_until is not None:
        resting[WatchKind.REST] = (ZERO, rests_until)
    if state.exit_wanted:
        return resting
    until = None if state.entry.status.is_final else state.plan.entry_until
    if state.held <= ZERO:
        if until is not None and not state.entry_cancel_wanted:
            resting[WatchKind.TIME] = (ZERO, until)
        return resting
    partial, even = next_gains(state)
    prices = {
        WatchKind.TAKE_PROFIT: state.take_profit_price,
        WatchKind.TRAIL: trailing_level(state),
        WatchKind.PARTIAL: partial,
        WatchKind.BREAK_EVEN: even,
    }
    instrument = state.plan.instrument
    levels: dict[WatchKind, Level] = {
        kind: (price if kind is WatchKind.TAKE_PROFIT else instrument.ceil_price(price), None)
        for kind, price in prices.items()
        if price is not None
    }
    moments = [closing_time(state), None if state.entry_cancel_wanted else until]
    due = min((moment for moment in moments if moment is not None), default=None)
    if due is not None:
        levels[WatchKind.TIME] = (ZERO, due)
    return levels | resting


def _watch(state: TradeState, kind: WatchKind, level: Level, generation: int) -> PriceWatch:
    plan = state.plan
    price, due_at = level
    blank = PriceWatch(
        watch_id="",
        account=plan.account,
        trade=plan.number,
        symbol=plan.instrument.symbol,
        kind=kind,
        direction=Direction.COMES if due_at is not None else Direction.RISES_TO,
        level=price,
        due_at=due_at,
    )
    name = f"{plan.account}/{plan.number}/{kind.value}/{generation}"
    return replace(blank, watch_id=name)

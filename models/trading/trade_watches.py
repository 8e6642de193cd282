"""The prices a trade waits for: its take-profit, and the next step of its trailing stop.

A trailing stop is a stop that rests on the exchange and is amended upwards. It is watched at
``stop + trailing distance + step``; when the price gets there, the stop follows to one trailing
distance below. The step is the larger of one tick and a fifth of the trailing distance, so that a
rising market costs at most five amends per trailing distance: Kraken charges young orders for
every amend (kraken-protocol §4.2).
"""

from dataclasses import replace
from decimal import Decimal

from models.trading.trade_draft import TradeDraft
from models.trading.trade_exit import want_exit
from models.trading.trade_facts import (
    Direction,
    ExitReason,
    PriceCrossed,
    PriceWatch,
    SetWatches,
    WatchKind,
)
from models.trading.trade_state import ZERO, TradeState


def note_crossing(draft: TradeDraft, fact: PriceCrossed) -> None:
    """Act on a watched price; a watch that was replaced since is ignored."""
    state = draft.state
    if not any(watch.watch_id == fact.watch_id for watch in state.watches):
        return
    if fact.kind is WatchKind.TAKE_PROFIT:
        want_exit(draft, ExitReason.TAKE_PROFIT)
    elif state.plan.trailing_distance is not None:
        stop = state.plan.instrument.floor_price(fact.price - state.plan.trailing_distance)
        raised = stop > state.stop_price
        draft.change(
            stop_price=max(stop, state.stop_price),
            trail_from=max(stop, state.trail_from or state.stop_price),
            trailed=state.trailed or raised,
        )


def trailing_step(state: TradeState) -> Decimal:
    """Return by how much the price must outrun the stop before the stop follows, in quote units."""
    distance = state.plan.trailing_distance or ZERO
    return max(state.plan.instrument.price_increment, distance / 5)


def refresh_watches(draft: TradeDraft) -> None:
    """Bring the watches in line with the state; the id of a watch changes with its level."""
    state = draft.state
    levels = _wanted_levels(state)
    current = {watch.kind: watch for watch in state.watches}
    if levels == {kind: watch.level for kind, watch in current.items()}:
        return
    generation = state.watch_generation + 1
    watches = tuple(
        current[kind]
        if kind in current and current[kind].level == level
        else _watch(state, kind, level, generation)
        for kind, level in levels.items()
    )
    draft.change(watches=watches, watch_generation=generation)
    draft.send(SetWatches(watches))


def _wanted_levels(state: TradeState) -> dict[WatchKind, Decimal]:
    levels: dict[WatchKind, Decimal] = {}
    if state.exit_wanted or state.held <= ZERO:
        return levels
    if state.take_profit_price is not None:
        levels[WatchKind.TAKE_PROFIT] = state.take_profit_price
    distance = state.plan.trailing_distance
    if distance is not None:
        base = max(state.stop_price, state.trail_from or state.stop_price)
        level = base + distance + trailing_step(state)
        levels[WatchKind.TRAIL] = state.plan.instrument.ceil_price(level)
    return levels


def _watch(state: TradeState, kind: WatchKind, level: Decimal, generation: int) -> PriceWatch:
    plan = state.plan
    blank = PriceWatch(
        watch_id="",
        account=plan.account,
        trade=plan.number,
        symbol=plan.instrument.symbol,
        kind=kind,
        direction=Direction.RISES_TO,
        level=level,
    )
    name = f"{plan.account}/{plan.number}/{kind.value}/{generation}"
    return replace(blank, watch_id=name)

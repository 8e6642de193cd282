"""An entry that rests before it crosses: how it follows the bid, and how that ends.

It is one order from beginning to end: it rests post-only at the best bid of its decision, is
amended up to a better bid at each end of its time, then amended to the collar's limit without
post-only, where it takes, or is withdrawn. What it buys meanwhile is protected from the first fill
like every entry's. The moments are those of market time, watched like every other: what restarts
meanwhile goes on with them.
"""

from datetime import datetime, timedelta
from decimal import Decimal

from models.trading.execution import EntryStyle
from models.trading.orders import OrderStatus
from models.trading.trade.draft import TradeDraft
from models.trading.trade.entry_facts import AmendEntry, EntryAmended, EntryAmendRefused
from models.trading.trade.facts import ExitReason, PriceCrossed, ResolveOrderStatus
from models.trading.trade.state import TradeState

CROSSING_TIME = timedelta(seconds=2)
"""Market time that what is left of a crossing entry stays at its limit before it is withdrawn."""


def is_resting(state: TradeState) -> bool:
    """Tell whether the entry rests by plan and nobody has withdrawn it."""
    if state.plan.entry_style is EntryStyle.TAKE or state.entry.status.is_final:
        return False
    return not (state.exit_wanted or state.entry_cancel_wanted)


def resting_until(state: TradeState) -> datetime | None:
    """Return the market time at which the entry's price is looked at next."""
    if not is_resting(state):
        return None
    since = state.rests_since or state.plan.decided_at
    return since + (CROSSING_TIME if state.entry_crossed else state.plan.execution.rest_time)


def note_rest_over(draft: TradeDraft, fact: PriceCrossed) -> None:
    """Follow the bid, cross or give up, as far as the entry's time and moves go."""
    state = draft.state
    if not is_resting(state):
        return
    draft.change(rests_since=fact.at)
    entry = state.entry
    settled = entry.status is OrderStatus.OPEN and not entry.gone and not entry.pending_cancel
    if not settled or entry.order_id is None or state.entry_amend is not None:
        return  # what becomes of it is not known yet: it is looked at again
    ceiling = state.plan.entry_ceiling
    if state.entry_crossed or ceiling is None:
        _give_up(draft)
        return
    bid = state.plan.instrument.floor_price(fact.bid) if fact.bid is not None else None
    within = bid is not None and bid <= ceiling
    if within and bid is not None and state.entry_moves < state.plan.execution.reprices:
        draft.change(entry_moves=state.entry_moves + 1)
        if bid > limit_of(state):
            _amend(draft, bid, post_only=True)
    elif state.plan.entry_style is EntryStyle.REST_THEN_TAKE:
        draft.change(entry_crossed=True)
        draft.note_event("entry_crosses")
        _amend(draft, ceiling, post_only=False)
    else:
        _give_up(draft)


def note_entry_amend(draft: TradeDraft, fact: EntryAmended | EntryAmendRefused) -> None:
    """Take over the limit that the entry rests at now; refused, it stays where it is.

    An answer to an older amend is ignored. After a refusal the next moment decides again.
    """
    wanted = draft.state.entry_amend
    if isinstance(fact, EntryAmended):
        if wanted == fact.limit_price:
            draft.change(entry_limit=fact.limit_price, entry_amend=None)
        return
    if wanted is None:
        return
    draft.note_refusal(f"entry amend: {fact.reason}")
    draft.change(entry_amend=None)
    if fact.order_is_gone:
        draft.send(ResolveOrderStatus((fact.order_id,)))


def amend_again(draft: TradeDraft) -> None:
    """Ask once more for an amend whose answer never came; to the same figures it is harmless."""
    state = draft.state
    entry, wanted = state.entry, state.entry_amend
    if wanted is None:
        return
    if entry.status.is_final or entry.order_id is None:
        draft.change(entry_amend=None)
        return
    draft.send(AmendEntry(entry.order_id, wanted, not state.entry_crossed))


def limit_of(state: TradeState) -> Decimal:
    """Return the limit that the entry rests at."""
    planned = state.plan.entry.limit_price
    assert planned is not None
    return state.entry_limit if state.entry_limit is not None else planned


def _amend(draft: TradeDraft, limit: Decimal, *, post_only: bool) -> None:
    order_id = draft.state.entry.order_id
    assert order_id is not None
    draft.change(entry_amend=limit)
    draft.send(AmendEntry(order_id, limit, post_only))


def _give_up(draft: TradeDraft) -> None:
    reason = draft.state.entry_cancel_reason or ExitReason.ENTRY_NOT_FILLED
    draft.change(entry_cancel_wanted=True, entry_cancel_reason=reason)

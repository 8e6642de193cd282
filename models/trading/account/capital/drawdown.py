"""Watching an account's drawdown, and closing its day (R-4).

Every fact that brings a price, an execution or a flow is followed by a mark. Between a boundary and
the closing of the day that ended there losses count against that day's opening; a day that waits
too long for its closing stops entries.
"""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from functools import lru_cache

from models.trading.account import halts
from models.trading.account.capital.facts import (
    DayBoundaryPassed,
    PricesMarked,
    RecordBaseline,
    RecordDay,
)
from models.trading.account.decision import AccountDecision
from models.trading.account.equity import base_of, holdings, valuation, value_of
from models.trading.account.facts import AccountCommand, CloseTrades, RecordAccount
from models.trading.account.figures import newer, why_outdated
from models.trading.account.settings.in_force import rules_of_account
from models.trading.account.state import ZERO, AccountState, Halt, HaltKind
from models.trading.capital.days import DayClosed, DayFigures, close_day
from models.trading.capital.flows import NavBaseline
from models.trading.risk import account_losses
from models.trading.risk.drawdown import (
    Breach,
    DrawdownState,
    DueDay,
    Marked,
    mark,
    note_flow,
    size_factor,
    start,
)
from models.trading.risk.drawdown_limits import DrawdownLimits, PositionsOnHalt
from models.trading.trade.facts import ExitReason
from models.trading.trading_day import DayRule, day_of, next_boundary

FIRST_BASELINE = "first measured"
HALT_KINDS = {Breach.DAILY: HaltKind.DAILY_DRAWDOWN, Breach.TOTAL: HaltKind.TOTAL_DRAWDOWN}

_next_boundary = lru_cache(maxsize=512)(next_boundary)


def on_prices_marked(state: AccountState, fact: PricesMarked) -> AccountState:
    """Take in prices unless newer ones are known; what has grown too old is known no more."""
    # Twice as long as was promised: one telling may be lost on its way.
    due = None if fact.again_within is None else fact.at + 2 * fact.again_within
    if state.market_time is not None and fact.at < state.market_time:
        # What is late takes no promise back.
        later = max(filter(None, (state.prices_due, due)), default=None)
        return replace(state, prices={**fact.prices, **state.prices}, prices_due=later)
    known = {name: price for name, price in state.prices.items() if name not in fact.unpriced}
    moved = with_clock(state, fact.at, fact.sent_at)
    return replace(moved, prices={**known, **fact.prices}, prices_due=due)


def with_clock(state: AccountState, market_time: datetime, sent_at: datetime) -> AccountState:
    """Move the account's market time on, and note when that was."""
    times = state.figure_times
    if state.market_time is None or market_time > state.market_time:
        times = replace(times, clock=newer(times.clock, sent_at))
    return replace(state, market_time=market_time, figure_times=times)


def watch(state: AccountState, sent_at: datetime) -> AccountDecision:
    """Measure an account at its newest market time, and halt it at a hard level.

    While the price of something held is not known nothing can be measured, and no entry is taken.
    """
    at = state.market_time
    if at is None or not state.balances or not state.instruments:
        return AccountDecision(state, ())
    worth = valuation(state)
    if worth.value is None:
        return _halted(state, Halt(HaltKind.UNMEASURED, worth.reason, sent_at))
    measured, commands = _lifted(state, HaltKind.UNMEASURED)
    decision = _measure(measured, worth.value, at, sent_at)
    losses = account_losses.watch_losses(decision.state, at, sent_at)
    more = tuple(c for c in losses.commands if c not in decision.commands)
    return AccountDecision(losses.state, (*commands, *decision.commands, *more))


def watch_figures(state: AccountState, sent_at: datetime) -> AccountDecision:
    """Take no entries while a figure that rules use is unknown, and take them again after.

    Before the exchange has answered nothing is known at all, which is a halt of its own.
    """
    if any(halt.kind is HaltKind.NO_EXCHANGE for halt in state.halts) or not state.instruments:
        return AccountDecision(state, ())
    limits = rules_of_account(state.settings).figures
    reason = why_outdated(state.figure_times, limits, sent_at)
    if reason:
        return _halted(state, Halt(HaltKind.OUTDATED, reason, sent_at))
    known, commands = _lifted(state, HaltKind.OUTDATED)
    return AccountDecision(known, commands)


def _measure(
    state: AccountState, equity: Decimal, at: datetime, sent_at: datetime
) -> AccountDecision:
    if state.drawdown is None:
        return _begin(state, equity, at)
    if state.waiting_flows or day_is_due(state, at):
        return _measure_due(state, state.drawdown, equity, at, sent_at)
    limits = state.drawdown_limits
    marked = mark(state.drawdown, limits, equity, at)
    seen = replace(state, drawdown=marked.state)
    if marked.breaches:
        return _halt(seen, marked, limits, sent_at)
    changed = marked.size_factor != size_factor(state.drawdown, limits)
    return AccountDecision(seen, (RecordAccount(),) if changed else ())


def _measure_due(
    state: AccountState, drawdown: DrawdownState, equity: Decimal, at: datetime, sent_at: datetime
) -> AccountDecision:
    """Measure against the opening of a day that has ended until the next one stands.

    What came in since belongs to the next day; so do the figures by which this one will be closed.
    """
    due = state.day_due or DueDay(sent_at, drawdown.equity, drawdown.lowest_growth)
    limits = state.drawdown_limits
    later = sum((flow.value for flow in state.waiting_flows), ZERO)
    marked = mark(drawdown, limits, equity - later, at)
    seen = replace(state, drawdown=marked.state, day_due=due)
    decision = AccountDecision(seen, ())
    if marked.breaches:
        decision = _halt(seen, marked, limits, sent_at)
    waited = sent_at - due.since
    if waited <= limits.day_overdue_after:
        return decision
    reason = f"the day of {drawdown.day} has not been closed for {int(waited.total_seconds())} s"
    overdue = _halted(decision.state, Halt(HaltKind.DAY_OVERDUE, reason, sent_at))
    return AccountDecision(overdue.state, (*decision.commands, *overdue.commands))


def _halted(state: AccountState, halt: Halt) -> AccountDecision:
    """Stop entries for a reason that stands until it has gone; known already: nothing changes."""
    if any(known.kind is halt.kind for known in state.halts):
        return AccountDecision(state, ())
    details = (("kind", halt.kind.value), ("reason", halt.reason))
    standing = replace(state, halts=halts.with_halt(state.halts, halt))
    return AccountDecision(standing, (RecordAccount("entries_halted", details=details),))


def _lifted(state: AccountState, kind: HaltKind) -> tuple[AccountState, tuple[AccountCommand, ...]]:
    standing = halts.without(state.halts, kind)
    if standing == state.halts:
        return state, ()
    lifted = RecordAccount("entries_free_again", details=(("kind", kind.value),))
    return replace(state, halts=standing), (lifted,)


def day_is_due(state: AccountState, at: datetime) -> bool:
    """Tell whether the running day has ended at a market time and is not closed yet."""
    drawdown = state.drawdown
    return drawdown is not None and boundary_after(state.day, drawdown.opened_at) <= at


def boundary_after(rule: DayRule, opened_at: datetime) -> datetime:
    """Return when a day that opened at a moment ends."""
    return _next_boundary(rule, opened_at).at


def on_day_boundary(state: AccountState, fact: DayBoundaryPassed) -> AccountDecision:
    """Close the day that ended at a boundary, once; only the daily halt is lifted."""
    drawdown, boundary = state.drawdown, fact.boundary
    if drawdown is None or boundary.at <= drawdown.opened_at:
        return AccountDecision(state, ())
    equity = _equity_at(state, fact)
    if state.day_due is not None:  # what was measured since belongs to the day that opens
        due = state.day_due
        drawdown = replace(drawdown, equity=due.equity, lowest_growth=due.lowest_growth)
    figures = DayFigures(
        equity if equity is not None else drawdown.equity, fact.realised, fact.fees
    )
    closed = close_day(drawdown, figures, boundary.at, boundary.opens)
    assert closed.record is not None
    opened = _with_waiting_flows(
        replace(
            state,
            drawdown=closed.state,
            halts=halts.without(state.halts, HaltKind.DAILY_DRAWDOWN),
            day_due=None,
        )
    )
    opened, freed = _lifted(opened, HaltKind.DAY_OVERDUE)
    rolled = account_losses.roll(opened, boundary.opens)
    seen = watch(rolled.state, fact.sent_at)
    commands = (RecordDay(closed.record), _closed(closed), *freed, *rolled.commands, *seen.commands)
    return AccountDecision(seen.state, commands)


def is_beginning(reason: str) -> bool:
    """Tell whether a baseline is one that measuring began with."""
    return reason.startswith(FIRST_BASELINE)


def _begin(state: AccountState, equity: Decimal, at: datetime) -> AccountDecision:
    drawdown = start(equity, day_of(state.day, at), at)
    begun = replace(state, drawdown=drawdown, measured_since=at)
    reason = f"{FIRST_BASELINE} as {state.mode.value}"
    baseline = RecordBaseline(NavBaseline(at, equity, reason))
    return AccountDecision(begun, (RecordAccount(), baseline))


def _halt(
    state: AccountState, marked: Marked, limits: DrawdownLimits, sent_at: datetime
) -> AccountDecision:
    commands: list[AccountCommand] = [*halts.withdraw_all(state, ExitReason.DRAWDOWN)]
    if marked.close_positions and state.trades:
        commands.append(CloseTrades(tuple(state.trades), ExitReason.DRAWDOWN, "aether"))
    standing = state.halts
    for breach in marked.breaches:
        daily = breach is Breach.DAILY
        lost = marked.state.daily_share if daily else marked.state.total_share
        limit = limits.hard_share if daily else limits.total_share
        since = "today" if daily else "from the best"
        reason = f"down {lost:.2%} {since}, {limit:.2%} allowed"
        standing = halts.with_halt(standing, Halt(HALT_KINDS[breach], reason, sent_at))
        commands.append(RecordAccount("drawdown_halted", details=_reached(breach, lost, limits)))
    return AccountDecision(replace(state, halts=standing), tuple(commands))


def _reached(breach: Breach, lost: Decimal, limits: DrawdownLimits) -> tuple[tuple[str, str], ...]:
    limit = limits.hard_share if breach is Breach.DAILY else limits.total_share
    positions = "closed" if limits.positions is PositionsOnHalt.CLOSE else "kept protected"
    return (
        ("level", breach.value),
        ("lost", f"{lost:.6f}"),
        ("allowed", f"{limit:f}"),
        ("positions", positions),
    )


def _closed(closed: DayClosed) -> RecordAccount:
    record = closed.record
    assert record is not None
    details = (
        ("day", record.day.isoformat()),
        ("boundary", record.closed_at.isoformat()),
        ("opening", f"{record.opening_equity:f}"),
        ("closing", f"{record.closing_equity:f}"),
        ("flows", f"{record.flows:f}"),
        ("profit", f"{record.profit:f}"),
        ("halt_lifted", str(closed.halt_lifted).lower()),
    )
    return RecordAccount("day_closed", details=details)


def _equity_at(state: AccountState, fact: DayBoundaryPassed) -> Decimal | None:
    """Return equity at the boundary: what is held now, less what came after, at prices then."""
    held = _held_by_the_record(state, fact)
    for asset, amount in fact.moved.items():
        held[asset] = held.get(asset, ZERO) - amount
    for flow in state.waiting_flows:
        if flow.at >= fact.boundary.at:
            held[flow.asset] = held.get(flow.asset, ZERO) - flow.amount
    return value_of(state, held, {**state.prices, **fact.prices}).value


def _held_by_the_record(state: AccountState, fact: DayBoundaryPassed) -> dict[str, Decimal]:
    """Return what is held now, with what is recorded and still on its way to the account."""
    held = holdings(state)
    for number, executed in fact.executed.items():
        known = state.trades.get(number)
        if known is None:
            continue
        base = base_of(state, known.symbol)
        more = executed.bought - executed.sold - (known.bought - known.sold)
        held[base] = held.get(base, ZERO) + more
        held["USD"] += executed.cash_flow - known.cash_flow
    return held


def _with_waiting_flows(state: AccountState) -> AccountState:
    """Count the flows of the day that just opened, as if they had come at its beginning."""
    drawdown: DrawdownState | None = state.drawdown
    assert drawdown is not None
    waiting = []
    for flow in state.waiting_flows:
        if boundary_after(state.day, drawdown.opened_at) <= flow.at:
            waiting.append(flow)
        else:
            drawdown = note_flow(drawdown, flow.value, drawdown.equity)
    return replace(state, drawdown=drawdown, waiting_flows=tuple(waiting))

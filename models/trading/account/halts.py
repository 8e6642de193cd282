"""Why an account stops taking entries, and what lifts each reason."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from models.trading.account.decision import AccountDecision
from models.trading.account.facts import (
    AccountCommand,
    AcknowledgeKillSwitch,
    CloseTrades,
    ExchangeLost,
    ExchangeReady,
    ForeignInstanceMet,
    HaltRequested,
    KillSwitchEngaged,
    KillSwitchLifted,
    RecordAccount,
    ResumeRequested,
    WithdrawEntries,
)
from models.trading.account.figures import FigureTimes, newer
from models.trading.account.state import AccountState, Halt, HaltKind, PairStop
from models.trading.answers import Answer
from models.trading.instruments import Instrument, InstrumentStatus
from models.trading.risk.limits import FeeRates
from models.trading.trade.facts import ExitReason
from models.trading.trade.state import TradeSummary

LIFTED_BY_PEOPLE = (HaltKind.REQUESTED, HaltKind.HOLDING_SHORT, HaltKind.FOREIGN_INSTANCE)
ADOPTION_MARGIN = timedelta(seconds=1)
"""Clocks of two processes may differ by this much."""


def on_exchange_ready(state: AccountState, fact: ExchangeReady) -> AccountDecision:
    """Take over pairs and fees, and lift or set what depends on the exchange."""
    halts = without(without(state.halts, HaltKind.NO_EXCHANGE), HaltKind.COOLING_DOWN)
    if fact.orders_consistent:
        halts = without(halts, HaltKind.INCONSISTENT)
    elif fact.orders_consistent is False:
        reason = "the exchange and the record differ"
        halts = with_halt(halts, Halt(HaltKind.INCONSISTENT, reason, fact.at))
    ready = replace(
        state,
        instruments=_known_pairs(state.instruments, fact.instruments),
        fees=_usable(fact.fees) if fact.fees else state.fees,
        figure_times=_times_of(state, fact),
        halts=halts,
    )
    action = "exchange_ready" if halts != state.halts else None
    return AccountDecision(ready, (RecordAccount(action),))


def _times_of(state: AccountState, fact: ExchangeReady) -> FigureTimes:
    """Note when fee rates were told; a pair without one pays the dearest from then on."""
    times = state.figure_times
    told = bool(_usable(fact.fees))
    return replace(times, fees=newer(times.fees, fact.at)) if told else times


def _usable(fees: Mapping[str, FeeRates]) -> dict[str, FeeRates]:
    """Return the rates that can be any: no schedule lets a taker trade for nothing."""
    return {
        symbol: rates
        for symbol, rates in fees.items()
        if rates.maker.is_finite()
        and rates.taker.is_finite()
        and 0 <= rates.maker < 1
        and 0 < rates.taker < 1
    }


def _known_pairs(
    known: Mapping[str, Instrument], told: Mapping[str, Instrument]
) -> dict[str, Instrument]:
    """Return the pairs told of now, and those that are gone as delisted.

    Something may still be held in one that is gone, and whoever decides on it needs its steps.
    """
    gone = {
        symbol: replace(pair, status=InstrumentStatus.DELISTED)
        for symbol, pair in known.items()
        if symbol not in told
    }
    return {**gone, **told}


def is_at_rest(state: AccountState, fact: ExchangeReady) -> bool:
    """Tell whether the exchange's totals and our own count are of one moment."""
    # While a trade is open the exchange's total and the fills we were told of may be of two
    # moments. Our own count is exact, for it moves with fills only; so it stands until all is at
    # rest, and then the totals tell of what came from outside.
    if state.trades:
        return False
    return state.traded_at is None or state.traded_at + ADOPTION_MARGIN < fact.at


def on_exchange_lost(state: AccountState, fact: ExchangeLost) -> AccountDecision:
    """Place nothing until the exchange is ready again, or may be asked again."""
    kind = HaltKind.NO_EXCHANGE if fact.cooling is None else HaltKind.COOLING_DOWN
    halts = with_halt(state.halts, Halt(kind, fact.reason, fact.at))
    if halts == state.halts:
        return AccountDecision(state, ())
    record = RecordAccount("exchange_lost", details=(("reason", fact.reason),))
    return AccountDecision(replace(state, halts=halts), (record,))


def on_kill_switch(state: AccountState, fact: KillSwitchEngaged) -> AccountDecision:
    """Halt, withdraw entries, flatten if asked; a repeat is acknowledged and not repeated."""
    known = any(h.kind is HaltKind.KILL_SWITCH and h.number == fact.number for h in state.halts)
    known = known or any(stop.number == fact.number for stop in state.pair_stops)
    if known or lifted_name(fact.number) in state.recent_requests:
        return AccountDecision(state, (AcknowledgeKillSwitch(fact.number),))
    stopped = _stopped(state, fact)
    commands: list[AccountCommand] = [*withdraw_all(state, ExitReason.KILL_SWITCH, fact.symbols)]
    trades = [t.number for t in state.trades.values() if concerns(fact.symbols, t.symbol)]
    if fact.flatten and trades:
        commands.append(CloseTrades(tuple(trades), ExitReason.KILL_SWITCH, fact.by))
    details = (
        ("number", str(fact.number)),
        ("reason", fact.reason),
        ("flatten", str(fact.flatten).lower()),
        *((("symbols", ", ".join(fact.symbols)),) if fact.symbols else ()),
    )
    commands += [
        AcknowledgeKillSwitch(fact.number),
        RecordAccount("kill_switch_engaged", fact.by, details),
    ]
    return AccountDecision(stopped, tuple(commands))


def _stopped(state: AccountState, fact: KillSwitchEngaged) -> AccountState:
    if fact.symbols:
        stop = PairStop(fact.number, fact.symbols, fact.reason, fact.at)
        return replace(state, pair_stops=(*state.pair_stops, stop))
    halt = Halt(HaltKind.KILL_SWITCH, fact.reason, fact.at, fact.number)
    return replace(state, halts=(*state.halts, halt))


def concerns(symbols: tuple[str, ...], symbol: str) -> bool:
    """Tell whether a kill switch of these pairs (none: of all) concerns a pair."""
    return not symbols or symbol in symbols


def on_kill_switch_lifted(state: AccountState, fact: KillSwitchLifted) -> AccountDecision:
    """Lift the halt of this kill switch and of no other; remember it against late repeats."""
    name = lifted_name(fact.number)
    if name in state.recent_requests:
        return AccountDecision(state, ())
    halts = tuple(
        h for h in state.halts if not (h.kind is HaltKind.KILL_SWITCH and h.number == fact.number)
    )
    stops = tuple(stop for stop in state.pair_stops if stop.number != fact.number)
    lifted = replace(remember(state, name), halts=halts, pair_stops=stops)
    details = (("number", str(fact.number)),)
    return AccountDecision(lifted, (RecordAccount("kill_switch_lifted", fact.by, details),))


def with_blocked(
    state: AccountState, known: TradeSummary, summary: TradeSummary, at: datetime
) -> AccountState:
    """Halt while the exchange goes on refusing what a trade needs, or coins are missing.

    The first ends when no trade is blocked any more; the second when somebody resumes, for nobody
    knows where the coins are. More of them missing than before halts again.
    """
    blocked = [t for t in state.trades.values() if t.blocked]
    halts = without(state.halts, HaltKind.REQUEST_BLOCKED)
    if blocked:
        reason = "; ".join(f"trade {t.number}: {t.blocked}" for t in blocked)[:500]
        before = next((h for h in state.halts if h.kind is HaltKind.REQUEST_BLOCKED), None)
        since = at if before is None else before.since
        halts = (*halts, Halt(HaltKind.REQUEST_BLOCKED, reason, since))
    if summary.unexplained > known.unexplained:
        reason = f"trade {summary.number}: {summary.unexplained} of {summary.symbol} bought here is"
        short = Halt(HaltKind.HOLDING_SHORT, f"{reason} not held by the exchange", at)
        halts = with_halt(halts, short)
    return state if halts == state.halts else replace(state, halts=halts)


def on_foreign_instance(state: AccountState, fact: ForeignInstanceMet) -> AccountDecision:
    """Take no entries until somebody resumes: only people can end the other instance."""
    reason = (
        f"order {fact.order_id} on this key was placed by another instance of the platform: "
        "stop that one for good, or give it a key of its own, then resume"
    )
    halts = with_halt(state.halts, Halt(HaltKind.FOREIGN_INSTANCE, reason, fact.at))
    if halts == state.halts:
        return AccountDecision(state, ())
    halted = replace(state, halts=halts)
    details = (("order_id", fact.order_id),)
    return AccountDecision(halted, (RecordAccount("foreign_instance", details=details),))


def on_halt(state: AccountState, fact: HaltRequested) -> AccountDecision:
    """Take no entries until somebody resumes."""
    halt = Halt(HaltKind.REQUESTED, fact.reason, fact.at)
    halted = replace(state, halts=with_halt(state.halts, halt))
    details = (("reason", fact.reason),)
    return AccountDecision(halted, (RecordAccount("halted", fact.by, details),))


def on_resume(state: AccountState, fact: ResumeRequested) -> AccountDecision:
    """Lift the requested halt, and those that only people can judge; others stay.

    So does one that began after this was asked: a request that comes so late is a repeat from
    before, and whoever asked did not know of the halt.
    """
    later = [h for h in state.halts if h.kind in LIFTED_BY_PEOPLE and h.since > fact.at]
    if later:
        detail = f"the account was halted after this was asked: {later[0].reason}"
        return AccountDecision(state, (), Answer(fact.request_id, "halted-since", detail))
    halts = tuple(h for h in state.halts if h.kind not in LIFTED_BY_PEOPLE)
    resumed = replace(state, halts=halts)
    left = ", ".join(sorted({h.kind.value for h in resumed.halts}))
    detail = f"still halted: {left}" if left else "the account takes entries"
    answer = Answer(fact.request_id, "accepted", detail)
    return AccountDecision(resumed, (RecordAccount("resumed", fact.by),), answer)


def with_halt(halts: tuple[Halt, ...], halt: Halt) -> tuple[Halt, ...]:
    """Add a halt unless one of its kind stands: the first reason and time are kept."""
    return halts if any(h.kind is halt.kind for h in halts) else (*halts, halt)


def without(halts: tuple[Halt, ...], kind: HaltKind) -> tuple[Halt, ...]:
    """Drop the halts of one kind."""
    return tuple(h for h in halts if h.kind is not kind)


REMEMBERED = 200
"""Requests and answers kept; a repeat that comes later than this many others is obeyed again."""


def remember(state: AccountState, name: str) -> AccountState:
    """Note that something was dealt with."""
    return replace(state, recent_requests=(*state.recent_requests, name)[-REMEMBERED:])


def lifted_name(number: int) -> str:
    """Return the name under which the lift of a kill switch is remembered."""
    return f"kill-switch/{number}/lifted"


def withdraw_all(
    state: AccountState, reason: ExitReason, symbols: tuple[str, ...] = ()
) -> tuple[WithdrawEntries, ...]:
    """Return the withdrawal of every open entry (in some pairs only), if there is any."""
    entering = [t for t in state.trades.values() if t.entry_open and concerns(symbols, t.symbol)]
    if not entering:
        return ()
    numbers = tuple(t.number for t in entering)
    ids = tuple(t.entry_order_id for t in entering if t.entry_order_id is not None)
    return (WithdrawEntries(numbers, ids, reason),)

"""Changing an account's mode: refused while anything is left in the present one (S-3, S-4).

With the mode everything changes that is of an exchange: balances, prices of what is held, what
profit and loss are measured from. So the account begins anew with what the other exchange tells,
and takes no entries until that has answered.
"""

from dataclasses import replace

from models.trading.account.decision import AccountDecision
from models.trading.account.entries.basis import CostBudget
from models.trading.account.facts import ChangeExchange, ModeChangeRequested, RecordAccount
from models.trading.account.halts import with_halt
from models.trading.account.state import ZERO, AccountState, Halt, HaltKind
from models.trading.answers import Answer
from models.trading.governance.going_live import (
    LiveConditions,
    judge_going_live,
    judge_mode_switch,
    needs_live_conditions,
)
from models.trading.hedge.book import HedgeBook
from models.trading.risk.portfolio import LossStreak
from models.trading.verdicts import Check, Verdict

WAITING = "the mode was changed: the exchange of the new one has not answered yet"


def on_mode(
    state: AccountState, fact: ModeChangeRequested, conditions: LiveConditions
) -> AccountDecision:
    """Change the mode, or refuse with every condition that does not hold."""
    if fact.mode is state.mode:
        answer = Answer(fact.request_id, "accepted", f"the account is {state.mode.value}")
        return AccountDecision(state, (), answer)
    verdict = judge_mode(state, fact, conditions)
    if not verdict.allowed:
        return _refused(state, fact, verdict)
    number = fact.live.request if fact.live is not None else None
    halt = Halt(HaltKind.NO_EXCHANGE, WAITING, fact.at)
    changed = replace(_without_figures(state), mode=fact.mode, halts=with_halt(state.halts, halt))
    details = (("mode", fact.mode.value), ("before", state.mode.value))
    commands = (
        RecordAccount("mode_set", fact.by, details),
        ChangeExchange(fact.mode, fact.by, fact.at, state.market_time, verdict, number),
    )
    answer = Answer(
        fact.request_id, "accepted", f"the account is {fact.mode.value}", verdict=verdict
    )
    return AccountDecision(changed, commands, answer)


def judge_mode(
    state: AccountState, fact: ModeChangeRequested, conditions: LiveConditions
) -> Verdict:
    """Apply the conditions; what the account knows itself overrides what was gathered."""
    orders, positions = open_orders(state), positions_held(state)
    if not needs_live_conditions(state.mode, fact.mode):
        return judge_mode_switch(orders, positions)
    if fact.live is None:
        reason = "the conditions of going live could not be checked"
        return Verdict((Check("S-4", "live-refused", passed=False, reason=reason),))
    facts = replace(
        fact.live,
        open_orders=orders,
        positions=positions,
        halts=tuple(sorted({halt.kind.value for halt in state.halts})),
    )
    return judge_going_live(facts, conditions, fact.at)


def open_orders(state: AccountState) -> int:
    """Return how many orders may come or rest: of trades not settled, and of waiting entries."""
    return len(state.trades) + len(state.waiting)


def positions_held(state: AccountState) -> tuple[str, ...]:
    """Return the pairs of which something is held, through trades or without."""
    held = {t.symbol for t in state.trades.values() if t.bought > t.sold}
    held |= {f"{a}/USD" for a, total in state.balances.items() if a != "USD" and total != ZERO}
    return tuple(sorted(held))


def _without_figures(state: AccountState) -> AccountState:
    return replace(
        state,
        balances={},
        prices={},
        market_time=None,
        prices_due=None,
        traded_at=None,
        drawdown=None,
        measured_since=None,
        recent_flows=(),
        waiting_flows=(),
        unexplained={},
        results={},
        losses=LossStreak(),
        entry_orders=(),
        off_peg=(),
        loss_record=None,
        dust={},
        unbacked_costs=CostBudget(),
        figure_times=replace(state.figure_times, fees=None, clock=None),
        hedge_book=HedgeBook(),
        hedge_sales={},
        hedge_moved_at=None,
    )


def _refused(state: AccountState, fact: ModeChangeRequested, verdict: Verdict) -> AccountDecision:
    live = needs_live_conditions(state.mode, fact.mode)
    code = "live-refused" if live else verdict.failures[0].code
    details = (
        ("mode", fact.mode.value),
        ("failed", ", ".join(sorted({check.code for check in verdict.failures}))),
    )
    record = RecordAccount("live_refused" if live else "mode_refused", fact.by, details)
    answer = Answer(fact.request_id, code, verdict.reason, verdict=verdict)
    return AccountDecision(state, (record,), answer)

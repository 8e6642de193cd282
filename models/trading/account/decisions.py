"""The decisions of one account: what becomes of requests, ideas, progress and halts.

Actions of RecordAccount, each an audit row: ``trade_requested``, ``trade_refused``,
``close_requested``, ``exchange_ready``, ``exchange_lost``, ``kill_switch_engaged``,
``kill_switch_lifted``, ``halted``, ``resumed``, ``settings_changed``, ``limits_changed``,
``mode_set``, ``mode_refused``, ``live_refused``, ``market_rules_taken_over``,
``balances_taken_over``, ``drawdown_halted``,
``drawdown_lifted``, ``day_closed``, ``capital_requested``, ``capital_moved``, ``capital_refused``,
``trade_waits_for_approval``, ``entry_approved``, ``entry_refused``, ``entry_expired``,
``entry_outdated``, ``approved_entry_refused``, ``hedge_overridden``, ``hedge_override_cleared``,
``hedge_override_expired``, ``settings_change_waits``, ``settings_change_refused``,
``settings_change_expired``, ``rescue_began``, ``rescue_ended``,
``loss_limit_reached``, ``loss_limit_reset``, ``strategy_loss_reached``, ``strategy_weighed``.
"""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from models.trading.account import halts
from models.trading.account.approvals import on_approval_settled, waiting_answer
from models.trading.account.capacity import remembered_answer
from models.trading.account.capital import drawdown, drawdown_lift
from models.trading.account.capital import flows as capital
from models.trading.account.capital.allocation import name_strategy, note_closed
from models.trading.account.capital.facts import (
    CapitalFact,
    CapitalMoved,
    CapitalRefused,
    CapitalRequest,
    CapitalRequested,
    DayBoundaryPassed,
    DrawdownLiftRequested,
    PricesMarked,
)
from models.trading.account.decision import AccountDecision
from models.trading.account.entries.decisions import consider, intent_of_idea, intent_of_request
from models.trading.account.entries.outcomes import EntryOutcome
from models.trading.account.entries.situation import with_pegs_noted, with_result_noted
from models.trading.account.entries.strategy_weight import (
    note_entered,
    note_weight,
    weighed,
    weighing_of,
    within_share,
)
from models.trading.account.entries.target_weight import follow_weight
from models.trading.account.facts import (
    AccountCommand,
    AccountFact,
    CloseTrades,
    ExchangeLost,
    ExchangeReady,
    ForeignInstanceMet,
    HaltRequested,
    IdeaArrived,
    KillSwitchEngaged,
    KillSwitchLifted,
    LimitsChangeRequested,
    ModeChangeRequested,
    OpenRequested,
    RecordAccount,
    RecordIdea,
    ResumeRequested,
    SettingsChangeRequested,
    TradeCloseRequested,
    TradeProgressed,
    UniverseUpdated,
)
from models.trading.account.hedge import decisions as hedge
from models.trading.account.hedge.facts import (
    HedgeClearRequested,
    HedgeOverrideRequested,
    HedgeReviewRequested,
)
from models.trading.account.market_rules import on_market_rules
from models.trading.account.mode import on_mode
from models.trading.account.recovery.rescue import lifted_when_covered, on_rescue
from models.trading.account.rules import rules_in_force
from models.trading.account.settings.changes import on_change_settled, on_settings_change
from models.trading.account.state import ZERO, AccountState
from models.trading.answers import Answer
from models.trading.governance.approval import ApprovalSettled
from models.trading.market import MarketSnapshot
from models.trading.risk.account_losses import with_trade_counted
from models.trading.risk.dust import with_dust_moved
from models.trading.trade.facts import ExitReason

__all__ = ["AccountDecision", "decide"]

COMPLIANCE_RULES = ("T-1", "T-2", "compliance")
"""Rules whose refusals are audited whoever wanted the trade."""

Request = (
    OpenRequested
    | TradeCloseRequested
    | HaltRequested
    | ResumeRequested
    | LimitsChangeRequested
    | SettingsChangeRequested
    | ModeChangeRequested
    | CapitalRequest
    | ApprovalSettled
    | HedgeOverrideRequested
    | HedgeClearRequested
)


def decide(state: AccountState, fact: AccountFact) -> AccountDecision:
    """Return what follows from a fact; a request is answered, a repeated one not obeyed.

    Equity is marked before an entry is judged, and after whatever else may move it.
    """
    match fact:
        case IdeaArrived() | OpenRequested():
            seen = measured(state, fact)
            return _after(seen, _decide(seen.state, fact))
        case TradeProgressed() | ExchangeReady():
            decision = _decide(state, fact)
            return _after(decision, _watch(decision.state, fact.at))
        case PricesMarked() | CapitalMoved():
            decision = _decide(state, fact)
            return _after(decision, _watch(decision.state, fact.sent_at))
        case UniverseUpdated():
            decision = _decide(state, fact)
            return _after(decision, drawdown.watch_figures(decision.state, fact.at))
        case _:
            return _decide(state, fact)


def measured(state: AccountState, fact: IdeaArrived | OpenRequested) -> AccountDecision:
    """Take in the market that an entry was seen with, and measure the account by it."""
    return _watch(_with_market(state, fact.market, fact.at), fact.at)


def _watch(state: AccountState, sent_at: datetime) -> AccountDecision:
    """Look how old the figures are, and measure the account by them."""
    looked = drawdown.watch_figures(state, sent_at)
    return _after(looked, drawdown.watch(looked.state, sent_at))


def _after(first: AccountDecision, second: AccountDecision) -> AccountDecision:
    answer = second.answer if second.answer is not None else first.answer
    return AccountDecision(second.state, (*first.commands, *second.commands), answer)


def _decide(state: AccountState, fact: AccountFact) -> AccountDecision:
    match fact:
        case ExchangeReady():
            return _on_ready(state, fact)
        case PricesMarked() | DayBoundaryPassed() | CapitalMoved() | CapitalRefused():
            return _on_capital_fact(state, fact)
        case ExchangeLost() | ForeignInstanceMet():
            return _on_trouble(state, fact)
        case KillSwitchEngaged():
            return halts.on_kill_switch(state, fact)
        case KillSwitchLifted():
            return halts.on_kill_switch_lifted(state, fact)
        case TradeProgressed():
            return _on_progress(state, fact)
        case IdeaArrived():
            return _on_idea(state, fact)
        case HedgeReviewRequested():
            return hedge.on_review(state, fact)
        case UniverseUpdated():
            return on_market_rules(state, fact)
        case _:
            return _on_request(state, fact)


def _on_trouble(state: AccountState, fact: ExchangeLost | ForeignInstanceMet) -> AccountDecision:
    if isinstance(fact, ExchangeLost):
        return halts.on_exchange_lost(state, fact)
    return halts.on_foreign_instance(state, fact)


def _on_capital_fact(state: AccountState, fact: CapitalFact) -> AccountDecision:
    match fact:
        case PricesMarked():
            return AccountDecision(with_pegs_noted(drawdown.on_prices_marked(state, fact)), ())
        case DayBoundaryPassed():
            return drawdown.on_day_boundary(state, fact)
        case CapitalMoved():
            return capital.on_capital_moved(state, fact)
        case CapitalRefused():
            return capital.on_capital_refused(state, fact)


def _on_request(state: AccountState, fact: Request) -> AccountDecision:
    for answer in state.recent_answers:
        if answer.request_id == fact.request_id:
            return AccountDecision(state, (), answer)
    decision = _obey(state, fact)
    assert decision.answer is not None
    kept = remembered_answer(decision.answer)
    remembered = halts.remember(decision.state, fact.request_id)
    answers = (*remembered.recent_answers, kept)[-halts.REMEMBERED :]
    return replace(decision, state=replace(remembered, recent_answers=answers))


def _obey(state: AccountState, fact: Request) -> AccountDecision:
    match fact:
        case OpenRequested():
            return _on_open(state, fact)
        case TradeCloseRequested():
            return _on_close(state, fact)
        case LimitsChangeRequested() | SettingsChangeRequested():
            return on_settings_change(state, fact)
        case ModeChangeRequested():
            return on_mode(state, fact, rules_in_force(state).live)
        case ApprovalSettled() | HedgeOverrideRequested() | HedgeClearRequested():
            return _on_persons(state, fact)
        case HaltRequested():
            answer = Answer(fact.request_id, "accepted", "the account takes no entries")
            return replace(halts.on_halt(state, fact), answer=answer)
        case CapitalRequested():
            return capital.on_capital_requested(state, fact)
        case DrawdownLiftRequested():
            return drawdown_lift.on_lift_requested(state, fact)
        case ResumeRequested():
            return halts.on_resume(state, fact)


def _on_persons(
    state: AccountState, fact: ApprovalSettled | HedgeOverrideRequested | HedgeClearRequested
) -> AccountDecision:
    match fact:
        case ApprovalSettled() if fact.request_id in state.waiting_changes:
            return on_change_settled(state, fact)
        case ApprovalSettled() if fact.request_id in state.waiting_lifts:
            return drawdown_lift.on_lift_settled(state, fact)
        case ApprovalSettled():
            seen = _watch(_with_market(state, fact.market, fact.at), fact.at)
            return _after(seen, on_approval_settled(seen.state, fact, consider))
        case HedgeOverrideRequested():
            return hedge.on_override(state, fact)
        case HedgeClearRequested():
            return hedge.on_clear(state, fact)


def _on_ready(state: AccountState, fact: ExchangeReady) -> AccountDecision:
    if fact.mode is not state.mode:
        return AccountDecision(state, ())
    wrong = sorted(asset for asset, total in fact.balances.items() if not total.is_finite())
    if wrong:
        reason = f"the exchange told balances that are no numbers: {', '.join(wrong)}"
        return halts.on_exchange_lost(state, ExchangeLost(reason, fact.at))
    at_rest = halts.is_at_rest(state, fact)
    ready = halts.on_exchange_ready(state, fact)
    return _after(ready, capital.settle_books(ready.state, fact, at_rest=at_rest))


def _on_open(state: AccountState, fact: OpenRequested) -> AccountDecision:
    outcome = consider(state, intent_of_request(state, fact))
    verdict, command = outcome.verdict, outcome.command
    if outcome.ask is not None:
        asked = (("request", fact.request_id), ("why", verdict.reason))
        record = RecordAccount("trade_waits_for_approval", fact.by, asked)
        waits = waiting_answer(fact.request_id, outcome)
        return AccountDecision(outcome.state, (outcome.ask, record), waits)
    if command is None:
        failure = verdict.failures[0]
        answer = Answer(fact.request_id, failure.code, verdict.reason, verdict=verdict)
        details = (("request", fact.request_id), ("code", failure.code), ("why", verdict.reason))
        return AccountDecision(
            outcome.state, (RecordAccount("trade_refused", fact.by, details),), answer
        )
    entry = command.plan.entry
    answer = Answer(
        request_id=fact.request_id,
        code="accepted",
        detail=f"buying {entry.quantity} {entry.symbol}",
        trade=command.plan.number,
        client_order_id=entry.client_order_id,
        verdict=verdict,
    )
    named = (("request", fact.request_id), ("trade", str(command.plan.number)))
    record = RecordAccount("trade_requested", fact.by, named, entry=command.record)
    return AccountDecision(outcome.state, (command, record), answer)


def _on_idea(state: AccountState, fact: IdeaArrived) -> AccountDecision:
    name = f"idea/{fact.idea.idea_id}"
    if name in state.recent_requests:
        return AccountDecision(state, ())
    seen = halts.remember(state, name)
    intent = intent_of_idea(seen, fact)
    told: tuple[AccountCommand, ...] = ()
    weighing = weighing_of(seen, fact)
    factor = Decimal(1)
    if weighing is not None:
        seen, told = note_weight(seen, fact.idea.strategy, weighing)
        factor = weighing.factor
    if fact.idea.target_weight is None:
        if weighing is not None:
            intent = weighed(intent, seen, weighing)
        intent = within_share(intent, seen, fact.idea.equity_share)
        outcome = consider(seen, intent)
    else:
        followed = follow_weight(seen, fact, intent, consider, factor)
        told = (*told, *followed.commands)
        if followed.entry is None:
            done = RecordIdea(fact.idea, followed.verdict, None)
            return AccountDecision(followed.state, (*told, done))
        outcome = followed.entry
    decision = _on_entry(outcome, fact, name)
    return replace(decision, commands=(*told, *decision.commands))


def _on_entry(outcome: EntryOutcome, fact: IdeaArrived, name: str) -> AccountDecision:
    command = outcome.command
    trade = command.plan.number if command is not None else None
    record = RecordIdea(fact.idea, outcome.verdict, trade)
    if outcome.ask is not None:
        return AccountDecision(outcome.state, (outcome.ask, record))
    if command is not None and trade is not None:
        value = command.plan.entry.quantity * command.plan.reference_price
        entered = name_strategy(outcome.state, trade, fact.idea.strategy)
        entered = note_entered(entered, fact, value)
        commands = (command, record, RecordAccount(entry=command.record))
        return AccountDecision(entered, commands)
    forbidden = next((c for c in outcome.verdict.failures if c.rule in COMPLIANCE_RULES), None)
    if forbidden is None:
        return AccountDecision(outcome.state, (record,))
    why = (("idea", name), ("code", forbidden.code), ("why", forbidden.reason))
    audited = RecordAccount("trade_refused", f"strategy/{fact.idea.strategy}", why)
    return AccountDecision(outcome.state, (record, audited))


def _with_market(
    state: AccountState, market: MarketSnapshot | None, sent_at: datetime
) -> AccountState:
    """Remember the newest market seen; figures that are no prices are not remembered."""
    if market is None or not all(p.is_finite() and p > 0 for p in (market.bid, market.ask)):
        return state
    if state.market_time is not None and market.observed_at < state.market_time:
        if market.symbol in state.prices:
            return state
        return replace(state, prices={**state.prices, market.symbol: market.bid})
    prices = {**state.prices, market.symbol: market.bid}
    moved = drawdown.with_clock(state, market.observed_at, sent_at)
    return with_pegs_noted(replace(moved, prices=prices))


def _on_progress(state: AccountState, fact: TradeProgressed) -> AccountDecision:
    summary = fact.summary
    known = state.trades.get(summary.number)
    if known is None:
        return on_rescue(state, fact)
    older = summary.bought < known.bought or summary.sold < known.sold
    if older and not fact.closed:
        return AccountDecision(state, ())
    summary = replace(summary, strategy=known.strategy)
    state = hedge.note_progress(state, known, summary, closed=fact.closed)
    trades = {**state.trades, summary.number: summary}
    halted = state.halts
    state = replace(state, traded_at=max(fact.at, state.traded_at or fact.at))
    state = lifted_when_covered(state, fact)
    action = "rescue_ended" if state.halts != halted else None
    if not fact.closed:
        due = hedge.reviews_due(state, known, summary)
        going_on = halts.with_blocked(replace(state, trades=trades), known, summary, fact.at)
        return AccountDecision(going_on, (_record_of(state, going_on, action), *due))
    del trades[summary.number]
    instrument = state.instruments.get(summary.symbol)
    base = instrument.base if instrument else summary.symbol.partition("/")[0]
    balances = dict(state.balances)
    balances["USD"] = balances.get("USD", ZERO) + summary.cash_flow
    balances[base] = balances.get(base, ZERO) + summary.bought - summary.sold
    counted = with_result_noted(state, summary, state.market_time or fact.at)
    closed = replace(
        counted, trades=trades, balances=balances, closed_trades=state.closed_trades + 1
    )
    closed = halts.with_blocked(closed, known, summary, fact.at)
    closed = with_trade_counted(closed, summary)
    closed = with_dust_moved(closed, base, summary.dust)
    return AccountDecision(note_closed(closed, summary), (_record_of(state, closed, action),))


def _record_of(before: AccountState, after: AccountState, action: str | None) -> RecordAccount:
    kinds = {halt.kind for halt in before.halts}
    new = [halt for halt in after.halts if halt.kind not in kinds]
    if not new:
        return RecordAccount(action)
    return RecordAccount(new[0].kind.value, details=(("reason", new[0].reason),))


def _on_close(state: AccountState, fact: TradeCloseRequested) -> AccountDecision:
    if fact.trade not in state.trades:
        detail = f"trade {fact.trade} is not open"
        return AccountDecision(state, (), Answer(fact.request_id, "unknown-trade", detail))
    answer = Answer(
        fact.request_id, "accepted", f"trade {fact.trade} is being closed", trade=fact.trade
    )
    details = (("request", fact.request_id), ("trade", str(fact.trade)))
    commands = (
        CloseTrades((fact.trade,), ExitReason.REQUESTED, fact.by),
        RecordAccount("close_requested", fact.by, details),
    )
    return AccountDecision(state, commands, answer)

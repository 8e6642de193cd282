"""Capital that comes into an account or leaves it, told apart from what trading makes of it.

A flow moves the balances and the drawdown's link in one and the same turn. What the exchange's
totals show beyond executions and flows is taken over as the result of something not understood, and
only when it is still there at the second look: a deposit may be in the totals before the ledger
tells of it.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from models.trading.account.capital.drawdown import day_is_due
from models.trading.account.capital.facts import (
    CapitalMoved,
    CapitalRefused,
    CapitalRequested,
    FlowNoted,
    MoveCapital,
    RecordFlows,
)
from models.trading.account.decision import AccountDecision
from models.trading.account.equity import equity_now
from models.trading.account.facts import AccountCommand, ExchangeReady, RecordAccount
from models.trading.account.state import AWAY, ZERO, AccountState
from models.trading.answers import Answer
from models.trading.capital.flows import CapitalFlow, FlowSource, judge_flow_by_hand
from models.trading.risk.drawdown import note_flow
from models.trading.risk.limits import Mode

FLOWS_REMEMBERED = 200
USD_DECIMALS, COIN_DECIMALS = 4, 8
"""Decimals that the exchange books with, and shows."""
USD_SLACK = Decimal("0.001")
"""USD by which totals may differ: the exchange shows fewer decimals than it books with."""


def on_capital_requested(state: AccountState, fact: CapitalRequested) -> AccountDecision:
    """Have simulated capital moved, or refuse it with a code."""
    if not state.instruments or any(h.kind in AWAY for h in state.halts):
        detail = "the exchange does not answer"
        return AccountDecision(state, (), Answer(fact.request_id, "no-exchange", detail))
    pair = f"{fact.asset}/USD"
    if fact.asset != "USD" and pair not in state.instruments:
        detail = f"{fact.asset} cannot be traded here against USD"
        return AccountDecision(state, (), Answer(fact.request_id, "unknown-pair", detail))
    if fact.asset != "USD" and pair not in state.prices:
        detail = f"no price of {pair} is known, so the flow has no value yet"
        return AccountDecision(state, (), Answer(fact.request_id, "no-market-data", detail))
    if fact.amount.is_finite() and fact.amount != round(fact.amount, _decimals(fact.asset)):
        detail = f"{fact.asset} is booked with at most {_decimals(fact.asset)} decimals"
        return AccountDecision(state, (), Answer(fact.request_id, "invalid-flow", detail))
    value = fact.amount * _price(state, fact.asset) if fact.amount.is_finite() else ZERO
    flow = CapitalFlow(
        fact.request_id, fact.asset, fact.amount, value, fact.at, FlowSource.BY_HAND, fact.by
    )
    free = state.available_cash if fact.asset == "USD" else state.balances.get(fact.asset, ZERO)
    verdict = judge_flow_by_hand(flow, free, simulated=state.mode is Mode.SIMULATED)
    if not verdict.allowed:
        answer = Answer(fact.request_id, verdict.failures[0].code, verdict.reason, verdict=verdict)
        return AccountDecision(state, (), answer)
    details = (("request", fact.request_id), ("asset", fact.asset), ("amount", f"{fact.amount:f}"))
    record = RecordAccount("capital_requested", fact.by, (*details, ("note", fact.note)))
    answer = Answer(fact.request_id, "accepted", f"{fact.amount:f} {fact.asset} is being booked")
    return AccountDecision(state, (MoveCapital(fact), record), answer)


def on_capital_moved(state: AccountState, fact: CapitalMoved) -> AccountDecision:
    """Count what the exchange has booked as it was asked to."""
    line = fact.line
    amount = line.amount - line.fee
    flow = CapitalFlow(
        flow_id=line.ledger_id,
        asset=line.asset,
        amount=amount,
        value=amount * _price(state, line.asset),
        at=line.at,
        source=FlowSource.BY_HAND,
        author=fact.by,
        note=fact.note,
    )
    if flow.flow_id in state.recent_flows:
        # The ledger was read first: only who asked for it was not known then.
        return AccountDecision(state, (RecordFlows((FlowNoted(flow),)),))
    return _counted(state, (flow,), certainly_new=True)


def on_capital_refused(state: AccountState, fact: CapitalRefused) -> AccountDecision:
    """Write down that the exchange did not book what was asked for."""
    details = (("request", fact.request_id), ("reason", fact.reason))
    return AccountDecision(state, (RecordAccount("capital_refused", fact.by, details),))


def settle_books(state: AccountState, fact: ExchangeReady, *, at_rest: bool) -> AccountDecision:
    """Bring the balances up to what the exchange tells: first flows, then what is left.

    Args:
        state: the account.
        fact: totals, and the flows of the ledger if it was read.
        at_rest: no trade is open or was just now, so that the totals are of one moment with ours.
    """
    if fact.flows is not None:
        seen = _counted(state, fact.flows)
        state, commands = seen.state, seen.commands
    else:
        commands = ()
    if not at_rest or (fact.flows is None and state.drawdown is not None):
        return AccountDecision(state, commands)
    if state.drawdown is not None and not fact.orders_consistent:
        # What an order of ours may explain is not taken over: its trade takes it.
        return AccountDecision(state, commands)
    own, totals = state.balances, fact.balances
    differences = _differences(own, totals)
    trusted = state.drawdown is None or differences == state.unexplained
    if not differences or not trusted:
        return AccountDecision(replace(state, unexplained=differences), commands)
    taken = replace(state, balances=dict(totals), unexplained={})
    if not own:
        return AccountDecision(taken, commands)
    details = tuple((asset, str(total)) for asset, total in sorted(totals.items()))
    record = RecordAccount("balances_taken_over", details=details)
    return AccountDecision(taken, (*commands, record))


def _differences(own: Mapping[str, Decimal], totals: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Return by how much the exchange's totals are above ours, where that is not mere rounding.

    Ours are the finer ones: with the rounded ones in their place, figures would depend on when the
    exchange was asked.
    """
    found = {a: totals.get(a, ZERO) - own.get(a, ZERO) for a in sorted({*own, *totals})}
    return {
        asset: difference
        for asset, difference in found.items()
        if abs(difference) > (USD_SLACK if asset == "USD" else ZERO)
    }


def _counted(
    state: AccountState, flows: tuple[CapitalFlow, ...], *, certainly_new: bool = False
) -> AccountDecision:
    commands: list[AccountCommand] = []
    noted: list[FlowNoted] = []
    for flow in flows:
        if flow.flow_id in state.recent_flows:
            continue
        state, one = _count(state, flow, certainly_new=certainly_new)
        noted.append(one)
        if one.value_after is not None:
            commands.append(RecordAccount("capital_moved", flow.author, _details(flow)))
    if noted:
        commands.insert(0, RecordFlows(tuple(noted)))
    return AccountDecision(state, tuple(commands))


def _count(
    state: AccountState, flow: CapitalFlow, *, certainly_new: bool
) -> tuple[AccountState, FlowNoted]:
    remembered = (*state.recent_flows, flow.flow_id)[-FLOWS_REMEMBERED:]
    known = replace(state, recent_flows=remembered)
    drawdown, since = state.drawdown, state.measured_since
    if drawdown is None or since is None or (flow.at <= since and not certainly_new):
        # The balances were taken over with it in them.
        return known, FlowNoted(flow)
    before = equity_now(state)
    equity = before if before is not None else drawdown.equity
    held = state.balances.get(flow.asset, ZERO) + flow.amount
    moved = replace(
        known,
        balances={**state.balances, flow.asset: held},
        prices=_with_price(state, flow),
    )
    after = equity + flow.value
    if not flow.value:
        # Income makes the account worth more without being capital that was brought in.
        now_worth = equity_now(moved)
        after = now_worth if now_worth is not None else equity
    one = FlowNoted(flow, _now(state, flow.at), after)
    if day_is_due(state, flow.at):
        return replace(moved, waiting_flows=(*state.waiting_flows, flow)), one
    return replace(moved, drawdown=note_flow(drawdown, flow.value, equity)), one


def _with_price(state: AccountState, flow: CapitalFlow) -> dict[str, Decimal]:
    pair = f"{flow.asset}/USD"
    if flow.asset == "USD" or pair in state.prices or not flow.amount or not flow.value:
        return state.prices
    return {**state.prices, pair: flow.value / flow.amount}


def _price(state: AccountState, asset: str) -> Decimal:
    return Decimal(1) if asset == "USD" else state.prices.get(f"{asset}/USD", ZERO)


def _decimals(asset: str) -> int:
    return USD_DECIMALS if asset == "USD" else COIN_DECIMALS


def _now(state: AccountState, at: datetime) -> datetime:
    return max(state.market_time or at, at)


def _details(flow: CapitalFlow) -> tuple[tuple[str, str], ...]:
    return (
        ("flow", flow.flow_id),
        ("asset", flow.asset),
        ("amount", f"{flow.amount:f}"),
        ("value", f"{flow.value:f}"),
        ("source", flow.source.value),
        ("note", flow.note),
    )

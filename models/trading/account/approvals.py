"""Entries that wait for a person: held, judged again when approved, dropped when not.

An approval waives the question of size and nothing else: price, limits, cash, halts and every other
rule are judged anew, with the market of that moment.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from models.trading.account.capital.allocation import name_strategy
from models.trading.account.decision import AccountDecision
from models.trading.account.entries.outcomes import EntryOutcome
from models.trading.account.entries.preconditions import EntryIntent
from models.trading.account.entries.waiting import WaitingEntry
from models.trading.account.facts import RecordAccount
from models.trading.account.policies import approval_policy
from models.trading.account.state import AccountState
from models.trading.answers import WAITING, Answer
from models.trading.governance.approval import (
    ApprovalRequest,
    ApprovalSettled,
    ApprovalStatus,
    RequestApproval,
)
from models.trading.governance.subjects import Subject
from models.trading.identities import approval_id
from models.trading.verdicts import Check, Verdict

WAITING_MAXIMUM = 20
"""Entries that may wait at once: more than a person reads, and the account carries them all."""

Consider = Callable[[AccountState, EntryIntent], EntryOutcome]


@dataclass(frozen=True, slots=True)
class Sized:
    """An entry as it would be made: base units, price expected, USD it takes."""

    quantity: Decimal
    price: Decimal
    value: Decimal


def hold_for_approval(
    state: AccountState, intent: EntryIntent, sized: Sized, verdict: Verdict, check: Check
) -> EntryOutcome:
    """Have a person decide on an entry that every other rule allows."""
    held = Verdict((*verdict.checks, check))
    name = approval_id(state.installation, state.account, Subject.ENTRY, intent.source)
    if len(state.waiting) >= WAITING_MAXIMUM and name not in state.waiting:
        reason = f"{WAITING_MAXIMUM} entries wait for a person already"
        full = Check("approval", "too-many-waiting", passed=False, reason=reason)
        return EntryOutcome(state, Verdict((*verdict.checks, full)))
    policy = approval_policy(state)
    entry = WaitingEntry(
        source=intent.source,
        by=intent.by,
        symbol=intent.symbol,
        order_type=intent.order_type,
        limit_price=intent.limit_price,
        quantity=sized.quantity,
        exits=intent.exits,
        protection=intent.protection,
        expires_at=intent.expires_at,
        change=intent.change,
        evidence=intent.evidence,
        strategy_version=intent.strategy_version,
    )
    request = ApprovalRequest(
        request_id=name,
        subject=Subject.ENTRY,
        requested_by=intent.by,
        detail=f"buy {sized.quantity} {intent.symbol}, stop {intent.exits.stop_price}",
        requested_at=intent.at,
        expires_at=intent.at + policy.expires_after,
        value=sized.value,
        reference_price=sized.price,
        stop_price=intent.exits.stop_price,
        price_tolerance=policy.price_tolerance,
        symbol=intent.symbol,
    )
    waiting = replace(state, waiting={**state.waiting, name: entry})
    return EntryOutcome(waiting, held, ask=RequestApproval(request))


def waiting_answer(request_id: str, outcome: EntryOutcome) -> Answer:
    """Tell who asked that a person decides."""
    assert outcome.ask is not None
    name = outcome.ask.request.request_id
    detail = f"a person decides: {outcome.verdict.reason}"
    return Answer(request_id, WAITING, detail, verdict=outcome.verdict, approval=name)


def on_approval_settled(
    state: AccountState, fact: ApprovalSettled, consider: Consider
) -> AccountDecision:
    """Enter what was approved, if it may still be entered; drop what was not."""
    entry = state.waiting.get(fact.request_id)
    if entry is None:
        detail = "nothing waits for this approval any more"
        return AccountDecision(state, (), Answer(fact.request_id, "approval-decided", detail))
    left = {name: e for name, e in state.waiting.items() if name != fact.request_id}
    state = replace(state, waiting=left)
    named = (("approval", fact.request_id), ("source", entry.source))
    if fact.status is not ApprovalStatus.APPROVED:
        record = RecordAccount(f"entry_{fact.status.value}", fact.by, named)
        answer = Answer(fact.request_id, "accepted", f"nothing is bought: {fact.status.value}")
        return AccountDecision(state, (record,), answer)
    outcome = consider(state, _intent(entry, fact))
    if outcome.command is None:
        failure = outcome.verdict.failures[0]
        why = (*named, ("code", failure.code), ("why", outcome.verdict.reason))
        answer = Answer(
            fact.request_id, failure.code, outcome.verdict.reason, verdict=outcome.verdict
        )
        record = RecordAccount("approved_entry_refused", fact.by, why)
        return AccountDecision(outcome.state, (record,), answer)
    plan = outcome.command.plan
    details = (*named, ("trade", str(plan.number)))
    record = RecordAccount("entry_approved", fact.by, details, entry=outcome.command.record)
    answer = Answer(
        request_id=fact.request_id,
        code="accepted",
        detail=f"buying {plan.entry.quantity} {plan.entry.symbol}",
        trade=plan.number,
        client_order_id=plan.entry.client_order_id,
        verdict=outcome.verdict,
    )
    _, by_strategy, name = entry.by.partition("strategy/")
    entered = name_strategy(outcome.state, plan.number, name) if by_strategy else outcome.state
    return AccountDecision(entered, (outcome.command, record), answer)


def _intent(entry: WaitingEntry, fact: ApprovalSettled) -> EntryIntent:
    return EntryIntent(
        source=entry.source,
        symbol=entry.symbol,
        order_type=entry.order_type,
        limit_price=entry.limit_price,
        quantity=entry.quantity,
        exits=entry.exits,
        protection=entry.protection,
        market=fact.market,
        expires_at=entry.expires_at,
        at=fact.at,
        by=entry.by,
        change=entry.change,
        approved=True,
        evidence=entry.evidence,
        strategy_version=entry.strategy_version,
    )

"""Lifting the halt of the total drawdown: asked for by one person, agreed to by another."""

from dataclasses import replace
from datetime import datetime

from models.trading.account import halts
from models.trading.account.capital.facts import DrawdownLiftRequested, RecordBaseline
from models.trading.account.decision import AccountDecision
from models.trading.account.facts import AccountCommand, RecordAccount
from models.trading.account.settings.waiting import WaitingLift
from models.trading.account.state import AccountState, HaltKind
from models.trading.answers import WAITING, Answer
from models.trading.bounds import cleaned_text
from models.trading.capital.flows import NavBaseline
from models.trading.governance.approval import (
    ApprovalRequest,
    ApprovalSettled,
    ApprovalStatus,
    RequestApproval,
)
from models.trading.governance.subjects import SUBJECTS, Subject
from models.trading.identities import approval_id
from models.trading.risk.drawdown import lift_total

LIFTED_BASELINE = "total drawdown lifted"
WAITING_LIFTS_MAXIMUM = 5
DETAIL_LENGTH = 1_000


def on_lift_requested(state: AccountState, fact: DrawdownLiftRequested) -> AccountDecision:
    """Have a second person decide whether the total halt is lifted."""
    if not _is_halted(state):
        return AccountDecision(state, (), _not_halted(fact.request_id))
    name = approval_id(state.installation, state.account, Subject.LIFT_DRAWDOWN, fact.request_id)
    if len(state.waiting_lifts) >= WAITING_LIFTS_MAXIMUM and name not in state.waiting_lifts:
        detail = f"{WAITING_LIFTS_MAXIMUM} lifts wait for a person already"
        return AccountDecision(state, (), Answer(fact.request_id, "too-many-waiting", detail))
    life = SUBJECTS[Subject.LIFT_DRAWDOWN].life
    assert life is not None
    asked = ApprovalRequest(
        request_id=name,
        subject=Subject.LIFT_DRAWDOWN,
        requested_by=fact.by,
        detail=cleaned_text(f"lift the halt of the total drawdown: {fact.reason}", DETAIL_LENGTH),
        requested_at=fact.at,
        expires_at=fact.at + life,
    )
    lift = WaitingLift(fact.by, fact.reason, _halted_at(state))
    waiting = replace(state, waiting_lifts={**state.waiting_lifts, name: lift})
    details = (("approval", name), ("reason", fact.reason))
    record = RecordAccount("drawdown_lift_requested", fact.by, details)
    detail = "another person decides whether the halt is lifted"
    answer = Answer(fact.request_id, WAITING, detail, approval=name)
    return AccountDecision(waiting, (RequestApproval(asked), record), answer)


def on_lift_settled(state: AccountState, fact: ApprovalSettled) -> AccountDecision:
    """Lift the halt that another person has agreed to lift; the high-water mark begins anew.

    Not one that has begun since: nobody has looked at that.
    """
    lift = state.waiting_lifts[fact.request_id]
    left = {name: one for name, one in state.waiting_lifts.items() if name != fact.request_id}
    state = replace(state, waiting_lifts=left)
    if fact.status is not ApprovalStatus.APPROVED:
        answer = Answer(fact.request_id, "accepted", f"the halt stands: {fact.status.value}")
        return AccountDecision(state, (RecordAccount(),), answer)
    if not _is_halted(state):
        return AccountDecision(state, (RecordAccount(),), _not_halted(fact.request_id))
    if _halted_at(state) != lift.halted_at:
        detail = "the account was halted again since this was asked"
        answer = Answer(fact.request_id, "halted-since", detail)
        return AccountDecision(state, (RecordAccount(),), answer)
    lifted = halts.without(state.halts, HaltKind.TOTAL_DRAWDOWN)
    drawdown = state.drawdown
    details = (("reason", lift.reason), ("requested_by", lift.by))
    commands: list[AccountCommand] = [RecordAccount("drawdown_lifted", fact.by, details)]
    if drawdown is not None:
        drawdown = lift_total(drawdown)
        at = state.market_time or fact.at
        commands.append(RecordBaseline(NavBaseline(at, drawdown.equity, LIFTED_BASELINE)))
    answer = Answer(fact.request_id, "accepted", "the high-water mark begins anew")
    state = replace(state, halts=lifted, drawdown=drawdown)
    return AccountDecision(state, tuple(commands), answer)


def _is_halted(state: AccountState) -> bool:
    return _halted_at(state) is not None


def _halted_at(state: AccountState) -> datetime | None:
    since = [halt.since for halt in state.halts if halt.kind is HaltKind.TOTAL_DRAWDOWN]
    if since:
        return since[0]
    return None if state.drawdown is None else state.drawdown.total_halted_at


def _not_halted(request_id: str) -> Answer:
    return Answer(request_id, "not-halted", "no halt of the total drawdown stands")

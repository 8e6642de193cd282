"""What says when two people are needed takes two people to loosen."""

import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from models.trading.account.decisions import decide
from models.trading.account.facts import RecordAccount, SettingsChangeRequested
from models.trading.account.rules import rules_in_force
from models.trading.account.settings.changes import WAITING_MAXIMUM
from models.trading.account.state import AccountState
from models.trading.answers import WAITING
from models.trading.governance.approval import ApprovalSettled, ApprovalStatus, RequestApproval
from models.trading.governance.subjects import Subject

AT = datetime(2026, 1, 2, tzinfo=UTC)


def an_account():
    return AccountState("company", str(uuid4()))


def change(updates, request_id="r-1", *, confirmed=True):
    text = json.dumps(updates)
    return SettingsChangeRequested(
        request_id, "anna", text, "for the test", AT, confirmed=confirmed
    )


def settled(name, status, by="bob"):
    return ApprovalSettled(name, status, by, None, AT + timedelta(minutes=1))


@pytest.mark.parametrize(
    "updates",
    [
        {"live.simulated_minimum": 0},
        {"approval.equity_share_minimum": "1"},
        {"approval.price_tolerance": "0.9"},
    ],
)
def test_loosening_waits_for_another_person_however_sure_its_author_is(updates):
    asked = decide(an_account(), change(updates))
    assert asked.answer is not None
    assert asked.answer.code == WAITING
    assert asked.state.settings.version == 0
    (ask,) = [command for command in asked.commands if isinstance(command, RequestApproval)]
    assert ask.request.subject == Subject.CHANGE_SETTINGS
    assert ask.request.requested_by == "anna"
    assert next(iter(updates)) in ask.request.detail
    assert ask.request.request_id == asked.answer.approval


def test_author_who_is_not_sure_is_asked_first():
    asked = decide(an_account(), change({"live.simulated_minimum": 0}, confirmed=False))
    assert asked.answer is not None
    assert asked.answer.code == "confirmation-needed"
    assert not asked.state.waiting_changes


def test_tightening_and_other_settings_need_nobody_else():
    for updates in ({"approval.equity_share_minimum": "0"}, {"drawdown.hard_share": "0.06"}):
        made = decide(an_account(), change(updates))
        assert made.answer is not None
        assert made.answer.accepted


def test_approved_change_is_made_and_names_both():
    asked = decide(an_account(), change({"live.simulated_minimum": 0}))
    made = decide(asked.state, settled(asked.answer.approval, ApprovalStatus.APPROVED))
    assert made.answer.accepted
    assert made.answer.settings_version == 1
    assert rules_in_force(made.state).live.simulated_minimum == timedelta(0)
    assert not made.state.waiting_changes
    (record,) = [c for c in made.commands if isinstance(c, RecordAccount) and c.settings]
    assert (record.settings.author, record.settings.approved_by) == ("anna", "bob")
    assert ("approved_by", "bob") in record.details


def test_author_cannot_approve_and_a_refusal_changes_nothing():
    asked = decide(an_account(), change({"live.simulated_minimum": 0}))
    alone = decide(asked.state, settled(asked.answer.approval, ApprovalStatus.APPROVED, "Anna "))
    assert alone.answer.code == "second-person-needed"
    assert alone.state.settings.version == 0
    for status in (ApprovalStatus.REFUSED, ApprovalStatus.EXPIRED):
        dropped = decide(asked.state, settled(asked.answer.approval, status))
        assert dropped.state.settings.version == 0
        assert not dropped.state.waiting_changes


def test_change_of_what_has_changed_meanwhile_is_refused():
    asked = decide(an_account(), change({"live.simulated_minimum": 0}))
    moved = decide(asked.state, change({"risk.risk_share": "0.004"}, "r-2"))
    late = decide(moved.state, settled(asked.answer.approval, ApprovalStatus.APPROVED))
    assert late.answer.code == "outdated-change"
    assert late.state.settings.version == 1


def test_few_changes_wait_at_once():
    state = an_account()
    for number in range(WAITING_MAXIMUM):
        state = decide(state, change({"live.simulated_minimum": number}, f"r-{number}")).state
    assert len(state.waiting_changes) == WAITING_MAXIMUM
    full = decide(state, change({"live.simulated_minimum": 0}, "r-last"))
    assert full.answer is not None
    assert full.answer.code == "too-many-waiting"

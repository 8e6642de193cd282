"""The table of rights: what it grants, and that it grants nothing else."""

import itertools

import pytest

from models.trading.governance.four_eyes import TAKES_TWO_PEOPLE, check_asked_by_person
from models.trading.governance.rights import (
    RIGHTS,
    Action,
    CallerKind,
    Grant,
    Rights,
    Role,
    Scope,
    accounts_allowed,
    judge,
)

ALL = tuple(Grant(role) for role in Role)


def person(*grants):
    return Rights(CallerKind.PERSON, grants)


def test_every_action_has_one_row_and_somebody_who_may():
    assert set(RIGHTS) == set(Action)
    assert all(right.roles for right in RIGHTS.values())


@pytest.mark.parametrize(("role", "action"), list(itertools.product(Role, Action)))
def test_a_role_may_what_its_row_says_and_nobody_without_a_role_may_anything(role, action):
    refused = judge(person(Grant(role)), action, "company")
    assert (refused is None) == (role in RIGHTS[action].roles)
    assert judge(person(), action, "company") is not None


def test_what_changes_nothing_of_money_is_all_that_auditor_and_platform_administrator_do():
    read_only = {action for action in Action if Role.AUDITOR in RIGHTS[action].roles}
    assert read_only == {
        *(Action.ACCOUNT_READ, Action.AUDIT_READ, Action.PLATFORM_READ, Action.PAYLOAD_READ),
        *(Action.PEOPLE_READ, Action.STRESS_RUN, Action.RECOVERY_CANCEL, Action.BACKTEST_RUN),
        *(Action.NOTIFICATION_READ, Action.FREEZE_REVIEW, Action.EVIDENCE_EXPORT),
        *(Action.SELF_READ, Action.SELF_MANAGE, Action.SELF_ELEVATE),
    }
    administrator = {action for action in Action if Role.PLATFORM in RIGHTS[action].roles}
    assert not administrator & {Action.TRADE_OPEN, Action.APPROVAL_APPROVE, Action.AUDIT_READ}


@pytest.mark.parametrize("action", Action)
def test_a_grant_for_one_account_reaches_no_other_and_not_the_platform(action):
    held = person(*(Grant(role, "company") for role in Role))
    scope = RIGHTS[action].scope
    assert (judge(held, action, "director-1") is None) == (scope in (Scope.ANYWHERE, Scope.SELF))
    assert (judge(held, action, "company") is None) == (scope is not Scope.PLATFORM)


@pytest.mark.parametrize("action", Action)
def test_tokens_never_approve_nor_manage_and_need_their_scope_and_account(action):
    right = RIGHTS[action]
    token = Rights(CallerKind.TOKEN, ALL, frozenset({action.value}), frozenset({"company"}))
    refused = judge(token, action, "company")
    if not right.machine:
        assert refused.code == "person-required"
    elif right.scope is Scope.PLATFORM:
        assert refused.code == "token-scope"
    else:
        assert refused is None
        assert judge(token, action, "other").code == "token-scope"
    bare = Rights(CallerKind.TOKEN, ALL, frozenset(), frozenset({"*"}))
    assert judge(bare, action, "company") is not None
    for never in (Action.APPROVAL_APPROVE, Action.LIVE_APPROVE, Action.UNIVERSE_APPROVE):
        assert not RIGHTS[never].machine
        assert RIGHTS[never].step_up


@pytest.mark.parametrize("action", Action)
def test_the_machines_token_changes_no_account_that_trades_live_but_always_stops_it(action):
    held = Rights(CallerKind.MACHINE, (Grant(Role.DIRECTOR), Grant(Role.PLATFORM)))
    if RIGHTS[action].machine and judge(held, action, "company") is None:
        live = judge(held, action, "company", live=True)
        assert (live is None) == RIGHTS[action].live
    stops = {Action.KILL_SWITCH_ENGAGE, Action.ACCOUNT_HALT}
    assert all(judge(held, stop, "company", live=True) is None for stop in stops)
    assert judge(held, Action.TRADE_OPEN, "company", live=True).code == "person-required"


def test_lists_hold_only_what_may_be_seen():
    held = person(Grant(Role.OPERATOR, "b"), Grant(Role.AUDITOR, "c"))
    assert accounts_allowed(held, Action.ACCOUNT_READ, ["a", "b", "c"]) == ["b", "c"]
    assert accounts_allowed(held, Action.ACCOUNT_HALT, ["a", "b", "c"]) == ["b"]


def test_what_loosens_a_guard_is_asked_for_by_a_person():
    assert len(TAKES_TWO_PEOPLE) == 7
    for subject in TAKES_TWO_PEOPLE:
        assert check_asked_by_person(subject, "user/0f").passed
        for nobody in ("bootstrap", "machine/root", "aether", "strategy/trend", "", "user"):
            assert check_asked_by_person(subject, nobody).code == "person-required"
            assert not check_asked_by_person(subject, nobody).passed
    assert check_asked_by_person("entry", "strategy/trend").passed


def test_a_model_is_asked_for_by_the_platforms_own_schedules_besides_and_by_no_token():
    for own in ("schedule", "drift", "user/0f"):
        assert check_asked_by_person("promote_model", own).passed
    for other in ("bootstrap", "scheduler", "schedule ", "Drift", "aether", "machine/root", ""):
        assert check_asked_by_person("promote_model", other).code == "person-required"
        assert not check_asked_by_person("promote_model", other).passed
    assert not check_asked_by_person("go_live", "schedule").passed


def test_an_account_that_is_called_platform_is_not_the_platform():
    held = Rights(CallerKind.PERSON, (Grant(Role.DIRECTOR, "platform"),))
    assert judge(held, Action.APPROVAL_APPROVE, "platform") is not None
    everywhere = Rights(CallerKind.PERSON, (Grant(Role.DIRECTOR),))
    assert judge(everywhere, Action.APPROVAL_APPROVE, "platform") is None

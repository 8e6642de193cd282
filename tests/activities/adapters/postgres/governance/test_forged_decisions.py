"""What the database refuses of approvals, champions and the record, whichever process tries it."""

import hashlib
from datetime import UTC, datetime
from uuid import uuid4

import psycopg
import pytest

from infra.migrations.governance.bound import ASKED_BY_PEOPLE, SCHEDULES
from infra.migrations.governance.proven import WRITES
from infra.migrations.record.written import DISCLOSED
from infra.runtime.database.connections import Role
from models.trading.governance.four_eyes import TAKES_TWO_PEOPLE
from models.trading.governance.record.actions import BY_CODE
from models.trading.governance.rights import RIGHTS
from models.trading.governance.rights import Role as Duty
from models.trading.governance.subjects import SUBJECTS, Subject
from tests.activities.adapters.postgres.governance.forged import Person, a_request, noted, state_of
from tests.support.lifting import approve_in_record

HASH = hashlib.sha256(b"no session").hexdigest()


def test_an_approval_of_who_may_and_has_confirmed_it_is_noted(owner, connect):
    first, second = Person(owner, "*"), Person(owner, "*")
    request = a_request(owner, first.author)
    second.approve(connect(Role.API), request)
    assert noted(owner, request) == [second.author]


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "withdrawn"},
        {"status": "expired"},
        {"status": "refused"},
        {"expires_at": datetime(2026, 1, 1, tzinfo=UTC)},
    ],
    ids=str,
)
def test_what_is_over_is_approved_by_nobody(owner, connect, changes):
    first, second = Person(owner, "*"), Person(owner, "*")
    request = a_request(owner, first.author, **changes)
    second.approve(connect(Role.API), request)
    assert noted(owner, request) == []


def test_nobody_approves_their_own_nor_what_is_not_there(owner, connect):
    first = Person(owner, "*")
    request = a_request(owner, first.author)
    for name in (request, "unknown"):
        first.approve(connect(Role.API), name)
        assert noted(owner, name) == []


@pytest.mark.parametrize("scopes", [(), ("company",), ("platform",)], ids=str)
def test_who_is_no_director_of_all_accounts_approves_nothing_of_the_platform(
    owner, connect, scopes
):
    person = Person(owner, *scopes)
    request = a_request(owner, Person(owner, "*").author)
    with pytest.raises(psycopg.Error) as error:
        person.approve(connect(Role.API), request)
    assert state_of(error) == "AE003"
    assert noted(owner, request) == []


def test_a_director_of_another_account_approves_nothing_of_this_one(owner, connect):
    person, first = Person(owner, "director-1"), Person(owner, "*")
    for account, content in (
        ("company", {}),
        ("platform", {"accounts": ["director-1", "company"]}),
    ):
        subject = "lift_kill_switch" if content else "entry"
        request = a_request(owner, first.author, account, subject, content=content)
        with pytest.raises(psycopg.Error) as error:
            person.approve(connect(Role.API), request, account)
        assert state_of(error) == "AE003"
    content = {"accounts": ["director-1"]}
    request = a_request(owner, first.author, subject="lift_kill_switch", content=content)
    person.approve(connect(Role.API), request)
    assert noted(owner, request) == [person.author]


def test_a_kill_switch_of_no_account_takes_a_director_of_all(owner, connect):
    person = Person(owner, "company")
    request = a_request(owner, "user/x", subject="lift_kill_switch", content={"accounts": []})
    with pytest.raises(psycopg.Error) as error:
        person.approve(connect(Role.API), request)
    assert state_of(error) == "AE003"


def test_an_approval_takes_a_confirmation_of_that_very_person(owner, connect):
    first, second, third = (Person(owner, "*") for _ in range(3))
    request = a_request(owner, first.author)
    for stolen in ("", "unknown", third.step_up):
        with pytest.raises(psycopg.Error) as error:
            second.approve(connect(Role.API), request, step_up=stolen or "none")
        assert state_of(error) == "AE003"
    third.confirm("approve", path_of(request))
    with pytest.raises(psycopg.Error):
        second.approve(connect(Role.API), request, step_up=third.step_up)
    assert noted(owner, request) == []


def path_of(request):
    return f"/api/v1/approvals/{request}/approve"


def test_a_confirmation_counts_for_its_own_request_lately_and_in_its_session(owner, connect):
    first, second = Person(owner, "*"), Person(owner, "*")
    request, other = a_request(owner, first.author), a_request(owner, first.author)
    api = connect(Role.API)
    for purpose, subject, more in (
        ("make_token", path_of(request), {}),
        ("approve", path_of(other), {}),
        ("approve", "", {}),
        ("approve", path_of(request), {"ago": "11 minutes"}),
        ("approve", path_of(request), {"session": second.another_session()}),
        ("approve_universe_change", "/api/v1/universe/changes/1/approve", {}),
        ("approve_going_live", "/api/v1/accounts/platform/going-live/requests/1/approve", {}),
    ):
        second.confirm(purpose, subject, **more)
        with pytest.raises(psycopg.Error) as error:
            second.approve(api, request, step_up=second.step_up)
        assert state_of(error) == "AE003", (purpose, subject, more)
    assert noted(owner, request) == []
    second.confirm("approve", path_of(request), ago="4 minutes")
    second.approve(api, request, step_up=second.step_up)
    assert noted(owner, request) == [second.author]


@pytest.mark.parametrize("subject", sorted(TAKES_TWO_PEOPLE))
def test_what_a_token_has_asked_for_is_noted_for_nobody(owner, connect, subject):
    second = Person(owner, "*")
    for asker in ("bootstrap", "aether", "machine/root", "strategy/trend"):
        request = a_request(owner, asker, subject=subject)
        with pytest.raises(psycopg.Error) as error:
            second.approve(connect(Role.API), request)
        assert state_of(error) == "AE003"
        assert noted(owner, request) == []
    for schedule in SCHEDULES:
        request = a_request(owner, schedule, subject=subject)
        if subject == "promote_model":
            second.approve(connect(Role.API), request)
            assert noted(owner, request) == [second.author]
        else:
            with pytest.raises(psycopg.Error):
                second.approve(connect(Role.API), request)


def test_the_database_asks_for_people_where_the_table_of_subjects_does():
    assert set(ASKED_BY_PEOPLE) == {str(subject) for subject in TAKES_TWO_PEOPLE}
    named = {name for rule in SUBJECTS.values() for name in rule.automatic}
    assert named == set(SCHEDULES) == SUBJECTS[Subject.PROMOTE_MODEL].automatic


def test_who_has_left_or_has_no_session_approves_nothing(owner, connect):
    first, second = Person(owner, "*"), Person(owner, "*")
    request = a_request(owner, first.author)
    owner.execute("UPDATE people SET disabled_at = now() WHERE user_id = %s", [second.user])
    with pytest.raises(psycopg.Error) as error:
        second.approve(connect(Role.API), request)
    assert state_of(error) == "AE003"
    owner.execute("UPDATE people SET disabled_at = NULL WHERE user_id = %s", [second.user])
    second.session = HASH
    with pytest.raises(psycopg.Error) as error:
        second.approve(connect(Role.API), request)
    assert state_of(error) == "AE003"


def test_director_recovered_at_the_machine_is_as_new_as_an_invited_one(owner, connect):
    taken, first = Person(owner, "*", age="90 days"), Person(owner, "*")
    admin = connect(Role.ADMIN)
    asked = admin.execute(
        "SELECT ask_recovery(%s, %s, now(), 'machine/root')", [uuid4().hex, taken.user[:20]]
    ).fetchone()[0]
    link = "SELECT take_recovery(%s, %s, now() - interval '9 days', 'machine/root')"
    assert admin.execute(link, [asked["recovery_id"], uuid4().hex]).fetchone() == (None,)
    link = "SELECT take_recovery(%s, %s, clock_timestamp(), 'machine/root')"
    assert admin.execute(link, [asked["recovery_id"], uuid4().hex]).fetchone() == (taken.user,)
    taken.session = taken.another_session()  # of whoever came in by the link
    going_live = a_request(owner, first.author, "company", "go_live")
    with pytest.raises(psycopg.Error) as error:
        taken.approve(connect(Role.API), going_live, "company")
    assert state_of(error) == "AE006"


def test_somebody_made_a_director_today_approves_no_real_money(owner, connect):
    fresh, first = Person(owner, "*", age="23 hours"), Person(owner, "*")
    api = connect(Role.API)
    simulated = a_request(owner, first.author, "company")
    fresh.approve(api, simulated, "company")
    assert noted(owner, simulated) == [fresh.author]
    going_live = a_request(owner, first.author, "company", "go_live")
    with pytest.raises(psycopg.Error) as error:
        fresh.approve(api, going_live, "company")
    assert state_of(error) == "AE006"
    owner.execute("UPDATE accounts SET mode = 'live' WHERE account_id = 'company'")
    try:
        for account in ("company", "platform"):
            request = a_request(owner, first.author, account)
            with pytest.raises(psycopg.Error) as error:
                fresh.approve(api, request, account)
            assert state_of(error) == "AE006"
        elsewhere = a_request(owner, first.author, "director-1")
        fresh.approve(api, elsewhere, "director-1")
        assert noted(owner, elsewhere) == [fresh.author]
    finally:
        owner.execute("UPDATE accounts SET mode = 'simulated' WHERE account_id = 'company'")


def test_whoever_brings_people_at_the_machine_cannot_make_them_older(owner, connect):
    admin, user = connect(Role.ADMIN), uuid4().hex
    admin.execute(
        "SELECT import_person(%s, %s, '', 'x', '{director}', '{*}', "
        "now() - interval '1 year', 'aether')",
        [user, user[:20]],
    )
    query = "SELECT granted_at > now() - interval '1 minute' FROM person_grants WHERE user_id = %s"
    assert owner.execute(query, [user]).fetchall() == [(True,)]


def test_a_role_that_stays_keeps_its_age(owner, connect):
    first, second = Person(owner, "*"), Person(owner, "*", age="3 days")
    connect(Role.API).execute(
        "SELECT change_person(%s, %s, 'Dora', NULL, '{director,auditor}', '{*,*}', now())",
        [first.session, second.user],
    )
    rows = owner.execute(
        "SELECT role, granted_at < now() - interval '2 days' FROM person_grants "
        "WHERE user_id = %s ORDER BY role",
        [second.user],
    ).fetchall()
    assert rows == [("auditor", False), ("director", True)]


@pytest.mark.parametrize("end", ["refused", "withdrawn", "lapsed", "expired", "outdated"])
def test_a_lift_that_came_to_another_end_lifts_nothing(owner, connect, superuser_url, end):
    number = owner.execute("SELECT nextval('kill_switch_numbers')").fetchone()[0]
    owner.execute(
        "SELECT engage_kill_switch(%s, '{company}', false, 'x', 'user/three', now(), NULL)",
        [number],
    )
    approve_in_record(superuser_url, number, "user/one", "user/two")
    approval = owner.execute(
        "SELECT lift_approval FROM kill_switches WHERE number = %s", [number]
    ).fetchone()[0]
    owner.execute("UPDATE approvals SET status = %s WHERE approval_id = %s", [end, approval])
    with pytest.raises(psycopg.Error) as error:
        connect(Role.APP).execute("SELECT lift_kill_switch(%s, now(), 'user/two')", [number])
    assert state_of(error) == "AE003"
    query = "SELECT lifted_at FROM kill_switches WHERE number = %s"
    assert owner.execute(query, [number]).fetchone() == (None,)


CROWN = "INSERT INTO champions SELECT max(number) + 1, %s, {previous}, 'user/x', '', now() "


@pytest.mark.parametrize("role", [Role.API, Role.LEARNING])
def test_no_model_trades_that_nobody_has_approved(owner, connect, role):
    newest = "(SELECT model FROM champions ORDER BY number DESC LIMIT 1)"
    for previous in (newest, "'no-trade'"):
        with pytest.raises(psycopg.Error) as error:
            connect(role).execute(CROWN.format(previous=previous) + "FROM champions", ["model-x"])
        assert state_of(error) == "AE003"


def test_the_model_that_a_person_has_approved_trades_and_can_be_withdrawn(owner, connect):
    model, person = f"run-{uuid4().hex[:8]}", Person(owner, "*")
    newest = "(SELECT model FROM champions ORDER BY number DESC LIMIT 1)"
    statement = CROWN.format(previous=newest) + "FROM champions"
    request = a_request(owner, "aether", subject="promote_model")
    owner.execute(
        "UPDATE approvals SET approval_id = %s, status = 'approved', decided_by = %s "
        "WHERE approval_id = %s",
        [f"promote-{model}", person.author, request],
    )
    # The workflow's word alone, that somebody has approved, is not enough.
    with pytest.raises(psycopg.Error) as error:
        connect(Role.LEARNING).execute(statement, [model])
    assert state_of(error) == "AE003"
    owner.execute(
        "INSERT INTO approval_decisions VALUES ('platform', %s, %s, true, now(), '')",
        [f"promote-{model}", person.author],
    )
    with pytest.raises(psycopg.Error):
        connect(Role.API).execute(statement, [model])
    connect(Role.LEARNING).execute(statement, [model])
    back = CROWN.format(previous="'no-trade'") + "FROM champions"
    connect(Role.API).execute(back, ["no-trade"])
    query = "SELECT model FROM champions ORDER BY number DESC LIMIT 1"
    assert owner.execute(query).fetchone() == ("no-trade",)


def test_each_role_writes_only_its_own_actions_into_the_record(owner, connect):
    reserved = [code for code in BY_CODE if code.startswith(("freeze_", "person_", "factor_"))]
    for role in (Role.API, Role.NOTIFIER, Role.LEARNING, Role.APP, Role.ADMIN):
        allowed = {*WRITES.get(role.value, ()), *DISCLOSED.get(role.value, ())}
        others = sorted(set(BY_CODE) - allowed) if role.value in WRITES else reserved
        assert others
        connection = connect(role)
        for action in others:
            with pytest.raises(psycopg.Error) as error:
                connection.execute(
                    "SELECT append_audit('platform', 'aether', %s, '{}', '{}', "
                    "'kill-switch/1', false, '')",
                    [action],
                )
            assert state_of(error) == "AE003", (role, action)
        for action in sorted(allowed):
            assert action in BY_CODE
            connection.execute(
                "SELECT append_audit('platform', 'aether', %s, '{}', '{}', '', false, '')",
                [action],
            )


def test_only_directors_approve_as_the_database_takes_for_granted():
    assert {RIGHTS[rule.approves].roles for rule in SUBJECTS.values()} == {
        frozenset({Duty.DIRECTOR})
    }
    assert all(RIGHTS[rule.approves].step_up for rule in SUBJECTS.values())

"""A lift that was approved and came to nothing is asked for again, with another approval."""

from uuid import uuid4

import pytest

from infra.runtime.database.connections import Role
from tests.support.lifting import approve_in_record


@pytest.fixture
def approved(owner, superuser_url):
    """A kill switch whose lift was approved just now, and under which request."""
    number = owner.execute("SELECT nextval('kill_switch_numbers')").fetchone()[0]
    owner.execute(
        "SELECT engage_kill_switch(%s, '{company}', false, 'x', 'user/three', now(), NULL)",
        [number],
    )
    approve_in_record(superuser_url, number, "user/one", "user/two")
    owner.execute("SELECT set_config('aether.account_id', 'platform', false)")
    row = "SELECT lift_approval FROM kill_switches WHERE number = %s"
    approval = owner.execute(row, [number]).fetchone()[0]
    owner.execute(
        "UPDATE approvals SET status = 'approved', decided_by = 'user/two', decided_at = now() "
        "WHERE approval_id = %s",
        [approval],
    )
    return number, approval


def ask(owner, number):
    asked = "SELECT request_kill_switch_lift(%s, 'user/four', now(), NULL, %s, 'again')"
    return owner.execute(asked, [number, str(uuid4())]).fetchone()[0]


def age(owner, approval, by):
    owner.execute(
        f"UPDATE approvals SET decided_at = now() - interval '{by}' WHERE approval_id = %s",
        [approval],
    )


def test_what_is_being_carried_out_stands(owner, approved):
    number, approval = approved
    age(owner, approval, "1 minute")
    assert ask(owner, number)["approval"] == approval


def test_what_came_to_nothing_is_asked_anew_and_approved_anew(
    owner, connect, approved, superuser_url
):
    number, approval = approved
    age(owner, approval, "3 minutes")
    again = ask(owner, number)
    assert again["approval"] != approval
    assert again["by"] == "user/four"
    # The request that waits stands.
    assert ask(owner, number)["approval"] == again["approval"]
    approve_in_record(superuser_url, number, "user/four", "user/two")
    connect(Role.APP).execute("SELECT lift_kill_switch(%s, now(), 'user/two')", [number])
    row = "SELECT lifted_by FROM kill_switches WHERE number = %s"
    assert owner.execute(row, [number]).fetchone()[0] == "user/two"


def test_what_was_lifted_is_not_asked_anew(owner, connect, approved):
    number, approval = approved
    connect(Role.APP).execute("SELECT lift_kill_switch(%s, now(), 'user/two')", [number])
    age(owner, approval, "3 minutes")
    assert ask(owner, number)["approval"] == approval

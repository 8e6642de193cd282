"""What the database refuses of whoever has a shell: earlier times, other names, live accounts."""

import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest

from infra.migrations.governance.bound import SCHEDULES
from infra.runtime.database.connections import Role
from tests.activities.adapters.postgres.governance.forged import Person, state_of


def test_the_delay_of_a_recovery_begins_now_whatever_time_it_is_said_to_be(owner, connect):
    director = Person(owner, "*")
    admin = connect(Role.ADMIN)
    owner.execute("SELECT set_config('aether.account_id', 'company', false)")
    owner.execute("UPDATE accounts SET mode = 'live' WHERE account_id = 'company'")
    try:
        for said in ("now() - interval '3 days'", "now()", "now() + interval '1 hour'"):
            name = uuid4().hex
            asked = admin.execute(
                f"SELECT ask_recovery(%s, %s, {said}, 'machine/root')", [name, director.user[:20]]
            ).fetchone()[0]
            waits = datetime.fromisoformat(asked["effective_at"]) - datetime.now(UTC)
            assert waits > timedelta(hours=23, minutes=59), said
            taken = "SELECT take_recovery(%s, 'link', now() + interval '9 days', 'machine/root')"
            assert admin.execute(taken, [asked["recovery_id"]]).fetchone() == (None,)
            owner.execute("DELETE FROM recoveries")
    finally:
        owner.execute("UPDATE accounts SET mode = 'simulated' WHERE account_id = 'company'")


@pytest.mark.parametrize("name", ["user/0f", "aether", "platform", *SCHEDULES, "", "A", "a b"])
def test_no_token_is_called_like_a_person_or_a_part_of_the_platform(connect, name):
    with pytest.raises(psycopg.Error) as error:
        connect(Role.ADMIN).execute(
            "SELECT create_token(%s, 'administrator', %s, now(), now() + interval '1 day', "
            "'aether')",
            [name, uuid4().hex],
        )
    assert state_of(error) == "AE003"


def test_nobody_sets_an_account_up_that_trades_live(connect):
    admin = connect(Role.ADMIN)
    for mode in ("live", "simulated"):
        new = f"new-{uuid4().hex[:8]}"
        with admin.transaction(force_rollback=True):
            admin.execute("SELECT set_config('aether.account_id', 'company', true)")
            held = admin.execute("SELECT to_jsonb(a) FROM accounts a").fetchone()[0]
            admin.execute("SELECT set_config('aether.account_id', %s, true)", [new])
            made = json.dumps(held | {"account_id": new, "mode": mode})
            add = "INSERT INTO accounts SELECT * FROM jsonb_populate_record(NULL::accounts, %s)"
            if mode == "simulated":
                admin.execute(add, [made])
                continue
            with pytest.raises(psycopg.Error) as error:
                admin.execute(add, [made])
            assert state_of(error) == "AE003"


def test_no_token_lives_longer_than_its_kind_may(owner, connect):
    admin, person = connect(Role.ADMIN), Person(owner, "*")
    made = "SELECT create_token(%s, 'auditor', %s, {at}, {at} + interval '{days} days', 'aether')"
    later = "now() + interval '300 days'"
    for at, days in (("now()", 367), (later, 300), ("now()", 100_000)):
        with pytest.raises(psycopg.Error) as error:
            admin.execute(made.format(at=at, days=days), [uuid4().hex, uuid4().hex])
        assert state_of(error) == "AE003"
    name = uuid4().hex
    admin.execute(made.format(at="now()", days=365), [name, uuid4().hex])
    with pytest.raises(psycopg.Error) as error:
        admin.execute("SELECT renew_token(%s, now() + interval '2 years', 'aether')", [name])
    assert state_of(error) == "AE003"
    own = (
        "SELECT make_access_token(%s, %s, %s, 'job', '{account.read}', '{*}', "
        "now(), now() + interval '92 days')"
    )
    with pytest.raises(psycopg.Error) as error:
        connect(Role.API).execute(own, [person.session, uuid4().hex, uuid4().hex])
    assert state_of(error) == "AE003"

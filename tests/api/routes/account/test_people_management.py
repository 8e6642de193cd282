"""Directors and people: invited, reset, ended; the first link; failures that slow down."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from activities.adapters.postgres.governance.people import PostgresPeople
from models.trading.governance.rights import Grant, Role
from tests.support.people import PASSWORD, Browser, light_hash, signed_in
from tests.support.platform import PORT_BASE, running_platform


@pytest.fixture
async def fresh(postgres):
    async with running_platform(postgres, postgres.new_database(), None) as running:
        yield running


@pytest.fixture
async def ada(fresh):
    async with signed_in(fresh.app, PORT_BASE, fresh.admin) as browser:
        yield browser


def kind(answer):
    return answer.json()["type"].removeprefix("urn:aether:problem:")


async def test_directors_invite_reset_and_disable_but_set_no_password(fresh, ada):
    grants = [{"role": "operator", "account": "*"}]
    body = {"name": "bob-invited", "display_name": "Bob", "grants": grants}
    made = (await ada.post("/api/v1/people", json=body)).json()
    assert (await ada.post("/api/v1/people", json=body)).status_code == 409
    link = made["link"].partition("#")[2]
    async with Browser(fresh.app, PORT_BASE) as bob:
        took = await bob.post("/api/v1/enrolment", json={"link": link, "password": PASSWORD})
        assert took.status_code == 200, took.text
        await bob.add_passkey()
        assert (await bob.get("/api/v1/me")).json()["user"] == made["user"]
        user = made["user"].removeprefix("user/")
        bob.steps_up = False
        assert (await bob.post(f"/api/v1/people/{user}/reset-factors")).status_code == 403
        reset = await ada.post(f"/api/v1/people/{user}/reset-factors")
        assert reset.status_code == 200, reset.text
        assert (await bob.get("/api/v1/me")).status_code == 401
        link = reset.json()["link"].partition("#")[2]
        wrong = await bob.post("/api/v1/enrolment", json={"link": link, "password": "not mine"})
        assert wrong.status_code == 401
        took = await bob.post("/api/v1/enrolment", json={"link": link, "password": PASSWORD})
        assert took.status_code == 200, took.text
        await bob.add_passkey()
        assert (await bob.get("/api/v1/me")).status_code == 200
        gone = await ada.delete(f"/api/v1/people/{user}")
        assert gone.status_code == 200
        assert (await bob.get("/api/v1/me")).status_code == 401
    again = await ada.post("/api/v1/people", json=body)
    assert again.status_code == 201
    assert again.json()["user"] != made["user"]
    own = ada.user.removeprefix("user/")
    assert (await ada.post(f"/api/v1/people/{own}/reset-factors")).status_code == 409


async def test_of_two_who_race_for_the_first_link_one_is_the_director(postgres):
    async with running_platform(postgres, postgres.new_database(), None) as running:
        people = PostgresPeople(running.admin)
        link = await people.first_link(datetime.now(UTC), "aether")

        async def take(name):
            async with Browser(running.app, PORT_BASE) as browser:
                body = {"link": link, "name": name, "display_name": name, "password": PASSWORD}
                return (await browser.post("/api/v1/enrolment", json=body)).status_code

        found = await asyncio.gather(*(take(f"racer-{number}") for number in range(4)))
        assert sorted(found) == [200, 404, 404, 404]
        assert len(await people.everybody()) == 1
        assert await people.first_link(datetime.now(UTC), "aether") is None


async def test_the_first_link_is_for_this_machine_and_a_quarter_of_an_hour(postgres):
    async with running_platform(postgres, postgres.new_database(), None) as running:
        people, now = PostgresPeople(running.admin), datetime.now(UTC)
        body = {"name": "ada", "display_name": "Ada", "password": PASSWORD}
        async with Browser(running.app, PORT_BASE) as browser:
            old = await people.first_link(now - timedelta(minutes=15), "aether")
            assert kind(await browser.post("/api/v1/enrolment", json=body | {"link": old}))
            replaced = await people.first_link(now, "aether")
            link = await people.first_link(now, "aether")
            for given, headers in [
                (old, {}),
                (replaced, {}),
                ("guess", {}),
                (link, {"X-Forwarded-For": "203.0.113.9"}),
                (link, {"Forwarded": "for=203.0.113.9"}),
            ]:
                answer = await browser.post(
                    "/api/v1/enrolment", json=body | {"link": given}, headers=headers
                )
                assert (answer.status_code, kind(answer)) == (404, "unknown-link")
            done = await browser.post("/api/v1/enrolment", json=body | {"link": link})
            assert done.status_code == 200, done.text


async def test_the_last_director_stays_one(postgres):
    async with (
        running_platform(postgres, postgres.new_database(), None) as running,
        signed_in(running.app, PORT_BASE, running.admin) as ada,
    ):
        user = ada.user.removeprefix("user/")
        path = f"/api/v1/people/{user}"
        body = {"grants": [{"role": "auditor", "account": "*"}]}
        assert (await ada.patch(path, json=body)).status_code == 409
        assert (await ada.delete(path)).status_code == 409
        assert (await ada.get("/api/v1/me")).status_code == 200


async def test_failures_slow_down_by_person_and_never_for_good(postgres):
    name = postgres.new_database()
    async with running_platform(postgres, name, None) as running:
        people = PostgresPeople(running.admin)
        roles = [Grant(Role.OPERATOR)]
        await people.bring("bob", "Bob", light_hash(), roles, datetime.now(UTC), "aether")
        async with Browser(running.app, PORT_BASE) as browser:
            statuses = [
                (
                    await browser.post("/api/v1/sign-in", json={"name": who, "password": "wrong"})
                ).status_code
                for who in ("bob",) * 5 + ("nobody-here",) * 7
            ]
            assert statuses == [200] * 10 + [429] * 2
            body = {"name": "bob", "password": PASSWORD}
            held = await browser.post("/api/v1/sign-in", json=body)
            assert (held.status_code, kind(held)) == (429, "too-many-attempts")
            assert 0 < int(held.headers["retry-after"]) <= 301
            with psycopg.connect(postgres.url("postgres", name)) as connection:
                connection.execute(
                    """UPDATE sign_in_failures SET failures = ARRAY(
                        SELECT f - interval '5 minutes' FROM unnest(failures) f)"""
                )
                rows = connection.execute("SELECT count(*) FROM sign_in_failures").fetchone()
            assert rows[0] <= 3
            assert (await browser.post("/api/v1/sign-in", json=body)).status_code == 200
        failed = await running.audited("platform", "sign_in_failed")
        assert len(failed) == 5
        assert "nobody-here" not in json.dumps(failed)

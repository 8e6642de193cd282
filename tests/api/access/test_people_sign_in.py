"""From the first link to a session that counts, and what a session may not do."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from activities.adapters.postgres.governance.people import PostgresPeople
from models.trading.governance.rights import Grant, Role
from models.trading.governance.totp import code_at, time_step
from tests.support.people import PASSWORD, Browser, signed_in
from tests.support.platform import PORT_BASE, loopback, running_platform


@pytest.fixture
async def fresh(postgres):
    async with running_platform(postgres, postgres.new_database(), None) as running:
        yield running


def kind(answer):
    return answer.json()["type"].removeprefix("urn:aether:problem:")


def codes(secret, offset=0):
    from base64 import b32decode

    return code_at(b32decode(secret), time_step(datetime.now(UTC)) + offset)


async def test_first_start_makes_a_director_with_password_and_code(fresh):
    people = PostgresPeople(fresh.admin)
    link = await people.first_link(datetime.now(UTC), "aether")
    async with Browser(fresh.app, PORT_BASE) as browser:
        body = {"link": link, "name": "ada", "display_name": "Ada", "password": PASSWORD}
        assert (await browser.post("/api/v1/enrolment/look", json={"link": link})).json() == {
            "purpose": "first",
            "name": None,
            "display_name": None,
        }
        answer = await browser.post("/api/v1/enrolment", json=body)
        assert (answer.status_code, answer.json()["step"]) == (200, "enrolment"), answer.text
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-aether-session=")
        for attribute in ("Secure", "HttpOnly", "SameSite=strict", "Path=/"):
            assert attribute in cookie
        assert "Domain" not in cookie
        # A factor before anything else.
        assert (await browser.get("/api/v1/me")).status_code == 401
        assert (await browser.get("/api/v1/accounts")).status_code == 401
        made = (await browser.post("/api/v1/me/factors/totp", json={})).json()
        assert made["uri"].startswith("otpauth://totp/Aether:ada?secret=")
        assert made["qr"].startswith("<svg")
        pending = browser.reference
        path = f"/api/v1/me/factors/totp/{made['factor']}/confirm"
        done = await browser.post(path, json={"code": codes(made["secret"])})
        assert done.status_code == 200, done.text
        assert len(done.json()["recovery_codes"]) == 10
        assert browser.reference != pending
        me = (await browser.get("/api/v1/me")).json()
        assert me["name"] == "ada"
        assert {grant["role"] for grant in me["grants"]} == {"director", "platform_administrator"}
        assert (await browser.get("/api/v1/accounts")).status_code == 200
    assert await people.first_link(datetime.now(UTC), "aether") is None
    async with Browser(fresh.app, PORT_BASE) as other:
        again = await other.post("/api/v1/enrolment", json=body | {"name": "eve"})
        assert (again.status_code, kind(again)) == (404, "unknown-link")


async def test_a_right_that_the_role_lacks_is_refused_and_audited(fresh):
    account = await fresh.add_account()
    auditor = Grant(Role.AUDITOR)
    async with signed_in(fresh.app, PORT_BASE, fresh.admin, auditor) as browser:
        assert (await browser.get(f"/api/v1/accounts/{account}")).status_code == 200
        path = f"/api/v1/accounts/{account}/halt"
        for _ in range(3):
            answer = await browser.post(
                path, json={"reason": "because"}, headers={"Idempotency-Key": uuid4().hex}
            )
            assert (answer.status_code, kind(answer)) == (403, "no-right")
        denied = await fresh.audited("platform", "access_denied")
        assert [row["actor"] for row in denied] == [browser.user]
        assert denied[0]["details"]["right"] == "account.halt"


async def test_without_a_session_the_machines_token_works_as_before(fresh):
    async with loopback(fresh.app, fresh.token) as caller:
        assert (await caller.get("/api/v1/accounts")).status_code == 200
        assert (await caller.get("/api/v1/me")).status_code == 403

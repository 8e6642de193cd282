"""Sessions and confirmations: how they begin, what they need, how they end."""

import hashlib
import json
import time
from base64 import b32decode
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from activities.adapters.postgres.governance.sessions import reference_hash
from api.access.callers import person_of, still_counts
from infra.runtime.database.connections import Role as DatabaseRole
from models.trading.governance.rights import Grant, Role
from models.trading.governance.step_up import challenge
from models.trading.governance.totp import code_at, time_step
from tests.support.authenticator import Authenticator, decoded
from tests.support.people import PASSWORD, Browser, signed_in
from tests.support.platform import PORT_BASE, a_key, loopback, running_platform


@pytest.fixture(scope="module")
async def fresh(postgres):
    name = postgres.new_database()
    async with running_platform(postgres, name, None) as running:
        running.owner_url = postgres.url(DatabaseRole.OWNER, name)
        running.superuser_url = postgres.url("postgres", name)
        yield running


def kind(answer):
    return answer.json()["type"].removeprefix("urn:aether:problem:")


@pytest.fixture
async def ada(fresh):
    async with signed_in(fresh.app, PORT_BASE, fresh.admin) as browser:
        yield browser


def copy_of(fresh, browser):
    """Return a second browser with the same reference, which gets no new one."""
    other = Browser(fresh.app, PORT_BASE)
    other.reference = browser.reference
    return other


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Aether-Request": ""}, 403),
        ({}, 200),
    ],
)
async def test_what_changes_something_comes_from_our_own_page_with_our_header(
    fresh, ada, headers, status
):
    answer = await ada.post("/api/v1/sign-out", headers=headers)
    assert answer.status_code == status, answer.text


async def test_another_port_of_the_machine_reads_nothing_with_the_cookie(fresh, ada):
    answer = await ada.get("/api/v1/me", headers={"Sec-Fetch-Site": "same-site"})
    assert answer.status_code == 403
    ui = fresh.services.settings.temporal_ui_url
    for site in ({"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}):
        answer = await ada.get("/api/v1/me", headers={"Origin": ui, **site})
        assert (answer.status_code, kind(answer)) == (403, "foreign-request")
    own = {"Origin": f"http://localhost:{PORT_BASE}"}
    assert (await ada.get("/api/v1/me", headers=own)).status_code == 200
    foreign = await ada.get("/api/v1/me", headers={"Host": "evil.example:80"})
    assert foreign.status_code == 421


async def test_reference_is_new_after_sign_in_step_up_and_factor_change(fresh, ada):
    async with copy_of(fresh, ada) as old:
        await ada.step_up("make_token", "/api/v1/me/tokens", {})
        assert old.reference != ada.reference
        assert (await old.get("/api/v1/me")).status_code == 401
    async with copy_of(fresh, ada) as old:
        ada.passkey, first = Authenticator(f"http://localhost:{PORT_BASE}"), ada.passkey
        begin = "/api/v1/me/factors/passkey/begin"
        second, ada.passkey = ada.passkey, first
        reference = await ada.step_up("begin_passkey", begin)
        begun = await ada.post(begin, headers={"Aether-Step-Up": reference})
        made = second.make(begun.json()["options"])
        before = ada.reference
        added = await ada.post("/api/v1/me/factors/passkey", json={"credential": made})
        assert added.status_code == 200, added.text
        assert ada.reference != before
        assert (await old.get("/api/v1/me")).status_code == 401
    factors = (await ada.get("/api/v1/me/factors")).json()
    assert [one["kind"] for one in factors["factors"]] == ["passkey", "passkey"]
    gone = await ada.delete(f"/api/v1/me/factors/{factors['factors'][1]['factor_id']}")
    assert gone.status_code == 200, gone.text
    last = await ada.delete(f"/api/v1/me/factors/{factors['factors'][0]['factor_id']}")
    assert (last.status_code, kind(last)) == (409, "last-factor")


async def test_other_roles_end_what_was_begun_with_the_old_ones(fresh, ada):
    async with signed_in(fresh.app, PORT_BASE, fresh.admin, Grant(Role.OPERATOR)) as operator:
        streaming = await person_of(fresh.services, reference_hash(operator.reference))
        assert await still_counts(fresh.services, streaming)
        path = f"/api/v1/people/{operator.user.removeprefix('user/')}"
        body = {"grants": [{"role": "auditor", "account": "*"}]}
        changed = await ada.patch(path, json=body)
        assert changed.status_code == 200, changed.text
        assert not await still_counts(fresh.services, streaming)


async def test_sessions_are_listed_and_end_everywhere_within_a_second(fresh, ada):
    async with Browser(fresh.app, PORT_BASE) as other:
        await sign_in(other, ada)
        sessions = (await ada.get("/api/v1/me/sessions")).json()
        assert len(sessions) == 2
        (theirs,) = [one for one in sessions if not one["current"]]
        assert (await other.get("/api/v1/me")).status_code == 200
        streaming = await person_of(fresh.services, reference_hash(other.reference))
        assert await still_counts(fresh.services, streaming)
        ended = await ada.delete(f"/api/v1/me/sessions/{theirs['session_id']}")
        assert ended.status_code == 200
        begun = time.monotonic()
        assert not await still_counts(fresh.services, streaming)
        assert (await other.get("/api/v1/me")).status_code == 401
        assert time.monotonic() - begun < 1
    audited = await fresh.audited("platform", "session_revoked")
    assert audited[0]["actor"] == ada.user


async def sign_in(browser, like):
    """Sign in with the passkey of somebody who has one."""
    browser.passkey = like.passkey
    body = {"name": like.person, "password": PASSWORD}
    begun = await browser.post("/api/v1/sign-in", json=body)
    assert begun.json()["step"] == "second-factor"
    signed = browser.passkey.sign(begun.json()["passkey"])
    done = await browser.post("/api/v1/sign-in/second-factor", json={"credential": signed})
    assert done.status_code == 200, done.text


@pytest.mark.parametrize(
    ("column", "age"),
    [("used_at", timedelta(minutes=30)), ("opened_at", timedelta(hours=12))],
)
async def test_sessions_end_idle_and_absolutely(fresh, ada, column, age):
    assert (await ada.get("/api/v1/me")).status_code == 200
    user = ada.user.removeprefix("user/")
    with psycopg.connect(fresh.superuser_url) as connection:
        connection.execute(
            f"UPDATE person_sessions SET {column} = now() - %s WHERE user_id = %s", [age, user]
        )
    assert (await ada.get("/api/v1/me")).status_code == 401


@pytest.mark.parametrize(
    ("column", "age"),
    [("used_at", timedelta(minutes=30)), ("opened_at", timedelta(hours=12))],
)
async def test_a_stream_ends_with_its_session_and_is_no_use_of_it(fresh, ada, column, age):
    streaming = await person_of(fresh.services, reference_hash(ada.reference))
    user = ada.user.removeprefix("user/")

    def set_back(by):
        with psycopg.connect(fresh.superuser_url) as connection:
            connection.execute(
                f"UPDATE person_sessions SET {column} = now() - %s WHERE user_id = %s", [by, user]
            )
            used = "SELECT used_at FROM person_sessions WHERE user_id = %s"
            return connection.execute(used, [user]).fetchone()

    before = set_back(age - timedelta(minutes=2))
    assert await still_counts(fresh.services, streaming)
    with psycopg.connect(fresh.superuser_url) as connection:
        used = "SELECT used_at FROM person_sessions WHERE user_id = %s"
        assert connection.execute(used, [user]).fetchone() == before
    set_back(age)
    assert not await still_counts(fresh.services, streaming)


async def test_only_the_hash_of_the_reference_is_stored(fresh, ada):
    with psycopg.connect(fresh.superuser_url) as connection:
        rows = connection.execute("SELECT t.*::text FROM person_sessions t").fetchall()
    assert not any(ada.reference in row[0] for row in rows)


async def test_passkey_signs_what_is_confirmed_and_the_evidence_is_kept(fresh, ada):
    body = {"label": "job", "scopes": ["account.read"], "accounts": ["*"], "days": 30}
    asked = await ada.post(
        "/api/v1/me/step-ups",
        json={"operation": "make_token", "path": "/api/v1/me/tokens", "body": body},
    )
    shown = asked.json()
    signed = ada.passkey.sign(shown["passkey"])
    path = f"/api/v1/me/step-ups/{shown['step_up']}"
    done = (await ada.post(path, json={"credential": signed})).json()
    assert (done["method"], done["evidence"][:20]) == ("passkey", "the passkey has sign")
    ada.steps_up = False
    headers = {"Aether-Step-Up": done["reference"]}
    other = await ada.post("/api/v1/me/tokens", json=body | {"days": 90}, headers=headers)
    assert (other.status_code, kind(other)) == (409, "changed-since")
    again = await ada.post("/api/v1/me/tokens", json=body, headers=headers)
    assert kind(again) == "step-up-required"  # it has been used
    with psycopg.connect(fresh.superuser_url) as connection:
        (row,) = connection.execute(
            "SELECT challenge, evidence, nonce, content FROM step_ups WHERE step_up_id = %s",
            [shown["step_up"]],
        ).fetchall()
    said = json.loads(decoded(row[1]["clientDataJSON"]))
    assert decoded(said["challenge"]).hex() == row[0] == shown["challenge"]
    signed_hash = challenge("make_token", "/api/v1/me/tokens", json.loads(row[3]), row[2])
    assert signed_hash.hex() == row[0]
    raw = decoded(row[1]["clientDataJSON"])
    over = decoded(row[1]["authenticatorData"]) + hashlib.sha256(raw).digest()
    ada.passkey.key.public_key().verify(
        decoded(row[1]["signature"]), over, ec.ECDSA(hashes.SHA256())
    )


async def test_a_confirmation_serves_its_own_action_and_session_once(fresh, ada):
    ada.steps_up = False
    body = {"label": "job", "scopes": ["account.read"], "accounts": ["*"]}
    reference = await ada.step_up("make_token", "/api/v1/me/tokens", body)
    headers = {"Aether-Step-Up": reference}
    elsewhere = await ada.post("/api/v1/me/recovery-codes", headers=headers)
    assert kind(elsewhere) == "step-up-required"
    async with signed_in(fresh.app, PORT_BASE, fresh.admin) as eve:
        eve.steps_up = False
        stolen = await eve.post("/api/v1/me/tokens", json=body, headers=headers)
        assert kind(stolen) == "step-up-required"
    made = await ada.post("/api/v1/me/tokens", json=body, headers=headers)
    assert made.status_code == 201, made.text
    assert kind(await ada.post("/api/v1/me/tokens", json=body, headers=headers)) == (
        "step-up-required"
    )


async def test_a_confirmation_is_too_old_after_five_minutes(fresh, ada):
    ada.steps_up = False
    reference = await ada.step_up("replace_recovery_codes", "/api/v1/me/recovery-codes")
    with psycopg.connect(fresh.superuser_url) as connection:
        connection.execute("UPDATE step_ups SET confirmed_at = confirmed_at - interval '5 min'")
    headers = {"Aether-Step-Up": reference}
    answer = await ada.post("/api/v1/me/recovery-codes", headers=headers)
    assert kind(answer) == "step-up-required"


async def with_totp(browser):
    """Add an authenticator, and return its secret."""
    made = (await browser.post("/api/v1/me/factors/totp", json={})).json()
    secret = b32decode(made["secret"])
    path = f"/api/v1/me/factors/totp/{made['factor']}/confirm"
    code = code_at(secret, time_step(datetime.now(UTC)) - 1)
    done = await browser.post(path, json={"code": code})
    assert done.status_code == 200, done.text
    return secret


async def test_a_code_confirms_but_says_that_it_does_not_show_what(fresh, ada):
    secret = await with_totp(ada)
    asked = await ada.post(
        "/api/v1/me/step-ups",
        json={"operation": "replace_recovery_codes", "path": "/api/v1/me/recovery-codes"},
    )
    path = f"/api/v1/me/step-ups/{asked.json()['step_up']}"
    code = code_at(secret, time_step(datetime.now(UTC)))
    done = (await ada.post(path, json={"code": code})).json()
    assert done["method"] == "totp"
    assert "does not show" in done["evidence"]
    headers = {"Aether-Step-Up": done["reference"]}
    codes = await ada.post("/api/v1/me/recovery-codes", headers=headers)
    assert len(codes.json()["recovery_codes"]) == 10
    used = (await fresh.audited("platform", "step_up_used"))[0]["details"]
    assert (used["method"], used["shows_content"]) == ("totp", "false")


@pytest.mark.parametrize("change", ["unverified", "origin", "replayed", "challenge"])
async def test_a_passkey_that_does_not_verify_lets_nobody_in(fresh, ada, change):
    async with Browser(fresh.app, PORT_BASE) as other:
        begun = await other.post("/api/v1/sign-in", json={"name": ada.person, "password": PASSWORD})
        options = begun.json()["passkey"]
        if change == "unverified":
            ada.passkey.verified = False
        if change == "origin":
            ada.passkey.origin = "http://localhost:1"
        if change == "challenge":
            options = options | {"challenge": "AAAA"}
        signed = ada.passkey.sign(options)
        if change == "replayed":
            ada.passkey.count = 0
            await sign_in(copy_of(fresh, ada), ada)
        answer = await other.post("/api/v1/sign-in/second-factor", json={"credential": signed})
        if change == "replayed":
            again = await other.post("/api/v1/sign-in/second-factor", json={"credential": signed})
            answer = again
        assert (answer.status_code, kind(answer)) == (401, "sign-in-failed")


async def test_an_ip_address_is_no_relying_party(fresh, ada):
    async with Browser(fresh.app, PORT_BASE, "127.0.0.1") as browser:
        browser.reference, browser.steps_up = ada.reference, False
        reference = await ada.step_up("begin_passkey", "/api/v1/me/factors/passkey/begin")
        browser.reference = ada.reference
        headers = {"Aether-Step-Up": reference}
        answer = await browser.post("/api/v1/me/factors/passkey/begin", headers=headers)
        assert (answer.status_code, kind(answer)) == (422, "no-relying-party")


async def test_recovery_code_lets_in_once(fresh, ada):
    made = await ada.post("/api/v1/me/recovery-codes")
    code = made.json()["recovery_codes"][0]
    body = {"name": ada.person, "password": PASSWORD}
    for status in (200, 401):
        async with Browser(fresh.app, PORT_BASE) as other:
            await other.post("/api/v1/sign-in", json=body)
            shown = {"recovery_code": code.lower().replace("-", " ")}
            answer = await other.post("/api/v1/sign-in/second-factor", json=shown)
            assert answer.status_code == status, answer.text
    with psycopg.connect(fresh.superuser_url) as connection:
        rows = connection.execute("SELECT t.*::text FROM recovery_codes t").fetchall()
    assert not any(code in row[0] for row in rows)


async def test_a_token_has_its_scopes_and_accounts_and_never_approves(fresh, ada):
    account, other = await fresh.add_account(), await fresh.add_account()
    body = {
        "label": "job",
        "scopes": ["account.read", "account.halt"],
        "accounts": [account],
        "days": 90,
    }
    made = (await ada.post("/api/v1/me/tokens", json=body)).json()
    async with loopback(fresh.app, made["token"]) as caller:
        assert (await caller.get(f"/api/v1/accounts/{account}")).status_code == 200
        for path, code in [
            (f"/api/v1/accounts/{other}", "token-scope"),
            (f"/api/v1/audit/{account}", "token-scope"),
            ("/api/v1/me", "person-required"),
        ]:
            assert kind(await caller.get(path)) == code
        approve = await caller.post(
            f"/api/v1/approvals/{'0' * 20}/approve", json={}, headers=a_key()
        )
        assert kind(approve) == "person-required"
        listed = (await ada.get("/api/v1/me/tokens")).json()
        assert listed[0]["last_used_at"] is not None
        ended = await ada.delete(f"/api/v1/me/tokens/{made['token_id']}")
        assert ended.status_code == 200
        assert (await caller.get(f"/api/v1/accounts/{account}")).status_code == 401
    for bad, code in [({"days": 91}, 422), ({"scopes": ["approval.approve"]}, 422)]:
        assert (await ada.post("/api/v1/me/tokens", json=body | bad)).status_code == code


async def test_wrong_password_wrong_factor_and_unknown_name_look_alike(fresh, ada):
    answers = []
    for name, password in [
        (ada.person, PASSWORD),
        (ada.person, "wrong"),
        ("nobody-at-all", PASSWORD),
    ]:
        async with Browser(fresh.app, PORT_BASE) as other:
            first = await other.post("/api/v1/sign-in", json={"name": name, "password": password})
            shape = json.loads(first.text)
            shape["passkey"]["challenge"] = ""
            second = await other.post("/api/v1/sign-in/second-factor", json={"code": "000000"})
            answers.append((first.status_code, shape, second.status_code, second.json()))
    assert answers[0] == answers[1] == answers[2]


async def test_people_change_their_password_and_other_sessions_end(fresh, ada):
    new = "granite-willow-88-harbour-moth"
    async with Browser(fresh.app, PORT_BASE) as other:
        await sign_in(other, ada)
        weak = await ada.post(
            "/api/v1/me/password", json={"current": PASSWORD, "password": "passwordpassword"}
        )
        assert (weak.status_code, kind(weak)) == (422, "weak-password")
        done = await ada.post("/api/v1/me/password", json={"current": PASSWORD, "password": new})
        assert done.status_code == 200, done.text
        assert (await other.get("/api/v1/me")).status_code == 401
        assert (await ada.get("/api/v1/me")).status_code == 200

"""What guards against one person takes two to loosen, and a revoked person's requests lapse."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
import pytest_asyncio

from activities.adapters.postgres.accounts.mode_record import PostgresModes
from activities.adapters.postgres.governance.people import PostgresPeople
from api.approvals.lapsing import lapse_requests
from models.trading.settings import versions as settings_versions
from tests.support.people import signed_in
from tests.support.platform import PORT_BASE, a_key
from tests.support.temporal import eventually

LOOSER = {"live.simulated_minimum": 0}


@pytest_asyncio.fixture
async def first(platform):
    async with signed_in(platform.app, PORT_BASE, platform.admin, factors=2) as caller:
        yield caller


@pytest_asyncio.fixture
async def own(platform):
    account = await platform.add_account()
    await platform.start_account(account)
    return account


@pytest_asyncio.fixture
async def second(platform):
    async with signed_in(platform.app, PORT_BASE, platform.admin, factors=2) as caller:
        yield caller


def kind(answer):
    return answer.json()["type"].removeprefix("urn:aether:problem:")


async def ask(platform, caller, account):
    path = f"/api/v1/accounts/{account}/settings"
    body = {"updates": LOOSER, "reason": "for the test", "confirm": True}
    answer = await caller.post(path, json=body, headers=a_key())
    assert answer.status_code == 202, answer.text
    approval = answer.json()["approval"]

    async def recorded():
        found = await platform.caller.get(f"/api/v1/approvals/{approval}")
        return found.status_code == 200

    await eventually(recorded, "the request is recorded")
    return approval


async def decide(caller, approval, verb):
    body = {"reason": "for the test"}
    path = f"/api/v1/approvals/{approval}/{verb}"
    return await caller.post(path, json=body, headers=a_key())


async def leave(platform, leaver, by):
    """Let a person be disabled by another one."""
    user = leaver.user.removeprefix("user/")
    gone = await by.delete(f"/api/v1/people/{user}")
    assert gone.status_code == 200, gone.text
    assert leaver.user not in {
        f"user/{one['user_id']}" for one in await PostgresPeople(platform.admin).everybody()
    }


async def test_loosening_what_guards_takes_another_person(platform, own, first, second):
    path = f"/api/v1/accounts/{own}/settings"
    approval = await ask(platform, first, own)
    assert (await platform.caller.get(path)).json()["version"] == 0
    alone = await decide(first, approval, "approve")
    assert (alone.status_code, kind(alone)) == (403, "second-person-needed")
    done = await decide(second, approval, "approve")
    assert done.status_code == 200, done.text

    async def changed():
        (version,) = (await platform.caller.get(f"{path}/versions")).json() or (None,)
        return version

    version = await eventually(changed, "the version is in the record")
    assert version["approved_by"] == second.user
    assert (await platform.caller.get(path)).json()["values"]["live.simulated_minimum"] == 0


async def test_request_of_a_revoked_person_cannot_be_approved_and_ends(
    platform, own, first, second
):
    name = second.user
    approval = await ask(platform, second, own)
    await leave(platform, second, first)
    refused = await decide(first, approval, "approve")
    assert (refused.status_code, kind(refused)) == (409, "requester-revoked")
    await lapse_requests(platform.services)

    async def ended():
        row = (await platform.caller.get(f"/api/v1/approvals/{approval}")).json()
        return row if row["status"] == "lapsed" else None

    row = await eventually(ended, "the request has ended")
    assert row["reason"] == f"the access of {name} was revoked"
    assert row["decided_by"] == "aether"
    view = (await platform.caller.get(f"/api/v1/accounts/{own}/settings")).json()
    assert view["version"] == 0
    await lapse_requests(platform.services)


@pytest.mark.parametrize("verb", ["approve", "refuse"])
async def test_loosening_what_guards_the_platform_takes_another_person(
    platform, first, second, monkeypatch, verb
):
    monkeypatch.setattr(settings_versions, "GUARDS", ("approval.", "live.", "correlation."))
    path, name = "/api/v1/settings", "correlation.threshold"
    before = (await platform.caller.get(path)).json()
    looser = str(Decimal(before["values"][name]) + Decimal("0.01"))
    body = {"updates": {name: looser}, "reason": "for the test"}
    unsure = await first.post(path, json=body, headers=a_key())
    assert kind(unsure) == "confirmation-needed"
    key = a_key()
    asked = await first.post(path, json=body | {"confirm": True}, headers=key)
    assert asked.status_code == 202, asked.text
    again = await first.post(path, json=body | {"confirm": True}, headers=key)
    approval = asked.json()["approval"]
    assert again.json()["approval"] == approval

    async def recorded():
        found = await platform.caller.get(f"/api/v1/approvals/{approval}")
        return found.status_code == 200

    await eventually(recorded, "the request is recorded")
    assert (await platform.caller.get(path)).json()["version"] == before["version"]
    alone = await decide(first, approval, "approve")
    assert (alone.status_code, kind(alone)) == (403, "second-person-needed")
    done = await decide(second, approval, verb)
    assert done.status_code == 200, done.text
    after = (await platform.caller.get(path)).json()
    if verb == "refuse":
        assert after["version"] == before["version"]
        return
    assert after["version"] == before["version"] + 1
    assert Decimal(after["values"][name]) == Decimal(looser)
    (version,) = (await platform.caller.get(f"{path}/versions", params={"limit": 1})).json()
    assert version["approved_by"] == second.user


async def test_going_live_counts_only_while_both_people_do(platform, own, first, second):
    path = f"/api/v1/accounts/{own}/going-live/requests"
    asked = await second.post(path, json={"reason": "for the test"}, headers=a_key())
    assert asked.status_code == 202, asked.text
    modes, now = PostgresModes(platform.workers), datetime.now(UTC)
    assert await modes.live_request(own, now) is not None
    await leave(platform, second, first)
    assert await modes.live_request(own, now) is None
    number = asked.json()["number"]
    refused = await first.post(f"{path}/{number}/approve", headers=a_key())
    assert (refused.status_code, kind(refused)) == (409, "requester-revoked")


async def test_another_name_makes_nobody_another_person(platform, own, first, second):
    approval = await ask(platform, first, own)
    user = first.user.removeprefix("user/")
    # A Cyrillic letter in place of a Latin one: it looks like another person, and is none.
    body = {"name": f"renamed-{user[:6]}", "display_name": "D\u043era"}
    renamed = await second.patch(f"/api/v1/people/{user}", json=body)
    assert renamed.status_code == 200, renamed.text
    alone = await decide(first, approval, "approve")
    assert (alone.status_code, kind(alone)) == (403, "second-person-needed")
    names = (await second.get("/api/v1/people/directory")).json()
    assert {"user": first.user, **body} in names
    await leave(platform, first, second)
    again = {"name": body["name"], "display_name": "Dora", "grants": [{"role": "director"}]}
    made = await second.post("/api/v1/people", json=again)
    assert made.json()["user"] != first.user
    refused = await decide(second, approval, "approve")
    assert (refused.status_code, kind(refused)) == (409, "requester-revoked")

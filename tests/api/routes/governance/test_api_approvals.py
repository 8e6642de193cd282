"""Approvals over the API: four eyes, once, and shown as they are."""

import asyncio
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import psycopg
import pytest_asyncio

from activities.adapters.temporal.approval_start import start_approval
from api.approvals import recorded
from models.contracts.approvals import ApprovalInput
from models.trading.governance.approval import ApprovalPolicy, ApprovalRequest
from models.trading.governance.subjects import Subject
from tests.support.people import signed_in
from tests.support.platform import PORT_BASE, a_key
from tests.support.temporal import eventually

LARGE = {"symbol": "BTC/USD", "stop_price": "49800", "quantity": "0.3"}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def careful(platform):
    account = await platform.add_account()
    policy = ApprovalPolicy(equity_share_minimum=Decimal("0.1"))
    await platform.start_account(account, approval=policy)
    return account


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def second(platform):
    async with signed_in(platform.app, PORT_BASE, platform.admin, factors=2) as caller:
        yield caller


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def first(platform):
    async with signed_in(platform.app, PORT_BASE, platform.admin, factors=2) as caller:
        yield caller


async def ask(platform, account, caller=None):
    await platform.set_market()
    path = f"/api/v1/accounts/{account}/trades"
    answer = await (caller or platform.caller).post(path, json=LARGE, headers=a_key())
    assert answer.status_code == 202, answer.text
    body = answer.json()
    assert body["code"] == "waiting-for-approval"
    assert body["trade"] is None
    found = await platform.caller.get(f"/api/v1/approvals/{body['approval']}")
    assert found.status_code == 200, found.text
    return body["approval"]


async def decide(caller, approval, verb, body=None, key=None):
    path = f"/api/v1/approvals/{approval}/{verb}"
    return await caller.post(path, json=body or {}, headers=key or a_key())


async def test_large_trade_needs_a_second_person_and_is_entered_once(
    platform, careful, first, second
):
    approval = await ask(platform, careful, first)
    machine = await decide(platform.caller, approval, "approve")
    assert (machine.status_code, machine.json()["type"]) == (
        403,
        "urn:aether:problem:person-required",
    )
    pending = (await platform.caller.get("/api/v1/approvals", params={"pending": True})).json()
    (shown,) = [a for a in pending if a["approval_id"] == approval]
    assert shown["subject"] == "entry"
    assert shown["account_id"] == careful
    assert Decimal(shown["value"]) > 15_000
    own = await decide(first, approval, "approve")
    assert (own.status_code, own.json()["type"]) == (
        403,
        "urn:aether:problem:second-person-needed",
    )
    key = a_key()
    approved = await decide(second, approval, "approve", {"reason": "seen and good"}, key)
    assert approved.status_code == 200, approved.text
    trade = approved.json()["trade"]
    assert trade is not None
    assert (await decide(second, approval, "approve", {"reason": "seen and good"}, key)).json() == (
        approved.json()
    )
    again = await decide(second, approval, "approve")
    assert again.status_code == 409
    kept = (await platform.caller.get(f"/api/v1/approvals/{approval}")).json()
    assert kept["status"] == "approved"
    assert kept["decided_by"] == second.user
    assert kept["trade"] == trade
    row = (await platform.caller.get(f"/api/v1/accounts/{careful}/trades/{trade}")).json()
    assert row["quantity"] == "0.3"
    (audited,) = await platform.audited(careful, "approval_approved")
    assert audited["actor"] == second.user


@contextmanager
def unwritable(platform):
    """Let nobody write requests for approval for a while, as a record that is busy does."""
    address = platform.admin.url.set(username="postgres", drivername="postgresql")
    with psycopg.connect(address.render_as_string(hide_password=False)) as connection:
        connection.execute("LOCK TABLE approvals IN SHARE MODE")
        yield


async def test_an_id_is_given_out_when_the_request_is_recorded_and_not_before(
    platform, careful, first, second, monkeypatch
):
    await platform.set_market()
    path, key = f"/api/v1/accounts/{careful}/trades", a_key()
    monkeypatch.setattr(recorded, "PATIENCE_SECONDS", 0.3)
    with unwritable(platform):
        early = await first.post(path, json=LARGE, headers=key)
        assert (early.status_code, early.json()["type"][19:]) == (503, "not-recorded")
        monkeypatch.setattr(recorded, "PATIENCE_SECONDS", 20.0)
        asking = asyncio.create_task(first.post(path, json=LARGE, headers=key))
        await asyncio.sleep(0.5)
        assert not asking.done()
    asked = await asking
    assert asked.status_code == 202, asked.text
    approval = asked.json()["approval"]
    assert (await platform.caller.get(f"/api/v1/approvals/{approval}")).status_code == 200
    refused = await decide(second, approval, "refuse", {"reason": "too much for today"})
    assert refused.status_code == 200, refused.text
    listed = (await platform.caller.get("/api/v1/approvals")).json()
    mine = [one for one in listed if one["requested_by"] == first.user]
    assert [one["approval_id"] for one in mine].count(approval) == 1


async def test_refused_request_buys_nothing(platform, careful, second):
    approval = await ask(platform, careful)
    refused = await decide(second, approval, "refuse", {"reason": "too much for today"})
    assert refused.status_code == 200
    assert refused.json()["trade"] is None
    kept = (await platform.caller.get(f"/api/v1/approvals/{approval}")).json()
    assert (kept["status"], kept["trade"]) == ("refused", None)


async def test_bad_decisions_are_problems(platform, careful, second):
    unknown = await decide(second, str(uuid4()), "approve")
    assert (unknown.status_code, unknown.json()["type"]) == (
        404,
        "urn:aether:problem:unknown-approval",
    )
    approval = await ask(platform, careful)
    assert (await decide(second, approval, "refuse")).status_code == 422
    assert (await decide(platform.stranger, approval, "approve")).status_code == 401
    moved = await platform.set_market(Decimal(51000)), await decide(second, approval, "approve")
    assert moved[1].status_code == 409
    assert moved[1].json()["type"] == "urn:aether:problem:price-moved"
    await platform.set_market()


async def test_exits_are_set_shown_and_changed_with_four_eyes(platform, careful, second):
    await platform.set_market()
    path = f"/api/v1/accounts/{careful}/trades"
    small = {"symbol": "BTC/USD", "stop_price": "47500", "quantity": "0.01"}
    more = {"trailing_share": "0.04", "partials": [{"gain_share": "0.1", "quantity_share": "0.5"}]}
    opened = await platform.caller.post(path, json=small | more, headers=a_key())
    assert opened.status_code == 202, opened.text
    number = opened.json()["trade"]

    async def protected():
        row = (await platform.caller.get(f"{path}/{number}")).json()
        return row if Decimal(row.get("protected_quantity", "0")) > 0 else None

    row = await eventually(protected, "the trade is protected")
    assert row["exits"]["trailing_share"] == "0.04"
    assert row["exits"]["partials"] == [{"gain_share": "0.1", "quantity_share": "0.5"}]
    better = {"hold_seconds": 7200, "stop_price": "48000"}
    changed = await platform.caller.patch(f"{path}/{number}/exits", json=better, headers=a_key())
    assert changed.json()["code"] == "accepted", changed.text
    worse = {"clear": ["hold_maximum"]}
    waits = await platform.caller.patch(f"{path}/{number}/exits", json=worse, headers=a_key())
    assert waits.json()["code"] == "waiting-for-approval"
    done = await decide(second, waits.json()["approval"], "approve")
    assert done.status_code == 200, done.text

    async def cleared():
        row = (await platform.caller.get(f"{path}/{number}")).json()
        return row["exits"]["hold_maximum"] is None

    await eventually(cleared, "the time stop is gone")
    bad = {"stop_price": "60000"}
    refused = await platform.caller.patch(f"{path}/{number}/exits", json=bad, headers=a_key())
    assert refused.status_code == 422
    nothing = await platform.caller.patch(f"{path}/{number}/exits", json={}, headers=a_key())
    assert nothing.status_code == 422


async def test_what_the_machine_asked_for_is_agreed_to_by_nobody(platform, second):
    now = datetime.now(UTC)
    request = ApprovalRequest(
        str(uuid4()), Subject.EXCHANGE_KEY, "bootstrap", "raise it", now, now + timedelta(hours=1)
    )
    await start_approval(platform.services.client, ApprovalInput("platform", request))

    async def recorded():
        found = await platform.caller.get(f"/api/v1/approvals/{request.request_id}")
        return found.status_code == 200

    await eventually(recorded, "the request is recorded")
    refused = await decide(second, request.request_id, "approve")
    assert refused.status_code == 409
    assert refused.json()["type"] == "urn:aether:problem:person-required"


async def test_what_concerns_the_platform_is_asked_once_and_decided_by_another(
    platform, first, second
):
    now = datetime.now(UTC)
    request = ApprovalRequest(
        str(uuid4()), Subject.PROMOTE_MODEL, first.user, "raise it", now, now + timedelta(hours=1)
    )
    for _ in range(2):
        await start_approval(platform.services.client, ApprovalInput("platform", request))

    async def recorded():
        found = await platform.caller.get(f"/api/v1/approvals/{request.request_id}")
        return found.status_code == 200

    await eventually(recorded, "the request is recorded")
    approved = await decide(second, request.request_id, "approve")
    assert approved.status_code == 200, approved.text
    kept = (await platform.caller.get(f"/api/v1/approvals/{request.request_id}")).json()
    assert (kept["account_id"], kept["status"]) == ("platform", "approved")

"""The kill switch stops accounts at once, whatever else is down, and is lifted by people."""

import asyncio

from tests.support.platform import a_key
from tests.support.temporal import eventually

PATH = "/api/v1/kill-switch"


async def engage(platform, *accounts, key=None, **changed):
    body = {"reason": "a drill", "accounts": list(accounts)} | changed
    return await platform.caller.post(PATH, json=body, headers=key or a_key())


async def lift(platform, number, reason="the drill is over"):
    return await platform.caller.post(
        f"{PATH}/{number}/lift", json={"reason": reason}, headers=a_key()
    )


async def switch(platform, number):
    found = (await platform.caller.get(PATH)).json()
    return next(s for s in found if s["number"] == number)


async def test_engage_halt_and_lift(platform):
    account = await platform.add_account()
    await platform.start_account(account)
    engaged = await engage(platform, account, account)
    assert engaged.status_code == 202
    number = engaged.json()["number"]
    assert engaged.json()["accounts"] == [account]

    async def halted():
        return account in (await switch(platform, number))["acknowledged"]

    await eventually(halted, "the account is halted")
    order = {"symbol": "BTC/USD", "stop_price": "47500", "quantity": "0.01"}
    path = f"/api/v1/accounts/{account}"
    refused = await platform.caller.post(f"{path}/trades", json=order, headers=a_key())
    assert refused.status_code == 409
    assert refused.json()["type"] == "urn:aether:problem:kill-switch-engaged"
    resumed = await platform.caller.post(f"{path}/resume", headers=a_key())
    assert "still halted: kill_switch" in resumed.json()["detail"]

    assert (await lift(platform, number)).status_code == 200

    async def trading():
        return (await platform.caller.get(path)).json()["state"] == "trading"

    await eventually(trading, "the account trades again")
    assert (await switch(platform, number))["lifted_by"]
    audited = await platform.audited("platform", "kill_switch_lift_requested")
    assert audited[0]["details"] == {"number": str(number), "reason": "the drill is over"}
    again = await lift(platform, number)
    assert again.json()["type"] == "urn:aether:problem:already-lifted"


async def test_same_key_engages_once(platform):
    account = await platform.add_account()
    key = a_key()
    answers = await asyncio.gather(*(engage(platform, account, key=key) for _ in range(4)))
    answers.append(await engage(platform, account, key=key))
    assert len({a.json()["number"] for a in answers}) == 1
    assert (await engage(platform, account, key=key, flatten=True)).status_code == 409
    audited = await platform.audited(account, "kill_switch_engaged")
    assert len(audited) == 1
    await lift(platform, answers[0].json()["number"])


async def test_bad_engagements_are_refused(platform):
    unknown = await engage(platform, "nobody")
    assert (unknown.status_code, unknown.json()["type"]) == (
        404,
        "urn:aether:problem:unknown-account",
    )
    for changed in ({"reason": "x"}, {"flatten": "maybe"}, {"accounts": "all"}, {"extra": 1}):
        assert (await engage(platform, **changed)).status_code == 422
    missing = await lift(platform, 4711)
    assert missing.json()["type"] == "urn:aether:problem:unknown-kill-switch"
    assert (await lift(platform, 0)).status_code == 422


async def test_flag_is_raised_while_the_engine_is_down_and_its_workflow_starts_later(
    without_engine,
):
    account = await without_engine.add_account()
    engaged = await engage(without_engine)
    assert engaged.status_code == 202
    assert engaged.json()["accounts"] == [account]
    standing = await without_engine.services.journal.kill_switches(only_engaged=True)
    assert [row.number for row in standing] == [engaged.json()["number"]]
    assert await without_engine.audited("platform", "kill_switch_workflow_delayed")
    assert without_engine.services.engagements_due.is_set()
    refused = await lift(without_engine, engaged.json()["number"])
    assert refused.status_code == 503


async def test_workflow_of_a_standing_engagement_is_started_once_the_engine_answers(platform):
    account = await platform.add_account()
    await platform.start_account(account)
    client, platform.services.client = platform.services.client, None
    engaged = await engage(platform, account)
    number = engaged.json()["number"]
    platform.services.client = client

    async def halted():
        return account in (await switch(platform, number))["acknowledged"]

    await eventually(halted, "the account is halted")
    await lift(platform, number)

"""A change freeze over the API: nothing is loosened, what stops goes on, broken glass is seen."""

from tests.api.routes.governance.test_api_universe import first, second
from tests.support.platform import a_key, loopback
from tests.support.temporal import eventually

__all__ = ["first", "second"]

PATH = "/api/v1/freeze"
WHY = {"reason": "an incident"}


def kind(answer):
    return answer.json()["type"].removeprefix("urn:aether:problem:")


async def test_freeze_holds_back_what_loosens_until_the_glass_is_broken(platform, first, second):
    account = await platform.add_account()
    await platform.start_account(account)
    begun = await platform.caller.post(PATH, json=WHY, headers=a_key())
    assert begun.status_code == 202, begun.text
    (one,) = begun.json()["standing"]
    path = f"/api/v1/accounts/{account}"
    looser = {"updates": {"risk.risk_share": "0.02"}, "reason": "for the test", "confirm": True}
    try:
        frozen = await first.post(f"{path}/settings", json=looser, headers=a_key())
        assert (frozen.status_code, kind(frozen)) == (409, "change-frozen")
        tighter = {"updates": {"risk.risk_share": "0.001"}, "reason": "for the test"}
        done = await first.post(f"{path}/settings", json=tighter, headers=a_key())
        assert done.status_code == 200, done.text
        halted = await first.post(f"{path}/halt", json=WHY, headers=a_key())
        assert halted.status_code == 200, halted.text

        async def said():
            ready = (await platform.stranger.get("/readyz")).json()["degraded_modes"]
            return "freeze: changes are frozen: an incident" in ready

        await eventually(said, "the freeze is among the degraded modes")

        glass = a_key() | {"Aether-Break-Glass": "the limit stops a hedge"}
        machine = await platform.caller.post(f"{path}/settings", json=looser, headers=glass)
        assert kind(machine) == "person-required"
        broken = await first.post(f"{path}/settings", json=looser, headers=glass)
        assert broken.status_code == 200, broken.text
        state = (await second.get(PATH)).json()
        (kept,) = [b for b in state["breaks"] if b["path"] == f"{path}/settings"]
        assert (kept["broken_by"], kept["reviewed_by"]) == (first.user, None)
        review = f"{PATH}/breaks/{kept['number']}/review"
        own = await first.post(review, json=WHY, headers=a_key())
        assert kind(own) == "not-reviewable"
        seen = await second.post(review, json={"reason": "it was needed"}, headers=a_key())
        assert seen.status_code == 200, seen.text
        audited = await platform.audited("platform", "freeze_broken")
        assert audited[0]["actor"] == first.user
    finally:
        ended = await second.post(f"{PATH}/{one['number']}/end", json=WHY, headers=a_key())
    assert ended.status_code == 200, ended.text
    assert ended.json()["frozen"] is False
    again = await first.post(f"{path}/settings", json=looser, headers=a_key())
    assert kind(again) != "change-frozen"


async def test_no_token_asks_for_a_guard_to_be_loosened(platform, first):
    """Neither the machine's nor a person's own: whoever has stolen it is not that person."""

    async def waiting():
        found = await platform.caller.get("/api/v1/approvals", params={"pending": True})
        return {one["approval_id"] for one in found.json()}

    before = await waiting()
    account = await platform.add_account()
    await platform.start_account(account)
    scopes = ["account.settings", "platform.settings"]
    body = {"label": "job", "scopes": scopes, "accounts": ["*"], "days": 1}
    made = await first.post("/api/v1/me/tokens", json=body, headers=a_key())
    assert made.status_code == 201, made.text
    looser = {
        f"/api/v1/accounts/{account}/settings": {"approval.price_tolerance": "0.05"},
        "/api/v1/settings": {"notifications.after": 86000},
    }
    async with loopback(platform.app, made.json()["token"]) as own:
        for caller in (platform.caller, own):
            for path, updates in looser.items():
                wanted = {"updates": updates, "reason": "calmer", "confirm": True}
                answer = await caller.post(path, json=wanted, headers=a_key())
                assert (answer.status_code, kind(answer)) == (403, "person-required")
        tighter = {"updates": {"risk.risk_share": "0.001"}, "reason": "calmer"}
        path = f"/api/v1/accounts/{account}/settings"
        done = await own.post(path, json=tighter, headers=a_key())
        assert done.status_code == 200, done.text
    assert await waiting() <= before

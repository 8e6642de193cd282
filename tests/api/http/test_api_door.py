"""What no request may be: too large, too deep, no text, or of numbers that grow when written."""

import json

import pytest

from api.http.door import BODY_LIMIT
from tests.support.platform import a_key
from tests.support.temporal import eventually


def kind(answer):
    return answer.json()["type"].removeprefix("urn:aether:problem:")


async def post(platform, path, content):
    headers = a_key() | {"Content-Type": "application/json"}
    return await platform.caller.post(f"/api/v1/{path}", content=content, headers=headers)


async def test_large_body_is_refused_whether_or_not_it_says_its_length(platform, account):
    large = b'{"reason": "' + b"x" * BODY_LIMIT + b'"}'
    answer = await post(platform, f"accounts/{account}/halt", large)
    assert (answer.status_code, kind(answer)) == (413, "body-too-large")
    assert answer.headers["content-type"] == "application/problem+json"

    taken = 0

    async def endless():
        nonlocal taken
        while True:
            taken += 64 * 1024
            yield b" " * 64 * 1024

    answer = await post(platform, f"accounts/{account}/halt", endless())
    assert (answer.status_code, kind(answer)) == (413, "body-too-large")
    assert taken <= BODY_LIMIT + 2 * 64 * 1024


@pytest.mark.parametrize("path", ["settings", "trades", "halt", "stress"])
@pytest.mark.parametrize("depth", [300, 5_000, 50_000])
async def test_deep_body_is_refused(platform, account, path, depth):
    body = '{"reason": "for the test", "updates": {"a": ' + "[" * depth + "]" * depth + "}}"
    answer = await post(platform, f"accounts/{account}/{path}", body)
    assert (answer.status_code, kind(answer)) == (400, "malformed-json")


async def test_brackets_in_a_text_are_no_depth(platform, account):
    body = json.dumps({"reason": 'calm "[[[[" \\ ' + "[{" * 40})
    answer = await post(platform, f"accounts/{account}/halt", body)
    assert answer.status_code == 200, answer.text
    await platform.caller.post(f"/api/v1/accounts/{account}/resume", headers=a_key())


@pytest.mark.parametrize(
    "path",
    [
        "accounts/%00",
        "accounts/{account}/stress/%00",
        "accounts/{account}/stress/x%0Ay",
        "accounts/%FF",
        "accounts/%ED%A0%80",
        "audit/%00",
        "audit/platform?action=%00",
        "accounts/{account}/trades?open=%00",
        "accounts/{account}/portfolio?since=%00",
        "accounts/" + "x" * 2001,
    ],
)
async def test_address_that_is_no_text_is_refused(platform, account, path):
    answer = await platform.caller.get("/api/v1/" + path.format(account=account))
    assert (answer.status_code, kind(answer)) == (400, "malformed-address"), answer.text


@pytest.mark.parametrize("name", ["x" * 65, "caf%C3%A9"])
async def test_account_name_that_can_be_none_is_refused(platform, name):
    answer = await platform.caller.get(f"/api/v1/accounts/{name}")
    assert (answer.status_code, kind(answer)) == (422, "invalid-request")


@pytest.mark.parametrize("scope", ["accounts/{account}/settings", "settings"])
@pytest.mark.parametrize(
    "updates",
    [
        {"risk.risk_share": "1e-999999"},
        {"risk.risk_share": "1e-60000000"},
        {"universe.turnover_minimum": "1e-999999"},
        {"x" * 80_000: 1},
        {"day.zone": "UTC\x00"},
        {"day.zone": "\ud800"},
        {"\x00": 1},
        {"compliance.sanctioned": ["NUL\x00"]},
        {"compliance.sanctioned": [f"COIN{n}" for n in range(20_000)]},
        {"risk.risk_share": 10**400},
        {f"no.setting{n}": 1 for n in range(500)},
    ],
)
async def test_setting_that_would_end_an_account_is_refused(platform, account, scope, updates):
    path = f"/api/v1/{scope.format(account=account)}"
    before = (await platform.caller.get(path)).json()
    body = json.dumps({"updates": updates, "reason": "for the test", "confirm": True})
    answer = await post(platform, scope.format(account=account), body)
    assert answer.status_code == 422, answer.text
    assert len(answer.text) < 20_000
    assert (await platform.caller.get(path)).json() == before


async def test_refused_requests_leave_the_account_as_small_as_it_was(platform):
    account = await platform.add_account()
    await platform.start_account(account)
    for _ in range(31):
        updates = {f"{n}-" + "x" * 60: "y" * 400 for n in range(150)}
        body = json.dumps({"updates": updates, "reason": "for the test"})
        answer = await post(platform, f"accounts/{account}/settings", body)
        assert answer.status_code == 422
    handle = platform.services.client.get_workflow_handle(f"account/{account}")
    state = await handle.query("snapshot")
    assert len(json.dumps(state)) < 200_000

    halted = await post(platform, f"accounts/{account}/halt", b'{"reason": "still answers"}')
    assert halted.status_code == 200

    async def recorded():
        view = (await platform.caller.get(f"/api/v1/accounts/{account}")).json()
        return view["state"] == "halted"

    await eventually(recorded, "the record shows the halt")


@pytest.mark.parametrize("amount", ["1e29", "1e15", "1e-31", "1e-999999", 1e29])
async def test_amount_that_no_record_holds_is_refused(platform, account, amount):
    body = json.dumps({"kind": "deposit", "amount": amount, "note": "for the test"})
    answer = await post(platform, f"accounts/{account}/capital", body)
    assert (answer.status_code, kind(answer)) == (422, "invalid-request"), answer.text

"""A trade is shown before it is ordered, and ordered only as it was shown."""

from decimal import Decimal

import pytest

from tests.support.platform import a_key
from tests.support.temporal import eventually

STOP = "47500"


@pytest.fixture
async def path(platform):
    account = await platform.add_account()
    await platform.start_account(account)
    return f"/api/v1/accounts/{account}/trades"


async def test_preview_orders_nothing_and_is_what_is_ordered(platform, path):
    body = {"symbol": "BTC/USD", "stop_price": STOP, "quantity": "0.01"}
    answer = await platform.caller.post(f"{path}/preview", json=body)
    assert answer.status_code == 200, answer.text
    shown = answer.json()
    assert shown["allowed"]
    assert not shown["waits"]
    assert (await platform.caller.get(path)).json() == []
    assert {"price", "settings_version", "platform_version", "next_trade"} == set(shown["seen"])
    ordered = body | {"quantity": shown["quantity"], "seen": shown["seen"]}
    key = a_key()
    done = await platform.caller.post(path, json=ordered, headers=key)
    assert done.status_code == 202, done.text
    number = done.json()["trade"]

    async def recorded():
        return (await platform.caller.get(f"{path}/{number}")).status_code == 200

    await eventually(recorded, "the trade is recorded")
    trade = (await platform.caller.get(f"{path}/{number}")).json()
    assert Decimal(trade["quantity"]) == Decimal(shown["quantity"])
    # The first trade makes the preview old: a repeat under the same key is answered all the same.
    again = await platform.caller.post(path, json=ordered, headers=key)
    assert (again.status_code, again.json()) == (202, done.json())
    late = await platform.caller.post(path, json=ordered, headers=a_key())
    assert late.status_code == 409
    problem = late.json()
    assert problem["type"].endswith("preview-expired")
    assert problem["changed"] == ["1 trade was entered meanwhile"]
    assert problem["preview"]["seen"]["next_trade"] == shown["seen"]["next_trade"] + 1


async def test_moved_price_is_told_with_the_new_preview(platform, path):
    body = {"symbol": "BTC/USD", "stop_price": STOP}
    shown = (await platform.caller.post(f"{path}/preview", json=body)).json()
    seen = shown["seen"] | {"price": str(Decimal(shown["seen"]["price"]) * 2)}
    before = (await platform.caller.get(path)).json()
    refused = await platform.caller.post(path, json=body | {"seen": seen}, headers=a_key())
    assert refused.status_code == 409
    assert "the price was" in refused.json()["detail"]
    assert (await platform.caller.get(path)).json() == before


async def test_refusal_is_shown_with_its_checks(platform, path):
    body = {"symbol": "BTC/USD", "stop_price": STOP, "quantity": "1000"}
    shown = (await platform.caller.post(f"{path}/preview", json=body)).json()
    assert not shown["allowed"]
    assert any(not check["passed"] for check in shown["checks"])
    assert shown["quantity"] == "0"


async def test_story_of_a_trade(platform, path):
    done = await platform.caller.post(
        path, json={"symbol": "BTC/USD", "stop_price": STOP, "quantity": "0.01"}, headers=a_key()
    )
    number = done.json()["trade"]

    async def recorded():
        return (await platform.caller.get(f"{path}/{number}/story")).status_code == 200

    await eventually(recorded, "the trade is recorded")
    story = (await platform.caller.get(f"{path}/{number}/story")).json()
    assert story["idea"] is None
    assert story["workflow"] in story["workflow_url"].replace("%2F", "/")
    assert any(row["action"] == "trade_requested" for row in story["audit"])

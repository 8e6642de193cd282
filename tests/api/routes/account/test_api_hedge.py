"""The hedge over the API: off, by hand, back again, with its history."""

from decimal import Decimal

import pytest_asyncio

from tests.support.platform import a_key
from tests.support.temporal import eventually


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def hedged(platform):
    account = await platform.add_account()
    await platform.start_account(account)
    return account


async def shown(platform, account, state):
    async def so():
        view = (await platform.caller.get(f"/api/v1/accounts/{account}/hedge")).json()
        return view if view["state"] == state else None

    return await eventually(so, f"the hedge is {state}")


async def test_hedge_is_set_by_hand_sells_a_part_and_is_given_back(platform, hedged):
    path = f"/api/v1/accounts/{hedged}"
    await platform.set_market()
    assert (await platform.caller.get(f"{path}/hedge")).json()["state"] == "off"
    order = {"symbol": "BTC/USD", "stop_price": "49800", "quantity": "0.5"}
    opened = await platform.caller.post(f"{path}/trades", json=order, headers=a_key())
    assert opened.status_code == 202, opened.text

    async def protected():
        row = (await platform.caller.get(f"{path}/trades/1")).json()
        return Decimal(row.get("protected_quantity", "0")) == Decimal("0.5")

    await eventually(protected, "the trade is protected")
    body = {"share": "0.9", "reason": "storm ahead", "expires_after_seconds": 86400}
    key = a_key()
    taken = await platform.caller.post(f"{path}/hedge/override", json=body, headers=key)
    assert taken.status_code == 202, taken.text
    repeated = await platform.caller.post(f"{path}/hedge/override", json=body, headers=key)
    assert repeated.json() == taken.json()
    view = await shown(platform, hedged, "override")
    assert view["latest"]["override_reason"] == "storm ahead"
    assert Decimal(view["latest"]["target"]) == Decimal("0.9")

    async def smaller():
        row = (await platform.caller.get(f"{path}/trades/1")).json()
        left = Decimal(row["bought"]) - Decimal(row["sold"])
        return (
            row if left < Decimal("0.25") and Decimal(row["protected_quantity"]) == left else None
        )

    row = await eventually(smaller, "the trade is smaller and protected")
    assert Decimal(row["hedge_sold"]) > Decimal("0.25")
    cleared = await platform.caller.delete(f"{path}/hedge/override", headers=a_key())
    assert cleared.status_code == 202, cleared.text
    await shown(platform, hedged, "off")
    history = (await platform.caller.get(f"{path}/hedge/history")).json()
    assert [r for r in history if r["trades"] == [1]]
    assert len(await platform.audited(hedged, "hedge_overridden")) == 1
    assert len(await platform.audited(hedged, "hedge_override_cleared")) == 1


async def test_bad_overrides_are_refused(platform, hedged):
    path = f"/api/v1/accounts/{hedged}/hedge/override"
    for body in (
        {"share": "1.2", "reason": "too much"},
        {"share": "NaN", "reason": "no number"},
        {"share": "0.5"},
        {"share": "0.5", "reason": "too soon", "expires_after_seconds": 0},
    ):
        answer = await platform.caller.post(path, json=body, headers=a_key())
        assert answer.status_code == 422, answer.text
    unknown = await platform.caller.get("/api/v1/accounts/nobody/hedge")
    assert unknown.status_code == 404

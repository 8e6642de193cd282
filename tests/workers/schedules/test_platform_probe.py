"""A lockstep market waits until nothing is on its way, reports of settled trades included."""

from sqlalchemy import text

from tests.support.platform import PRICE, a_key
from tests.support.temporal import eventually
from workers.schedules.platform_probe import RecordAndWorkflows

STOP = str(PRICE * 95 / 100)


async def test_a_settled_trade_that_its_account_has_not_dropped_is_still_on_its_way(platform):
    account = await platform.add_account()
    await platform.set_market()
    await platform.start_account(account)
    body = {"symbol": "BTC/USD", "stop_price": STOP, "quantity": "0.01"}
    path = f"/api/v1/accounts/{account}/trades"
    opened = await platform.caller.post(path, json=body, headers=a_key())
    number = opened.json()["trade"]
    probe = RecordAndWorkflows(platform.workers, platform.services.client)

    async def phase():
        return (await platform.caller.get(f"{path}/{number}")).json().get("phase")

    async def open_at_rest():
        return await phase() == "open" and await probe.rest(account) is not None

    await eventually(open_at_rest, "it is open and nothing moves")
    async with platform.workers.account_scope(account) as session:
        # As between two steps that run side by side: recorded already, not reported yet.
        settled = text("UPDATE trades SET phase = 'settled' WHERE number = :number")
        await session.sql(settled, {"number": number})
    assert await probe.rest(account) is None
    assert probe.waits_for == f"account/{account} keeps settled trades: [{number}]"

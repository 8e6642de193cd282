"""Limits on losses and open risk over the API, on a real record and real workflows."""

from decimal import Decimal

from activities.metrics import LIMIT_USED
from tests.api.routes.account.test_api_capital import mark
from tests.support.temporal import eventually
from workers.gauges.limits import publish_limits


async def test_limits_tell_how_near_the_account_is_to_each(platform):
    account = await platform.add_account()
    await platform.start_account(account)
    await mark(platform, account)

    async def measured():
        answer = await platform.caller.get(f"/api/v1/accounts/{account}/limits")
        assert answer.status_code == 200, answer.text
        return bool(answer.json()) and all(limit["used"] is not None for limit in answer.json())

    await eventually(measured, "every limit is measured")
    found = (await platform.caller.get(f"/api/v1/accounts/{account}/limits")).json()
    by_name = {limit["name"]: limit for limit in found}
    assert {"day", "total", "day_peak", "week", "month", "open_risk"} <= set(by_name)
    assert Decimal(by_name["week"]["hard"]) == Decimal("0.08")
    assert not by_name["week"]["refuses"]
    await publish_limits(platform.services.database)
    assert LIMIT_USED.labels(account, "week", "")._value.get() == float(by_name["week"]["used"])
    status = (await platform.caller.get("/api/v1/status")).json()
    (line,) = [one for one in status["accounts"] if one["account"] == account]
    assert line["nearest_limit"]

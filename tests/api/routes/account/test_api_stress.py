"""Stress over the API: an open trade with its stop, shocks made up by people, and the record."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from temporalio.worker import Worker

from activities.adapters.postgres.market.rules_record import PostgresMarketRules
from activities.adapters.postgres.market.stress_record import PostgresStressRecord
from activities.market.stress import StressActivities
from infra.runtime.temporal.workers import build_id
from models.contracts.names import MARKET_QUEUE
from models.trading.settings.catalogue import SettingScope
from models.trading.settings.reading import account_rules, platform_rules
from models.trading.settings.versions import default_version
from tests.support.platform import a_key
from tests.support.temporal import eventually


@pytest.fixture
def stress_worker(platform):
    async def rules(account):
        return account_rules(default_version(account, SettingScope.ACCOUNT))

    async def of_platform():
        return platform_rules(default_version("platform", SettingScope.PLATFORM), frozenset())

    database = platform.workers
    stored = PostgresMarketRules(database)
    activities = StressActivities(
        PostgresStressRecord(database),
        stored,
        stored,
        rules,
        of_platform,
        lambda: datetime.now(UTC),
    )
    return Worker(
        platform.services.client,
        task_queue=MARKET_QUEUE,
        activities=[activities.stress_account],
        build_id=build_id(),
    )


async def test_stop_of_a_trade_bounds_what_a_shock_can_cost(platform, stress_worker):
    account = await platform.add_account()
    await platform.start_account(account)
    path = f"/api/v1/accounts/{account}"
    entry = {"symbol": "BTC/USD", "stop_price": "47500", "quantity": "0.1"}
    opened = await platform.caller.post(f"{path}/trades", json=entry, headers=a_key())
    assert opened.status_code in (200, 201, 202), opened.text

    async def protected():
        trades = (await platform.caller.get(f"{path}/trades")).json()
        return trades and Decimal(trades[0]["protected_quantity"]) == Decimal("0.1")

    await eventually(protected, "the trade is protected")
    shock = {"name": "crash", "moves": {"BTC": "-0.5"}, "others": "-0.5"}
    body, key = {"shocks": [shock], "historical": False}, a_key()
    async with stress_worker:
        answer = await platform.caller.post(f"{path}/stress", json=body, headers=key)
        again = await platform.caller.post(f"{path}/stress", json=body, headers=key)
    assert answer.status_code == 200, answer.text
    assert again.json() == answer.json()
    (result,) = answer.json()["results"]
    # What is held counts at the bid, one dollar below the price.
    assert float(result["loss"]) == pytest.approx(0.1 * 49_999 * 0.5)
    assert float(result["loss_with_stops"]) == pytest.approx(0.1 * (49_999 - 47_500))
    assert {effect["name"] for effect in result["effects"]} >= {
        "daily drawdown, soft level",
        "daily drawdown, hard level",
        "total drawdown",
        "pair exposure BTC/USD",
        "gross exposure",
    }
    (listed,) = (await platform.caller.get(f"{path}/stress")).json()
    assert listed["requested_by"] != ""
    shown = await platform.caller.get(f"{path}/stress/{listed['run_id']}")
    assert shown.json() == answer.json()
    assert (await platform.audited(account, "stress_run"))[0]["details"]["run"] == listed["run_id"]


async def test_what_is_no_shock_or_no_run_is_refused(platform, account):
    path = f"/api/v1/accounts/{account}/stress"
    for shock in ({"name": "x"}, {"name": "x", "others": "-1.5"}, {"others": "0"}):
        answer = await platform.caller.post(path, json={"shocks": [shock]}, headers=a_key())
        assert answer.json()["type"] == "urn:aether:problem:invalid-request"
    answer = await platform.caller.get(f"{path}/nothing")
    assert answer.json()["type"] == "urn:aether:problem:unknown-run"

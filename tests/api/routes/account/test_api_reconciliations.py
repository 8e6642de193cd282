"""What reconciliation found is shown: comparisons, repairs, and orders that nobody owns."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import inf

import pytest_asyncio
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from activities.ports.journal import Discrepancies
from api.queries.record_metrics import RecordGauges
from infra.runtime.database.connections import Database
from tests.support.record_builders import a_report, an_order
from tests.support.temporal import eventually

STRANGER = a_report(an_order(client_order_id=None), "OSTRANGER", quantity=Decimal("0.5"))
MET = Discrepancies({"unknown_orders": ["OSTRANGER"]}, {}, (STRANGER,))


@pytest_asyncio.fixture
async def fresh(platform):
    """An account that was never compared with the exchange."""
    return await platform.add_account()


async def record(platform, account, *found):
    for one in found:
        await platform.records.record_reconciliation(account, one, datetime.now(UTC))


async def shown(platform, account, what="reconciliations", **query):
    answer = await platform.caller.get(f"/api/v1/accounts/{account}/{what}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def figures(platform):
    scraped = (await platform.stranger.get("/metrics")).text
    return samples(scraped)


def samples(scraped):
    return {
        (sample.name, sample.labels.get("account")): sample.value
        for family in text_string_to_metric_families(scraped)
        for sample in family.samples
    }


async def test_comparisons_are_listed_newest_first_and_by_what_they_are(platform, fresh):
    repaired = Discrepancies(repaired={"fills": ["T1"]})
    by_stream = Discrepancies({"unknown_orders": ["OSTRANGER"]}, {}, (STRANGER,), complete=False)
    await record(platform, fresh, Discrepancies(), repaired, by_stream, Discrepancies())
    listed = await shown(platform, fresh)
    assert [one["clean"] for one in listed] == [True, False, True, True]
    assert listed[1]["unknown_orders"]["OSTRANGER"]["quantity"] == "0.5"
    assert listed[2]["repaired"] == {"fills": ["T1"]}
    eventful = await shown(platform, fresh, eventful="true")
    assert [one["number"] for one in eventful] == [listed[1]["number"], listed[2]["number"]]
    assert [one["complete"] for one in await shown(platform, fresh, complete="true")] == [True] * 3
    assert await shown(platform, fresh, before=listed[2]["number"], limit=1) == [listed[3]]


async def test_unknown_order_stands_until_a_whole_comparison_no_longer_meets_it(platform, fresh):
    assert await shown(platform, fresh, "unknown-orders") == []
    await record(platform, fresh, MET, MET)
    (stranger,) = await shown(platform, fresh, "unknown-orders")
    assert stranger["standing"]
    assert stranger["described"]["symbol"] == "BTC/USD"
    assert stranger["first_seen"] < stranger["last_seen"]
    await record(platform, fresh, Discrepancies())
    (gone,) = await shown(platform, fresh, "unknown-orders")
    assert gone == stranger | {"standing": False}


async def test_order_met_by_the_stream_stands_before_any_comparison(platform, fresh):
    by_stream = Discrepancies(MET.differences, {}, MET.unknown_orders, complete=False)
    await record(platform, fresh, by_stream)
    (stranger,) = await shown(platform, fresh, "unknown-orders")
    assert stranger["standing"]


async def test_other_accounts_see_nothing_of_it(platform, fresh):
    await record(platform, fresh, MET)
    other = await platform.add_account()
    assert await shown(platform, other) == []
    assert await shown(platform, other, "unknown-orders") == []
    answer = await platform.caller.get("/api/v1/accounts/nobody/reconciliations")
    assert answer.json()["type"] == "urn:aether:problem:unknown-account"
    assert (await platform.stranger.get(f"/api/v1/accounts/{fresh}/unknown-orders")).is_error


async def test_metrics_tell_age_and_differences_of_the_last_whole_comparison(platform, fresh):
    age = ("aether_reconciliation_age_seconds", fresh)
    standing = ("aether_reconciliation_standing_differences_count", fresh)

    async def answers():
        found = await figures(platform)
        return found if found["aether_record_up", None] == 1 else None

    before = await eventually(answers, "the record is read in time")
    assert age not in before
    earlier = datetime.now(UTC) - timedelta(seconds=90)
    await platform.records.record_reconciliation(fresh, MET, earlier)
    found = await figures(platform)
    assert 90 <= found[age] < 100
    assert found[standing] == 1


async def test_metrics_tell_how_long_a_trade_has_been_unprotected(platform, account):
    body = {"symbol": "BTC/USD", "stop_price": "47500", "quantity": "0.01"}
    key = {"Idempotency-Key": "unprotected-for-a-while"}
    before = (await figures(platform)).get(("aether_trades_open_count", account), 0)
    opened = await platform.caller.post(
        f"/api/v1/accounts/{account}/trades", json=body, headers=key
    )
    number = opened.json()["trade"]
    since = text("UPDATE trades SET unprotected_since = :since WHERE number = :number")
    name = ("aether_trade_unprotected_current_seconds", account)

    async def protected():
        found = await platform.caller.get(f"/api/v1/accounts/{account}/trades/{number}")
        return found.is_success and Decimal(found.json()["protected_quantity"]) > 0

    await eventually(protected, "the trade is protected")
    told = await figures(platform)
    assert told[name] == 0
    assert told["aether_trades_open_count", account] == before + 1
    values = {"since": datetime.now(UTC) - timedelta(seconds=7), "number": number}
    async with platform.workers.account_scope(account) as session:
        await session.sql(since, values)
    assert 7 <= (await figures(platform))[name] < 10
    async with platform.workers.account_scope(account) as session:
        await session.sql(since, values | {"since": None})
    closing = {"Idempotency-Key": "unprotected-no-more"}
    await platform.caller.post(f"/api/v1/accounts/{account}/trades/{number}/close", headers=closing)


async def test_record_that_does_not_answer_is_said_to_be_down(tmp_path):
    nowhere = Database("postgresql://aether_app@127.0.0.1:22101/none")
    gauges = RecordGauges()
    await gauges.read(nowhere, tmp_path, [])
    found = samples(generate_latest(gauges.registry).decode())
    backup = ("aether_backup_verified_age_seconds", None)
    assert found == {("aether_record_up", None): 0, backup: inf}
    await nowhere.close()

"""What leaves the platform is in the record, by whom: exports, and payloads that were shown."""

import json

import pytest

from activities.adapters.postgres import audit
from tests.api.routes.platform.test_api_codec import PATH, sealed
from tests.support.platform import running_platform


@pytest.fixture
async def fresh(postgres):
    async with running_platform(postgres, postgres.new_database(), None) as running:
        yield running


async def me(platform):
    (made,) = await platform.audited("platform", "token_created")
    return made["details"]["name"]


@pytest.mark.parametrize(
    ("path", "what"),
    [("lots/export", "lots"), ("gains/export", "gains"), ("trades.csv", "trades")],
)
async def test_each_file_of_an_account_is_a_row_of_its_chain(fresh, path, what):
    account, other = await fresh.add_account(), await fresh.add_account()
    for _ in range(2):
        answer = await fresh.caller.get(f"/api/v1/accounts/{account}/{path}")
        assert answer.status_code == 200
    rows = await fresh.audited(account, "data_exported")
    assert [row["actor"] for row in rows] == [await me(fresh)] * 2
    assert {row["details"]["what"] for row in rows} == {what}
    assert rows[0]["details"]["format"] == "csv"
    assert await fresh.audited(other, "data_exported") == []
    missing = await fresh.caller.get(f"/api/v1/accounts/nobody/{path}")
    assert missing.status_code == 404


async def test_an_export_of_the_record_says_what_was_asked_for(fresh):
    asked = {"action": "token_created", "format": "ndjson"}
    answer = await fresh.caller.get("/api/v1/record/export", params=asked)
    assert [json.loads(line)["action"] for line in answer.text.splitlines()] in (
        [],
        ["token_created"],
    )
    (row,) = await fresh.audited("platform", "data_exported")
    assert row["details"]["what"] == "audit"
    assert row["details"]["action"] == "token_created"
    assert row["details"]["format"] == "ndjson"


async def test_whoever_is_shown_payloads_is_in_the_record_once_a_minute(fresh, monkeypatch):
    closed = await sealed(fresh)
    for _ in range(3):
        assert (await fresh.caller.post(f"{PATH}/decode", json=closed)).status_code == 200
    (row,) = await fresh.audited("platform", "payloads_decoded")
    assert (row["actor"], row["details"]) == (await me(fresh), {"payloads": "1"})
    seen = fresh.services.denials._seen
    seen.update(dict.fromkeys(seen, 0.0))
    assert (await fresh.caller.post(f"{PATH}/decode", json=closed)).status_code == 200
    assert len(await fresh.audited("platform", "payloads_decoded")) == 2


async def test_nothing_is_shown_that_could_not_be_written_down(fresh, monkeypatch):
    closed = await sealed(fresh)
    append, broken = audit.append, [True]

    async def fails(*given, **named):
        if broken[0]:
            raise ConnectionError("away")
        await append(*given, **named)

    monkeypatch.setattr(audit, "append", fails)
    for _ in range(2):
        with pytest.raises(ConnectionError):
            await fresh.caller.post(f"{PATH}/decode", json=closed)
    broken[0] = False
    assert (await fresh.caller.post(f"{PATH}/decode", json=closed)).status_code == 200
    assert len(await fresh.audited("platform", "payloads_decoded")) == 1

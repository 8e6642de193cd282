"""Settings over the API: definitions, changes, versions, export; and what trades are decided by."""

from decimal import Decimal
from uuid import uuid4

import pytest_asyncio
import yaml

from activities.adapters.postgres.governance.platform_settings import PostgresPlatformSettings
from infra.runtime.database.connections import Database, Role
from models.contracts.names import account_workflow_id
from models.trading.account.state import AccountState
from tests.support.market_rules import Pairs, TemporalMessenger, rules_activities, rules_worker
from tests.support.people import signed_in
from tests.support.platform import PORT_BASE, a_key
from tests.support.temporal import eventually


@pytest_asyncio.fixture
async def own(platform):
    """An account of the test's own."""
    name = await platform.add_account()
    await platform.start_account(name)
    return name


@pytest_asyncio.fixture
async def director(platform):
    """A person: accounts of other tests trade live, and the platform's settings are theirs too."""
    async with signed_in(platform.app, PORT_BASE, platform.admin) as caller:
        yield caller


def path(account, rest=""):
    return f"/api/v1/accounts/{account}/settings{rest}"


async def change(platform, account, updates, key=None, **more):
    body = {"updates": updates, "reason": "for the test", **more}
    headers = a_key() if key is None else {"Idempotency-Key": key}
    return await platform.caller.post(path(account), json=body, headers=headers)


async def test_definitions_serve_forms(platform):
    schema = (await platform.caller.get("/api/v1/settings/definitions")).json()
    hard = schema["properties"]["drawdown.hard_share"]
    assert (hard["default"], hard["x-dangerous"]) == ("0.05", "raising")
    whole = await platform.caller.get("/api/v1/settings/definitions?scope=platform")
    assert "compliance.sanctioned" in whole.json()["properties"]


async def test_change_counts_for_the_next_trade_and_is_kept_with_it(platform, own):
    before = (await platform.caller.get(path(own))).json()
    assert (before["version"], before["values"]["risk.risk_share"]) == (0, "0.005")
    key = uuid4().hex
    made = await change(platform, own, {"risk.risk_share": "0.002"}, key)
    assert made.status_code == 200, made.text
    assert made.json()["version"] == 1
    assert made.json()["dangerous"] == []
    again = await change(platform, own, {"risk.risk_share": "0.002"}, key)
    assert again.json() == made.json()

    async def kept():
        return (await platform.caller.get(path(own))).json()["version"] == 1

    await eventually(kept, "the version is in the record")
    (version,) = (await platform.caller.get(path(own, "/versions"))).json()
    assert version["changes"] == [
        {"name": "risk.risk_share", "before": "0.005", "after": "0.002", "dangerous": False}
    ]
    trades = f"/api/v1/accounts/{own}/trades"
    order = {"symbol": "BTC/USD", "stop_price": "47500", "take_profit_price": "60000"}
    opened = await platform.caller.post(trades, json=order, headers=a_key())
    assert opened.status_code == 202, opened.text

    async def assessed():
        found = await platform.caller.get(f"{trades}/1/assessment")
        return found.json() if found.status_code == 200 else None

    found = await eventually(assessed, "what it was decided by is in the record")
    assert (found["settings_version"], found["binding"]) == (1, "risk")
    assert {"risk", "cash", "gross exposure"} <= {cap["name"] for cap in found["caps"]}
    assert all(check["passed"] for check in found["checks"])
    assert found["costs"]["fee_source"] == "account"
    assert (await platform.caller.get(f"{trades}/1")).json()["settings_version"] == 1
    states = {s.account: s for s in await platform.services.journal.accounts()}
    assert states[own].settings.version == 1
    assert states[own].limits.risk_share == Decimal("0.002")


async def test_danger_is_confirmed_named_and_audited(platform, own):
    updates = {"drawdown.hard_share": "0.06"}
    refused = await change(platform, own, updates)
    assert refused.status_code == 409
    assert refused.json()["type"].endswith("confirmation-needed")
    assert "drawdown.hard_share" in refused.json()["detail"]
    made = await change(platform, own, updates, confirm=True)
    assert made.json()["dangerous"] == ["drawdown.hard_share"]

    async def audited():
        return await platform.audited(own, "settings_changed")

    (entry,) = await eventually(audited, "the change is audited")
    assert entry["details"]["dangerous"] == "drawdown.hard_share"


async def test_bad_changes_are_refused_whole(platform, own):
    for updates, code in (
        ({"risk.risk_share": "lots"}, "invalid-setting"),
        ({"no.such": 1, "risk.risk_share": "0.001"}, "invalid-setting"),
        ({"risk.risk_share": "0.005"}, "invalid-change"),
    ):
        answer = await change(platform, own, updates)
        assert (answer.status_code, answer.json()["type"].rsplit(":", 1)[1]) == (422, code)
    late = await change(platform, own, {"risk.risk_share": "0.001"}, based_on=7)
    assert (late.status_code, late.json()["type"][-15:]) == (409, "outdated-change")
    assert (await platform.caller.get(path(own))).json()["version"] == 0


async def test_export_is_yaml_of_every_value(platform, own):
    exported = await platform.caller.get(path(own, "/export"))
    assert exported.headers["content-type"].startswith("application/yaml")
    values = yaml.safe_load(exported.text)["settings"]
    assert values == (await platform.caller.get(path(own))).json()["values"]


async def platform_settings_changed(platform, director, body):
    """Change the platform's settings and return their version.

    Where an account of the installation trades live, by another test, that takes two people.
    """
    made = await director.post("/api/v1/settings", json=body, headers=a_key())
    if made.status_code == 200:
        assert made.json()["dangerous"] == ["compliance.sanctioned"]
        return made.json()["version"]
    before = (await platform.caller.get("/api/v1/settings")).json()["version"]
    approve = f"/api/v1/approvals/{made.json()['approval']}/approve"
    async with signed_in(platform.app, PORT_BASE, platform.admin, factors=2) as second:

        async def approved():
            answer = await second.post(approve, json={"reason": "agreed"}, headers=a_key())
            return answer.status_code == 200

        await eventually(approved, "another person agrees")

    async def newer():
        return (await platform.caller.get("/api/v1/settings")).json()["version"] > before

    await eventually(newer, "the change is in force")
    return before + 1


async def test_platform_settings_reach_every_account(
    platform, postgres, api_database, own, director
):
    client, database = platform.services.client, platform.workers
    market = Database(postgres.url(Role.MARKET, api_database))
    activities = rules_activities(Pairs("BTC"), database, market, TemporalMessenger(client), [own])
    activities._settings = PostgresPlatformSettings(database).in_force
    body = {"updates": {"compliance.sanctioned": ["BTC"]}, "reason": "told to", "confirm": True}
    async with rules_worker(client, activities):
        version = await platform_settings_changed(platform, director, body)
        handle = client.get_workflow_handle(account_workflow_id(own))

        async def told():
            state = await handle.query("snapshot", result_type=AccountState)
            return state.platform.version == version

        await eventually(told, "the account is told")
        order = {"symbol": "BTC/USD", "stop_price": "47500", "quantity": "0.01"}
        trades = f"/api/v1/accounts/{own}/trades"
        refused = await platform.caller.post(trades, json=order, headers=a_key())
        assert refused.status_code == 403
        assert refused.json()["type"].endswith("sanctioned-asset")
        back = {"updates": {"compliance.sanctioned": []}, "reason": "over", "confirm": True}
        assert await platform_settings_changed(platform, director, back) == version + 1
    await market.close()
    shown = (await platform.caller.get("/api/v1/settings")).json()
    assert (shown["version"], shown["values"]["compliance.sanctioned"]) == (version + 1, [])
    versions = (await platform.caller.get("/api/v1/settings/versions")).json()
    assert [v["version"] for v in versions][:2] == [version + 1, version]
    assert len(await platform.audited("platform", "settings_changed")) == 2

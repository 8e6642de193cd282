"""The universe over the API: a change by two people is in force for the accounts at once."""

import pytest_asyncio

from infra.runtime.database.connections import Database, Role
from models.contracts.names import account_workflow_id
from models.trading.account.state import AccountState
from tests.support.market_rules import Pairs, TemporalMessenger, rules_activities, rules_worker
from tests.support.people import signed_in
from tests.support.platform import PORT_BASE, a_key
from tests.support.temporal import eventually

TASK = {"task_queue": "trading"}


@pytest_asyncio.fixture
async def second(platform):
    """Another person."""
    async with signed_in(platform.app, PORT_BASE, platform.admin, factors=2) as caller:
        yield caller


@pytest_asyncio.fixture
async def first(platform):
    """A person who asks."""
    async with signed_in(platform.app, PORT_BASE, platform.admin, factors=2) as caller:
        yield caller


async def test_pair_that_two_people_take_out_gets_no_entries_and_keeps_its_protection(
    platform, postgres, api_database, first, second
):
    account = await platform.add_account()
    exchange = await platform.start_account(account)
    client, pairs = platform.services.client, Pairs("BTC", "ETH")
    market = Database(postgres.url(Role.MARKET, api_database))
    activities = rules_activities(
        pairs, platform.workers, market, TemporalMessenger(client), [account]
    )
    path = f"/api/v1/accounts/{account}/trades"
    entry = {"symbol": "BTC/USD", "stop_price": "47500", "quantity": "0.01"}

    async def known():
        handle = client.get_workflow_handle(account_workflow_id(account))
        return await handle.query("snapshot", result_type=AccountState)

    async with rules_worker(client, activities):
        for workflow in ("UniverseReviewWorkflow", "CorrelationWorkflow"):
            run = {"boundary": "now"}
            await client.execute_workflow(workflow, run, id=f"{workflow}/{account}", **TASK)
        found = (await platform.caller.get("/api/v1/universe")).json()
        assert found["approved_by"] == "installation"

        async def is_told():
            ready = (await platform.stranger.get("/readyz")).json()
            forms = ready["degraded_modes"]
            return any("universe: approved by the installation" in form for form in forms)

        await eventually(is_told, "whose universe it is, is told")
        assert [pair["symbol"] for pair in found["pairs"]] == ["BTC/USD", "ETH/USD"]
        opened = await platform.caller.post(path, json=entry, headers=a_key())
        assert opened.status_code == 202, opened.text
        await eventually(
            lambda: [o for o in exchange.orders.values() if o.side == "sell"], "it is protected"
        )

        body = {"reason": "too risky now", "leaves": ["BTC/USD"]}
        asked = await first.post("/api/v1/universe/changes", json=body, headers=a_key())
        assert asked.status_code == 202, asked.text
        number = asked.json()["number"]
        approve = f"/api/v1/universe/changes/{number}/approve"
        alone = await first.post(approve, headers=a_key())
        assert (alone.status_code, alone.json()["type"][-20:]) == (403, "second-person-needed")
        agreed = await second.post(approve, headers=a_key())
        assert agreed.json()["outcome"] == "applied"

        async def told():
            return "BTC/USD" not in (await known()).universe

        await eventually(told, "the account was told")
    refused = await platform.caller.post(path, json=entry, headers=a_key())
    assert refused.json()["type"] == "urn:aether:problem:not-in-universe"
    assert [o for o in exchange.orders.values() if o.side == "sell" and not o.status.is_final]
    pair = (await platform.caller.get("/api/v1/universe")).json()["pairs"][0]
    assert (pair["symbol"], pair["standing"]) == ("BTC/USD", "leaving")
    groups = (await platform.caller.get("/api/v1/correlations")).json()
    assert {symbol for group in groups["groups"] for symbol in group["symbols"]} == {
        "BTC/USD",
        "ETH/USD",
    }
    audited = await platform.audited("platform", "universe_changed")
    assert audited[0]["actor"] == second.user
    assert audited[0]["details"]["author"] != second.user
    versions = (await platform.caller.get("/api/v1/universe/versions")).json()
    assert [version["version"] for version in versions] == [2, 1]
    await market.close()


async def test_change_of_nothing_and_of_the_unknown_are_refused(first):
    for body, status, kind in [
        ({"reason": "why not"}, 422, "invalid-change"),
        ({"reason": "why not", "joins": ["NOPE/USD"]}, 422, "invalid-change"),
        ({"joins": ["BTC/USD"]}, 422, "invalid-request"),
    ]:
        answer = await first.post("/api/v1/universe/changes", json=body, headers=a_key())
        assert (answer.status_code, answer.json()["type"][19:]) == (status, kind), answer.text
    path = "/api/v1/universe/changes/99999/refuse"
    answer = await first.post(path, headers=a_key())
    assert answer.json()["type"] == "urn:aether:problem:unknown-change"


async def test_no_token_asks_for_another_universe(platform):
    body = {"reason": "too risky now", "leaves": ["BTC/USD"]}
    answer = await platform.caller.post("/api/v1/universe/changes", json=body, headers=a_key())
    assert (answer.status_code, answer.json()["type"][-15:]) == (403, "person-required")

"""Every route and update passes the table of rights: by the document, and asked as each role."""

import re
from contextlib import AsyncExitStack

import pytest

from api.access.rules import BROWSER, INTERNAL_UPDATES, ROUTES, UPDATES, Way
from models.trading.governance.rights import RIGHTS, Action, Grant, Role
from tests.support.people import FROM_OUR_PAGE, signed_in
from tests.support.platform import PORT_BASE, a_key, loopback, running_platform
from workflows.account import inbox as account_inbox
from workflows.governance import approval, kill_switch, platform
from workflows.trade import inbox as trade_inbox

UPDATE = re.compile(r"@workflow\.update(?:\(name=\"(\w+)\"\))?\s+(?:async )?def (\w+)")
PUBLIC_ID = "0" * 20
SELF = {Action.SELF_READ, Action.SELF_MANAGE, Action.SELF_ELEVATE}


@pytest.fixture
async def fresh(postgres):
    async with running_platform(postgres, postgres.new_database(), None) as running:
        yield running


async def test_every_operation_of_the_document_declares_its_right(fresh):
    document = (await fresh.caller.get("/api/v1/openapi.json")).json()
    seen = set()
    for methods in document["paths"].values():
        for operation in methods.values():
            name = operation["operationId"]
            declared = operation.get("x-right")
            assert declared is not None, f"{name} declares no right"
            rule = ROUTES[name]
            assert declared["action"] == rule.value
            if isinstance(rule, Action):
                assert declared["roles"] == sorted(RIGHTS[rule].roles)
                assert declared["step_up"] == RIGHTS[rule].step_up
            seen.add(name)
    assert len(seen) > 90


async def test_every_route_has_a_rule_and_every_rule_a_route(fresh):
    names = set()
    for route in fresh.app.routes:
        included = getattr(route, "effective_route_contexts", None)
        for one in [route] if included is None else included():
            found = getattr(one, "original_route", one)
            names.add(getattr(one, "name", None) or found.name)
    assert names - set(ROUTES) == set()
    assert set(ROUTES) - names == set()
    assert set(ROUTES) > BROWSER


async def test_a_route_without_a_rule_is_refused_to_everybody(fresh, monkeypatch):
    without = {name: rule for name, rule in ROUTES.items() if name != "list_accounts"}
    monkeypatch.setattr("api.access.admission.ROUTES", without)
    answer = await fresh.caller.get("/api/v1/accounts")
    assert (answer.status_code, answer.json()["type"][19:]) == (403, "no-right")


def test_every_update_of_a_workflow_has_a_right_or_is_nobodys_to_send():
    from pathlib import Path

    names = set()
    for module in (account_inbox, approval, kill_switch, platform, trade_inbox):
        for name, function in UPDATE.findall(Path(module.__file__).read_text()):
            names.add(name or function)
    folder = Path(account_inbox.__file__).parents[1]
    every = [f for file in folder.rglob("*.py") for f in UPDATE.findall(file.read_text())]
    # An approval is settled in accounts, trades and the platform by the same name.
    assert (len(names), len(every)) == (20, 22)
    assert names == set(UPDATES) | INTERNAL_UPDATES
    assert not set(UPDATES) & INTERNAL_UPDATES


async def test_each_role_gets_through_where_the_table_says_and_nowhere_else(fresh):
    account = await fresh.add_account()
    roles = {role: [Grant(role)] for role in Role}
    async with AsyncExitStack() as stack:
        people = {}
        for role, grants in roles.items():
            person = signed_in(fresh.app, PORT_BASE, fresh.admin, *grants)
            people[role] = await stack.enter_async_context(person)
            people[role].steps_up = False
        asked = 0
        for method, url, rule in requests_for(fresh.app, account):
            if url.endswith("/events"):
                continue  # a stream that lasts: ``test_record_stream`` tries who may read it
            for role, person in people.items():
                answer = await person.request(method, url, headers=a_key())
                asked += 1
                may = role in RIGHTS[rule].roles
                code = answer.json().get("type", "")[19:] if answer.status_code == 403 else ""
                refused = code == "no-right"
                assert refused is not may, (role, method, url, answer.status_code, answer.text)
                if may and RIGHTS[rule].step_up and answer.status_code == 403:
                    assert code == "step-up-required", (role, url, answer.text)
                assert answer.status_code != 500, (role, url)
        assert asked > 250


async def test_a_right_for_one_account_does_not_reach_another(fresh):
    own, other = await fresh.add_account(), await fresh.add_account()
    grants = [Grant(role, own) for role in Role]
    async with signed_in(fresh.app, PORT_BASE, fresh.admin, *grants) as person:
        person.steps_up = False
        asked = 0
        for method, url, rule in requests_for(fresh.app, other):
            if f"/{other}" not in url:
                continue
            answer = await person.request(method, url, headers=a_key())
            assert answer.status_code == 403, (method, url, answer.text, rule)
            assert answer.json()["type"][19:] == "no-right"
            asked += 1
        assert asked > 25
        seen = [row["account"] for row in (await person.get("/api/v1/accounts")).json()]
        assert seen == [own]
        status = (await person.get("/api/v1/status")).json()
        assert [row["account"] for row in status["accounts"]] == [own]
        found = (await person.get("/api/v1/audit", params={"limit": 500})).json()["entries"]
        assert {row["account_id"] for row in found} <= {own}
        asked_for = await person.get("/api/v1/audit", params={"account": other})
        assert asked_for.json()["entries"] == []
        folios = (await person.get("/api/v1/portfolio")).json()
        assert list(folios["accounts"]) == [own]
        switch = await person.post(
            "/api/v1/kill-switch",
            json={"reason": "test it", "accounts": [other]},
            headers=a_key(),
        )
        assert switch.status_code == 403
        switch = await person.post(
            "/api/v1/kill-switch", json={"reason": "test it"}, headers=a_key()
        )
        assert switch.json()["accounts"] == [own]
        assert (await person.get("/api/v1/audit/platform")).status_code == 403


async def test_machine_tokens_reach_nothing_that_takes_a_person(fresh):
    account = await fresh.add_account()
    async with loopback(fresh.app, fresh.token) as caller:
        for method, url, rule in requests_for(fresh.app, account):
            if RIGHTS[rule].machine:
                continue
            answer = await caller.request(method, url, headers=a_key() | FROM_OUR_PAGE)
            assert answer.status_code == 403, (method, url)
            assert answer.json()["type"][19:] == "person-required"


def requests_for(app, account):
    """Return method, address and right of every route that takes a right of the table."""
    values = {"account": account, "scope": account, "shadow": account, "number": "1"}
    found = []
    names = {}
    for route in app.routes:
        included = getattr(route, "effective_route_contexts", None)
        for one in [route] if included is None else included():
            names[one.path] = [*names.get(one.path, []), (one.name, one.methods)]
    for path, routes in names.items():
        for name, methods in routes:
            rule = ROUTES[name]
            # Signing oneself out, or one's own session, would end the test's own.
            if isinstance(rule, Way) or name in BROWSER or rule in SELF:
                continue
            url = re.sub(r"{(\w+)(?::\w+)?}", lambda m: values.get(m[1], PUBLIC_ID), path)
            found += [(method, url, rule) for method in methods]
    return found

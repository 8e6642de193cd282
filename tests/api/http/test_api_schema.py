"""Every operation of the description, asked with whatever its schema lets through.

No answer is a fault of ours, each is one that the description tells of, and what is refused has
changed nothing. The workflow engine is away: what would need it says so, and nothing else may.
"""

import asyncio
import json
from contextlib import AsyncExitStack
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.support.people import signed_in
from tests.support.platform import PORT_BASE, running_platform

DESCRIPTION = json.loads((Path(__file__).parents[3] / "ui" / "api.json").read_text())
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
AWAY = {
    "not-answered",
    "not-recorded",
    "no-market-data",
    "workflow-engine-unavailable",
    "secrets-unavailable",
}
"""What alone may be a 503: something that the request needs is away, and a repeat is in order."""
ENDLESS = "text/event-stream"
KEPT = """SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
    WHERE nspname = 'public' AND relkind = 'r' AND relname <> ALL (%s) ORDER BY 1"""
BESIDE = [
    "audit_log",
    "audit_heads",
    "audit_leaves",
    "audit_nodes",
    "record_events",
    "record_event_heads",
    "event_outbox",
    "requests",
    "sign_in_failures",
    "access_tokens",
    "api_tokens",
    "person_sessions",
    "person_factors",
    "step_ups",
]
"""Denials are recorded, answers kept by their key, failures counted, factors and sessions used."""


def operations():
    found = (one.ok() for one in schemathesis.openapi.from_dict(DESCRIPTION).get_all_operations())
    for one in found:
        answers = one.definition.raw["responses"].get("200", {}).get("content", {})
        if ENDLESS not in answers:
            yield one


class Asked:
    """A platform of its own, its callers, and what stands in its record."""

    def __init__(self, platform, person, account, owner):
        self.platform, self.account, self.owner = platform, account, owner
        self.callers = {"token": platform.caller, "person": person, "nobody": platform.stranger}

    async def record(self):
        """Return how many rows each table has, and what they add up to."""
        return await asyncio.to_thread(self._sums)

    def _sums(self):
        tables = [row[0] for row in self.owner.execute(KEPT, [BESIDE])]
        sums = " UNION ALL ".join(
            f"SELECT '{name}', count(*), sum(hashtext(t::text)) FROM {name} t" for name in tables
        )
        return self.owner.execute(sums).fetchall()

    async def ask(self, case, who):
        """Send a case as somebody, and return the answer."""
        asked = case.as_transport_kwargs(base_url=str(self.platform.caller.base_url))
        named = {n: v for n, v in (asked.get("headers") or {}).items() if n != "Authorization"}
        content = asked.get("data")
        sent = {"json": asked["json"]} if "json" in asked else {"content": content}
        return await self.callers[who].request(
            asked["method"], asked["url"], params=asked.get("params"), headers=named, **sent
        )


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def asked(postgres):
    name = postgres.new_database()
    async with AsyncExitStack() as stack:
        platform = await stack.enter_async_context(running_platform(postgres, name, None))
        person = await stack.enter_async_context(
            signed_in(platform.app, PORT_BASE, platform.admin, factors=2)
        )
        account = await platform.add_account()
        superuser = psycopg.connect(postgres.url("postgres", name), autocommit=True)
        owner = stack.enter_context(superuser)
        yield Asked(platform, person, account, owner)


@pytest.mark.parametrize("operation", list(operations()), ids=lambda one: one.label)
@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=[*HealthCheck],
)
@given(data=st.data())
async def test_no_request_ends_in_a_fault_or_changes_what_it_is_refused(asked, operation, data):
    case = data.draw(operation.as_strategy())
    who = data.draw(st.sampled_from(["token", "token", "person", "nobody"]))
    if "account" in (case.path_parameters or {}) and data.draw(st.booleans()):
        case.path_parameters["account"] = asked.account
    before = await asked.record()
    answer = await asked.ask(case, who)
    is_away = answer.status_code == 503 and case.path != "/readyz"
    if is_away:
        assert answer.json()["type"].removeprefix("urn:aether:problem:") in AWAY, answer.text
    checks = CHECKS[1:] if answer.status_code == 503 else CHECKS
    case.validate_response(answer, checks=checks)
    if answer.status_code in range(400, 500):  # a 503 is in doubt: its repeat goes on from there
        after = await asked.record()
        assert {row[0] for row in set(before) ^ set(after)} == set()

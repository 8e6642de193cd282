"""A request, what the account was asked, and the trade's orders are one trace at a collector."""

import os

import pytest_asyncio

from infra.runtime.temporal.client import connect
from infra.runtime.temporal.codec import PayloadKey
from infra.runtime.traces.sending import Traces
from tests.support.platform import OTHER_PORT_BASE, a_key, running_platform
from tests.support.receivers import collector
from tests.support.temporal import NAMESPACE, access, eventually, temporal_server

OPEN = {"symbol": "BTC/USD", "quantity": "0.01", "stop_price": "47500"}


@pytest_asyncio.fixture
async def traced(postgres, tmp_path):
    """A platform whose API and worker tell a collector."""
    with temporal_server(tmp_path) as address, collector() as told:
        keys = [PayloadKey("tests", os.urandom(32))]
        client = await connect(address, NAMESPACE, keys, tls=access(address))
        traces = Traces(told.url, "test", "one")
        place = postgres, postgres.new_database(), client, OTHER_PORT_BASE
        async with running_platform(*place, traces=traces) as platform:
            await platform.set_market()
            yield platform, told
        traces.close()


async def test_a_request_and_the_orders_that_came_of_it_are_one_trace(traced):
    platform, told = traced
    account = await platform.add_account()
    exchange = await platform.start_account(account)
    path = f"/api/v1/accounts/{account}/trades"
    opened = await platform.caller.post(path, json=OPEN, headers=a_key())
    assert opened.status_code == 202, opened.text
    number = opened.json()["trade"]

    def orders():
        return [s for s in told.named("place_order") if s.attributes["aether.account"] == account]

    await eventually(lambda: len(orders()) >= 2, "entry and stop were told", 60)
    (request,) = told.named("POST")
    (asked,) = told.named(f"account/{account} open_trade")
    assert request.name == "POST /api/v1/accounts/{account}/trades"
    assert request.attributes["http.response.status_code"] == "202"
    assert request.attributes["aether.trade"] == str(number)
    assert asked.parent == request.span
    for order in orders():
        assert (order.trace, order.parent) == (request.trace, request.span)
    sent = {order.attributes["aether.client_order_id"] for order in orders()}
    assert sent == {spec.client_order_id for spec in exchange.submits}

    closed = await platform.caller.post(f"{path}/{number}/close", headers=a_key())
    assert closed.status_code == 202, closed.text
    await eventually(lambda: told.named("exit_position"), "the sale was told", 60)
    (closing,) = (s for s in told.named("POST") if s.name.endswith("/close"))
    assert {one.trace for one in (*told.named("exit_position"), closing)} == {request.trace}


async def test_reads_and_refusals_are_told_as_what_they_are(traced):
    platform, told = traced
    await platform.caller.get("/api/v1/accounts")
    refused = await platform.caller.post(
        "/api/v1/accounts/nobody/trades", json=OPEN, headers=a_key()
    )
    assert refused.status_code == 404
    for number in ("abc", "9" * 40):
        path = f"/api/v1/accounts/nobody/trades/{number}/close"
        answer = await platform.caller.post(path, headers=a_key())
        assert answer.status_code == 422
    await eventually(lambda: len(told.named("POST")) == 3, "the refusals were told", 60)
    found = {request.attributes["http.response.status_code"] for request in told.named("POST")}
    assert found == {"404", "422"}
    assert not [one for one in told.named("POST") if "aether.trade" in one.attributes]
    assert not told.named("GET")

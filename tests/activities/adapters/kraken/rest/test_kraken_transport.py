import asyncio
import base64
import hashlib
import hmac
import secrets
import time
from decimal import Decimal

import pytest
from aiohttp import web

from activities.adapters.kraken.addresses import AllowedHosts
from activities.adapters.kraken.errors import ForbiddenAddressError, Operation
from activities.adapters.kraken.limits.priority_gate import Priority
from activities.adapters.kraken.rest.nonce import FileNonceStore, NonceCounter
from activities.adapters.kraken.rest.transport import (
    SIGNED_CALLS_AT_ONCE,
    KrakenApi,
    Timeouts,
    Transport,
)
from activities.ports.exchange_errors import (
    CredentialsError,
    ExchangeUnavailableError,
    OrderRejectedError,
    RateLimitedError,
    UnknownOutcomeError,
)
from activities.ports.secrets import Credentials
from tests.support.free_ports import free_block
from tests.support.scripted_exchange import (
    ScriptedExchange,
    hang,
    refusal,
    reset,
    result,
    status,
)

PORTS = free_block()
PLACE, READ = Operation.PLACE, Operation.READ


def new_credentials() -> Credentials:
    return Credentials(secrets.token_hex(8), base64.b64encode(secrets.token_bytes(64)).decode())


@pytest.fixture
async def server():
    server = ScriptedExchange(PORTS)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def transport(server, tmp_path):
    transport = Transport(
        server.url,
        AllowedHosts.loopback(),
        new_credentials(),
        NonceCounter(FileNonceStore(tmp_path / "nonce")),
        Timeouts(connect=0.5, read=0.3),
    )
    yield transport
    await transport.close()


def the_connection(transport):
    return transport._signed._all[0]


def test_signature_agrees_with_the_documented_example():
    # The secret of Kraken's own documentation page, in pieces so that nothing takes it for a key.
    secret = (
        "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg=="
    )
    api = KrakenApi(
        "http://127.0.0.1:1", AllowedHosts.loopback(), Credentials("documented", secret)
    )
    data = {
        "nonce": "1616492376594",
        "ordertype": "limit",
        "pair": "XBTUSD",
        "price": 37500,
        "type": "buy",
        "volume": "1.25",
    }
    assert api._sign(data, "/0/private/AddOrder") == (
        "4/dpxb3iT4tp/ZCVEwSnEsLxx0bqyhLpdfOpc6fn7OR8+UClSV5n9E6aSS8MPtnRfp32bAb0nmbRn6H8ndwLUQ=="
    )
    api.close()


async def test_form_is_flat_lower_case_and_leaves_the_arguments_alone(server, transport):
    parameters = {"trades": True, "close[price]": Decimal("1E+2"), "volume": "1.5", "ofs": 50}
    before = dict(parameters)
    await transport.private("AddOrder", parameters, PLACE)
    assert parameters == before
    asked = server.asked("AddOrder")[0]
    assert asked.pop("nonce").isdigit()
    assert asked == {"trades": "true", "close[price]": "100", "volume": "1.5", "ofs": "50"}
    assert "aether" in server.requests[0][2]["User-Agent"]


async def test_lists_are_sent_as_signed_json(server, transport):
    await transport.private("CancelOrderBatch", {"orders": ["O1", "O2"]}, Operation.CANCEL)
    _, asked, headers, body = server.requests[0]
    assert asked["orders"] == ["O1", "O2"]
    digest = hashlib.sha256(f"{asked['nonce']}{body}".encode()).digest()
    secret = base64.b64decode(the_connection(transport).secret)
    expected = hmac.new(secret, b"/0/private/CancelOrderBatch" + digest, hashlib.sha512).digest()
    assert headers["API-Sign"] == base64.b64encode(expected).decode()


async def test_numbers_arrive_exactly(server, transport):
    async def answer(_):
        from aiohttp import web

        return web.Response(text='{"error":[],"result":{"time":1717490000.3304567}}')

    server.script("Time", answer)
    assert await transport.public("Time") == {"time": Decimal("1717490000.3304567")}


@pytest.mark.parametrize(
    "answer", [hang, reset, status(502), status(302, "", {"Location": "/0/private/Other"})]
)
async def test_lost_answer_is_unknown_for_a_placement_and_never_repeated(server, transport, answer):
    server.script("AddOrder", answer)
    server.script("Balance", answer)
    with pytest.raises(UnknownOutcomeError):
        await transport.private("AddOrder", {}, PLACE)
    with pytest.raises(ExchangeUnavailableError):
        await transport.private("Balance", {}, READ)
    assert [request[0] for request in server.requests] == ["AddOrder", "Balance"]


GARBAGE = (
    "<html>",
    "",
    "[]",
    "null",
    "5",
    '"ok"',
    '{"error":[]}',
    '{"error":null,"result":{}}',
    '{"error":"E"}',
    '{"error":[],"result":null}',
    '{"error":[],"result":[]}',
    '{"error":[],"result":""}',
    '{"error":[],"result":NaN}',
)
"""Answers with status 200 that are none."""


@pytest.mark.parametrize("body", GARBAGE)
async def test_garbage_is_a_lost_answer_and_what_changes_something_is_sent_once(
    server, transport, body
):
    for operation in Operation:
        method = operation.value.capitalize()
        server.script(method, status(200, body, {"Content-Type": "application/json"}))
        meant = ExchangeUnavailableError if operation is READ else UnknownOutcomeError
        with pytest.raises(meant):
            await transport.private(method, {}, operation)
        assert len(server.asked(method)) == 1


async def test_refused_connection_proves_that_nothing_was_sent(tmp_path):
    transport = Transport(
        f"http://127.0.0.1:{PORTS + 1}",
        AllowedHosts.loopback(),
        new_credentials(),
        NonceCounter(FileNonceStore(tmp_path / "nonce")),
    )
    with pytest.raises(ExchangeUnavailableError):
        await transport.private("AddOrder", {}, PLACE)
    await transport.close()


async def test_refused_nonce_is_tried_once_more_with_a_higher_one(server, transport):
    server.script("AddOrder", refusal("EAPI:Invalid nonce"), result({"txid": ["O1"]}))
    assert await transport.private("AddOrder", {}, PLACE) == {"txid": ["O1"]}
    first, second = (int(asked["nonce"]) for asked in server.asked("AddOrder"))
    assert second > first
    server.script("AddOrder", refusal("EAPI:Invalid nonce"), refusal("EAPI:Invalid nonce"))
    with pytest.raises(CredentialsError):
        await transport.private("AddOrder", {}, PLACE)
    assert len(server.asked("AddOrder")) == 4


async def test_warnings_do_not_hide_the_result(server, transport):
    async def answer(_):
        from aiohttp import web

        return web.json_response({"error": ["WGeneral:Soon deprecated"], "result": 7})

    server.script("Time", answer)
    assert await transport.public("Time") == 7


async def test_nonces_arrive_in_order_under_concurrency(server, transport):
    await asyncio.gather(*(transport.private("Balance", {}, READ) for _ in range(50)))
    nonces = [int(asked["nonce"]) for asked in server.asked("Balance")]
    assert nonces == sorted(set(nonces))
    assert len(nonces) == 50


async def test_protection_overtakes_waiting_reads(server, transport):
    reads = [asyncio.create_task(transport.private("Balance", {}, READ)) for _ in range(5)]
    await asyncio.sleep(0)
    await transport.private("CancelOrder", {}, Operation.CANCEL, Priority.PROTECT)
    await asyncio.gather(*reads)
    assert [request[0] for request in server.requests].index("CancelOrder") == 1


async def test_call_whose_turn_comes_after_a_new_key_is_signed_with_that(
    server, transport, tmp_path
):
    before, fresh = transport._signed, new_credentials()
    server.script("AddOrder", hang)
    placing = asyncio.create_task(transport.private("AddOrder", {}, PLACE))
    await server.until(lambda: server.requests)
    waiting = asyncio.create_task(transport.private("Balance", {}, READ))
    await asyncio.sleep(0)
    transport.use_key(fresh, NonceCounter(FileNonceStore(tmp_path / "fresh")))
    assert transport._signed is not before
    await waiting
    with pytest.raises(UnknownOutcomeError):
        await placing
    keys = {method: headers["API-Key"] for method, _, headers, _ in server.requests}
    assert keys["Balance"] == fresh.key != keys["AddOrder"]


async def test_canceled_caller_does_not_let_the_next_nonce_overtake(server, transport):
    server.script("AddOrder", hang)
    sending = asyncio.create_task(transport.private("AddOrder", {}, PLACE))
    await server.until(lambda: server.requests)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    await transport.private("Balance", {}, READ)
    nonces = [int(request[1]["nonce"]) for request in server.requests]
    assert nonces == sorted(nonces)


async def test_order_that_is_no_longer_wanted_is_not_sent(server, transport):
    def refuse() -> None:
        raise RateLimitedError("too late")

    with pytest.raises(RateLimitedError):
        await transport.private("AddOrder", {}, PLACE, still_wanted=refuse)
    assert not server.requests
    await transport.private("Balance", {}, READ)


@pytest.mark.parametrize(
    "address",
    [
        "https://api.kraken.com",
        "http://127.0.0.1.example.org",
        "http://127.0.0.1@api.kraken.com",
        "http://10.0.0.1",
        "http://[::2]",
        "http://",
        "http://[",
    ],
)
def test_simulated_mode_refuses_every_address_but_loopback(address):
    with pytest.raises(ForbiddenAddressError):
        Transport(address, AllowedHosts.loopback(), new_credentials())


def test_public_data_allows_krakens_public_hosts_over_tls_only():
    hosts = AllowedHosts.public_data()
    hosts.check("https://api.kraken.com")
    hosts.check("wss://ws.kraken.com/v2")
    for address in ("http://api.kraken.com", "wss://ws-auth.kraken.com/v2", "https://kraken.com"):
        with pytest.raises(ForbiddenAddressError):
            hosts.check(address)


async def test_changed_address_is_refused_when_the_request_leaves(transport):
    await transport.private("Balance", {}, READ)
    for connection in transport._signed._all:  # whichever of them carries the next call
        connection.uri = "https://api.kraken.com"
    with pytest.raises(ForbiddenAddressError):
        await transport.private("AddOrder", {}, PLACE)


async def test_definite_refusal_keeps_the_exchanges_words(server, transport):
    server.script("AddOrder", refusal("EOrder:Insufficient funds"))
    with pytest.raises(OrderRejectedError) as refused:
        await transport.private("AddOrder", {}, PLACE)
    assert refused.value.raw == "EOrder:Insufficient funds"


async def test_connections_are_reused(server, transport):
    started = time.perf_counter()
    for _ in range(200):
        await transport.private("Balance", {}, READ)
    each = (time.perf_counter() - started) / 200
    used = [one.session.adapters["http://"].poolmanager for one in transport._signed._all]
    assert len(used) <= SIGNED_CALLS_AT_ONCE
    assert all(len(manager.pools) == 1 for manager in used)
    assert each < 0.1


async def test_call_without_an_answer_does_not_keep_the_next_one_waiting(server, tmp_path):
    transport = Transport(
        server.url,
        AllowedHosts.loopback(),
        new_credentials(),
        NonceCounter(FileNonceStore(tmp_path / "nonce")),
        Timeouts(connect=0.5, read=5.0),
    )
    answered = asyncio.Event()

    async def late(_):
        await answered.wait()
        return web.json_response({"error": [], "result": {"late": True}})

    server.script("AddOrder", late)
    slow = asyncio.create_task(transport.private("AddOrder", {}, PLACE))
    stop = await transport.private("AmendOrder", {}, PLACE, Priority.PROTECT)
    assert not slow.done()
    answered.set()
    assert await slow == {"late": True}
    assert stop is not None
    nonces = [int(asked["nonce"]) for _, asked, _, _ in server.requests]
    assert nonces == sorted(set(nonces))
    await transport.close()

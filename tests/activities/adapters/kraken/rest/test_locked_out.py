"""A key that is locked out is left alone by whatever is asked of it, and says why."""

import base64
import secrets
from datetime import UTC, datetime

import pytest

from activities.adapters.kraken.addresses import AllowedHosts
from activities.adapters.kraken.errors import Operation
from activities.adapters.kraken.limits.cool_down import ADDRESS_SCOPES, KEY_SCOPES, CoolDown
from activities.adapters.kraken.limits.priority_gate import Priority
from activities.adapters.kraken.rest.nonce import FileNonceStore, NonceCounter
from activities.adapters.kraken.rest.transport import Timeouts, Transport
from activities.ports.exchange_errors import (
    CoolingDownError,
    CredentialsError,
    ExchangeUnavailableError,
    OrderRejectedError,
    RateLimitedError,
)
from activities.ports.secrets import Credentials
from tests.support.free_ports import free_block
from tests.support.scripted_exchange import ScriptedExchange, hang, refusal, result

PORTS = free_block()
LOCKOUT = "EGeneral:Temporary lockout"
READ, PLACE = Operation.READ, Operation.PLACE


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def server():
    server = ScriptedExchange(PORTS)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def transport(server, clock, tmp_path):
    secret = base64.b64encode(secrets.token_bytes(64)).decode()
    transport = Transport(
        server.url,
        AllowedHosts.loopback(),
        Credentials(secrets.token_hex(8), secret),
        NonceCounter(FileNonceStore(tmp_path / "nonce")),
        Timeouts(connect=5.0, read=0.3),
        CoolDown(clock=clock, scopes=KEY_SCOPES),
        CoolDown(clock=clock, scopes=ADDRESS_SCOPES),
    )
    yield transport
    await transport.close()


async def locked_out(server, transport) -> None:
    server.script("Balance", refusal(LOCKOUT))
    with pytest.raises(CredentialsError):
        await transport.private("Balance", {}, READ)


async def test_no_signed_call_is_sent_while_the_key_is_locked_out(server, transport):
    await locked_out(server, transport)
    calls = (("OpenOrders", READ), ("AddOrder", PLACE), ("CancelOrder", Operation.CANCEL))
    for method, operation in calls:
        with pytest.raises(CoolingDownError) as refused:
            await transport.private(method, {}, operation, Priority.PROTECT)
        assert refused.value.cooling.kind == "lockout"
        assert LOCKOUT in str(refused.value)
    assert [request[0] for request in server.requests] == ["Balance"]
    (told,) = transport.cooling_down()
    assert told.kind == "lockout"
    assert told.until == datetime.fromtimestamp(1_800_000_030, UTC)
    # Public calls go on: it is the key that is locked out.
    assert await transport.public("Time") == {}


async def test_after_the_pause_one_call_tries_and_an_answer_ends_it(server, transport, clock):
    await locked_out(server, transport)
    clock.now += 30
    assert await transport.private("OpenOrders", {}, READ) == {}
    assert transport.cooling_down() == ()
    assert await transport.private("Balance", {}, READ) == {}


async def test_a_refusal_of_the_try_makes_the_pause_longer(server, transport, clock):
    await locked_out(server, transport)
    for pause in (60, 120, 240):
        clock.now = transport.cooling_down()[0].until.timestamp()
        await locked_out(server, transport)
        (told,) = transport.cooling_down()
        assert told.seconds == pause
    assert len(server.requests) == 4


async def test_an_answer_of_any_kind_ends_it_and_a_lost_one_does_not(server, transport, clock):
    await locked_out(server, transport)
    clock.now += 30
    server.script("Balance", hang)
    with pytest.raises(ExchangeUnavailableError):
        await transport.private("Balance", {}, READ)
    assert transport.cooling_down()[0].kind == "lockout"
    clock.now += 1
    server.script("AddOrder", refusal("EOrder:Insufficient funds"))
    with pytest.raises(OrderRejectedError):
        await transport.private("AddOrder", {}, PLACE)
    assert transport.cooling_down() == ()


async def test_an_address_that_asked_too_often_is_quiet_for_all(server, transport, clock):
    server.script("Time", refusal("EGeneral:Too many requests"))
    with pytest.raises(RateLimitedError):
        await transport.public("Time")
    for asked in (transport.public("Time"), transport.private("Balance", {}, READ)):
        with pytest.raises(CoolingDownError):
            await asked
    assert len(server.requests) == 1
    clock.now += 1
    assert await transport.public("Time") == {}
    server.standing["Balance"] = result({})
    assert await transport.private("Balance", {}, READ) == {}


async def test_a_call_that_one_refuses_is_no_try_of_the_other(server, transport, clock):
    await locked_out(server, transport)
    server.script("Time", refusal("EGeneral:Too many requests"))
    with pytest.raises(RateLimitedError):
        await transport.public("Time")
    clock.now += 1
    with pytest.raises(CoolingDownError):
        await transport.private("OpenOrders", {}, READ)
    # Nobody tries whether the address may ask again, so that this may.
    assert await transport.public("Time") == {}


async def test_another_key_is_not_locked_out_with_the_one_before(server, transport, tmp_path):
    await locked_out(server, transport)
    secret = base64.b64encode(secrets.token_bytes(64)).decode()
    fresh = Credentials(secrets.token_hex(8), secret)
    transport.use_key(fresh, NonceCounter(FileNonceStore(tmp_path / "other")))
    assert await transport.private("Balance", {}, READ) == {}

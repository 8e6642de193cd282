"""Who may move the simulator's market, book deposits and set faults."""

import stat

import aiohttp
import pytest

from tests.support.exchange_server import running
from workers.exchange import guard

PRICE = {"symbol": "BTC/USD", "price": "12345"}


@pytest.fixture
def another_user(monkeypatch):
    """Every caller is another user of the machine."""
    monkeypatch.setattr(guard, "is_own_user", lambda own, peer: False)


async def push(client, body=PRICE, **options):
    url = f"{client.address}/control/prices"
    options = options or {"json": body}
    async with client.session.post(url, **options) as answer:
        return answer.status, await answer.json(content_type=None), answer.headers


async def test_a_process_of_the_same_user_needs_no_token(tmp_path):
    async with running(tmp_path) as client:
        assert (await push(client))[0] == 200


async def test_another_user_of_the_machine_needs_the_token(tmp_path, another_user):
    file = tmp_path / "secrets" / "control-token"
    async with running(tmp_path, control_token=file) as client:
        status, problem, headers = await push(client)
        assert (status, problem["type"]) == (401, "urn:aether:problem:unauthorized")
        assert headers["WWW-Authenticate"].startswith("Bearer")
        for token in ("", "wrong", file.read_text() + "x"):
            given = {"Authorization": f"Bearer {token}"}
            assert (await push(client, json=PRICE, headers=given))[0] == 401
        given = {"Authorization": f"Bearer {file.read_text()}"}
        assert (await push(client, json=PRICE, headers=given))[0] == 200
        async with client.session.get(f"{client.address}/control/record?account=company") as answer:
            assert answer.status == 401
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


async def test_a_wrong_token_is_refused_whoever_sends_it(tmp_path):
    async with running(tmp_path) as client:
        given = {"Authorization": "Bearer wrong"}
        assert (await push(client, json=PRICE, headers=given))[0] == 401


@pytest.mark.parametrize("path", ["prices", "transfers", "faults", "clock", "step", "hold"])
async def test_a_web_page_changes_nothing(tmp_path, path):
    async with running(tmp_path) as client:
        url = f"{client.address}/control/{path}"
        text = {"data": "{}", "headers": {"Content-Type": "text/plain"}}
        page = {"json": {}, "headers": {"Origin": "https://evil.example"}}
        fetched = {"json": {}, "headers": {"Sec-Fetch-Site": "cross-site"}}
        renamed = {"json": {}, "headers": {"Host": "evil.example"}}
        expected = {415: text, 403: page, 421: renamed}
        for status, options in expected.items():
            async with client.session.post(url, **options) as answer:
                assert answer.status == status
        async with client.session.post(url, **fetched) as answer:
            assert answer.status == 403
        assert client.server.exchange.steps == (await steps(client))
        assert not client.server.exchange.clock.offset


async def steps(client):
    async with client.session.get(f"{client.address}/control/state") as answer:
        return (await answer.json())["step"]


async def test_a_web_page_opens_no_socket_and_reads_nothing(tmp_path):
    async with running(tmp_path) as client:
        for path in ("/v2", "/private/v2"):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await client.session.ws_connect(
                    client.address + path, origin="https://evil.example"
                )
            assert refused.value.status == 403
        for path in ("/0/public/Time", "/coingecko/api/v3/ping"):
            renamed = {"Host": "evil.example"}
            async with client.session.get(client.address + path, headers=renamed) as answer:
                assert answer.status == 421
                assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_answers_carry_the_security_headers(tmp_path):
    async with (
        running(tmp_path) as client,
        client.session.get(f"{client.address}/0/public/Time") as answer,
    ):
        assert answer.status == 200
        assert answer.headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "prices"),
        ("POST", "transfers"),
        ("POST", "faults"),
        ("DELETE", "faults"),
        ("POST", "clock"),
        ("POST", "step"),
        ("POST", "hold"),
    ],
)
async def test_nothing_is_changed_while_an_account_trades_live(tmp_path, method, path):
    live = ["company"]

    async def accounts():
        return live

    async with running(tmp_path, live_accounts=accounts) as client:
        url = f"{client.address}/control/{path}"
        body = None if method == "DELETE" else {}
        async with client.session.request(method, url, json=body) as answer:
            problem = await answer.json(content_type=None)
            assert (answer.status, problem["type"]) == (409, "urn:aether:problem:live-account")
            assert "company" in problem["detail"]
        assert await steps(client) == client.server.exchange.steps  # reading goes on
        live.clear()
        assert (await push(client))[0] == 200


async def test_nothing_is_changed_while_nobody_can_tell_who_trades_live(tmp_path):
    async def unknown():
        raise ConnectionError("the record does not answer")

    async with running(tmp_path, live_accounts=unknown) as client:
        assert (await push(client))[0] == 409

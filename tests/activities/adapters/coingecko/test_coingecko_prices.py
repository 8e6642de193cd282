from decimal import Decimal

import pytest
from aiohttp import web

from activities.adapters.coingecko.prices import (
    CoinGeckoPrices,
    CoinGeckoRateLimitedError,
    CoinGeckoRefusedError,
    CoinGeckoUnavailableError,
)
from tests.support.free_ports import free_block
from tests.support.scripted_exchange import ScriptedExchange, hang, reset, status

PORTS = free_block()


@pytest.fixture
async def server():
    server = ScriptedExchange(PORTS)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def prices(server):
    prices = CoinGeckoPrices(f"{server.url}/coingecko/api/v3/", timeout_seconds=0.3)
    yield prices
    await prices.close()


async def test_prices_come_by_symbol_and_unknown_ones_are_missing(server, prices):
    async def answer(_):
        return web.Response(text='{"bitcoin":{"usd":76975.25},"solana":{}}')

    server.script("price", answer)
    asked = ["BTC/USD", "SOL/USD", "ETH/USD", "NOPE/USD", "BTC/EUR"]
    assert await prices.prices(asked) == {"BTC/USD": Decimal("76975.25")}
    parameters = server.asked("price")[0]
    assert parameters["ids"] == "bitcoin,ethereum,solana"
    assert parameters["vs_currencies"] == "usd"


async def test_nothing_known_asks_nothing(server, prices):
    assert await prices.prices(["NOPE/USD"]) == {}
    assert server.requests == []


@pytest.mark.parametrize("body", ['{"status":{"error_code":429}}', "<html>slow down</html>"])
async def test_rate_limit_is_typed_and_no_call_is_sent_before_the_pause(server, prices, body):
    server.script("price", status(429, body, {"Retry-After": "119"}))
    with pytest.raises(CoinGeckoRateLimitedError) as limited:
        await prices.prices(["BTC/USD"])
    assert limited.value.retry_after_seconds == 119
    with pytest.raises(CoinGeckoRateLimitedError) as again:
        await prices.prices(["BTC/USD"])
    assert 100 < again.value.retry_after_seconds <= 119
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "answer", [hang, reset, status(503), status(200, "<html>"), status(200, "[]")]
)
async def test_no_usable_answer_is_typed(server, prices, answer):
    server.script("price", answer)
    with pytest.raises(CoinGeckoUnavailableError):
        await prices.prices(["BTC/USD"])
    assert len(server.requests) == 1


@pytest.mark.parametrize("code", [400, 401, 404])
async def test_refusal_is_typed(server, prices, code):
    server.script("price", status(code, '{"error":"coin not found"}'))
    with pytest.raises(CoinGeckoRefusedError, match="coin not found"):
        await prices.prices(["BTC/USD"])

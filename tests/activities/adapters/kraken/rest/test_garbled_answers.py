"""Answers with status 200 that are none: no account is empty and no order absent by them."""

import base64
import secrets
from datetime import UTC, datetime

import pytest

from activities.adapters.kraken.addresses import ExchangeAddresses
from activities.adapters.kraken.directory import KrakenDirectory
from activities.ports.exchange_errors import ExchangeUnavailableError, UnknownOutcomeError
from activities.ports.secrets import Credentials
from tests.support.free_ports import free_block
from tests.support.kraken_rows import ASSETS, PAIRS, an_order
from tests.support.scripted_exchange import ScriptedExchange, result, status

PORTS = free_block()
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
BODIES = (
    "<!DOCTYPE html><html><title>Kraken</title></html>",
    "null",
    '"a string"',
    '{"error":[]}',
    '{"error":[],"result":null}',
    '{"error":[],"result":[]}',
    '{"error":[],"result":""}',
    '{"error":[],"result":"ok"}',
)
READS = {
    "BalanceEx": lambda exchange: exchange.balances(),
    "OpenOrders": lambda exchange: exchange.open_orders(),
    "ClosedOrders": lambda exchange: exchange.closed_orders(LONG_AGO),
    "QueryOrders": lambda exchange: exchange.query(["O1"]),
    "TradesHistory": lambda exchange: exchange.fills(None),
    "QueryTrades": lambda exchange: exchange.fills_by_id(["T1"]),
    "Ledgers": lambda exchange: exchange.ledger(None),
    "TradeVolume": lambda exchange: exchange.fees(["BTC/USD"]),
}
ROWS = {
    "OpenOrders": "open",
    "ClosedOrders": "closed",
    "TradesHistory": "trades",
    "Ledgers": "ledger",
}


class Keys:
    async def exchange_credentials(self, *_) -> Credentials:
        secret = base64.b64encode(secrets.token_bytes(64)).decode()
        return Credentials(secrets.token_hex(8), secret)


async def without_limit(*_) -> None:
    """All reads of a test go to the same account at once."""


@pytest.fixture
async def server():
    server = ScriptedExchange(PORTS)
    server.standing["AssetPairs"] = result(PAIRS)
    server.standing["Assets"] = result(ASSETS)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def exchange(server, tmp_path):
    addresses = ExchangeAddresses(server.url, server.ws_url, server.ws_url)
    directory = KrakenDirectory(Keys(), addresses, tmp_path)
    exchange = await directory.exchange("company")
    exchange.budget.admit_read = without_limit
    yield exchange
    await directory.close()


@pytest.mark.parametrize("body", BODIES)
async def test_no_account_is_empty_and_no_order_absent_by_an_answer_that_is_none(
    server, exchange, body
):
    for method, read in READS.items():
        server.script(method, status(200, body, {"Content-Type": "application/json"}))
        with pytest.raises(ExchangeUnavailableError):
            await read(exchange)
        assert len(server.asked(method)) == 1


@pytest.mark.parametrize("rows", [None, [], "", "ok", 5], ids=repr)
async def test_rows_of_another_shape_are_not_none_at_all(server, exchange, rows):
    for method, name in ROWS.items():
        server.script(method, result({name: rows, "count": 0}))
        with pytest.raises(ExchangeUnavailableError):
            await READS[method](exchange)
        assert len(server.asked(method)) == 1


async def test_what_is_empty_indeed_is_told_so(server, exchange):
    for method, name in ROWS.items():
        server.script(method, result({name: {}, "count": 0}))
        assert await READS[method](exchange) == []
    server.script("BalanceEx", result({}))
    assert await exchange.balances() == {}


@pytest.mark.parametrize("pairs", [{}, {"tomorrow": {}}, [], None, "ok"], ids=repr)
async def test_no_pair_is_delisted_by_an_answer_without_any(server, exchange, pairs):
    server.standing["AssetPairs"] = result(pairs)
    with pytest.raises(ExchangeUnavailableError):
        await exchange.instruments()


NO_IDS = (
    {},
    {"txid": []},
    {"txid": None},
    {"txid": ""},
    {"txid": [None]},
    {"txid": [""]},
    {"txid": 5},
)


@pytest.mark.parametrize("body", BODIES)
async def test_an_order_whose_answer_is_none_is_in_doubt_and_was_sent_once(server, exchange, body):
    server.script("AddOrder", status(200, body, {"Content-Type": "application/json"}))
    with pytest.raises(UnknownOutcomeError):
        await exchange.submit(an_order(), None)
    assert len(server.asked("AddOrder")) == 1


async def test_an_answer_without_an_id_leaves_the_order_in_doubt(server, exchange):
    for sent, answer in enumerate(NO_IDS, 1):
        server.script("AddOrder", result(answer))
        with pytest.raises(UnknownOutcomeError):
            await exchange.submit(an_order(), None)
        assert len(server.asked("AddOrder")) == sent

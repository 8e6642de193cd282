"""What public clients send and expect, as raw requests: found by running them on the simulator."""

import base64
import time

import pytest

from tests.support.exchange_server import keys_file, running
from workers.exchange.authentication import sign

FAR = "20000.0"


async def send_form(exchange, method, body):
    """Send a form body byte by byte as given, and return the envelope."""
    key, secret = exchange.keys["company"]
    nonce = str(time.time_ns())
    raw = f"nonce={nonce}&{body}".encode()
    path = f"/0/private/{method}"
    headers = {
        "API-Key": key,
        "API-Sign": sign(base64.b64decode(secret), path, nonce, raw),
        "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
    }
    async with exchange.session.post(exchange.address + path, data=raw, headers=headers) as answer:
        assert answer.status == 200
        return await answer.json()


async def test_lists_may_come_as_repeated_fields(exchange):
    first, second = await exchange.rest_order(), await exchange.rest_order()
    for name in ("txid", "txid[]", "txid%5B%5D"):
        answer = await send_form(exchange, "QueryOrders", f"{name}={first}&{name}={second}")
        assert set(answer["result"]) == {first, second}
    flags = f"pair=XBTUSD&type=buy&ordertype=limit&price={FAR}&volume=0.01"
    placed = await send_form(exchange, "AddOrder", f"{flags}&oflags=post&oflags=fciq")
    txid = placed["result"]["txid"][0]
    order = (await exchange.result("QueryOrders", txid=txid))[txid]
    assert order["oflags"] == "post,fciq"


@pytest.mark.parametrize("false", ["false", "False", "0", ""])
async def test_flags_that_are_off_change_nothing(exchange, false):
    txid = await exchange.rest_order(validate=false, reduce_only=false)
    assert (await exchange.result("QueryOrders", txid=txid))[txid]["status"] == "open"


async def test_batch_rows_take_flags_of_any_spelling(exchange):
    row = {"ordertype": "limit", "type": "buy", "price": FAR, "volume": "0.01"}
    rows = [row, {**row, "reduce_only": "False"}]
    placed = await exchange.result("AddOrderBatch", as_json=True, pair="XBTUSD", orders=rows)
    assert all("txid" in one for one in placed["orders"])


@pytest.mark.parametrize(
    "method",
    ["DepositMethods", "WithdrawInfo", "Withdraw", "Earn/Strategies", "AddExport", "CreditLines"],
)
async def test_what_no_trading_key_may_do_is_denied_in_krakens_words(exchange, method):
    assert await exchange.error(method, asset="XBT") == ["EGeneral:Permission denied"]
    async with exchange.session.post(f"{exchange.address}/0/private/{method}") as answer:
        assert (answer.status, await answer.json()) == (200, {"error": ["EAPI:Invalid key"]})


async def test_cash_account_has_no_positions(exchange):
    assert await exchange.result("OpenPositions", docalcs="true") == {}


async def test_key_tells_what_it_may_do(tmp_path):
    accounts = keys_file(tmp_path, permissions=["query-funds", "modify-orders"])
    async with running(tmp_path, accounts=accounts) as exchange:
        told = await exchange.result("GetApiKeyInfo")
    assert told["apiKey"] == exchange.keys["company"][0]
    assert told["permissions"] == ["modify-trades", "query-funds"]
    assert told["nonceWindow"] == 0


@pytest.mark.parametrize("path", ["v2", "v2/v2", ""])
async def test_public_socket_answers_with_and_without_the_version(exchange, path):
    async with exchange.socket(path) as socket:
        await socket.send("subscribe", 1, channel="ticker", symbol=["BTC/USD"])
        assert (await socket.answer("subscribe", 1))["success"]


@pytest.mark.parametrize("path", ["private/v2", "private/v2/v2", "private"])
async def test_private_socket_answers_with_and_without_the_version(exchange, path):
    async with exchange.socket(path) as socket:
        token = await exchange.token()
        await socket.send("subscribe", 1, channel="executions", token=token)
        assert (await socket.answer("subscribe", 1))["success"]


async def test_asset_classes_that_are_not_simulated_are_empty(exchange):
    assert (await exchange.public("Assets", aclass="tokenized_asset"))["result"] == {}
    assert (await exchange.public("AssetPairs", aclass_base="tokenized_asset"))["result"] == {}
    nothing = {"error": ["EQuery:Unknown asset class"]}
    assert await exchange.public("Assets", aclass="furniture") == nothing

import asyncio
import json
import time

import krakenex
import pytest

from tests.support.exchange_server import keys_file, running

FAR = "20000.0"


async def test_get_and_unknown_methods_are_refused_in_the_envelope(exchange):
    assert await exchange.error("Withdrawal") == ["EGeneral:Unknown method"]
    assert await exchange.error("Earn/Nothing") == ["EGeneral:Unknown method"]
    async with exchange.session.get(f"{exchange.address}/0/private/Balance") as answer:
        assert (answer.status, await answer.json()) == (200, {"error": ["EGeneral:Unknown method"]})


async def test_bad_key_signature_nonce_and_json_have_krakens_words(exchange):
    url = f"{exchange.address}/0/private/Balance"
    async with exchange.session.post(url, data={"nonce": "1"}) as answer:
        assert (await answer.json())["error"] == ["EAPI:Invalid key"]
    headers = {"API-Key": exchange.keys["company"][0], "API-Sign": "AAAA"}
    async with exchange.session.post(url, data={"nonce": "1"}, headers=headers) as answer:
        assert (await answer.json())["error"] == ["EAPI:Invalid signature"]
    headers["Content-Type"] = "application/json"
    for body in ("{", "[1]", '{"nonce": NaN}'):
        async with exchange.session.post(url, data=body, headers=headers) as answer:
            assert (await answer.json())["error"] == ["EAPI:Bad request"]
    await exchange.result("Balance", nonce=time.time_ns())
    assert await exchange.error("Balance", nonce=5) == ["EAPI:Invalid nonce"]


async def test_form_and_json_bodies_place_the_same_order(exchange):
    common = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": FAR}
    form = await exchange.result(
        "AddOrder",
        **common,
        volume="0.01",
        **{"close[ordertype]": "stop-loss", "close[price]": "9"},
    )
    nested = await exchange.result(
        "AddOrder",
        as_json=True,
        **common,
        volume=0.01,
        close={"ordertype": "stop-loss", "price": 9},
    )
    assert form["descr"] == nested["descr"]
    assert form["descr"] == {
        "order": "buy 0.01000000 XBTUSD @ limit 20000.0",
        "close": "close position @ stop loss 9.0",
    }


async def test_missing_permission_is_denied(tmp_path):
    accounts = keys_file(tmp_path, permissions=["query-funds"])
    async with running(tmp_path, accounts=accounts) as exchange:
        assert "ZUSD" in await exchange.result("Balance")
        for method in ("OpenOrders", "ClosedOrders", "Ledgers", "AddOrder", "CancelAll",
                       "GetWebSocketsToken"):  # fmt: skip
            assert await exchange.error(method) == ["EGeneral:Permission denied"]


async def test_funds_are_held_for_resting_orders_and_spent_by_fills(exchange):
    await exchange.rest_order(price=FAR, volume="1")
    balances = await exchange.result("BalanceEx")
    assert float(balances["ZUSD"]["hold_trade"]) >= 20_000
    assert await exchange.error(
        "AddOrder", pair="XBTUSD", type="buy", ordertype="limit", price=FAR, volume="5"
    ) == ["EOrder:Insufficient funds"]
    assert (await exchange.result("CancelAll")) == {"count": 1}
    await exchange.buy("0.1")
    balances = await exchange.result("BalanceEx")
    assert balances["XXBT"] == {"balance": "0.1000000000", "hold_trade": "0.0000000000"}
    assert balances["ZUSD"]["hold_trade"] == "0.0000"


async def test_fill_appears_in_orders_trades_and_ledger_alike(exchange):
    txid = await exchange.buy("0.05")
    order = (await exchange.result("QueryOrders", txid=txid, trades="true"))[txid]
    assert (order["status"], order["vol_exec"]) == ("closed", "0.05000000")
    history = await exchange.result("TradesHistory", consolidate_taker="false", ledgers="true")
    trades = history["trades"]
    assert set(order["trades"]) == set(trades)
    ledger = (await exchange.result("Ledgers", type="trade"))["ledger"]
    assert {entry["refid"] for entry in ledger.values()} == set(trades)
    assert {name for trade in trades.values() for name in trade["ledgers"]} == set(ledger)
    one = next(iter(trades))
    assert (await exchange.result("QueryTrades", txid=one))[one]["ordertxid"] == txid
    entry = next(iter(ledger))
    assert (await exchange.result("QueryLedgers", id=entry))[entry] == ledger[entry]


async def test_consolidated_trades_sum_the_taker_fills(exchange):
    await exchange.buy("5", pair="ETHUSD")
    await exchange.buy("1", pair="XBTUSD")
    await exchange.result("CancelAll")
    single = await exchange.result("TradesHistory", consolidate_taker="false")
    merged = await exchange.result("TradesHistory")
    assert merged["count"] == 2 < single["count"]
    for which in ("vol", "cost", "fee"):
        assert sum(float(trade[which]) for trade in merged["trades"].values()) == pytest.approx(
            sum(float(trade[which]) for trade in single["trades"].values())
        )


async def test_client_order_id_is_unique_among_open_orders_only(exchange):
    await exchange.rest_order(cl_ord_id="mine-1")
    refused = await exchange.error(
        "AddOrder", pair="XBTUSD", type="buy", ordertype="limit", price=FAR, volume="0.01",
        cl_ord_id="mine-1",
    )  # fmt: skip
    assert refused == ["EGeneral:Invalid arguments:cl_ord_id not unique"]
    assert (await exchange.result("CancelOrder", cl_ord_id="mine-1"))["count"] == 1
    second = await exchange.rest_order(cl_ord_id="mine-1")
    assert list((await exchange.result("OpenOrders", cl_ord_id="mine-1"))["open"]) == [second]
    assert (await exchange.result("ClosedOrders", cl_ord_id="mine-1"))["count"] == 1


async def test_client_order_id_with_a_close_is_refused(exchange):
    refused = await exchange.error(
        "AddOrder", pair="XBTUSD", type="buy", ordertype="market", volume="0.01", cl_ord_id="x",
        **{"close[ordertype]": "stop-loss", "close[price]": "30000"},
    )  # fmt: skip
    assert refused[0].startswith("EGeneral:Invalid arguments")
    assert (await exchange.record())["orders"] == []


async def test_query_orders_needs_txid_and_filters_by_client_order_id(exchange):
    txid = await exchange.rest_order(cl_ord_id="mine-2")
    assert await exchange.error("QueryOrders", cl_ord_id="mine-2") == ["EGeneral:Invalid arguments"]
    assert await exchange.result("QueryOrders", txid=txid, cl_ord_id="other") == {}
    assert list(await exchange.result("QueryOrders", txid=txid, cl_ord_id="mine-2")) == [txid]
    too_many = ",".join([txid] * 51)
    assert await exchange.error("QueryOrders", txid=too_many) == ["EGeneral:Invalid arguments"]
    never = "OAAAAA-AAAAA-AAAAAA"
    assert await exchange.error("QueryOrders", txid=never) == ["EOrder:Invalid order"]


async def test_cancel_of_a_gone_order_is_unknown_and_of_no_order_invalid(exchange):
    txid = await exchange.rest_order()
    await exchange.result("CancelOrder", txid=txid)
    assert await exchange.error("CancelOrder", txid=txid) == ["EOrder:Unknown order"]
    never = "OAAAAA-AAAAA-AAAAAA"
    assert await exchange.error("CancelOrder", txid=never) == ["EOrder:Invalid order"]


async def test_closed_orders_come_in_pages_of_fifty_newest_first(tmp_path):
    accounts = keys_file(tmp_path, tier="pro")
    async with running(tmp_path, accounts=accounts) as exchange:
        placed = []
        for number in range(60):
            pair = ("XBTUSD", "ETHUSD")[number % 2]
            placed.append(await exchange.buy("0.001", pair=pair))
        first = await exchange.result("ClosedOrders")
        second = await exchange.result("ClosedOrders", ofs="50")
        assert first["count"] == second["count"] == 60
        assert [*first["closed"], *second["closed"]] == placed[::-1]
        assert "count" not in await exchange.result("ClosedOrders", without_count="true")


async def test_start_is_exclusive_and_end_inclusive(exchange):
    early = await exchange.buy("0.01")
    await exchange.steps(3)
    late = await exchange.buy("0.01")
    times = {
        txid: order["opentm"]
        for txid, order in (await exchange.result("ClosedOrders"))["closed"].items()
    }
    after = await exchange.result("ClosedOrders", start=str(times[early]))
    assert list(after["closed"]) == [late]
    until = await exchange.result("ClosedOrders", end=str(times[early]))
    assert list(until["closed"]) == [early]
    assert list((await exchange.result("ClosedOrders", start=early))["closed"]) == [late]


async def test_batch_adds_and_cancels_row_by_row(exchange):
    row = {"ordertype": "limit", "type": "buy", "price": FAR, "volume": "0.01"}
    batch = await exchange.result(
        "AddOrderBatch", as_json=True, pair="XBTUSD", orders=[row, {**row, "volume": "99"}, row]
    )
    kinds = ["txid" if "txid" in shown else "error" for shown in batch["orders"]]
    assert kinds == ["txid", "error", "txid"]
    assert batch["orders"][1]["error"] == "EOrder:Insufficient funds"
    refused = await exchange.error(
        "AddOrderBatch", as_json=True, pair="XBTUSD", orders=[row, {**row, "type": "sideways"}]
    )
    assert refused[0].startswith("EGeneral:Invalid arguments")
    ids = [shown["txid"] for shown in batch["orders"] if "txid" in shown]
    canceled = await exchange.result("CancelOrderBatch", as_json=True, orders=ids)
    assert canceled == {"count": 2}


async def test_amend_keeps_the_order_and_its_history(exchange):
    txid = await exchange.rest_order(cl_ord_id="mine-3")
    await exchange.result("AmendOrder", cl_ord_id="mine-3", order_qty="0.02", limit_price="21000")
    order = (await exchange.result("OpenOrders"))["open"][txid]
    assert (order["vol"], order["descr"]["price"], order["misc"]) == (
        "0.02000000",
        "21000.0",
        "amended",
    )
    amends = await exchange.result("OrderAmends", order_id=txid)
    assert [entry["amend_type"] for entry in amends["amends"]] == ["original", "user"]


async def test_edit_gives_a_new_order_and_cancels_the_old(exchange):
    txid = await exchange.rest_order()
    edited = await exchange.result("EditOrder", txid=txid, pair="XBTUSD", volume="0.03")
    assert (edited["originaltxid"], edited["orders_cancelled"], edited["status"]) == (txid, 1, "ok")
    assert list((await exchange.result("OpenOrders"))["open"]) == [edited["txid"]]


async def test_dead_man_switch_cancels_everything_once(exchange):
    await exchange.rest_order()
    armed = await exchange.result("CancelAllOrdersAfter", timeout="60")
    assert armed["triggerTime"] > armed["currentTime"]
    async with exchange.executions() as stream:
        await exchange.control("clock", {"offset_seconds": 61})
        await stream.entry("canceled")
    await exchange.rest_order()
    disarmed = await exchange.result("CancelAllOrdersAfter", timeout="0")
    assert disarmed["triggerTime"] == "0"
    assert await exchange.error("CancelAllOrdersAfter", timeout="86401") == [
        "EGeneral:Invalid arguments:timeout"
    ]
    assert len((await exchange.result("OpenOrders"))["open"]) == 1


async def test_call_counter_limits_reads_and_decays(exchange):
    for _ in range(10):
        await exchange.result("Ledgers")
    assert await exchange.error("Balance") == ["EAPI:Rate limit exceeded"]
    await exchange.rest_order()
    await exchange.control("clock", {"offset_seconds": 10})
    await exchange.result("Balance")


async def test_engine_counter_is_per_pair_and_hits_fast_cancels(exchange):
    refused = None
    wish = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": FAR, "volume": "0.01"}
    for _ in range(40):
        envelope = await exchange.private("AddOrder", **wish)
        refused = envelope["error"]
        if refused:
            break
        (txid,) = envelope["result"]["txid"]
        await exchange.private("CancelOrder", txid=txid)
    assert refused == ["EOrder:Rate limit exceeded"]
    await exchange.buy("0.1", pair="ETHUSD")


@pytest.mark.parametrize("flag", ["true", "True", "1"])
async def test_validate_creates_nothing(exchange, flag):
    before = await exchange.record()
    result = await exchange.result(
        "AddOrder", pair="BTC/USD", type="buy", ordertype="market", volume="0.01", validate=flag
    )
    assert result == {"descr": {"order": "buy 0.01000000 XBTUSD @ market"}}
    assert await exchange.record() == before


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"leverage": "2"}, "EGeneral:Invalid arguments:leverage"),
        ({"reduce_only": "true"}, "EGeneral:Invalid arguments:reduce_only"),
        ({"pair": "XBTEUR"}, "EQuery:Unknown asset pair"),
        ({"volume": "NaN"}, "EGeneral:Invalid arguments:volume"),
        ({"volume": "-1"}, "EGeneral:Invalid arguments:volume"),
        ({"volume": "0.00001"}, "EOrder:Order minimum not met"),
        ({"price": "20000.55"}, "EOrder:Tick size check failed"),
        ({"validate": "maybe"}, "EGeneral:Invalid arguments:validate"),
        ({"ordertype": "settle-position"}, "EGeneral:Invalid arguments:ordertype"),
        ({"timeinforce": "GTD"}, "EGeneral:Invalid arguments:expiretm"),
        ({"deadline": "2020-01-01T00:00:00Z"}, "EService:Deadline elapsed"),
        ({"cl_ord_id": "UPPER"}, "EGeneral:Invalid arguments:cl_ord_id"),
    ],
)
async def test_bad_order_is_refused_and_leaves_the_books_unchanged(exchange, changes, refusal):
    order = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": FAR, "volume": "0.01"}
    assert await exchange.error("AddOrder", **{**order, **changes}) == [refusal]
    record = await exchange.record()
    assert record["orders"] == []
    assert record["balances"]["USD"]["held"] == "0"


async def test_stop_triggers_on_a_print_and_fills(exchange):
    await exchange.price("65000")
    await exchange.buy("0.01", **{"close[ordertype]": "stop-loss", "close[price]": "60000"})
    child = next(iter((await exchange.result("OpenOrders"))["open"]))
    await exchange.price("59000")
    order = (await exchange.result("QueryOrders", txid=child))[child]
    assert (order["status"], order["misc"], order["descr"]["ordertype"]) == (
        "closed",
        "stopped",
        "stop-loss",
    )
    assert order["refid"] is not None


async def test_krakenex_trades_with_only_its_address_changed(exchange):
    def trade():
        key, secret = exchange.keys["director-1"]
        client = krakenex.API(key, secret)
        client.uri = exchange.address
        try:
            ticker = client.query_public("Ticker", {"pair": "XBTUSD"}, timeout=5)["result"]
            order = {"pair": "XBTUSD", "type": "buy", "ordertype": "market", "volume": "0.01"}
            placed = client.query_private("AddOrder", order, timeout=5)
            time.sleep(0.002)  # krakenex counts nonces in milliseconds
            balance = client.query_private("Balance", timeout=5)
            return ticker, placed, balance
        finally:
            client.close()

    ticker, placed, balance = await asyncio.to_thread(trade)
    assert list(ticker) == ["XXBTZUSD"]
    assert placed["error"] == []
    assert balance["result"]["XXBT"] == "0.0100000000"
    json.dumps(placed)

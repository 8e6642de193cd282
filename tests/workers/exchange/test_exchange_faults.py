import asyncio
import itertools
import time

import aiohttp
import pytest

ORDER = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "20000", "volume": "0.01"}
ADD = {"method": "AddOrder"}


async def orders(exchange):
    return len((await exchange.record())["orders"])


@pytest.mark.parametrize(("kind", "placed"), [("lost_before", 0), ("lost_after", 1)])
async def test_lost_reply_cuts_the_line_before_or_after_the_order(exchange, kind, placed):
    await exchange.fault(kind, ADD)
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await exchange.private("AddOrder", **ORDER)
    assert await orders(exchange) == placed
    await exchange.result("AddOrder", **ORDER)
    rules = (await exchange.control("faults"))[1]["rules"]
    assert [(rule["hits"], rule["seen"]) for rule in rules] == [(1, 2)]


@pytest.mark.parametrize(("when", "placed"), [("before", 0), ("after", 1)])
async def test_http_status_and_errors_strike_before_or_after_the_order(exchange, when, placed):
    await exchange.fault("http_status", ADD, params={"status": 520, "when": when})
    assert await exchange.private("AddOrder", **ORDER) == {"status": 520}
    assert await orders(exchange) == placed
    await exchange.fault("error", ADD, params={"error": "EService:Busy", "when": when})
    assert await exchange.error("AddOrder", **ORDER) == ["EService:Busy"]
    assert await orders(exchange) == 2 * placed


async def test_one_rule_is_lifted_and_the_others_stay_in_force(exchange):
    lifted = await exchange.fault("error", {"method": "Balance"}, params={"error": "EService:Busy"})
    kept = await exchange.fault("error", ADD, params={"error": "EService:Busy"})
    status, body = await exchange.control(f"faults?id={lifted['id']}", method="DELETE")
    assert (status, [rule["id"] for rule in body["rules"]]) == (200, [kept["id"]])
    await exchange.result("Balance")
    assert await exchange.error("AddOrder", **ORDER) == ["EService:Busy"]


async def test_delay_holds_a_request_back(exchange):
    await exchange.fault("delay", ADD, params={"seconds": 0.2})
    started = time.perf_counter()
    await exchange.result("AddOrder", **ORDER)
    assert time.perf_counter() - started >= 0.2


async def test_rate_limit_has_the_words_of_its_counter(exchange):
    await exchange.fault("rate_limit", {"plane": "rest"}, count=2)
    assert await exchange.error("AddOrder", **ORDER) == ["EOrder:Rate limit exceeded"]
    assert await exchange.error("Balance") == ["EAPI:Rate limit exceeded"]
    await exchange.result("Balance")


async def test_rule_matches_account_pair_and_leg_and_skips(exchange):
    match = {"account": "company", "pair": "BTC/USD", "leg": "stop", "method": ["AddOrder", "x"]}
    await exchange.fault("error", match, skip=1, params={"error": "EService:Unavailable"})
    stop = {**ORDER, "type": "sell", "ordertype": "stop-loss", "price": "30000"}
    await exchange.buy("0.1")
    await exchange.result("AddOrder", **ORDER)
    await exchange.result("AddOrder", **stop)
    assert await exchange.error("AddOrder", **stop) == ["EService:Unavailable"]
    await exchange.result("AddOrder", **stop)


@pytest.mark.parametrize(("kind", "placed"), [("lost_before", 0), ("lost_after", 1)])
async def test_lost_reply_cuts_the_trading_socket(exchange, kind, placed):
    await exchange.fault(kind, {"method": "add_order"})
    token = await exchange.token()
    async with exchange.socket() as socket:
        await socket.send(
            "add_order", 1, token=token, order_type="limit", side="buy", symbol="BTC/USD",
            order_qty=0.01, limit_price=20000,
        )  # fmt: skip
        await socket.ended()
    assert await orders(exchange) == placed


async def test_socket_drop_cuts_only_the_named_plane(exchange):
    async with exchange.executions() as private, exchange.socket("v2") as public:
        await exchange.fault("socket_drop", {"plane": "private"})
        await private.ended()
        await public.send("ping", 1)
        await public.answer("pong", 1)


async def test_socket_drop_strikes_at_a_chosen_message(exchange):
    async with exchange.executions() as stream:
        await exchange.fault("socket_drop", {"channel": "executions", "exec_type": "trade"})
        await exchange.buy("0.01")
        await stream.ended()
        assert stream.frames[-1]["data"][0]["exec_type"] == "new"
    assert (await exchange.record())["orders"][0]["status"] == "closed"


async def test_refused_connections_come_back_and_control_stays_reachable(exchange):
    await exchange.fault("refuse_connections", params={"seconds": 60})
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await exchange.public("Time")
    with pytest.raises(aiohttp.ClientError):
        async with exchange.socket():
            pass
    await exchange.control("faults", method="DELETE")
    await exchange.fault("refuse_connections", params={"seconds": 0.2})
    async with asyncio.timeout(5):
        for _ in itertools.count():
            try:
                assert (await exchange.public("Time"))["error"] == []
            except aiohttp.ServerDisconnectedError:
                await asyncio.sleep(0.02)
            else:
                return


async def sequences(stream, count):
    found = []
    while len(found) < count:
        found.append((await stream.channel("executions"))["sequence"])
    return found


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("drop_message", [2, 4, 5]),
        ("duplicate_message", [2, 3, 3, 4, 5]),
        ("reorder_message", [2, 4, 3, 5]),
    ],
)
async def test_messages_are_missed_doubled_or_swapped(exchange, kind, expected):
    async with exchange.executions() as stream:
        await exchange.fault(kind, {"channel": "executions", "type": "update"}, skip=1)
        await exchange.rest_order()
        await exchange.rest_order()
        assert await sequences(stream, len(expected)) == expected


async def test_delayed_message_comes_late(exchange):
    async with exchange.executions() as stream:
        await exchange.fault("delay_message", {"exec_type": "pending_new"}, params={"seconds": 0.1})
        await exchange.rest_order()
        assert await sequences(stream, 2) == [3, 2]


async def test_bad_checksum_strikes_one_book_frame(exchange):
    async with exchange.socket("v2") as socket:
        await exchange.fault("bad_checksum", {"channel": "book", "type": "snapshot"})
        await socket.send("subscribe", 1, channel="book", symbol=["BTC/USD"], depth=10)
        bad = await socket.channel("book", "snapshot")
        await exchange.fault("book_snapshot", {"pair": "BTC/USD"})
        good = await socket.channel("book", "snapshot")
        assert bad["data"][0]["checksum"] == good["data"][0]["checksum"] ^ 1


async def test_silent_channel_stays_connected(exchange):
    async with exchange.executions() as stream:
        await exchange.fault("silence", {"channel": "executions"}, params={"seconds": 60})
        await exchange.rest_order()
        await stream.send("ping", 1)
        await stream.answer("pong", 1)
        assert stream.frames[-2]["type"] == "snapshot"
        await exchange.control("faults", method="DELETE")
        await exchange.rest_order()
        assert (await stream.channel("executions"))["sequence"] == 4


async def test_maintenance_refuses_everything_and_is_told_on_sockets(exchange):
    async with exchange.executions() as stream:
        await exchange.fault("mode", params={"status": "maintenance"})
        assert (await stream.channel("status"))["data"][0]["system"] == "maintenance"
    assert (await exchange.error("AddOrder", **ORDER))[0].startswith("EService:")
    assert (await exchange.public("SystemStatus"))["result"]["status"] == "maintenance"
    await exchange.control("faults", method="DELETE")
    await exchange.result("AddOrder", **ORDER)


async def test_cancel_only_pair_takes_cancels_only(exchange):
    txid = await exchange.rest_order()
    match = {"pair": "BTC/USD"}
    await exchange.fault("mode", match, params={"status": "cancel_only"})
    assert await exchange.error("AddOrder", **ORDER) == ["EService:Market in cancel_only mode"]
    assert (await exchange.result("CancelOrder", txid=txid))["count"] == 1
    await exchange.buy("0.1", pair="ETHUSD")
    await exchange.fault("mode", match, params={"status": "post_only"})
    market = {**ORDER, "ordertype": "market", "price": ""}
    assert await exchange.error("AddOrder", **market) == ["EService:Market in post_only mode"]
    await exchange.result("AddOrder", **ORDER, oflags="post")


async def test_read_plane_lags_behind_placement(exchange):
    await exchange.fault("read_lag", params={"seconds": 20})
    txid = await exchange.rest_order()
    assert (await exchange.result("OpenOrders"))["open"] == {}
    assert await exchange.error("QueryOrders", txid=txid) == ["EOrder:Invalid order"]
    await exchange.control("clock", {"offset_seconds": 60})
    assert list((await exchange.result("OpenOrders"))["open"]) == [txid]


@pytest.mark.parametrize(
    "rule",
    [
        {"kind": "earthquake"},
        {"kind": "delay", "params": {"seconds": "soon"}},
        {"kind": "delay", "skip": -1},
        {"kind": "delay", "match": []},
        {"kind": "delay", "often": True},
        {"kind": "mode", "params": {"status": "closed"}},
    ],
)
async def test_malformed_rule_is_refused(exchange, rule):
    status, body = await exchange.control("faults", rule)
    assert status == 400
    assert body["error"]
    assert (await exchange.control("faults"))[1] == {"rules": []}


async def test_lockout_refuses_everything_of_one_key_until_it_is_over(exchange):
    await exchange.fault("lockout", {"account": "company"}, params={"seconds": 0.3})
    for method, fields in (("Balance", {}), ("AddOrder", ORDER), ("GetWebSocketsToken", {})):
        assert await exchange.error(method, **fields) == ["EGeneral:Temporary lockout"]
    assert await orders(exchange) == 0
    await asyncio.sleep(0.3)
    await exchange.result("AddOrder", **ORDER)
    assert await orders(exchange) == 1


async def test_request_is_executed_late_whatever_its_deadline_says(exchange):
    await exchange.fault("late_execution", ADD, params={"seconds": 0.4})
    soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3))
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await exchange.private("AddOrder", **ORDER, deadline=soon)
    assert await orders(exchange) == 0
    began = time.monotonic()
    while not await orders(exchange):
        assert time.monotonic() - began < 5
        await asyncio.sleep(0.02)
    assert time.monotonic() - began > 0.2


async def test_canceled_order_is_filled_after_all_with_its_child(exchange):
    stop = {"close[ordertype]": "stop-loss", "close[price]": "19000"}
    placed = await exchange.result("AddOrder", **ORDER, **stop)
    await exchange.result("CancelOrder", txid=placed["txid"][0])
    match = {"account": "company", "pair": "BTC/USD"}
    rule = await exchange.fault("fill_after_cancel", match)
    assert rule["hits"] == 1
    record = await exchange.record()
    entry, child = record["orders"]
    assert (entry["status"], entry["filled_quantity"]) == ("closed", entry["quantity"])
    assert (child["side"], child["status"], child["quantity"]) == ("sell", "open", "0.01")
    assert [fill["order_id"] for fill in record["fills"]] == placed["txid"]
    status, _ = await exchange.control(
        "faults", {"kind": "fill_after_cancel", "match": match}, method="POST"
    )
    assert status == 400

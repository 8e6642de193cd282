import asyncio

import pytest

from tests.support.exchange_server import keys_file, running

NEVER = "OAAAAA-AAAAA-AAAAAA"


async def trade(socket, method, req_id, token, **params):
    await socket.send(method, req_id, token=token, **params)
    return await socket.answer(method, req_id)


def a_limit(**changes):
    return {
        "order_type": "limit",
        "side": "buy",
        "symbol": "BTC/USD",
        "order_qty": 0.01,
        "limit_price": 20000,
        **changes,
    }


async def test_status_comes_first_and_heartbeats_after_a_subscription(exchange):
    async with exchange.executions() as socket:
        status = socket.frames[0]
        assert status["data"][0]["system"] == "online"
        assert isinstance(status["data"][0]["connection_id"], int)
        beat = await socket.until(lambda frame: frame.get("channel") == "heartbeat")
        assert beat == {"channel": "heartbeat"}


async def test_ping_is_answered_and_takes_no_params(exchange):
    async with exchange.socket() as socket:
        await socket.send("ping", 7)
        pong = await socket.answer("pong", 7)
        assert {"time_in", "time_out"} <= pong.keys()
        await socket.send("ping", 8, extra=1)
        refused = await socket.answer("ping", 8)
        assert refused["error"] == "Unsupported field: 'params' for the given msg type: ping"


async def test_wrong_host_and_wrong_names_are_refused_and_the_socket_lives(exchange):
    async with exchange.socket() as socket:
        await socket.send("subscribe", 1, channel="book", symbol=["BTC/USD"])
        assert (await socket.answer("subscribe", 1))["error"] == (
            "Public market data subscriptions are unavailable on this endpoint. Try ws.kraken.com"
        )
        await socket.send("subscribe", 2, channel="gossip")
        assert (await socket.answer("subscribe", 2))["error"] == "Subscription name invalid"
        await socket.socket.send_str("not json")
        assert (await socket.receive())["error"] == "Malformed request"
        await socket.send("ping", 3)
        await socket.answer("pong", 3)


async def test_bad_token_is_an_invalid_session_and_names_the_channel(exchange):
    async with exchange.socket() as socket:
        await socket.send("subscribe", 1, channel="executions", token="stale")
        refused = await socket.answer("subscribe", 1)
        assert (refused["error"], refused["channel"], refused["status"]) == (
            "ESession:Invalid session",
            "executions",
            "error",
        )
        await socket.send("add_order", 2, **a_limit())
        assert (await socket.answer("add_order", 2))["error"] == "Token(s) not found"
        answer = await trade(socket, "add_order", 3, "stale", **a_limit())
        assert answer["error"] == "EAPI:Invalid token"


async def test_token_is_stale_after_900_seconds_but_not_where_it_was_used(exchange):
    token = await exchange.token()
    async with exchange.socket() as socket:
        await socket.send("subscribe", 1, channel="balances", token=token)
        await socket.channel("balances", "snapshot")
        await exchange.control("clock", {"offset_seconds": 901})
        assert (await trade(socket, "add_order", 2, token, **a_limit()))["success"]
    async with exchange.socket() as socket:
        answer = await trade(socket, "add_order", 3, token, **a_limit())
        assert answer["error"] == "EAPI:Invalid token"


async def test_life_of_an_order_is_told_in_order_with_rising_sequence(exchange):
    async with exchange.executions() as stream:
        txid = await exchange.buy("0.05")
        await stream.entry("filled")
        frames = [frame for frame in stream.frames if frame.get("channel") == "executions"]
        entries = [entry for frame in frames for entry in frame["data"]]
        kinds = [entry["exec_type"] for entry in entries]
        assert (kinds[0], kinds[1], kinds[-1]) == ("pending_new", "new", "filled")
        assert set(kinds[2:-1]) == {"trade"}
        assert {entry["order_id"] for entry in entries} == {txid}
        assert [frame["sequence"] for frame in frames] == list(range(1, len(frames) + 1))
        trades = entries[2:-1]
        record = await exchange.record()
        assert [entry["exec_id"] for entry in trades] == [
            fill["execution_id"] for fill in record["fills"]
        ]
        assert entries[-1]["cum_qty"] == sum(entry["last_qty"] for entry in trades)
        state = (await exchange.control("state"))[1]
        assert state["execution_sequences"]["company"] == frames[-1]["sequence"]
        assert state["execution_sequences"]["director-1"] == 0


async def test_accounts_hear_only_of_themselves(exchange):
    async with exchange.executions("company") as ours, exchange.executions("director-1") as theirs:
        await exchange.rest_order()
        await ours.entry("new")
        other = await exchange.result(
            "AddOrder", "director-1",
            pair="XBTUSD", type="buy", ordertype="limit", price="20000", volume="0.01",
        )  # fmt: skip
        entry = await theirs.entry("pending_new")
        assert entry["order_id"] == other["txid"][0]


async def test_snapshot_shows_open_orders_and_asked_for_trades(exchange):
    await exchange.buy("0.01")
    resting = await exchange.rest_order(cl_ord_id="mine-1")
    async with exchange.executions(snap_trades=True) as stream:
        entries = stream.frames[-1]["data"]
        assert [(entry["exec_type"], entry["order_status"]) for entry in entries[:1]] == [
            ("new", "new")
        ]
        assert (entries[0]["order_id"], entries[0]["cl_ord_id"]) == (resting, "mine-1")
        assert {(entry["exec_type"], entry["order_status"]) for entry in entries[1:]} == {
            ("trade", "filled")
        }
    async with exchange.executions(snap_orders=False) as stream:
        assert stream.frames[-1]["method"] == "subscribe"


async def test_order_status_false_leaves_out_what_is_between_open_and_close(exchange):
    async with exchange.executions(order_status=False) as stream:
        await exchange.buy("0.01")
        await stream.entry("filled")
        kinds = {
            entry["exec_type"]
            for frame in stream.frames
            if frame.get("channel") == "executions"
            for entry in frame["data"]
        }
        assert kinds == {"new", "trade", "filled"}


async def test_rate_counter_is_told_where_asked(exchange):
    async with exchange.executions(ratecounter=True) as stream:
        await exchange.rest_order()
        assert (await stream.entry("new"))["ratecount"] >= 1


async def test_child_of_a_close_names_its_parent_and_the_parent_its_close(exchange):
    await exchange.price("65000")
    async with exchange.executions() as stream:
        parent = await exchange.buy(
            "0.01", **{"close[ordertype]": "stop-loss", "close[price]": "60000"}
        )
        entry = await stream.entry("pending_new")
        assert entry["contingent"] == {
            "order_type": "stop-loss",
            "trigger_price": 60000,
            "trigger_price_type": "static",
        }
        child = await stream.until(
            lambda frame: frame.get("channel") == "executions" and "ord_ref_id" in frame["data"][0]
        )
        assert child["data"][0]["ord_ref_id"] == parent
        assert child["data"][0]["triggers"]["status"] == "untriggered"
        await exchange.price("59000")
        status = await stream.entry("status")
        assert status["triggers"]["status"] == "triggered"
        assert (await stream.entry("filled"))["order_id"] == child["data"][0]["order_id"]


async def test_balances_snapshot_and_two_updates_per_trade(exchange):
    token = await exchange.token()
    async with exchange.socket() as socket:
        await socket.send("subscribe", 1, channel="balances", token=token)
        snapshot = await socket.channel("balances", "snapshot")
        assert snapshot["data"][0]["balance"] == 100000
        await exchange.buy("0.01")
        first, second = await socket.channel("balances"), await socket.channel("balances")
        assert [frame["sequence"] for frame in (snapshot, first, second)] == [1, 2, 3]
        base, quote = first["data"][0], second["data"][0]
        assert (base["asset"], quote["asset"]) == ("BTC", "USD")
        assert base["ref_id"] == quote["ref_id"]
        assert quote["balance"] == 100000 + quote["amount"] - quote["fee"]


async def test_subscribing_twice_and_unsubscribing(exchange):
    token = await exchange.token()
    async with exchange.socket() as socket:
        await socket.send("subscribe", 1, channel="balances", token=token)
        await socket.channel("balances", "snapshot")
        await socket.send("subscribe", 2, channel="balances", token=token)
        assert (await socket.answer("subscribe", 2))["error"] == "Already subscribed"
        await socket.send("unsubscribe", 3, channel="balances", token=token)
        assert (await socket.answer("unsubscribe", 3))["result"] == {"channel": "balances"}


async def test_add_amend_edit_and_cancel_over_the_socket(exchange):
    token = await exchange.token()
    async with exchange.socket() as socket:
        added = await trade(socket, "add_order", 1, token, **a_limit(cl_ord_id="mine-1"))
        assert added["result"].keys() == {"order_id", "cl_ord_id"}
        amended = await trade(socket, "amend_order", 2, token, cl_ord_id="mine-1", order_qty=0.02)
        assert amended["result"].keys() == {"amend_id", "cl_ord_id"}
        tagged = await trade(socket, "add_order", 3, token, **a_limit(order_userref=5))
        edited = await trade(
            socket, "edit_order", 4, token,
            order_id=tagged["result"]["order_id"], symbol="BTC/USD", order_qty=0.03,
        )  # fmt: skip
        assert edited["result"]["original_order_id"] == tagged["result"]["order_id"]
        orders = [edited["result"]["order_id"], NEVER]
        await socket.send("cancel_order", 5, token=token, order_id=orders)
        first, second = await socket.answer("cancel_order", 5), await socket.receive()
        assert first["result"] == {"order_id": orders[0]}
        assert (second["success"], second["error"]) == (False, "EOrder:Invalid order")
        assert (await trade(socket, "cancel_all", 6, token))["result"] == {"count": 1}


async def test_validate_over_the_socket_gives_an_empty_id(exchange):
    token = await exchange.token()
    async with exchange.socket() as socket:
        answer = await trade(socket, "add_order", 1, token, **a_limit(validate=True))
        assert answer["result"]["order_id"] == ""
    assert (await exchange.record())["orders"] == []


async def test_batches_over_the_socket(exchange):
    token = await exchange.token()
    row = {name: value for name, value in a_limit().items() if name != "symbol"}
    async with exchange.socket() as socket:
        added = await trade(
            socket, "batch_add", 1, token,
            symbol="BTC/USD", orders=[row, {**row, "order_qty": 99}, {**row, "cl_ord_id": "b-1"}],
        )  # fmt: skip
        rows = added["result"]
        assert [sorted(shown) for shown in rows] == [
            ["order_id"],
            ["error"],
            ["cl_ord_id", "order_id"],
        ]
        ids = [shown["order_id"] for shown in rows if "order_id" in shown]
        canceled = await trade(socket, "batch_cancel", 2, token, orders=ids)
        assert (canceled["orders_cancelled"], "result" in canceled) == (2, False)


async def test_dead_man_switch_over_the_socket(exchange):
    token = await exchange.token()
    async with exchange.executions() as socket:
        await exchange.rest_order()
        armed = await trade(socket, "cancel_all_orders_after", 1, token, timeout=30)
        assert armed["result"].keys() == {"currentTime", "triggerTime"}
        await exchange.control("clock", {"offset_seconds": 31})
        assert (await socket.entry("canceled"))["reason"]


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"limit_price": "20000"}, "Limit_price field must be a number_float"),
        ({"order_qty": True}, "Order_qty field must be a number_float"),
        ({"leverage": 2}, "Unsupported field: 'leverage'"),
        ({"userref": 2}, "Unsupported field: 'userref'"),
        ({"margin": True}, "EGeneral:Invalid arguments:margin"),
        ({"symbol": "XBT/USD"}, "Currency pair not supported XBT/USD"),
        ({"order_qty": 99}, "EOrder:Insufficient funds"),
        ({"side": "up"}, "EGeneral:Invalid arguments:side"),
        ({"order_qty": -1}, "EGeneral:Invalid arguments:volume"),
    ],
)
async def test_bad_socket_order_is_refused_and_leaves_no_trace(exchange, changes, refusal):
    token = await exchange.token()
    async with exchange.socket() as socket:
        answer = await trade(socket, "add_order", 9, token, **a_limit(**changes))
        assert (answer["success"], answer["error"]) == (False, refusal)
    assert (await exchange.record())["orders"] == []


async def test_key_without_rights_may_not_trade_or_listen(tmp_path):
    accounts = keys_file(tmp_path, permissions=["websocket"])
    async with running(tmp_path, accounts=accounts) as exchange:
        token = await exchange.token()
        async with exchange.socket() as socket:
            answer = await trade(socket, "add_order", 1, token, **a_limit())
            assert answer["error"] == "EGeneral:Permission denied"
            await socket.send("subscribe", 2, channel="executions", token=token)
            assert (await socket.answer("subscribe", 2))["error"] == "EGeneral:Permission denied"


async def test_connection_loss_does_not_cancel_orders(exchange):
    token = await exchange.token()
    async with exchange.socket() as socket:
        await trade(socket, "add_order", 1, token, **a_limit())
    await asyncio.sleep(0)
    assert len((await exchange.result("OpenOrders"))["open"]) == 1

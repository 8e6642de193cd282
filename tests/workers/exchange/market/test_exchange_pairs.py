"""Pairs that change at the simulated exchange: its whole protocol goes by the pair of now."""

from decimal import Decimal

import pytest

from models.simulation.public.book_lines import MirroredBook
from models.simulation.steps import Level
from tests.support.exchange_server import Process


async def alter(exchange, symbol="BTC/USD", **change):
    return await exchange.control("pairs", {"symbol": symbol, **change})


async def pair(exchange, key="XXBTZUSD"):
    return (await exchange.public("AssetPairs"))["result"].get(key)


def levels(rows):
    return [Level(Decimal(str(row["price"])), Decimal(str(row["qty"]))) for row in rows]


async def test_coarser_tick_is_told_and_orders_go_by_it(exchange):
    stop = {"type": "sell", "ordertype": "stop-loss", "pair": "XBTUSD", "volume": "0.01"}
    await exchange.buy("0.02")
    resting = await exchange.result("AddOrder", **stop, price="63000.5")
    limit = await exchange.rest_order(price="20000.5")
    status, answer = await alter(exchange, tick_size="1", pair_decimals=0)
    assert (status, answer["tick_size"], answer["pair_decimals"]) == (200, "1", 0)
    row = await pair(exchange)
    assert (row["tick_size"], row["pair_decimals"]) == ("1", 0)
    assert await exchange.error("AddOrder", **stop, price="62999.4") == [
        "EOrder:Tick size check failed"
    ]
    await exchange.result("AddOrder", **stop, price="62999")
    orders = {order["order_id"]: order for order in (await exchange.record())["orders"]}
    assert orders[resting["txid"][0]]["status"] == "open"
    assert orders[limit]["status"] == "canceled"


@pytest.mark.parametrize(("tick", "decimals"), [("0.01", 2), ("1", 0), ("5", 1)])
async def test_books_agree_with_their_checksum_after_a_change(exchange, tick, decimals):
    async with exchange.socket("v2") as socket:
        await socket.send("subscribe", 1, channel="instrument")
        await socket.channel("instrument", "snapshot")
        await socket.send("subscribe", 2, channel="book", symbol=["BTC/USD"], depth=10)
        await socket.channel("book", "snapshot")
        assert (await alter(exchange, tick_size=tick, pair_decimals=decimals))[0] == 200
        (told,) = (await socket.channel("instrument"))["data"]["pairs"]
        assert Decimal(str(told["price_increment"])) == Decimal(tick)
        assert told["price_precision"] == decimals
        book = MirroredBook(10, decimals, 8)
        (row,) = (await socket.channel("book", "snapshot"))["data"]
        book.snapshot(levels(row["bids"]), levels(row["asks"]), row.get("checksum"))
        for _ in range(5):
            await exchange.steps(1)
            (row,) = (await socket.channel("book"))["data"]
            book.update(levels(row["bids"]), levels(row["asks"]), row["checksum"])
        assert all(not level.price % Decimal(tick) for level in (*book.bids, *book.asks))
        assert book.bids[0].price < book.asks[0].price


async def test_raised_minimums_refuse_what_was_enough(exchange):
    await alter(exchange, ordermin="0.05", costmin="10")
    row = await pair(exchange)
    assert (row["ordermin"], row["costmin"]) == ("0.05", "10")
    order = {"type": "buy", "ordertype": "market", "pair": "XBTUSD"}
    assert await exchange.error("AddOrder", **order, volume="0.01") == [
        "EOrder:Order minimum not met"
    ]
    await exchange.result("AddOrder", **order, volume="0.05")


async def test_delisted_pair_is_unknown_and_its_orders_stay_until_it_is_back(exchange):
    resting = await exchange.rest_order()
    await alter(exchange, status="delisted")
    assert await pair(exchange) is None
    assert (await exchange.public("Depth", pair="XBTUSD"))["error"] == ["EQuery:Unknown asset pair"]
    unknown = ["EQuery:Unknown asset pair"]
    order = {"type": "buy", "ordertype": "market", "pair": "XBTUSD", "volume": "0.01"}
    assert await exchange.error("AddOrder", **order) == unknown
    assert await exchange.error("TradeVolume", pair="XBTUSD") == unknown
    async with exchange.socket("v2") as socket:
        await socket.send("subscribe", 1, channel="book", symbol=["BTC/USD"], depth=10)
        assert not (await socket.answer("subscribe", 1))["success"]
    assert resting in (await exchange.result("OpenOrders"))["open"]
    await alter(exchange, status="online")
    await exchange.result("AddOrder", **order)


async def test_renamed_pair_is_known_by_its_new_names_only(exchange):
    resting = await exchange.rest_order()
    await alter(exchange, id="BTCUSD", altname="BTCUSD")
    assert await pair(exchange) is None
    assert (await pair(exchange, "BTCUSD"))["altname"] == "BTCUSD"
    order = {"type": "buy", "ordertype": "market", "volume": "0.01"}
    assert await exchange.error("AddOrder", **order, pair="XXBTZUSD") == [
        "EQuery:Unknown asset pair"
    ]
    await exchange.result("AddOrder", **order, pair="BTCUSD")
    shown = (await exchange.result("OpenOrders"))["open"][resting]
    assert shown["descr"]["pair"] == "BTCUSD"


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"tick": "1"},
        {"symbol": "NOTHING/USD", "tick_size": "1"},
        {"tick_size": "0"},
        {"tick_size": "NaN"},
        {"tick_size": "0.01"},
        {"tick_size": "1e-999999"},
        {"tick_size": True},
        {"pair_decimals": "2"},
        {"pair_decimals": -1},
        {"pair_decimals": 99},
        {"ordermin": "-1"},
        {"costmin": "much"},
        {"status": "asleep"},
        {"id": "ethusd"},
        {"id": "XETHZUSD"},
        {"altname": ""},
    ],
)
async def test_change_that_does_not_fit_changes_nothing(exchange, change):
    before = (await exchange.public("AssetPairs"))["result"]
    assert (await exchange.control("pairs", {"symbol": "BTC/USD", **change}))[0] == 400
    assert (await exchange.public("AssetPairs"))["result"] == before


@pytest.mark.parametrize(
    ("params", "changed"),
    [
        ({"tick_times": 10}, {"tick_size": "1.0", "pair_decimals": 1}),
        ({"tick_times": 0.1}, {"tick_size": "0.01", "pair_decimals": 2}),
        ({"ordermin_times": 2}, {"ordermin": "0.00010"}),
        ({"rename": True}, {"id": "XBTUSD.N", "altname": "XBTUSD.N"}),
        ({"status": "cancel_only"}, {"status": "cancel_only"}),
    ],
)
async def test_scripted_change_lasts_until_its_rule_is_lifted(exchange, params, changed):
    before = (await exchange.control("pairs"))[1]["pairs"]["BTC/USD"]
    for lift in ("faults", "faults?id={}"):
        _, made = await exchange.control(
            "faults", {"kind": "pair", "match": {"pair": "BTC/USD"}, "params": params}
        )
        now = (await exchange.control("pairs"))[1]["pairs"]["BTC/USD"]
        assert now == {**before, **changed}
        await exchange.control(lift.format(made["rules"][0]["id"]), method="DELETE")
        assert (await exchange.control("pairs"))[1]["pairs"]["BTC/USD"] == before


@pytest.mark.parametrize(
    ("match", "params"),
    [
        ({}, {"tick_times": 10}),
        ({"pair": "NOTHING/USD"}, {"tick_times": 10}),
        ({"pair": "BTC/USD"}, {}),
        ({"pair": "BTC/USD"}, {"tick_times": 0}),
        ({"pair": "BTC/USD"}, {"tick_times": "much"}),
        ({"pair": "BTC/USD"}, {"precision": 2}),
        ({"pair": "BTC/USD"}, {"status": "asleep"}),
    ],
)
async def test_scripted_change_that_does_not_fit_is_refused(exchange, match, params):
    before = (await exchange.control("pairs"))[1]
    rule = {"kind": "pair", "match": match, "params": params}
    assert (await exchange.control("faults", rule))[0] == 400
    assert (await exchange.control("pairs"))[1] == before


async def test_changes_survive_a_kill_and_a_stop(tmp_path):
    process = Process(tmp_path / "state", "--speed", "lockstep", "--warmup-bars", "2")
    try:
        process.start()
        async with process.client() as exchange:
            await exchange.rest_order()
            await alter(exchange, tick_size="5")
            await alter(exchange, pair_decimals=2, id="BTCUSD", ordermin="0.002")
            await alter(exchange, "ETH/USD", status="delisted")
            await exchange.steps(3)
            before = await seen(exchange)
        for end in (process.kill, process.terminate):
            end()
            process.start()
            async with process.client() as exchange:
                assert await seen(exchange) == before
    finally:
        process.kill()


async def seen(exchange):
    depth = (await exchange.public("Depth", pair="BTC/USD"))["result"]["BTC/USD"]
    return (
        (await exchange.public("AssetPairs"))["result"],
        (await exchange.control("pairs"))[1],
        # When a level last changed is not kept over a stop.
        {side: [row[:2] for row in rows] for side, rows in depth.items()},
        await exchange.record(),
    )

"""Our private answers have the fields and JSON types of the recorded ones, field by field."""

import json
from collections import Counter
from decimal import Decimal

import pytest

from tests.support.recordings import (
    needs_recordings,
    rest_answer,
    rest_files,
    websocket_frames,
)

pytestmark = [pytest.mark.recordings, needs_recordings]

# Written by the recording's own day or account: nothing a cash account gets today.
OUTDATED = {"minfee", "maxfee", "nextfee", "nextvolume", "tiervolume"}
MARGIN_AND_SUBACCOUNT = {"margin", "margin_borrow", "liquidated", "sender_sub_id"}


def kind(value):
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float, Decimal)):
        return "number"
    return {str: "string", list: "list", dict: "object", type(None): "null"}[type(value)]


def missing(recorded, ours, path=""):
    """Return the paths of fields that ours lacks or has with another JSON type."""
    if kind(recorded) == "object" and kind(ours) == "object":
        found = []
        for name, value in recorded.items():
            if name in OUTDATED | MARGIN_AND_SUBACCOUNT:
                continue
            if name not in ours:
                found.append(f"{path}.{name}")
            else:
                found += missing(value, ours[name], f"{path}.{name}")
        return found
    if "null" in (kind(recorded), kind(ours)) or kind(recorded) == kind(ours):
        return []
    return [f"{path}: {kind(recorded)} became {kind(ours)}"]


def values(table):
    return list(table.values())


@pytest.fixture
async def lived(exchange):
    """An exchange on which an account has bought, rests an order and has canceled one."""
    await exchange.buy("0.05")
    await exchange.rest_order()
    await exchange.result("CancelOrder", txid=await exchange.rest_order())
    return exchange


@pytest.mark.parametrize(
    ("pattern", "key"), [("OpenOrders_*.json", "open"), ("ClosedOrders_*.json", "closed")]
)
async def test_orders_have_the_recorded_fields(lived, pattern, key):
    ours = values((await lived.result(pattern.partition("_")[0]))[key])
    checked = Counter()
    for file in rest_files("private", pattern):
        envelope = json.loads(file.read_text(), parse_float=Decimal)
        if envelope["error"]:
            assert envelope == {"error": ["EAPI:Invalid key"]}
            continue
        for recorded in values(envelope["result"][key]):
            # Some were asked for with trade ids; ours are asked for without.
            fields = {name: value for name, value in recorded.items() if name != "trades"}
            assert missing(fields, ours[0], file.name) == []
            checked[file.name] += 1
    assert checked.total() > 3


async def test_order_submissions_have_the_recorded_fields_and_sentences(lived):
    ours = await lived.result(
        "AddOrder", pair="XBTUSD", type="buy", ordertype="limit", price="1234", volume="0.01"
    )
    for file in rest_files("private", "AddOrder_*.json"):
        recorded = json.loads(file.read_text())["result"]
        assert missing(recorded, ours, file.name) == []
    recorded = rest_answer("private/AddOrder_20191012T173959Z_add_buy_limit_order_validate.json")
    assert ours["descr"]["order"] == recorded["descr"]["order"].replace("XBTEUR", "XBTUSD")


@pytest.mark.parametrize("name", ["Balance", "CancelOrder", "TradeBalance", "TradeVolume"])
async def test_small_answers_have_the_recorded_fields(lived, name):
    recorded = rest_answer(f"private/{name}_xchange.json")
    asked = {"CancelOrder": {"txid": await lived.rest_order()}, "TradeVolume": {"pair": "XBTUSD"}}
    ours = await lived.result(name, **asked.get(name, {}))
    if name == "Balance":
        assert set(map(kind, values(recorded))) == set(map(kind, values(ours)))
    else:
        assert missing(recorded, ours, name) == []


@pytest.mark.parametrize(("name", "key"), [("TradesHistory", "trades"), ("Ledgers", "ledger")])
async def test_history_rows_have_the_recorded_fields(lived, name, key):
    ours = values((await lived.result(name))[key])[0]
    for recorded in values(rest_answer(f"private/{name}_xchange.json")[key]):
        assert missing(recorded, ours, name) == []


async def test_socket_frames_have_the_recorded_fields(exchange):
    recorded = [
        json.loads(line, parse_float=Decimal)
        for line in websocket_frames("samples_private_channels_2024.jsonl")
    ]
    ours = await our_frames(exchange)
    checked = 0
    for frame in recorded:
        if frame.get("channel") in ("executions", "balances"):
            checked += check_channel(frame, ours)
        else:
            checked += check_answer(frame, ours)
    assert checked == len(recorded)


def check_channel(frame, ours):
    same = [
        mine
        for mine in ours
        if (mine.get("channel"), mine.get("type")) == (frame["channel"], frame["type"])
    ]
    assert missing({**frame, "data": []}, {**same[0], "data": []}) == []
    for entry in frame["data"]:
        # ``trigger`` is deprecated and only sent for the index; we have no index feed.
        recorded = {name: value for name, value in entry.items() if name != "trigger"}
        alike = [
            missing(recorded, mine)
            for other in same
            for mine in other["data"]
            if mine.get("exec_type") == entry.get("exec_type")
        ]
        # Entries are sparse (an order has a client id or a userref): one of ours has them all.
        assert [] in alike, (entry, alike)
    return 1


def check_answer(frame, ours):
    same = [
        mine
        for mine in ours
        if mine.get("method") == frame["method"] and mine["success"] == frame["success"]
        and (frame["method"] != "subscribe"
             or mine["result"]["channel"] == frame["result"]["channel"])
        and (frame["method"] != "cancel_order"
             or mine.get("result", {}).keys() == frame["result"].keys())
    ]  # fmt: skip
    assert same, frame
    assert missing(frame, same[0], frame["method"]) == []
    return 1


async def our_frames(exchange):
    """Do everything once that the recorded frames show and return what we were sent."""
    await exchange.buy("0.05")
    token = await exchange.token()
    row = {"order_type": "limit", "side": "buy", "order_qty": 0.01, "limit_price": 20000}
    order = {**row, "symbol": "BTC/USD"}
    stop = {
        **order,
        "order_type": "stop-loss-limit",
        "limit_price": 90000,
        "triggers": {"price": 89000.0, "reference": "last"},
    }
    async with exchange.socket() as socket:

        async def do(method, **params):
            await socket.send(method, 1, token=token, **params)
            return await socket.answer(method, 1)

        await do("subscribe", channel="executions", snap_trades=True)
        await do("subscribe", channel="balances")
        first = (await do("add_order", **order, cl_ord_id="client-zero"))["result"]["order_id"]
        await do("add_order", **{**order, "limit_price": "1"})
        await do("amend_order", order_id=first, order_qty=0.02)
        await do("amend_order", order_id=first, limit_price="1")
        second = (await do("add_order", **order))["result"]["order_id"]
        await do("edit_order", order_id=second, symbol="BTC/USD", order_qty=0.02)
        await socket.send("edit_order", 1, order_id=second)
        await socket.answer("edit_order", 1)
        await do("cancel_order", cl_ord_id=["client-zero"])
        third = (await do("add_order", **order))["result"]["order_id"]
        await do("amend_order", order_id=third, order_qty=0.02)
        await do("cancel_order", order_id=[third])
        await do("add_order", **stop)
        await do("cancel_all")
        await do("cancel_all_orders_after", timeout=5)
        batch = (await do("batch_add", symbol="BTC/USD", orders=[row, row]))["result"]
        await do("batch_cancel", orders=[shown["order_id"] for shown in batch])
        await do("add_order", **{**row, "order_type": "market", "symbol": "BTC/USD",
                                 "limit_price": None})  # fmt: skip
        await socket.send("ping", 2)
        await socket.answer("pong", 2)
        return socket.frames

import asyncio
import json
import re
from datetime import timedelta
from decimal import Decimal

import aiohttp
import pytest

from models.simulation.public.book_lines import MirroredBook
from models.simulation.steps import Level
from models.trading.instruments import InstrumentStatus
from tests.support.public_market import START, OpenMarket
from tests.support.public_server import a_public_server
from tests.support.recordings import needs_recordings, websocket_frames
from workers.exchange.websocket import public_ws

BTC = "BTC/USD"
ETH = "ETH/USD"
TIMES = {"time_in", "time_out"}


@pytest.fixture
async def server():
    market = OpenMarket()
    market.generate(40)
    async with a_public_server(market) as running:
        yield running


def without_times(answer):
    assert set(answer) >= TIMES
    return {key: value for key, value in answer.items() if key not in TIMES}


async def test_status_is_the_first_frame_and_its_connection_id_is_wide(server):
    async with server.socket() as socket:
        frame = await socket.next()
    assert (frame["channel"], frame["type"]) == ("status", "update")
    (row,) = frame["data"]
    assert (row["system"], row["api_version"]) == ("online", "v2")
    assert isinstance(row["connection_id"], int)


async def test_heartbeats_begin_with_the_first_subscription(server):
    async with server.socket() as socket:
        await socket.next("status")
        await socket.subscribe("ticker", BTC)
        assert await socket.next("heartbeat") == {"channel": "heartbeat"}


async def test_ping_is_answered_and_takes_no_parameters(server):
    async with server.socket() as socket:
        await socket.ask("ping", req_id=101)
        pong = await socket.next(method="pong")
        assert without_times(pong) == {"method": "pong", "req_id": 101}
        await socket.ask("ping", req_id=102, params={})
        refusal = without_times(await socket.next(method="ping"))
    assert refusal == {
        "error": "Unsupported field: 'params' for the given msg type: ping",
        "method": "ping",
        "req_id": 102,
        "success": False,
    }


async def test_subscribe_acknowledges_each_symbol_and_refuses_the_unknown_one(server):
    async with server.socket() as socket:
        await socket.subscribe("book", [BTC, "XBT/USD", "ETH/USD"], req_id=7, depth=10)
        answers = [without_times(await socket.next(method="subscribe")) for _ in range(3)]
    good = {"channel": "book", "depth": 10, "snapshot": True}
    assert answers == [
        {"method": "subscribe", "req_id": 7, "success": True, "result": {**good, "symbol": BTC}},
        {
            "error": "Currency pair not supported XBT/USD",
            "method": "subscribe",
            "req_id": 7,
            "success": False,
            "symbol": "XBT/USD",
        },
        {"method": "subscribe", "req_id": 7, "success": True, "result": {**good, "symbol": ETH}},
    ]


@pytest.mark.parametrize(
    ("params", "error"),
    [
        ({"channel": "book", "symbol": [BTC], "depth": 11}, "Subscription depth not supported"),
        ({"channel": "book", "symbol": [BTC], "depth": "10"}, "Subscription depth not supported"),
        (
            {"channel": "ohlc", "symbol": [BTC], "interval": 2},
            "Subscription ohlc interval not supported",
        ),
        ({"channel": "ticker", "symbol": [BTC], "event_trigger": "all"}, "Malformed request"),
        ({"channel": "ticker", "symbol": BTC}, "Malformed request"),
        ({"channel": "ticker", "symbol": [7]}, "Malformed request"),
        ({"channel": "ticker", "symbol": [BTC], "snapshot": "yes"}, "Malformed request"),
        ({"channel": "ticker"}, "Symbol(s) not found"),
        ({"channel": "status"}, "Symbol(s) not found"),
        ({"channel": "candles", "symbol": [BTC]}, "Subscription name invalid"),
        ({"channel": "executions", "token": "x"}, public_ws.WRONG_HOST),
        ({"channel": ["book"]}, "Malformed request"),
        ([], "Malformed request"),
        (None, "Malformed request"),
    ],
)
async def test_subscribe_refusals_leave_the_connection_open(server, params, error):
    async with server.socket() as socket:
        await socket.ask("subscribe", params=params, req_id=1)
        refusal = await socket.next(method="subscribe")
        assert (refusal["success"], refusal["error"]) == (False, error)
        await socket.ask("ping")
        assert (await socket.next(method="pong"))["method"] == "pong"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("{", "Malformed request"),
        ("[]", "Malformed request"),
        ('{"method":7}', "Malformed request"),
        ('{"method":"dance"}', "Unsupported event"),
        ('{"method":"add_order","params":{}}', public_ws.WRONG_HOST),
    ],
)
async def test_malformed_and_misplaced_requests_are_refused(server, text, error):
    async with server.socket() as socket:
        await socket.next("status")
        await socket.raw.send_str(text)
        answer = await socket.next()
    assert (answer["success"], answer["error"]) == (False, error)


async def test_second_subscription_is_refused_and_unsubscribing_repeats_the_depth(server):
    async with server.socket() as socket:
        await socket.subscribe("book", BTC, depth=10)
        assert (await socket.next(method="subscribe"))["success"]
        await socket.subscribe("book", BTC, depth=10)
        again = without_times(await socket.next(method="subscribe"))
        assert (again["error"], again["symbol"]) == ("Already subscribed", BTC)
        await socket.subscribe("book", BTC, method="unsubscribe", depth=25)
        assert (await socket.next(method="unsubscribe"))["error"] == "Subscription Not Found"
        await socket.subscribe("book", BTC, method="unsubscribe", depth=10)
        answer = without_times(await socket.next(method="unsubscribe"))
    assert answer["result"] == {"channel": "book", "depth": 10, "symbol": BTC}


async def test_one_ohlc_interval_per_symbol_and_socket(server):
    async with server.socket() as socket:
        await socket.subscribe("ohlc", BTC, interval=1)
        assert (await socket.next(method="subscribe"))["result"]["warnings"]
        await socket.subscribe("ohlc", BTC, interval=5)
        error = (await socket.next(method="subscribe"))["error"]
    assert error == "Already subscribed to one ohlc interval on this symbol"


def sides(row):
    return [[Level(x["price"], x["qty"]) for x in row[side]] for side in ("bids", "asks")]


@pytest.mark.parametrize("depth", [10, 25, 100])
async def test_book_stream_rebuilds_the_exchange_book_with_every_checksum(server, depth):
    mirror = MirroredBook(depth, 1, 8)
    async with server.socket() as socket:
        await socket.subscribe("book", BTC, depth=depth)
        snapshot = await socket.next("book")
        (row,) = snapshot["data"]
        assert snapshot["type"] == "snapshot"
        mirror.snapshot(*sides(row), row["checksum"])
        for change in server.market.stream(60, seed=9):
            server.publish(change)
        await socket.ask("ping")
        updates = 0
        while (frame := await socket.next()).get("method") != "pong":
            if frame.get("channel") == "book":
                (row,) = frame["data"]
                mirror.update(*sides(row), row["checksum"])
                updates += 1
    book = server.market.venue.book(BTC)
    assert updates > 30
    assert mirror.bids == book.bids[:depth]
    assert mirror.asks == book.asks[:depth]


async def test_book_numbers_keep_their_digits_on_the_wire(server):
    at = START + timedelta(days=1)
    async with server.socket() as socket:
        server.publish(
            server.market.move(at, bids=[("60000", "0.1")], asks=[("60000.1", "0.00000002")])
        )
        await socket.next("status")
        await socket.subscribe("book", BTC)
        await socket.text()
        text = await socket.text()
    assert '"bids":[{"price":60000.0,"qty":0.10000000}]' in text
    assert '"asks":[{"price":60000.1,"qty":0.00000002}]' in text
    assert "checksum" not in text  # a thin book's snapshot was recorded without one
    assert '"timestamp":"2026-01-02T00:00:00.000000Z"' in text


async def test_snapshot_in_mid_stream_replaces_the_book(server):
    async with server.socket() as socket:
        await socket.subscribe("book", BTC)
        first = await socket.next("book")
        server.streams.resend_books(BTC)
        second = await socket.next("book")
    assert second["type"] == "snapshot"
    assert first["data"][0]["checksum"] == second["data"][0]["checksum"]


async def test_trades_come_without_snapshot_unless_asked_for(server):
    async with server.socket() as socket:
        await socket.subscribe("trade", BTC)
        assert (await socket.next(method="subscribe"))["result"]["snapshot"] is False
        change = server.market.move(
            START + timedelta(hours=1),
            prints=[("buy", "65000", "0.5"), ("sell", "64999.9", "0.25")],
            bids=[("64999.9", "1")],
            asks=[("65000", "1")],
        )
        server.publish(change)
        frame = await socket.next("trade")
        assert frame["type"] == "update"
        first, second = frame["data"]
        assert second["trade_id"] == first["trade_id"] + 1
        assert (first["side"], str(first["price"]), str(first["qty"])) == (
            "buy",
            "65000.0",
            "0.50000000",
        )
        await socket.subscribe("trade", "ETH/USD", snapshot=True)
        snapshot = await socket.next("trade")
    assert snapshot["type"] == "snapshot"
    assert 1 <= len(snapshot["data"]) <= 50


async def test_ticker_follows_trades_or_best_prices(server):
    market = server.market
    async with server.socket() as trades, server.socket() as bbo:
        await trades.subscribe("ticker", BTC, snapshot=False)
        await bbo.subscribe("ticker", BTC, event_trigger="bbo", snapshot=False)
        for socket in (trades, bbo):
            assert (await socket.next(method="subscribe"))["success"]
        at = START + timedelta(hours=1)
        server.publish(market.move(at, bids=[("1", "1")], asks=[("2", "1")]))
        server.publish(
            market.move(at, prints=[("buy", "2", "1")], bids=[("1", "1")], asks=[("2", "1")])
        )
        for socket, frames in ((trades, 1), (bbo, 1)):
            await socket.ask("ping")
            received = []
            while (frame := await socket.next()).get("method") != "pong":
                received += [frame] if frame.get("channel") == "ticker" else []
            assert len(received) == frames
        assert received[0]["data"][0]["ask"] == 2


async def test_ohlc_update_is_the_forming_candle_of_the_subscribed_interval(server):
    market = server.market
    async with server.socket() as socket:
        await socket.subscribe("ohlc", "ETH/USD", interval=5, snapshot=True)
        snapshot = await socket.next("ohlc")
        assert snapshot["type"] == "snapshot"
        at = START + timedelta(hours=2, minutes=7)
        quotes = {"symbol": "ETH/USD", "bids": [("9", "1")], "asks": [("11", "1")]}
        server.publish(market.move(at, prints=[("buy", "10", "2"), ("buy", "11", "1")], **quotes))
        server.publish(market.move(at + timedelta(minutes=1), **quotes))
        frame = await socket.next("ohlc")
    (row,) = frame["data"]
    assert re.fullmatch(r"2026-01-01T02:07:00\.000000000Z", frame["timestamp"])
    assert row["interval_begin"] == "2026-01-01T02:05:00.000000000Z"
    assert row["timestamp"] == "2026-01-01T02:10:00.000000Z"
    assert (row["open"], row["close"], row["volume"], row["trades"]) == (10, 11, 3, 2)


async def test_instrument_snapshot_lists_everything_and_an_update_only_the_changed_pair(server):
    async with server.socket() as socket:
        await socket.subscribe("instrument")
        snapshot = await socket.next("instrument")
        assert {row["symbol"] for row in snapshot["data"]["pairs"]} == set(
            server.market.universe.symbols
        )
        events = server.market.venue.set_pair_status("ETH/USD", InstrumentStatus.CANCEL_ONLY)
        server.publish(server.market.public.apply(events))
        update = await socket.next("instrument")
    assert update["type"] == "update"
    (row,) = update["data"]["pairs"]
    assert (row["symbol"], row["status"]) == ("ETH/USD", "cancel_only")
    assert update["data"]["assets"] == []


async def test_status_is_pushed_when_the_exchange_changes_its_mode(server):
    async with server.socket() as socket:
        await socket.next("status")
        events = server.market.venue.set_system_status("maintenance")
        server.publish(server.market.public.apply(events))
        (row,) = (await socket.next("status"))["data"]
    assert row["system"] == "maintenance"


async def test_socket_without_subscription_is_closed_after_silence(server, monkeypatch):
    monkeypatch.setattr(public_ws, "IDLE_SECONDS", 0.05)
    async with server.socket() as idle, server.socket() as busy:
        await busy.subscribe("ticker", BTC)
        await idle.next("status")
        message = await idle.raw.receive(timeout=5)
        assert message.type is aiohttp.WSMsgType.CLOSE
        await busy.ask("ping")
        assert await busy.next(method="pong")


async def test_dropped_line_ends_every_public_socket_without_a_handshake(server):
    async with server.socket() as socket:
        await socket.next("status")
        server.streams.abort_all()
        message = await socket.raw.receive(timeout=5)
    assert message.type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)


async def test_frame_is_built_once_for_all_subscribers(server, monkeypatch):
    built = []
    original = public_ws.frames.trades
    monkeypatch.setattr(
        public_ws.frames, "trades", lambda *a: (built.append(a[0]), original(*a))[1]
    )
    async with server.socket() as one, server.socket() as two:
        for socket in (one, two):
            await socket.subscribe("trade", BTC)
            await socket.next(method="subscribe")
        quotes = {"bids": [("1", "1")], "asks": [("2", "1")]}
        at = START + timedelta(hours=1)
        server.publish(server.market.move(at, prints=[("buy", "2", "1")], **quotes))
        frames = await asyncio.gather(one.next("trade"), two.next("trade"))
    assert frames[0] == frames[1]
    assert built == ["update"]


async def test_scripted_bad_checksum_strikes_a_book_frame(server):
    server.faults.add("bad_checksum", {"match": {"channel": "book", "type": "snapshot"}})
    async with server.socket() as socket:
        await socket.subscribe("book", BTC)
        (row,) = (await socket.next("book"))["data"]
    assert row["checksum"] == server.market.public.pairs[BTC].book.checksum() ^ 1


def fields(value):
    """Return names and JSON types, integers and decimals alike being numbers."""
    if isinstance(value, dict):
        return {key: fields(field) for key, field in value.items()}
    if isinstance(value, list):
        return [fields(value[0])] if value else []
    if isinstance(value, bool):
        return "bool"
    return "number" if isinstance(value, int | Decimal) else type(value).__name__


@needs_recordings
@pytest.mark.recordings
@pytest.mark.parametrize("channel", ["ticker", "trade", "ohlc", "book", "instrument", "status"])
async def test_public_frames_have_the_recorded_fields(server, channel):
    recorded = recorded_frames(channel)
    assert recorded
    async with server.socket() as socket:
        if channel != "status":
            symbol = None if channel == "instrument" else "BTC/USD"
            await socket.subscribe(channel, symbol, snapshot=True)
        ours = fields(await socket.next(channel))
    row = ours["data"] if channel == "instrument" else ours["data"][0]
    for then in recorded:
        rows = then["data"] if channel == "instrument" else then["data"][0]
        for name, kind in rows.items():
            if channel == "instrument":
                missing = {k: v for k, v in kind[0].items() if row[name][0].get(k) != v}
                assert not missing
            elif kind:
                assert row[name] == kind
        assert {k: v for k, v in then.items() if k != "data"}.items() <= ours.items()


@needs_recordings
@pytest.mark.recordings
async def test_acknowledgements_have_the_recorded_fields(server):
    recorded = {
        frame["result"]["channel"]: frame
        for frame in recorded_lines()
        if frame.get("method") == "subscribe" and frame.get("success") and "req_id" in frame
    }
    async with server.socket() as socket:
        for channel in ("ticker", "book", "ohlc", "trade", "instrument"):
            symbol = None if channel == "instrument" else "BTC/USD"
            await socket.subscribe(channel, symbol, snapshot=True)
            assert fields(await socket.next(method="subscribe")) == fields(recorded[channel])


def recorded_lines():
    for name in (
        "samples_public_channels_2024.jsonl",
        "ticker_bbo_and_trade_BTC-USD_20260916.jsonl",
    ):
        for line in websocket_frames(name):
            yield json.loads(line, parse_float=Decimal)


def recorded_frames(channel):
    frames = (f for f in recorded_lines() if f.get("channel") == channel and "data" in f)
    return [fields(frame) for frame in frames]

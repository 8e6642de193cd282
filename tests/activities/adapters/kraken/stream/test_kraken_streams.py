import asyncio
import json
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from activities.adapters.kraken.addresses import AllowedHosts
from activities.adapters.kraken.errors import ForbiddenAddressError
from activities.adapters.kraken.exchange_clock import ExchangeClock
from activities.adapters.kraken.feed.book import Book
from activities.adapters.kraken.feed.public_feed import KrakenMarketFeed
from activities.adapters.kraken.stream import private_connection, private_stream
from activities.adapters.kraken.stream.pending_expectations import (
    PATIENCE_SECONDS,
    PendingExpectations,
)
from activities.adapters.kraken.stream.private_stream import PrivateStream
from activities.adapters.kraken.websocket import ConnectionLimiter, Socket
from activities.ports.exchange import BalanceReport, ExecutionReport, StreamGap
from activities.ports.exchange_errors import ExchangeError, ExchangeUnavailableError
from activities.ports.market import BarClosed, BestPrices, FeedStatus, Tick
from models.trading.orders import OrderStatus, OrderType
from tests.support.figures import Figures
from tests.support.free_ports import free_block
from tests.support.kraken_rows import PAIRS
from tests.support.scripted_exchange import ScriptedExchange, result

PORTS = free_block()

AT = "2026-07-19T17:54:39.753424Z"


@pytest.fixture
async def server():
    server = ScriptedExchange(PORTS)
    server.standing["AssetPairs"] = result(PAIRS)
    await server.start()
    yield server
    await server.stop()


async def take(stream, number, seconds=5.0):
    async with asyncio.timeout(seconds):
        return [await anext(stream) for _ in range(number)]


# --- private -----------------------------------------------------------------------------------

PENDING = {
    "order_id": "O1",
    "symbol": "BTC/USD",
    "order_qty": Decimal("0.02"),
    "cum_cost": 0,
    "exec_type": "pending_new",
    "side": "buy",
    "order_type": "limit",
    "cl_ord_id": "an-id",
    "limit_price": 64000.5,
    "order_status": "pending_new",
    "timestamp": AT,
}
TRADE = {
    "order_id": "O1",
    "exec_id": "T1",
    "exec_type": "trade",
    "trade_id": 7,
    "symbol": "BTC/USD",
    "side": "buy",
    "last_qty": 0.01,
    "last_price": 64000.5,
    "liquidity_ind": "t",
    "cost": 640.005,
    "order_type": "limit",
    "timestamp": AT,
    "order_status": "partially_filled",
    "fees": [{"asset": "USD", "qty": 5.12}],
}
SNAPSHOT_ORDER = {**PENDING, "exec_type": "new", "order_status": "new"}


def frame(channel, sequence, *rows, kind="update"):
    data = [{**row, "order_qty": 0.02} if "order_qty" in row else row for row in rows]
    return {"channel": channel, "type": kind, "data": data, "sequence": sequence}


def answer_private(*executions):
    def answer(asked):
        if asked["method"] == "ping":
            return []
        channel = asked["params"]["channel"]
        if asked["method"] == "unsubscribe":
            return [{"method": "unsubscribe", "success": True, "req_id": asked["req_id"]}]
        ack = {"method": "subscribe", "result": {"channel": channel}, "success": True}
        if channel == "balances":
            row = {"asset": "USD", "asset_class": "currency", "balance": 100.25, "wallets": []}
            return [ack, frame("balances", 1, row, kind="snapshot")]
        return [ack, frame("executions", 1, *executions, kind="snapshot")]

    return answer


class Tokens:
    def __init__(self) -> None:
        self.given = 0

    async def __call__(self) -> str:
        self.given += 1
        return f"token-{self.given}"


@pytest.fixture
def tokens():
    return Tokens()


@pytest.fixture
def private(server, tokens):
    return PrivateStream(
        server.ws_url, AllowedHosts.loopback(), tokens, ConnectionLimiter(), silence_seconds=0.5
    )


async def test_snapshot_then_gap_then_live_entries(server, private):
    server.on_subscribe = answer_private(SNAPSHOT_ORDER)
    async with aclosing(private.events()) as stream:
        known, gap, balances = await take(stream, 3)
        assert isinstance(known, ExecutionReport)
        assert known.snapshot
        assert known.order.client_order_id == "an-id"
        assert known.order.limit_price == Decimal("64000.5")
        assert isinstance(gap, StreamGap)
        assert balances == BalanceReport({"USD": Decimal("100.25")}, 1)
        sparse = {"order_id": "O1", "exec_type": "filled", "order_status": "filled"}
        sparse |= {"timestamp": AT, "cum_qty": 0.02, "cum_cost": 1280.01, "avg_price": 64000.5}
        await server.push(frame("executions", 2, TRADE), frame("executions", 3, sparse))
        trade, ended = await take(stream, 2)
        assert trade.kind == "trade"
        assert trade.fill.fee == Decimal("5.12")
        assert trade.fill.cost == Decimal("640.005")
        assert trade.order.filled_quantity == Decimal("0.01")
        assert trade.order.quantity == Decimal("0.02")
        assert ended.kind == "ended"
        assert ended.order.status is OrderStatus.CLOSED
        assert ended.order.order_type is OrderType.LIMIT
        assert ended.order.filled_quantity == Decimal("0.02")
        assert ended.sequence == 3


async def test_repeated_executions_and_messages_are_told_once(server, private):
    server.on_subscribe = answer_private(SNAPSHOT_ORDER, TRADE)
    async with aclosing(private.events()) as stream:
        first = await take(stream, 4)
        assert [event.fill.execution_id for event in first[1:2]] == ["T1"]
        second_trade = {**TRADE, "exec_id": "T2"}
        duplicate = frame("executions", 2, second_trade)
        await server.push(frame("executions", 2, TRADE, second_trade), duplicate)
        await server.push(frame("executions", 3, {**TRADE, "exec_id": "T3"}))
        fills = await take(stream, 2)
        assert [event.fill.execution_id for event in fills] == ["T2", "T3"]


async def test_missed_message_subscribes_again_and_says_so(server, private):
    server.on_subscribe = answer_private(SNAPSHOT_ORDER)
    async with aclosing(private.events()) as stream:
        await take(stream, 3)
        # After the new subscription the snapshot holds what was missed.
        server.on_subscribe = answer_private(SNAPSHOT_ORDER, TRADE, {**TRADE, "exec_id": "T2"})
        await server.push(frame("executions", 3, TRADE))
        seen, known, missed, gap = await take(stream, 4)
        assert seen.fill.execution_id == "T1"
        assert known.fill is None
        assert missed.fill.execution_id == "T2"
        assert isinstance(gap, StreamGap)
        assert "jumped from 1 to 3" in gap.reason
        assert private.sequence_gaps == 1


CHANGED = {"asset": "USD", "balance": 99, "type": "trade", "amount": -640, "fee": 5.12}


async def test_execution_that_only_the_balances_tell_of_is_a_gap(server, private):
    server.on_subscribe = answer_private(SNAPSHOT_ORDER)
    async with aclosing(private.events()) as events:
        await take(events, 3)
        told, untold = {**CHANGED, "ref_id": "T1"}, {**CHANGED, "ref_id": "T2"}
        for sequence, row in enumerate((told, untold, untold), 2):
            await server.push(frame("balances", sequence, row))
        await server.push(frame("executions", 2, TRADE))
        kinds = [type(event) for event in await take(events, 4)]
        assert kinds == [BalanceReport, BalanceReport, BalanceReport, ExecutionReport]
        (gap,) = await take(events, 1)
        assert isinstance(gap, StreamGap)
        assert gap.reason == "not told: execution T2"


async def hear_execution(server, events, sequence):
    row = {**TRADE, "exec_id": f"T{sequence}", "last_qty": 0.001}
    await server.push(frame("executions", sequence, row))
    (told,) = await take(events, 1)
    assert told.fill.execution_id == row["exec_id"]


@pytest.mark.parametrize("missed", ["execution", "balances"])
async def test_what_was_missed_ends_the_stream_epoch(server, private, missed):
    server.on_subscribe = answer_private(SNAPSHOT_ORDER)
    async with aclosing(private.events()) as events:
        assert private.stream_epoch() is None
        await take(events, 3)
        await hear_execution(server, events, 2)
        whole = private.stream_epoch()
        assert whole is not None
        await hear_execution(server, events, 3)
        assert private.stream_epoch() == whole
        if missed == "execution":
            await server.push(frame("balances", 2, {**CHANGED, "ref_id": "T9"}))
            await take(events, 1)
            assert private.stream_epoch() is None
            await take(events, 1)
        else:
            await server.push(frame("balances", 7, {**CHANGED, "ref_id": "T3"}))
            await take(events, 2)
        await hear_execution(server, events, 4)
        assert private.stream_epoch() not in (None, whole)


def test_news_are_overdue_after_a_moment_once_and_not_when_they_have_come():
    now, told = [0.0], set()
    expected = PendingExpectations(clock=lambda: now[0])
    for news in ("a", "b", "a"):
        expected.expect(news, lambda news=news: news in told)
    told.add("b")
    assert expected.wait_seconds() == PATIENCE_SECONDS
    assert expected.take_overdue() == []
    now[0] = PATIENCE_SECONDS
    assert expected.take_overdue() == ["a"]
    expected.expect("a", lambda: False)
    assert expected.wait_seconds() is None


async def test_order_filled_in_full_that_is_not_told_to_have_ended_is_a_gap(server, private):
    server.on_subscribe = answer_private(SNAPSHOT_ORDER)
    async with aclosing(private.events()) as events:
        await take(events, 3)
        await server.push(frame("executions", 2, {**TRADE, "last_qty": 0.02}))
        fill, gap = await take(events, 2)
        assert fill.fill is not None
        assert gap.reason == "not told: end of O1"


async def test_subscription_without_a_snapshot_is_a_dead_connection(server, private, monkeypatch):
    monkeypatch.setattr(private_stream, "SNAPSHOT_SECONDS", 0.2)
    monkeypatch.setattr(private_connection, "SNAPSHOT_SECONDS", 0.2)
    answer = answer_private(SNAPSHOT_ORDER)

    def without_snapshot(asked):
        return answer(asked)[:1]

    server.on_subscribe = without_snapshot
    async with aclosing(private.events()) as events:
        reading = asyncio.create_task(anext(events))
        await server.until(lambda: sum(m["method"] == "subscribe" for m in server.received) > 2)
        server.on_subscribe = answer
        await asyncio.wait_for(reading, 5)
        gaps = [event for event in await take(events, 2) if isinstance(event, StreamGap)]
        assert "no snapshot" in gaps[0].reason


async def test_clock_of_the_exchange_is_learned_from_its_pongs(server, tokens):
    told = (datetime.now(UTC) + timedelta(seconds=25)).isoformat()
    server.on_subscribe = pongs_and_then(answer_private(SNAPSHOT_ORDER), told)
    clock = ExchangeClock()
    async with aclosing(pinging(server, tokens, clock=clock).events()) as events:
        await take(events, 3)
        reading = asyncio.create_task(anext(events))
        await server.until(lambda: sum(m["method"] == "ping" for m in server.received) > 1)
        await server.push(frame("executions", 2, TRADE))
        await reading
    assert 20 < clock.offset.total_seconds() < 26


def test_answer_that_took_long_says_nothing_of_the_clock():
    clock, asked = ExchangeClock(), datetime.now(UTC)
    clock.learn(asked + timedelta(seconds=25), asked, asked + timedelta(seconds=1.1))
    assert clock.theirs(asked) == asked
    clock.learn(asked + timedelta(seconds=25.5), asked, asked + timedelta(seconds=1))
    assert clock.theirs(asked) == asked + timedelta(seconds=25)


async def test_dropped_connection_is_replaced_with_a_new_token(server, private, tokens):
    server.on_subscribe = answer_private(SNAPSHOT_ORDER)
    async with aclosing(private.events()) as stream:
        await take(stream, 3)
        await server.drop()
        _, gap, _ = await take(stream, 3)
        assert isinstance(gap, StreamGap)
        assert "reconnected" in gap.reason
        assert tokens.given == 2
        subscribed = [m for m in server.received if m["method"] == "subscribe"]
        assert subscribed[-1]["params"]["token"] == "token-2"


async def test_silence_is_a_dead_connection(server, private):
    server.on_subscribe = answer_private(SNAPSHOT_ORDER)
    async with aclosing(private.events()) as stream:
        await take(stream, 3)
        _, gap, _ = await take(stream, 3)
        assert "silence" in gap.reason


def pongs_and_then(answer, time_out):
    def answer_or_pong(asked):
        if asked["method"] == "ping":
            stamps = {} if time_out is None else {"time_in": time_out, "time_out": time_out}
            return [{"method": "pong", "req_id": asked["req_id"], **stamps}]
        return answer(asked)

    return answer_or_pong


def pinging(server, tokens, **options):
    limiter, allowed = ConnectionLimiter(), AllowedHosts.loopback()
    return PrivateStream(
        server.ws_url, allowed, tokens, limiter, **({"ping_seconds": 0.05} | options)
    )


async def test_exchange_that_only_answers_pings_is_a_dead_connection(server, tokens):
    server.on_subscribe = pongs_and_then(answer_private(SNAPSHOT_ORDER), AT)
    stream = pinging(server, tokens, silence_seconds=0.5)
    async with aclosing(stream.events()) as events:
        await take(events, 3)
        _, gap, _ = await take(events, 3)
        assert "silence" in gap.reason


@pytest.mark.parametrize("time_out", [AT, None, "tomorrow"])
async def test_delay_of_delivery_is_measured_by_the_clock_of_the_exchange(server, tokens, time_out):
    figures = Figures()
    server.on_subscribe = pongs_and_then(answer_private(SNAPSHOT_ORDER), time_out)
    async with aclosing(pinging(server, tokens).events()) as events:
        await take(events, 3)
        reading = asyncio.create_task(anext(events))
        await server.until(lambda: sum(m["method"] == "ping" for m in server.received) > 1)
        await server.push(frame("executions", 2, TRADE))
        # What cannot be read is no gap: nothing of the account was missed.
        assert (await reading).fill.execution_id == "T1"
    measured = figures.gained("aether_private_stream_delivery_seconds_count", stamp="pong")
    assert (measured > 0) is (time_out == AT)
    assert not figures.gained("aether_private_stream_delivery_seconds_count", stamp="execution")


async def test_executions_are_measured_where_the_exchange_lives_by_the_wall_clock(server, tokens):
    figures = Figures()
    server.on_subscribe = answer_private(SNAPSHOT_ORDER)
    stream = pinging(server, tokens, ping_seconds=5, stamps_are_wall_clock=True)
    async with aclosing(stream.events()) as events:
        await take(events, 3)
        stamp = (datetime.now(UTC) - timedelta(seconds=0.3)).isoformat()
        await server.push(frame("executions", 2, {**TRADE, "timestamp": stamp}))
        await take(events, 1)
    name = "aether_private_stream_delivery_seconds"
    assert figures.gained(f"{name}_count", stamp="execution") == 1
    assert 0.3 < figures.gained(f"{name}_sum", stamp="execution") < 2


async def test_messages_and_jumps_of_the_sequence_are_counted(server, private):
    figures = Figures()
    server.on_subscribe = answer_private(SNAPSHOT_ORDER)
    async with aclosing(private.events()) as events:
        await take(events, 3)
        await server.push(frame("executions", 3, TRADE))
        await take(events, 2)
    gaps = figures.gained("aether_private_stream_sequence_gaps_total", channel="executions")
    assert gaps == 1
    assert figures.gained("aether_private_stream_messages_total", channel="executions") >= 3


async def test_stale_token_is_replaced(server, private, tokens):
    def answer(asked):
        if asked["params"]["token"] == "token-1":
            error = {"error": "ESession:Invalid session", "method": "subscribe", "success": False}
            return [error]
        return answer_private(SNAPSHOT_ORDER)(asked)

    server.on_subscribe = answer
    async with aclosing(private.events()) as stream:
        _, gap, _ = await take(stream, 3)
        assert "token refused" in gap.reason
        assert tokens.given == 2


async def test_channel_that_loses_messages_again_and_again_is_begun_anew_ever_more_rarely(
    server, tokens
):
    private = PrivateStream(
        server.ws_url, AllowedHosts.loopback(), tokens, ConnectionLimiter(), silence_seconds=9.0
    )

    def answer(asked):
        if asked["method"] == "ping":
            return []
        told = answer_private(SNAPSHOT_ORDER)(asked)
        channel = asked["params"]["channel"]
        # Behind every snapshot comes a message whose number jumps.
        return [*told, frame("executions", 9, TRADE)] if channel == "executions" else told

    server.on_subscribe = answer
    async with aclosing(private.events()) as stream:
        began = asyncio.get_running_loop().time()
        async with asyncio.timeout(10):
            while asyncio.get_running_loop().time() < began + 3.0:
                await anext(stream)
        assert private.stream_epoch() is None
    asked = [one for one in server.received if one["method"] == "unsubscribe"]
    assert 2 <= len(asked) <= 5
    assert private.connections == 1


@pytest.mark.parametrize("error", ["EGeneral:Too many requests", "EGeneral:Unknown thing"])
async def test_refused_subscription_is_not_asked_for_in_bursts(server, private, error):
    server.on_subscribe = lambda asked: [
        {"method": asked["method"], "success": False} | {"error": error}
    ]
    began = asyncio.get_running_loop().time()
    while asyncio.get_running_loop().time() < began + 2.0:
        with pytest.raises(ExchangeError):
            async with aclosing(private.events()) as stream, asyncio.timeout(5):
                await anext(stream)
    assert private.connections <= 6


async def test_unreachable_exchange_ends_the_stream_with_a_typed_error(tokens):
    stream = PrivateStream(
        "ws://127.0.0.1:21299/v2",
        AllowedHosts.loopback(),
        tokens,
        ConnectionLimiter(),
        patience_seconds=0.3,
    )
    with pytest.raises(ExchangeUnavailableError):
        await take(stream.events(), 1)


async def test_unreadable_and_unknown_frames_do_not_end_the_stream(server, private):
    server.on_subscribe = answer_private(SNAPSHOT_ORDER)
    async with aclosing(private.events()) as stream:
        await take(stream, 3)
        await server.push("CloudFlare WebSocket proxy restarting", "[]", {"channel": "tomorrow"})
        await server.push(frame("executions", 2, {"order_id": "O1", "cum_qty": "many"}))
        await server.push(frame("executions", 3, {"order_id": "O9", "exec_type": "canceled"}))
        unreadable, unknown = await take(stream, 2)
        assert "could not be read" in unreadable.reason
        assert "unknown order" in unknown.reason


async def test_private_address_off_loopback_is_refused(tokens):
    with pytest.raises(ForbiddenAddressError):
        await Socket.open(
            "wss://ws-auth.kraken.com/v2", AllowedHosts.loopback(), ConnectionLimiter()
        )


# --- public ------------------------------------------------------------------------------------


def book_frame(kind, ask_quantity, *, checksum=None):
    bids = [{"price": 64000.0, "qty": 1.5}]
    asks = [{"price": 64000.1, "qty": ask_quantity}, {"price": 64700.0, "qty": 9.0}]
    row = {"symbol": "BTC/USD", "bids": bids, "asks": asks, "timestamp": AT}
    book = Book(1, 8, 10)
    book.update(row)
    row["checksum"] = book.checksum() if checksum is None else checksum
    return {"channel": "book", "type": kind, "data": [row]}


def trade_frame(kind, *ids):
    base = {"symbol": "BTC/USD", "side": "buy", "qty": 0.1, "ord_type": "market", "timestamp": AT}
    rows = [{**base, "price": 64000.0 + number, "trade_id": number} for number in ids]
    return {"channel": "trade", "type": kind, "data": rows}


def bar_frame(kind, *minutes):
    base = {"symbol": "BTC/USD", "open": 1.0, "high": 2.0, "low": 0.5, "trades": 3, "interval": 1}
    base |= {"volume": 4.0, "vwap": 1.1}
    rows = [
        {**base, "close": 1.5, "interval_begin": f"2026-07-19T17:{minute:02}:00.000000000Z"}
        for minute in minutes
    ]
    return {"channel": "ohlc", "type": kind, "data": rows}


def answer_public(asked):
    channel = asked["params"]["channel"]
    if asked["method"] == "unsubscribe" or channel == "instrument":
        return []
    snapshots = {
        "book": book_frame("snapshot", 2.0),
        "trade": trade_frame("snapshot", 8, 9, 10),
        "ohlc": bar_frame("snapshot", 1, 2, 3),
    }
    return [{"method": "subscribe", "success": True}, snapshots[channel]]


@pytest.fixture
async def feed(server):
    feed = KrakenMarketFeed(server.url, server.ws_url, AllowedHosts.loopback(), silence_seconds=1.0)
    server.on_subscribe = answer_public
    yield feed
    await feed.close()


async def collect(stream, condition, seconds=5.0):
    events = []
    async with asyncio.timeout(seconds):
        while not condition(events):
            events.append(await anext(stream))
    return events


def of(kind, events):
    return [event for event in events if isinstance(event, kind)]


async def test_feed_starts_healthy_with_prices_and_the_newest_closed_bar(feed):
    async with aclosing(feed.events(["BTC/USD"], 1)) as stream:
        events = await collect(stream, lambda all_: of(BarClosed, all_) and of(BestPrices, all_))
    assert of(FeedStatus, events) == [FeedStatus("BTC/USD", True, "")]
    best = of(BestPrices, events)[0]
    assert (best.bid, best.ask) == (Decimal("64000.0"), Decimal("64000.1"))
    assert best.depth_quantity == Decimal("2.0")
    assert best.book is not None
    book = best.book()
    assert (book.bids[0].price, book.asks[0].price) == (best.bid, best.ask)
    assert (book.bids[0].quantity, book.asks[0].quantity) == (best.bid_quantity, best.ask_quantity)
    assert [event.candle.start.minute for event in of(BarClosed, events)] == [2]
    assert of(Tick, events) == []


async def test_ticks_are_told_once_and_bars_close_when_the_next_begins(server, feed):
    async with aclosing(feed.events(["BTC/USD"], 1)) as stream:
        await collect(stream, of_kind(BarClosed))
        await server.push(trade_frame("update", 10, 11), trade_frame("update", 12))
        await server.push(bar_frame("update", 3), bar_frame("update", 4), bar_frame("update", 3))
        events = await collect(stream, of_kind(BarClosed))
    assert [tick.trade_id for tick in of(Tick, events)] == [11, 12]
    assert [event.candle.start.minute for event in of(BarClosed, events)] == [3]


def of_kind(kind):
    return lambda events: of(kind, events)


async def test_best_prices_are_told_once_for_a_burst_of_levels(server, feed):
    async with aclosing(feed.events(["BTC/USD"], 1)) as stream:
        await collect(stream, lambda all_: of(BarClosed, all_) and of(BestPrices, all_))
        burst = [book_frame("update", 3.0 + number / 100) for number in range(200)]
        await server.push(*burst)
        last = Decimal("4.99")
        events = await collect(
            stream, lambda all_: any(one.ask_quantity == last for one in of(BestPrices, all_))
        )
    assert len(of(BestPrices, events)) < 200
    assert of(FeedStatus, events) == []


async def test_checksum_failure_distrusts_the_book_until_a_new_snapshot(server, feed):
    async with aclosing(feed.events(["BTC/USD"], 1)) as stream:
        await collect(stream, of_kind(BestPrices))
        await server.push(book_frame("update", 3.0, checksum=1))
        events = await collect(stream, lambda all_: len(of(FeedStatus, all_)) == 2)
    assert of(FeedStatus, events) == [
        FeedStatus("BTC/USD", False, "checksum"),
        FeedStatus("BTC/USD", True, ""),
    ]
    methods = [(one["method"], one["params"]["channel"]) for one in server.received[4:]]
    assert methods == [("unsubscribe", "book"), ("subscribe", "book")]
    assert feed.checksum_failures == 1


async def test_disconnect_is_told_and_missed_trades_are_fetched(server, feed):
    trades = [[f"{64000 + n}", "0.1", 1784483679.75 + n, "b", "m", "", n] for n in range(9, 40)]
    server.standing["Trades"] = result({"XXBTZUSD": trades, "last": "1"})
    async with aclosing(feed.events(["BTC/USD"], 1)) as stream:
        await collect(stream, lambda all_: of(BarClosed, all_) and of(BestPrices, all_))

        def answer(asked):
            if asked["params"]["channel"] == "trade":
                return [trade_frame("snapshot", 30, 31)]
            return answer_public(asked)

        server.on_subscribe = answer
        await server.drop()
        events = await collect(stream, lambda all_: len(of(Tick, all_)) == 21)
    statuses = of(FeedStatus, events)
    assert [status.healthy for status in statuses] == [False, True]
    assert "disconnected" in statuses[0].reason
    assert sorted(tick.trade_id for tick in of(Tick, events)) == list(range(11, 32))
    assert feed.connections == 2


async def test_silence_makes_the_feed_unhealthy(feed):
    async with aclosing(feed.events(["BTC/USD"], 1)) as stream:
        events = await collect(stream, lambda all_: len(of(FeedStatus, all_)) == 2)
    assert "silence" in of(FeedStatus, events)[1].reason


async def test_modes_of_exchange_and_pair_are_troubles(server, feed):
    async with aclosing(feed.events(["BTC/USD"], 1)) as stream:
        await collect(stream, of_kind(BestPrices))
        row = {"symbol": "BTC/USD", "status": "post_only"}
        await server.push(
            {"channel": "status", "type": "update", "data": [{"system": "maintenance"}]}
        )
        await server.push({"channel": "instrument", "type": "update", "data": {"pairs": [row]}})
        await server.push({"channel": "status", "type": "update", "data": [{"system": "online"}]})
        events = await collect(stream, lambda all_: len(of(FeedStatus, all_)) == 3)
    assert [status.reason for status in of(FeedStatus, events)] == [
        "exchange is maintenance",
        "exchange is maintenance; pair is post_only",
        "pair is post_only",
    ]


async def test_unknown_pair_is_unhealthy_and_others_go_on(feed):
    async with aclosing(feed.events(["BTC/USD", "BTC/EUR"], 1)) as stream:
        events = await collect(stream, lambda all_: len(of(FeedStatus, all_)) == 2)
    assert {status.symbol: status.healthy for status in of(FeedStatus, events)} == {
        "BTC/USD": True,
        "BTC/EUR": False,
    }


async def test_exchange_down_at_start_is_told_and_the_feed_waits(tmp_path):
    feed = KrakenMarketFeed("http://127.0.0.1:21299", "ws://127.0.0.1:21299/v2", AllowedHosts())
    async with aclosing(feed.events(["BTC/USD"], 1)) as stream:
        (status,) = await take(stream, 1)
    assert not status.healthy
    await feed.close()


async def test_frames_of_unknown_shape_do_not_end_the_feed(server, feed):
    async with aclosing(feed.events(["BTC/USD"], 1)) as stream:
        await collect(stream, lambda all_: of(BarClosed, all_) and of(BestPrices, all_))
        await server.push("not json", "3", {"channel": "trade", "type": "update", "data": [{}]})
        await server.push(json.dumps({"channel": "book", "type": "update", "data": {}}))
        await server.push(trade_frame("update", 11))
        assert (await collect(stream, of_kind(Tick)))[-1].trade_id == 11


async def test_history_leaves_out_the_forming_and_the_empty_bar(server, feed):
    rows = [[60 * n, "1", "2", "0.5", "1.5", "1.1", "4.0", 3] for n in range(3)]
    rows[1][6:] = ["0.0", 0]
    server.script("OHLC", result({"XXBTZUSD": rows, "last": 60}))
    bars = await feed.history("BTC/USD", 1)
    assert [bar.start.minute for bar in bars] == [0]
    assert set(await feed.instruments()) == {"BTC/USD", "NEW/USD"}


def test_book_of_large_quantities_is_read_exactly():
    digits = "123456789012.12345678"
    text = f'{{"price":0.0000001,"qty":{digits}}}'
    exact = json.loads(text, parse_float=Decimal)
    book = Book(7, 8, 10)
    book.update({"bids": [exact], "asks": []})
    assert book.best_bid() == (Decimal("0.0000001"), Decimal(digits))


def test_connection_limiter_spreads_the_attempts_of_a_long_outage():
    now = 0.0
    limiter = ConnectionLimiter(maximum=120, window_seconds=600, clock=lambda: now)
    attempts = []
    while now < 3600:
        now += limiter.reserve()
        attempts.append(now)
        now += 0.5
    assert all(
        sum(start <= at < start + 600 for at in attempts) <= 120 for start in range(0, 3000, 7)
    )
    gaps = [later - earlier for earlier, later in pairwise(attempts)]
    assert max(gaps) <= 10.5


async def test_attempt_that_is_given_up_is_not_counted():
    limiter = ConnectionLimiter(maximum=2, window_seconds=10)
    await limiter.admit()
    waiting = asyncio.create_task(limiter.admit())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert limiter.reserve() <= 10.0


async def test_refused_sockets_are_not_tried_in_bursts_however_often_events_are_asked_for(tokens):
    limiter = ConnectionLimiter()
    stream = PrivateStream(
        "ws://127.0.0.1:21299/v2", AllowedHosts.loopback(), tokens, limiter, patience_seconds=0.01
    )
    began = asyncio.get_running_loop().time()
    while asyncio.get_running_loop().time() < began + 2.0:
        with pytest.raises(ExchangeUnavailableError):
            async with aclosing(stream.events()) as events:
                await anext(events)
    assert stream._attempts <= 6

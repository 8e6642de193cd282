"""Every broken part of the public feed is tried again, ever more rarely, until it is sound."""

import asyncio
import json
from contextlib import aclosing
from datetime import UTC, datetime
from decimal import Decimal

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activities.adapters.kraken.addresses import AllowedHosts
from activities.adapters.kraken.feed.book import Book
from activities.adapters.kraken.feed.missed_trades import MissedTrades
from activities.adapters.kraken.feed.public_feed import KrakenMarketFeed
from activities.adapters.kraken.feed.rows import TradeGap
from activities.adapters.kraken.feed.state import FeedState
from activities.adapters.kraken.instruments import usd_spot_instruments
from activities.adapters.kraken.pair_rules import PairRules
from activities.adapters.kraken.repairs import (
    ANSWER_SECONDS,
    LONGEST_PAUSE_SECONDS,
    STEADY_SECONDS,
    Repairs,
)
from activities.ports.exchange_errors import (
    ExchangeUnavailableError,
    OrderRejectedError,
    RateLimitedError,
)
from activities.ports.market import BestPrices, FeedStatus, PairChanged, Tick
from tests.support.free_ports import free_block
from tests.support.kraken_rows import PAIRS
from tests.support.scripted_exchange import ScriptedExchange, refusal, result

PORTS, BOOK = free_block(), ("book", "BTC/USD")
AT = "2026-07-19T17:54:39.753424Z"


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def repairs(clock):
    return Repairs(clock)


# --- when ---------------------------------------------------------------------------------------


def test_first_try_is_at_once_and_later_ones_after_pauses_that_double(repairs, clock):
    waits = []
    for _ in range(12):
        repairs.broken(BOOK)
        began = clock.now
        while not repairs.take_due():
            clock.now += 0.1
        waits.append(round(clock.now - began, 1))
    assert waits[:4] == [0.0, 0.5, 1.0, 2.0]
    assert waits[-1] == pytest.approx(LONGEST_PAUSE_SECONDS, abs=0.2)


def test_what_is_not_answered_is_asked_for_again(repairs, clock):
    repairs.asked(BOOK)
    assert not repairs.take_due()
    clock.now += ANSWER_SECONDS
    assert repairs.take_due() == [BOOK]
    repairs.sound(BOOK)
    clock.now += 1000
    assert not repairs.take_due()


def test_what_was_sound_for_a_moment_goes_on_with_long_pauses(repairs, clock):
    for _ in range(4):
        repairs.broken(BOOK)
        clock.now += LONGEST_PAUSE_SECONDS
        assert repairs.take_due() == [BOOK]
        repairs.sound(BOOK)
    repairs.broken(BOOK)
    assert not repairs.take_due()
    clock.now += LONGEST_PAUSE_SECONDS
    repairs.take_due()
    repairs.sound(BOOK)
    clock.now += STEADY_SECONDS
    repairs.broken(BOOK)
    assert repairs.take_due() == [BOOK]


# --- what the feed does -------------------------------------------------------------------------


def a_row(ask, *, decimals=1, checksum=None):
    row = {
        "symbol": "BTC/USD",
        "bids": [{"price": 64000.0, "qty": 1.5}],
        "asks": [{"price": ask, "qty": 2.0}],
        "timestamp": AT,
    }
    book = Book(decimals, 8, 10)
    book.update(row)
    return {**row, "checksum": book.checksum() if checksum is None else checksum}


def a_frame(channel, kind, data):
    return orjson.dumps({"channel": channel, "type": kind, "data": data})


def statuses(events):
    return [(one.healthy, one.reason) for one in events if isinstance(one, FeedStatus)]


@pytest.fixture
def state(clock):
    rules = PairRules()
    state = FeedState(("BTC/USD", "ETH/USD"), 1, 10, rules)
    state._repairs = Repairs(clock)

    known = usd_spot_instruments(PAIRS)
    state.learn_instruments({"BTC/USD": known["BTC/USD"], "ETH/USD": known["BTC/USD"]})
    state.subscriptions()
    list(state.take(a_frame("book", "snapshot", [a_row(64000.1)])))
    return state


def test_book_of_another_precision_is_subscribed_again_and_right(state):
    news = {"symbol": "BTC/USD", "status": "online", "price_precision": 2, "price_increment": 0.01}
    told = list(state.take(a_frame("instrument", "update", {"pairs": [news]})))
    assert [one.instrument.price_precision for one in told if isinstance(one, PairChanged)] == [2]
    assert statuses(told)[-1] == (False, "precision changed")
    asked = [(one["method"], one["params"]["channel"]) for one in state.take_requests()]
    assert asked == [("unsubscribe", "book"), ("subscribe", "book")]
    told = list(state.take(a_frame("book", "snapshot", [a_row(64000.13, decimals=2)])))
    assert statuses(told) == [(True, "")]
    assert next(state.best_prices()).ask == Decimal("64000.13")


def test_refused_subscription_is_tried_again_and_its_end_is_told(state, clock):
    refusal = {
        "method": "subscribe",
        "success": False,
        "error": "EGeneral:Too many requests",
        "symbol": "BTC/USD",
        "req_id": 3,
    }
    assert statuses(state.take(orjson.dumps(refusal))) == [(False, "EGeneral:Too many requests")]
    assert not state.take_requests()
    clock.now += 1
    (again,) = state.take_requests()
    assert (again["params"]["channel"], again["params"]["symbol"]) == ("trade", ["BTC/USD"])
    granted = {"channel": "trade", "symbol": "BTC/USD", "snapshot": True}
    ack = {"method": "subscribe", "success": True, "result": granted, "req_id": again["req_id"]}
    assert statuses(state.take(orjson.dumps(ack))) == [(True, "")]


def test_snapshot_that_cannot_be_read_is_asked_for_again_later(state, clock):
    broken = {"symbol": "BTC/USD", "bids": 5, "asks": []}
    assert statuses(state.take(a_frame("book", "snapshot", [broken]))) == [(False, "unreadable")]
    assert not state.take_requests()
    clock.now += 1
    assert len(state.take_requests()) == 2


def test_mode_of_the_exchange_is_asked_after_while_it_lasts(state, clock):
    list(state.take(a_frame("status", "update", [{"system": "maintenance"}])))
    state.take_requests()
    assert not state.wants_system
    clock.now += ANSWER_SECONDS
    state.take_requests()
    assert state.wants_system
    state.learn_system("online")
    assert statuses(state.take_statuses()) == [(True, "")]


def test_pair_that_is_listed_later_is_subscribed_then(clock):
    state = FeedState(("BTC/USD",), 1, 10)
    state._repairs = Repairs(clock)
    state.learn_instruments({})
    assert [one["params"]["channel"] for one in state.subscriptions()] == ["instrument"]

    state._rules.take(usd_spot_instruments(PAIRS))
    list(state.follow_rules())
    assert {one["params"]["channel"] for one in state.take_requests()} >= {"book", "trade", "ohlc"}


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(["wrong", "right", "unreadable", "refused", "precision", "wait"])))
def test_number_of_subscription_requests_is_bounded_per_time(happenings):
    clock = Clock()
    state = FeedState(("BTC/USD",), 1, 10)
    state._repairs = Repairs(clock)

    state.learn_instruments({"BTC/USD": usd_spot_instruments(PAIRS)["BTC/USD"]})
    state.subscriptions()
    requests, decimals = 0, 1
    # One happening after the other, for twenty seconds of a feed that looks 25 times a second.
    for number in range(500):
        happening = happenings[number % len(happenings)] if happenings else "wrong"
        if happening == "wrong":
            list(state.take(a_frame("book", "snapshot", [a_row(64000.1, checksum=1)])))
        elif happening == "right":
            list(state.take(a_frame("book", "snapshot", [a_row(64000.1, decimals=decimals)])))
        elif happening == "unreadable":
            list(state.take(a_frame("book", "snapshot", [{"symbol": "BTC/USD", "bids": 5}])))
        elif happening == "refused":
            refusal = {"method": "subscribe", "success": False, "error": "EGeneral:Too many"}
            list(state.take(orjson.dumps(refusal)))
        elif happening == "precision":
            decimals = 3 - decimals
            row = {"symbol": "BTC/USD", "status": "online", "price_precision": decimals}
            list(state.take(a_frame("instrument", "update", {"pairs": [row]})))
        requests += len(state.take_requests())
        clock.now += 0.04
    assert requests <= 40


# --- what is asked beside -----------------------------------------------------------------------


def a_gap(after=10, before=13, symbol="BTC/USD"):
    return TradeGap(symbol, after, datetime(2026, 7, 19, tzinfo=UTC), before)


def trades(*ids, last="9"):
    rows = [[f"{64000 + n}", "0.1", 1784483679.75 + n, "b", "m", "", n] for n in ids]
    return {"XXBTZUSD": rows, "last": last}


async def asking(*answers):
    """Return the trades found once every answer was used; an exception among them is raised."""
    left, done = list(answers), asyncio.Event()

    async def ask(_method, _parameters):
        answer = left.pop(0)
        if not left:
            done.set()
        if isinstance(answer, Exception):
            raise answer
        return answer

    missed = MissedTrades(ask)
    missed.add([a_gap()])
    running = asyncio.create_task(missed.run())
    async with asyncio.timeout(10):
        await done.wait()
        await asyncio.sleep(0)
    running.cancel()
    return [tick.trade_id for tick in missed.take_found()], missed.is_complete


@pytest.fixture
def no_pause(monkeypatch):
    monkeypatch.setattr("activities.pauses.GrowingPause.next", lambda _: 0.0)


async def test_gap_is_kept_until_its_question_is_answered(no_pause):
    throttled = RateLimitedError("EGeneral:Too many requests", "", retry_after_seconds=0.0)
    lost = ExchangeUnavailableError("lost")
    found = await asking(throttled, lost, throttled, trades(11, 12, 13))
    assert found == ([11, 12], True)


async def test_gap_is_kept_until_the_exchange_shows_its_end(no_pause):
    assert await asking(trades(), trades(11), trades(11, 12, 13)) == ([11, 12], True)


async def test_ids_that_the_exchange_never_gave_end_the_gap(no_pause):
    assert await asking(trades(11, 13)) == ([11], True)


async def test_gap_of_a_pair_that_is_gone_is_given_up(no_pause):
    unknown = OrderRejectedError("EQuery:Unknown asset pair", "EQuery:Unknown asset pair")
    assert await asking(unknown) == ([], True)


async def test_many_gaps_of_a_symbol_are_one_question():
    asked = []

    async def ask(_method, parameters):
        asked.append(parameters)
        return trades(*range(1, 50))

    found = asyncio.Event()
    missed = MissedTrades(ask, found.set)
    missed.add(a_gap(number, number + 2) for number in range(10, 40, 3))
    running = asyncio.create_task(missed.run())
    async with asyncio.timeout(10):
        await found.wait()
    running.cancel()
    assert len(asked) == 1
    assert [tick.trade_id for tick in missed.take_found()] == list(range(11, 41, 3))


# --- on a socket --------------------------------------------------------------------------------


@pytest.fixture
async def server():
    server = ScriptedExchange(PORTS)
    server.standing["AssetPairs"] = result(PAIRS)
    await server.start()
    yield server
    await server.stop()


TWO_PAIRS = {
    **PAIRS,
    "XETHZUSD": {**PAIRS["XXBTZUSD"], "altname": "ETHUSD", "wsname": "ETH/USD", "base": "XETH"},
}


async def test_throttled_question_neither_ends_the_stream_nor_is_forgotten(server, no_pause):
    def answer(asked):
        channel = asked["params"]["channel"]
        pairs = asked["params"].get("symbol", ())
        if channel == "book":
            return [
                json.loads(a_frame("book", "snapshot", [{**a_row(64000.1), "symbol": pair}]))
                for pair in pairs
            ]
        if channel == "trade":
            return [trade_frame("snapshot", 10, symbol=pair) for pair in pairs]
        return []

    server.on_subscribe = answer
    server.standing["AssetPairs"] = result(TWO_PAIRS)
    server.script("Trades", *[refusal("EGeneral:Too many requests")] * 3)
    server.standing["Trades"] = result(trades(11, 12, 13))
    feed = KrakenMarketFeed(server.url, server.ws_url, AllowedHosts.loopback(), silence_seconds=9.0)
    events, pushed = [], False
    async with aclosing(feed.events(["BTC/USD", "ETH/USD"], 1)) as stream, asyncio.timeout(20):
        async for event in stream:
            events.append(event)
            sound = {one.symbol for one in events if isinstance(one, FeedStatus)}
            if sound == {"BTC/USD", "ETH/USD"} and not pushed:
                pushed = True
                await server.push(trade_frame("update", 13))
                await server.push(trade_frame("update", 11, symbol="ETH/USD"))
            if ids(events, "BTC/USD") >= {11, 12, 13} and ids(events, "ETH/USD") >= {11}:
                break
    assert len(server.asked("Trades")) == 4
    assert feed.connections == 1
    for pair in ("BTC/USD", "ETH/USD"):
        of_it = [one for one in events if isinstance(one, FeedStatus) and one.symbol == pair]
        assert statuses(of_it) == [(True, "")]
    await feed.close()


def ids(events, symbol):
    return {one.trade_id for one in events if isinstance(one, Tick) and one.symbol == symbol}


async def test_feed_that_connects_anew_after_a_change_of_precision_has_the_new_book(server):
    """Kraken ends connections as it pleases; the pair got two decimals instead of one."""
    decimals = [1]

    def answer(asked):
        if asked["method"] != "subscribe" or asked["params"]["channel"] != "book":
            return []
        ask = 64750.1 if decimals[0] == 1 else 64750.13
        return [json.loads(a_frame("book", "snapshot", [a_row(ask, decimals=decimals[0])]))]

    def change():
        decimals[0] = 2
        row = {**PAIRS["XXBTZUSD"], "pair_decimals": 2, "tick_size": "0.01"}
        server.standing["AssetPairs"] = result({**PAIRS, "XXBTZUSD": row})

    server.on_subscribe = answer
    feed = KrakenMarketFeed(server.url, server.ws_url, AllowedHosts.loopback(), silence_seconds=9.0)
    seen, reconnected = [], False
    async with aclosing(feed.events(["BTC/USD"], 1)) as stream, asyncio.timeout(20):
        async for event in stream:
            seen.append(event)
            if isinstance(event, BestPrices) and not reconnected:
                assert event.ask == Decimal("64750.1")
                reconnected = True
                change()
                await server.sockets[-1].close()
            elif isinstance(event, BestPrices) and event.ask == Decimal("64750.13"):
                break
    assert feed.connections == 2
    assert statuses(seen)[-1] == (True, "")
    await feed.close()


def trade_frame(kind, *ids, symbol="BTC/USD"):
    base = {"symbol": symbol, "side": "buy", "qty": 0.1, "ord_type": "market", "timestamp": AT}
    rows = [{**base, "price": 64000.0 + number, "trade_id": number} for number in ids]
    return {"channel": "trade", "type": kind, "data": rows}

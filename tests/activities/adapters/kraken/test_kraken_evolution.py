"""Recorded messages, changed as an evolving API changes them, through the adapter's own readers."""

import asyncio
import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from activities.adapters.kraken.exchange import KrakenExchange
from activities.adapters.kraken.feed.public_feed import KrakenMarketFeed
from activities.adapters.kraken.feed.state import FeedState
from activities.adapters.kraken.limits.rate_budget import PRO, RateBudget
from activities.adapters.kraken.pair_rules import PairRules
from activities.adapters.kraken.stream.private_connection import PrivateConnection, StaleTokenError
from activities.adapters.kraken.stream.private_stream import PrivateStream
from activities.ports.exchange import ExecutionReport, StreamGap
from activities.ports.exchange_errors import (
    ExchangeError,
    ExchangeUnavailableError,
    UnknownOutcomeError,
)
from activities.ports.market import FeedStatus
from tests.support.evolution import evolved, frame, grown
from tests.support.kraken_rows import ASSETS, INSTRUMENTS, PAIRS, an_order
from tests.support.recordings import RECORDINGS, needs_recordings, websocket_frames

pytestmark = [needs_recordings, pytest.mark.recordings]
many = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None
)
LONG_AGO = datetime(2010, 1, 1, tzinfo=UTC)


def read(lines):
    return [json.loads(line, parse_float=Decimal) for line in lines]


BOOK = read(websocket_frames("book_BTC-USD_depth10_20260719T175439Z.jsonl")[:40])
PUBLIC = [
    *BOOK,
    *read(websocket_frames("samples_public_channels_2024.jsonl")),
    *read(websocket_frames("ticker_bbo_and_trade_BTC-USD_20260916.jsonl")),
]
PRIVATE = read(websocket_frames("samples_private_channels_2024.jsonl"))
EXECUTIONS = [one for one in PRIVATE if one.get("channel") == "executions"]
SNAPSHOT = next(one for one in BOOK if one.get("type") == "snapshot")


# --- public ------------------------------------------------------------------------------------


def a_state():
    state = FeedState(("BTC/USD", "ETH/USD"), 60, 10)
    state.learn_instruments({"BTC/USD": INSTRUMENTS["BTC/USD"], "ETH/USD": INSTRUMENTS["BTC/USD"]})
    return state


def told(state, messages):
    """Return what a state says of messages, without the moments of reception."""
    events = [event for one in messages for event in state.take(frame(one))]
    events += state.best_prices()
    return [
        {name: _read_out(name, getattr(event, name)) for name in event.__slots__}
        for event in events
    ]


def _read_out(name, value):
    if name == "book":
        return value()
    return None if name == "received_at" else value


@many
@given(st.data())
def test_public_frames_with_more_in_them_say_the_same(data):
    messages = data.draw(st.lists(st.sampled_from(PUBLIC), max_size=3).map(lambda m: [*BOOK, *m]))
    changed = [data.draw(grown(one)) for one in messages[:4]] + [
        data.draw(grown(one)) for one in messages[len(BOOK) :]
    ]
    same = messages[:4] + messages[len(BOOK) :]
    assert told(a_state(), changed) == told(a_state(), same)


@many
@given(st.data())
def test_no_public_frame_ends_the_feed_and_a_snapshot_heals_the_book(data):
    state = a_state()
    for one in BOOK[:6]:
        state.take(frame(one))
    for message in data.draw(st.lists(st.sampled_from(PUBLIC), min_size=1, max_size=3)):
        state.take(frame(data.draw(evolved(message))))
        list(state.best_prices())
    for request in state.take_requests():
        assert request["method"] in ("subscribe", "unsubscribe")
    state.take_gaps()
    state.take(frame({"channel": "status", "type": "update", "data": [{"system": "online"}]}))
    pair = {"symbol": "BTC/USD", "status": "online"}
    state.take(frame({"channel": "instrument", "type": "update", "data": {"pairs": [pair]}}))
    list(state.best_prices())
    before = state.checksum_failures
    state.take(frame(SNAPSHOT))
    assert state.checksum_failures == before
    best = {event.symbol: event for event in state.best_prices()}["BTC/USD"]
    levels = SNAPSHOT["data"][0]
    assert (best.bid, best.ask) == (levels["bids"][0]["price"], levels["asks"][0]["price"])


def test_a_book_that_cannot_be_read_is_told_and_asked_for_again():
    state = a_state()
    for one in BOOK[:6]:
        state.take(frame(one))
    update = {"channel": "book", "type": "update", "data": [{"symbol": "BTC/USD", "bids": 5}]}
    assert FeedStatus("BTC/USD", False, "unreadable") in state.take(frame(update))
    assert [one["method"] for one in state.take_requests()] == ["unsubscribe", "subscribe"]
    unreadable = {**SNAPSHOT, "data": [{**SNAPSHOT["data"][0], "asks": [{"price": "x"}]}]}
    state.take(frame(unreadable))
    assert state.take_requests() == []
    assert FeedStatus("BTC/USD", True, "") in state.take(frame(SNAPSHOT))


def test_a_trade_that_cannot_be_read_shows_as_a_gap():
    row = {"symbol": "BTC/USD", "price": 1.5, "qty": 1, "timestamp": "2026-01-01T00:00:00Z"}
    state = a_state()

    def trades(*rows):
        message = {"channel": "trade", "type": "update", "data": rows}
        return list(state.take(frame(message)))

    assert len(trades({**row, "trade_id": 1})) == 1
    kept = trades({**row, "trade_id": 2}, {**row, "trade_id": 3, "price": None})
    assert [tick.trade_id for tick in kept] == [2]
    trades({**row, "trade_id": 4})
    assert [(gap.after_id, gap.before_id) for gap in state.take_gaps()] == [(2, 4)]


def test_a_mode_of_tomorrow_is_not_online():
    state = a_state()
    state.take(frame(SNAPSHOT))
    system = {"channel": "status", "type": "update", "data": [{"system": "half_open"}]}
    assert FeedStatus("BTC/USD", False, "exchange is half_open") in state.take(frame(system))
    state.take(frame({**system, "data": [{"system": "online"}]}))
    pairs = [{"price": 1}, {"symbol": "BTC/USD", "status": "sleeping"}]
    told = state.take(frame({"channel": "instrument", "type": "update", "data": {"pairs": pairs}}))
    assert FeedStatus("BTC/USD", False, "pair is unknown") in told


# --- private -----------------------------------------------------------------------------------


def heard(stream, connection, message):
    """Return the events of a frame; a typed refusal of a subscription is one."""
    try:
        return list(stream._understood(connection, frame(message)))
    except (StaleTokenError, ExchangeError) as refusal:
        return [refusal]


def a_stream():
    return PrivateStream("ws://127.0.0.1:1", None, None, None)


def subscribed():
    connection = PrivateConnection("token", "connected")
    connection.awaited.clear()
    return connection


def plain(events):
    return [
        (event.kind, event.order, event.fill)
        if isinstance(event, ExecutionReport)
        else getattr(event, "balances", type(event))
        for event in events
    ]


@many
@given(st.data())
def test_private_frames_with_more_in_them_say_the_same(data):
    message = data.draw(st.sampled_from(PRIVATE))
    changed = data.draw(grown(message))
    assert plain(heard(a_stream(), subscribed(), changed)) == plain(
        heard(a_stream(), subscribed(), message)
    )


@many
@given(st.data())
def test_no_fill_is_lost_silently(data):
    message = data.draw(st.sampled_from(EXECUTIONS))
    executed = [e for e in message["data"] if e["exec_type"] == "trade"]
    index = data.draw(st.integers(0, len(message["data"]) - 1))
    changed = data.draw(evolved(message, within=("data", index)))
    stream, connection = a_stream(), subscribed()
    events = heard(stream, connection, changed)
    reports = [event for event in events if isinstance(event, ExecutionReport)]
    fills = [event.fill for event in reports if event.fill]
    entry = changed["data"][index]
    disguised = entry.get("exec_type") == "status" or not {"exec_id", "last_qty"} & entry.keys()
    if len(fills) < len(executed) and not disguised:
        assert any(isinstance(event, StreamGap) for event in events)
    for report in reports:
        assert report.order.quantity.is_finite()
        assert report.fill is None or report.fill.cost.is_finite()
    # What follows is heard as if nothing had been.
    after = {**EXECUTIONS[0], "type": "update", "sequence": message["sequence"] + 1}
    entry = {**EXECUTIONS[0]["data"][0], "exec_id": "T-AFTER", "order_id": "O-AFTER"}
    told = heard(stream, connection, {**after, "data": [entry]})
    assert [event.fill.execution_id for event in told if isinstance(event, ExecutionReport)] == [
        "T-AFTER"
    ]


@many
@given(st.data())
def test_no_private_frame_ends_the_stream_but_by_a_typed_error(data):
    stream, connection = a_stream(), PrivateConnection("token", "connected")
    for message in data.draw(st.lists(st.sampled_from(PRIVATE), min_size=1, max_size=4)):
        heard(stream, connection, data.draw(evolved(message)))


def test_an_unreadable_entry_of_the_snapshot_does_not_deafen_the_stream():
    stream, connection = a_stream(), PrivateConnection("token", "connected")
    connection.subscribe("executions")
    bad = {"order_id": "O1", "symbol": "BTC/USD", "side": "sideways", "order_status": "new"}
    snapshot = {"channel": "executions", "type": "snapshot", "sequence": 1, "data": [bad]}
    events = heard(stream, connection, snapshot)
    assert [type(event) for event in events] == [StreamGap, StreamGap]
    assert "executions" not in connection.awaited
    good = {**bad, "side": "buy", "order_qty": "1.5", "cum_qty": 0, "exec_type": "new"}
    update = {"channel": "executions", "type": "update", "sequence": 2, "data": [good]}
    (report,) = heard(stream, connection, update)
    assert report.order.quantity == Decimal("1.5")


@pytest.mark.parametrize(
    "entry",
    [
        {"exec_type": "bust", "exec_id": "T1", "last_qty": 1},
        {"exec_type": "trade", "last_qty": 1},
        {"exec_type": "status", "order_status": "suspended_by_tomorrow"},
    ],
)
def test_words_that_may_mean_money_are_asked_about(entry):
    known = {"order_id": "O1", "symbol": "BTC/USD", "side": "buy", "order_qty": 1}
    update = {
        "channel": "executions",
        "type": "update",
        "sequence": 1,
        "data": [{**known, **entry}],
    }
    report, gap = heard(a_stream(), subscribed(), update)
    assert isinstance(report, ExecutionReport)
    assert isinstance(gap, StreamGap)


# --- REST --------------------------------------------------------------------------------------


class Recorded:
    """A transport that answers with what it is given; further pages are empty."""

    def __init__(self, answers):
        self.answers = answers

    async def public(self, method, parameters=None):
        return self.answers[method]

    async def private(self, method, parameters, *_):
        if parameters.get("ofs"):
            return {"closed": {}, "trades": {}, "ledger": {}}
        return self.answers[method]

    def refuse_while_cooling(self, method="", *, urgent=False):
        del method, urgent

    async def is_there(self):
        return True


ANSWERS = {
    path: json.loads(path.read_text(), parse_float=Decimal).get("result")
    for path in sorted((RECORDINGS / "rest").glob("*/*.json"))
}


async def asked(method, answers):
    """Ask everything that reads an answer of this method; a typed error is an answer too."""
    exchange = KrakenExchange(Recorded(answers), RateBudget(PRO), lambda _: None)
    feed = KrakenMarketFeed.__new__(KrakenMarketFeed)
    feed._transport = Recorded(answers)
    feed.rules = PairRules(feed._transport.public, assets=False)
    questions = {
        "AssetPairs": [exchange.instruments, feed.instruments],
        "Assets": [exchange.instruments],
        "BalanceEx": [exchange.balances],
        "TradeVolume": [lambda: exchange.fees(["BTC/USD"])],
        "OpenOrders": [exchange.open_orders, lambda: exchange.find(an_order(), LONG_AGO)],
        "ClosedOrders": [
            lambda: exchange.closed_orders(LONG_AGO),
            lambda: exchange.find(an_order(), LONG_AGO),
        ],
        "QueryOrders": [lambda: exchange.query(["O1"])],
        "TradesHistory": [lambda: exchange.fills(None)],
        "QueryTrades": [lambda: exchange.fills_by_id(["T1"])],
        "Ledgers": [lambda: exchange.ledger(None)],
        "OHLC": [lambda: feed.history("BTC/USD", 60)],
        "AddOrder": [lambda: exchange.submit(an_order(), None)],
        "CancelOrderBatch": [lambda: exchange.cancel_many(["O1"])],
        "GetWebSocketsToken": [exchange.websocket_token],
    }
    said = []
    for question in questions.get(method, []):
        try:
            said.append(await question())
        except ExchangeError as error:
            said.append(type(error))
    return said


STANDING = {
    "AssetPairs": PAIRS,
    "Assets": ASSETS,
    "OpenOrders": {"open": {}},
    "ClosedOrders": {"closed": {}, "count": 0},
    "CancelOrderBatch": {"count": 1},
    "GetWebSocketsToken": {"token": "a-token", "expires": 900},
    "BalanceEx": {"ZUSD": {"balance": "100.5", "hold_trade": "0"}, "XBT.F": {"balance": "1"}},
}
REST = [
    (path.name.split("_")[0], answer)
    for path, answer in ANSWERS.items()
    if answer and path.stat().st_size < 60_000
]
REST += [("QueryOrders", answer["open"]) for method, answer in REST if method == "OpenOrders"]
REST += list(STANDING.items())


@many
@given(st.data())
def test_rest_answers_with_more_in_them_say_the_same(data):
    method, answer = data.draw(st.sampled_from(REST))
    changed = data.draw(grown(answer))
    assert asyncio.run(asked(method, {**STANDING, method: changed})) == asyncio.run(
        asked(method, {**STANDING, method: answer})
    )


@many
@given(st.data())
def test_rest_answers_are_read_or_are_a_typed_error(data):
    method, answer = data.draw(st.sampled_from(REST))
    changed = data.draw(evolved(answer))
    asyncio.run(asked(method, {**STANDING, method: changed}))


LOST = (ExchangeUnavailableError, UnknownOutcomeError)


@pytest.mark.parametrize("answer", [None, [], "", "ok", 5, {"tomorrow": {}}])
@pytest.mark.parametrize("method", sorted(STANDING))
async def test_an_answer_of_another_shape_is_a_lost_one_and_never_empty(method, answer):
    for said in await asked(method, {**STANDING, method: answer}):
        if method == "Assets" and answer == {"tomorrow": {}}:
            assert said  # an asset that no pair is made of is no news
        else:
            assert said in LOST


def test_an_order_in_a_state_of_tomorrow_is_there_and_not_final():
    row = {
        "status": "resting_in_tomorrow",
        "descr": {"pair": "XBTUSD", "type": "buy", "ordertype": "peg", "price": "1"},
        "vol": "1",
        "vol_exec": "0",
        "cl_ord_id": an_order().client_order_id,
    }
    (found,) = asyncio.run(asked("OpenOrders", {**STANDING, "OpenOrders": {"open": {"O1": row}}}))[
        1
    ]
    assert found.order_id == "O1"
    assert not found.status.is_final

"""Every recorded message parses without loss."""

import json
from decimal import Decimal

import orjson
import pytest

from activities.adapters.kraken.errors import Operation, classify
from activities.adapters.kraken.feed.book import Book
from activities.adapters.kraken.feed.state import FeedState
from activities.adapters.kraken.instruments import (
    closed_candles,
    fee_rates,
    moment,
    usd_spot_instruments,
)
from activities.adapters.kraken.rest import orders as wire
from activities.adapters.kraken.stream.order_views import OrderViews
from activities.adapters.kraken.stream.private_connection import PrivateConnection
from activities.adapters.kraken.stream.private_stream import PrivateStream
from activities.adapters.kraken.symbols import SymbolTable
from activities.ports.exchange import BalanceReport, ExecutionReport, StreamGap
from activities.ports.exchange_errors import CredentialsError, OrderRejectedError
from activities.ports.market import BarClosed, BestPrices, FeedStatus, Tick
from models.trading.instruments import Instrument
from models.trading.orders import OrderStatus, OrderType, Side
from tests.support.recordings import needs_recordings, rest_answer, rest_files, websocket_frames

pytestmark = [needs_recordings, pytest.mark.recordings]

BOOK_FILE = "book_BTC-USD_depth10_20260719T175439Z.jsonl"


@pytest.fixture(scope="module")
def symbols():
    pairs = {
        **rest_answer("public/AssetPairs_20200714T130543Z_assetpairs.json"),
        **rest_answer("public/AssetPairs_20210417.json"),
    }
    return SymbolTable(pairs, rest_answer("public/Assets_20200715T143210Z_ledger.json"))


def an_instrument(symbol: str = "BTC/USD") -> Instrument:
    return Instrument(
        symbol=symbol,
        base=symbol.partition("/")[0],
        quote="USD",
        rest_id=symbol,
        price_precision=1,
        price_increment=Decimal("0.1"),
        quantity_precision=8,
        quantity_minimum=Decimal("0.0001"),
        cost_precision=5,
        cost_minimum=Decimal("0.5"),
    )


# --- WebSocket, public -------------------------------------------------------------------------


def test_every_checksum_of_the_recorded_book_reproduces():
    state = FeedState(("BTC/USD",), 1, 10)
    state.learn_instruments({"BTC/USD": an_instrument()})
    events = []
    books = 0
    for frame in websocket_frames(BOOK_FILE):
        events += state.take(frame)
        prices = list(state.best_prices())
        assert len(prices) <= 1
        books += len(prices)
    assert state.checksum_failures == state.unreadable_frames == 0
    assert events == [FeedStatus("BTC/USD", True, "")]
    assert books == 1254


def test_book_keeps_the_numbers_of_the_wire():
    frames = [json.loads(line, parse_float=Decimal) for line in websocket_frames(BOOK_FILE)]
    snapshot = next(one for one in frames if one.get("type") == "snapshot")["data"][0]
    book = Book(1, 8, 10)
    assert book.replace(snapshot)
    bids, asks = book.levels()
    assert bids == [(level["price"], level["qty"]) for level in snapshot["bids"]]
    assert asks == [(level["price"], level["qty"]) for level in snapshot["asks"]]
    assert f"{bids[0][1]:f}" == "0.53807066"


def test_a_changed_digit_breaks_the_checksum():
    frames = [orjson.loads(line) for line in websocket_frames(BOOK_FILE)]
    snapshot = next(one for one in frames if one.get("type") == "snapshot")["data"][0]
    snapshot["asks"][9]["qty"] += 0.00000001
    assert not Book(1, 8, 10).replace(snapshot)


def test_public_samples_parse():
    names = ("BTC/USD", "ETH/USD", "EUR/USD")
    state = FeedState(names, 60, 10)
    state.learn_instruments({name: an_instrument(name) for name in names})
    frames = websocket_frames("samples_public_channels_2024.jsonl")
    # The samples' books are shortened on purpose: their checksums cannot agree.
    events = [event for frame in frames for event in state.take(frame)]
    events += state.best_prices()
    assert state.unreadable_frames == 0
    statuses = [event for event in events if isinstance(event, FeedStatus)]
    assert any("maintenance" in status.reason for status in statuses)
    assert [event for event in events if isinstance(event, Tick)] != []


def test_ticker_and_trade_capture_parses_to_ticks():
    state = FeedState(("BTC/USD",), 1, 10)
    frames = websocket_frames("ticker_bbo_and_trade_BTC-USD_20260916.jsonl")
    ticks = [event for frame in frames for event in state.take(frame) if isinstance(event, Tick)]
    assert state.unreadable_frames == 0
    assert ticks[0].price == Decimal("75920.6")
    assert ticks[0].quantity == Decimal("0.00188123")
    assert ticks[0].exchange_time.isoformat() == "2026-09-16T12:48:24.551288+00:00"
    assert [tick.trade_id for tick in ticks] == sorted({tick.trade_id for tick in ticks})


def test_recorded_bars_close_when_a_newer_one_begins():
    state = FeedState(("ETH/USD",), 1, 10)
    frames = websocket_frames("samples_public_channels_2024.jsonl")
    bars = [
        event for frame in frames for event in state.take(frame) if isinstance(event, BarClosed)
    ]
    assert state.unreadable_frames == 0
    assert bars
    assert all(bar.candle.symbol == "ETH/USD" for bar in bars)


# --- WebSocket, private ------------------------------------------------------------------------


def private_events(frames):
    stream = PrivateStream("ws://127.0.0.1:1", None, None, None)
    for frame in frames:
        connection = PrivateConnection("token", "connected")
        message = json.loads(frame)
        if message.get("type") == "update":
            connection.awaited.clear()
        try:
            yield from stream._take(connection, frame)
        except (CredentialsError, OrderRejectedError) as refused:
            yield refused


def test_private_samples_parse():
    events = list(private_events(websocket_frames("samples_private_channels_2024.jsonl")))
    executions = [event for event in events if isinstance(event, ExecutionReport)]
    assert [event.kind for event in executions] == ["trade"] * 4 + ["status"] * 2
    trade = executions[0]
    assert trade.snapshot
    assert trade.fill is not None
    assert trade.fill.fee == Decimal("0.04051")
    assert trade.fill.cost == Decimal("10.12445")
    assert trade.order.status is OrderStatus.CLOSED
    assert executions[1].fill is not None
    assert executions[1].fill.maker
    stop = executions[-1].order
    assert stop.order_type is OrderType.STOP_LOSS_LIMIT
    assert stop.trigger_price == Decimal("0.2")
    assert stop.quantity == Decimal("81.36256082")
    # Canceled, new and amended of the samples are about orders that they never described.
    unknown = [event for event in events if isinstance(event, StreamGap)]
    assert len([gap for gap in unknown if "unknown order" in gap.reason]) == 3
    balances = [event for event in events if isinstance(event, BalanceReport)]
    assert balances[0].balances["USD"] == Decimal("1.34")
    assert balances[0].balances["BRICK"] == Decimal("439.9736")
    assert balances[1].balances == {"USD": Decimal("118.0677")}


def test_sparse_entries_complete_each_other():
    views = OrderViews()
    now = moment(0)
    frames = [
        json.loads(f, parse_float=Decimal)
        for f in websocket_frames("samples_private_channels_2024.jsonl")
    ]
    entries = [entry for f in frames if f.get("channel") == "executions" for entry in f["data"]]
    pending = next(entry for entry in entries if entry["exec_type"] == "pending_new")
    order_id = pending["order_id"]
    views.take(pending, snapshot=False, sequence=1, received_at=now)
    sparse = {
        "order_id": order_id,
        "exec_type": "new",
        "order_status": "new",
        "timestamp": pending["timestamp"],
    }
    report = views.take(sparse, snapshot=False, sequence=2, received_at=now)
    assert report is not None
    assert report.kind == "new"
    assert report.order.symbol == "ADX/USD"
    assert report.order.quantity == Decimal("81.36256082")
    assert report.order.limit_price == Decimal("0.18328")
    assert report.order.opened_at is not None


# --- REST --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", rest_files("private", "*Orders_*.json"), ids=lambda path: path.name
)
def test_recorded_orders_parse(path, symbols):
    envelope = json.loads(path.read_text(), parse_float=Decimal)
    if envelope["error"]:
        assert isinstance(classify(envelope["error"][0], Operation.READ), CredentialsError)
        return
    rows = next(iter(envelope["result"].values()))
    for order_id, row in rows.items():
        report = wire.report_from_rest(order_id, row, symbols)
        assert report.order_id == order_id
        assert report.status.value == row["status"]
        assert report.side.value == row["descr"]["type"]
        assert "/" in report.symbol or report.symbol == row["descr"]["pair"]
        assert report.quantity == Decimal(row["vol"])
        assert report.opened_at == moment(row["opentm"])


def test_recorded_stop_shows_its_trigger(symbols):
    rows = rest_answer("private/ClosedOrders_20200716T134119Z_orders.json")["closed"]
    stop = wire.report_from_rest(
        "OUWS", next(r for r in rows.values() if r["descr"]["ordertype"] == "stop-loss"), symbols
    )
    assert stop.symbol == "XTZ/EUR"
    assert stop.trigger_price == Decimal("1.4800")
    assert stop.limit_price is None
    assert stop.closed_at is not None


def test_recorded_trades_and_ledger_parse(symbols):
    trades = rest_answer("private/TradesHistory_xchange.json")["trades"]
    fills = [wire.fill_from_rest(name, row, symbols) for name, row in trades.items()]
    assert [fill.symbol for fill in fills] == ["LTC/BTC", "BTC/USD", "BTC/USD"]
    assert fills[0].side is Side.SELL
    assert fills[0].exchange_time.isoformat() == "2014-01-07T05:19:02.208900+00:00"
    ledger = rest_answer("private/Ledgers_xchange.json")["ledger"]
    entries = [wire.ledger_entry(name, row, symbols) for name, row in ledger.items()]
    assert [entry.asset for entry in entries][1:6] == ["BTC", "LTC", "LTC", "BTC", "BTC"]
    assert entries[3].amount == Decimal("16.0378100000")


def test_recorded_fees_are_shares(symbols):
    rates = fee_rates(rest_answer("private/TradeVolume_xchange.json"), symbols)
    assert rates["BTC/USD"].taker == Decimal("0.003")
    assert rates["BTC/USD"].maker == Decimal("0.0016")
    assert fee_rates(rest_answer("private/TradeVolume_allpairs_xchange.json"), symbols)


@pytest.mark.parametrize(
    "path", rest_files("public", "AssetPairs_*.json"), ids=lambda path: path.name
)
def test_recorded_pairs_parse(path):
    pairs = json.loads(path.read_text(), parse_float=Decimal)["result"]
    instruments = usd_spot_instruments(pairs)
    usd = [row for row in pairs.values() if row["quote"] == "ZUSD" and row.get("wsname")]
    assert len(instruments) == len(usd)
    assert all(one.is_spot_usd for one in instruments.values())
    if "XXBTZUSD" in pairs and pairs["XXBTZUSD"].get("wsname"):
        bitcoin = instruments["BTC/USD"]
        assert bitcoin.rest_id == "XXBTZUSD"
        assert bitcoin.price_increment == Decimal("0.1")


def test_names_come_from_tables_and_never_from_a_blind_strip(symbols):
    assert symbols.symbol("XXBTZUSD") == symbols.symbol("XBTUSD") == "BTC/USD"
    assert symbols.symbol("XBT/USD") == symbols.symbol("BTC/USD") == "BTC/USD"
    assert symbols.symbol("XDGUSD") == "DOGE/USD"
    assert symbols.symbol("XTZUSD") == "XTZ/USD"
    assert symbols.wallet("XXBT").name == "BTC"
    assert symbols.wallet("ZUSD").name == "USD"
    assert symbols.wallet("XXDG").name == "DOGE"
    assert symbols.wallet("XTZ").name == "XTZ"
    assert symbols.wallet("XBT.F").name == "BTC.F"
    assert symbols.wallet("ETH.S").name == "ETH.S"
    assert symbols.wallet("XBT.F").counted_as == "BTC"
    assert symbols.wallet("ETH.S").counted_as == "ETH.S"
    assert symbols.wallet("NEWCOIN").name == "NEWCOIN"


@pytest.mark.parametrize("path", rest_files("public", "OHLC_*.json"), ids=lambda path: path.name)
def test_recorded_history_has_no_forming_bar(path):
    answer = json.loads(path.read_text(), parse_float=Decimal)["result"]
    rows = next(value for key, value in answer.items() if key != "last")
    bars = closed_candles(answer, "ETH/CAD", 60)
    traded = [row for row in rows[:-1] if row[7]]
    assert [bar.start for bar in bars] == [moment(row[0]) for row in traded]
    assert all(bar.low <= bar.open <= bar.high for bar in bars)


def test_best_prices_of_the_recorded_book():
    state = FeedState(("BTC/USD",), 1, 10)
    state.learn_instruments({"BTC/USD": an_instrument()})
    for frame in websocket_frames(BOOK_FILE)[:4]:
        list(state.take(frame))
    assert list(state.best_prices()) == [
        BestPrices(
            symbol="BTC/USD",
            bid=Decimal("64525.0"),
            bid_quantity=Decimal("0.53807066"),
            ask=Decimal("64525.1"),
            ask_quantity=Decimal("0.01077490"),
            depth_quantity=Decimal("2.46995403"),
            exchange_time=moment("1784483679.753424"),
        )
    ]

import json
from datetime import timedelta

import pytest

from models.trading.instruments import InstrumentStatus
from tests.support.public_market import START, OpenMarket
from tests.support.public_server import a_public_server
from tests.support.recordings import RECORDINGS, needs_recordings

BIDS = [("99.9", "2"), ("99.8", "0.0001")]
ASKS = [("100.1", "1.2345"), ("100.2", "3")]


def a_market(trades=5):
    market = OpenMarket()
    for number in range(trades):
        market.move(
            START + timedelta(seconds=20 * number),
            prints=[("buy", f"{100 + number}", "0.5"), ("sell", f"{99 + number}", "0.25")],
            bids=BIDS,
            asks=ASKS,
        )
    return market


@pytest.fixture
async def server():
    async with a_public_server(a_market()) as running:
        yield running


@pytest.mark.parametrize(
    ("sent", "key"),
    [
        ("XXBTZUSD", "XXBTZUSD"),
        ("XBTUSD", "XXBTZUSD"),
        ("XBT/USD", "XXBTZUSD"),
        ("BTCUSD", "XXBTZUSD"),
        ("BTC/USD", "BTC/USD"),
    ],
)
async def test_public_rest_answers_under_the_key_that_the_spelling_calls_for(server, sent, key):
    for method in ("Ticker", "OHLC", "Depth", "Trades", "Spread", "AssetPairs"):
        assert set(await server.result(method, pair=sent)) - {"last"} == {key}


@pytest.mark.parametrize(
    ("method", "query", "error"),
    [
        ("Ticker", {"pair": "NOPE"}, "EQuery:Unknown asset pair"),
        ("Ticker", {"pair": "XBTUSD,NOPE"}, "EQuery:Unknown asset pair"),
        ("AssetPairs", {"pair": "NOPE"}, "EQuery:Unknown asset pair"),
        ("OHLC", {"pair": "NOPE"}, "EQuery:Unknown asset pair"),
        ("OHLC", {}, "EGeneral:Invalid arguments"),
        ("OHLC", {"pair": "XBTUSD", "interval": "7"}, "EGeneral:Invalid arguments:interval"),
        ("OHLC", {"pair": "XBTUSD", "interval": "x"}, "EGeneral:Invalid arguments:interval"),
        ("OHLC", {"pair": "XBTUSD", "since": "x"}, "EGeneral:Invalid arguments:since"),
        ("Depth", {"pair": "XBTUSD", "count": "0"}, "EGeneral:Invalid arguments:count"),
        ("Depth", {"pair": "XBTUSD", "count": "501"}, "EGeneral:Invalid arguments:count"),
        ("Trades", {"pair": "XBTUSD", "count": "1001"}, "EGeneral:Invalid arguments:count"),
        ("Trades", {"pair": "XBTUSD", "since": "NaN"}, "EGeneral:Invalid arguments:since"),
        ("Assets", {"asset": "NOPE"}, "EQuery:Unknown asset"),
        ("Assets", {"aclass": "equity"}, "EQuery:Unknown asset class"),
        ("AssetPairs", {"info": "fee"}, "EGeneral:Invalid arguments:info"),
        ("Nothing", {}, "EGeneral:Unknown method"),
    ],
)
async def test_public_rest_refuses_with_http_200_and_krakens_words(server, method, query, error):
    assert await server.public(method, **query) == {"error": [error]}


async def test_public_rest_post_is_not_allowed(server):
    url = f"http://127.0.0.1:{server.port}/0/public/Time"
    async with server.session.post(url) as answer:
        assert answer.status == 405


async def test_time_is_protocol_time_and_candles_are_market_time(server):
    now = (await server.result("Time"))["unixtime"]
    assert abs(now - server.clock.seconds()) < 5
    rows = (await server.result("OHLC", pair="XBTUSD"))["XXBTZUSD"]
    assert rows[0][0] == int(START.timestamp())


async def test_ohlc_last_row_is_forming_and_last_is_the_last_committed_start(server):
    answer = await server.result("OHLC", pair="XBTUSD", interval=1)
    rows, begin = answer["XXBTZUSD"], int(START.timestamp())
    assert rows == [
        [begin, "100.0", "102.0", "99.0", "101.0", "100.7", "2.25000000", 6],
        [begin + 60, "103.0", "104.0", "102.0", "103.0", "103.2", "1.50000000", 4],
    ]
    assert answer["last"] == begin
    newer = await server.result("OHLC", pair="XBTUSD", interval=1, since=answer["last"])
    assert newer["XXBTZUSD"] == rows[1:]


async def test_ohlc_answers_at_most_720_rows_whatever_since():
    market = a_market(1)
    later = START + timedelta(minutes=2000)
    market.move(later, prints=[("buy", "101", "1")], bids=BIDS, asks=ASKS)
    async with a_public_server(market) as server:
        rows = (await server.result("OHLC", pair="XBTUSD", since=0))["XXBTZUSD"]
        assert len(rows) == 720
        assert rows[-1][0] == int(later.timestamp())
        assert rows[0][7] == 0


async def test_trades_page_forward_by_the_cursor_without_gap_or_repeat(server):
    seen, since = [], "0"
    while True:
        answer = await server.result("Trades", pair="XBTUSD", since=since, count=3)
        if not answer["XXBTZUSD"]:
            break
        seen += [row[6] for row in answer["XXBTZUSD"]]
        since = answer["last"]
    assert answer["last"] == since
    assert seen == list(range(1, 11))
    seconds = int(START.timestamp()) + 70
    recent = await server.result("Trades", pair="XBTUSD", since=seconds)
    assert [row[6] for row in recent["XXBTZUSD"]] == [9, 10]


async def test_depth_count_limits_each_side_best_first(server):
    book = (await server.result("Depth", pair="XBTUSD", count=1))["XXBTZUSD"]
    second = int(START.timestamp())
    assert book == {
        "asks": [["100.10000", "1.235", second]],
        "bids": [["99.90000", "2.000", second]],
    }


async def test_asset_pairs_views_and_status_follow_the_venue(server):
    server.market.venue.set_pair_status("BTC/USD", InstrumentStatus.POST_ONLY)
    row = (await server.result("AssetPairs", pair="XBTUSD"))["XXBTZUSD"]
    assert row["status"] == "post_only"
    assert (row["fees"], row["fees_maker"]) == ([], [])
    assert (row["ordermin"], row["costmin"], row["tick_size"]) == ("0.00005", "0.5", "0.1")
    views = {
        "leverage": {"leverage_buy", "leverage_sell"},
        "fees": {"fees", "fees_maker", "fee_volume_currency"},
        "margin": {"margin_call", "margin_stop"},
    }
    for info, fields in views.items():
        row = (await server.result("AssetPairs", pair="XBTUSD", info=info))["XXBTZUSD"]
        assert set(row) == fields


async def test_system_status_is_the_venues(server):
    server.market.venue.set_system_status("post_only")
    assert (await server.result("SystemStatus"))["status"] == "post_only"


async def test_scripted_faults_strike_public_requests(server):
    server.faults.add(
        "error", {"match": {"method": "Ticker"}, "params": {"error": "EService:Busy"}}
    )
    assert await server.public("Ticker", pair="XBTUSD") == {"error": ["EService:Busy"]}
    assert (await server.public("Ticker", pair="XBTUSD"))["error"] == []


def shape(value):
    """Return the JSON types of a value; of a list of equal rows, that of the first."""
    if isinstance(value, dict):
        return {key: shape(field) for key, field in value.items()}
    if isinstance(value, list):
        shapes = [shape(item) for item in value]
        return shapes[:1] if shapes and all(one == shapes[0] for one in shapes) else shapes
    return type(value).__name__


def recorded_result(name):
    body = json.loads((RECORDINGS / "rest" / "public" / f"{name}.json").read_text())
    assert body["error"] == []
    return body["result"]


@needs_recordings
@pytest.mark.recordings
@pytest.mark.parametrize(
    ("recording", "method", "query"),
    [
        ("Time_20190830T152641Z_time", "Time", {}),
        ("Ticker_20200714T131722Z_assetpairs_ticker", "Ticker", {"pair": "XBTUSD"}),
        ("OHLC_20200714T133910Z_assetpairs_ohlcv", "OHLC", {"pair": "XBTUSD"}),
        ("Depth_xchange", "Depth", {"pair": "XBTUSD"}),
        ("Spread_xchange", "Spread", {"pair": "XBTUSD"}),
    ],
)
async def test_public_rest_answers_have_the_recorded_shape(server, recording, method, query):
    recorded, ours = recorded_result(recording), await server.result(method, **query)
    assert pair_shape(ours) == pair_shape(recorded)


@needs_recordings
@pytest.mark.recordings
async def test_trades_have_the_recorded_shape_and_the_newer_trade_number(server):
    recorded = pair_shape(recorded_result("Trades_xchange"))
    ours = pair_shape(await server.result("Trades", pair="XBTUSD"))
    assert ours["last"] == recorded["last"] == "str"
    assert ours["pair"] == [[*recorded["pair"][0], "int"]]


@needs_recordings
@pytest.mark.recordings
@pytest.mark.parametrize(
    ("recording", "method"),
    [
        ("AssetPairs_20210417", "AssetPairs"),
        ("AssetPairs_20200714T130543Z_assetpairs", "AssetPairs"),
        ("Assets_20200714T091624Z_assets", "Assets"),
    ],
)
async def test_reference_data_has_every_recorded_field_in_its_type(server, recording, method):
    recorded, ours = recorded_result(recording), await server.result(method)
    newer = {"cost_decimals", "costmin", "tick_size", "status", "execution_venue",
             "long_position_limit", "short_position_limit", "collateral_value", "margin_rate",
             "ordermin"}  # fmt: skip
    for key, row in ours.items():
        if key not in recorded:
            continue
        then = shape(recorded[key])
        now = shape(row)
        for field in ("fees", "fees_maker"):  # once tables, now always empty
            assert now.pop(field, []) == []
            then.pop(field, None)
        then.pop("leverage_buy", None), then.pop("leverage_sell", None)
        assert {field: now[field] for field in then} == then
        assert set(now) - set(then) <= newer | {"leverage_buy", "leverage_sell"}


def pair_shape(result):
    """Return the shape with the pair's own key (whichever it is) called ``pair``."""
    known = {
        key: shape(value) for key, value in result.items() if key in ("last", "unixtime", "rfc1123")
    }
    rows = [value for key, value in result.items() if key not in known]
    return {**known, **({"pair": shape(rows[0])} if rows else {})}

from datetime import timedelta
from itertools import pairwise

import pytest

from tests.support.public_market import START, OpenMarket
from tests.support.public_server import a_public_server
from workers.exchange.coingecko.errors import Limiter

API = "/coingecko/api/v3"
UNLIMITED = Limiter(demo_calls=10_000, keyless_calls=10_000)
MARKET_FIELDS = {
    "id", "symbol", "name", "image", "current_price", "market_cap", "market_cap_rank",
    "fully_diluted_valuation", "total_volume", "high_24h", "low_24h", "price_change_24h",
    "price_change_percentage_24h", "market_cap_change_24h", "market_cap_change_percentage_24h",
    "circulating_supply", "total_supply", "max_supply", "ath", "ath_change_percentage", "ath_date",
    "atl", "atl_change_percentage", "atl_date", "roi", "last_updated",
}  # fmt: skip


def a_market(days=100):
    market = OpenMarket(["BTC/USD", "ETH/USD"])
    for hour in range(24 * days + 1):
        price = str(50000 + hour)
        quotes = {"bids": [(price, "1")], "asks": [(str(50001 + hour), "1")]}
        at = START + timedelta(hours=hour)
        market.move(at, prints=[("sell", price, "2")], **quotes)
        market.move(at, "ETH/USD", prints=[("sell", "3000.5", "2")])
    return market


@pytest.fixture(scope="module")
def market():
    return a_market()


@pytest.fixture
async def server(market):
    async with a_public_server(market, UNLIMITED) as running:
        yield running


async def ask(server, path, **query):
    status, body = await server.get(API + path, **query)
    assert status == 200, body
    return body


async def test_coingecko_ping_and_list(server):
    assert await ask(server, "/ping") == {"gecko_says": "(V3) To the Moon!"}
    assert await ask(server, "/coins/list") == [
        {"id": "bitcoin", "symbol": "btc", "name": "Bitcoin"},
        {"id": "ethereum", "symbol": "eth", "name": "Ethereum"},
    ]


async def test_coingecko_simple_price_leaves_unknown_ids_out(server):
    answer = await ask(
        server,
        "/simple/price",
        ids="bitcoin,nothing",
        vs_currencies="usd",
        include_market_cap="true",
        include_24hr_vol="true",
        include_24hr_change="true",
        include_last_updated_at="true",
    )
    assert set(answer) == {"bitcoin"}
    row = answer["bitcoin"]
    assert row["usd"] == 52400
    assert row["last_updated_at"] == int((START + timedelta(days=100)).timestamp())
    assert set(row) == {"usd", "usd_market_cap", "usd_24h_vol", "usd_24h_change", "last_updated_at"}
    assert await ask(server, "/simple/price", ids="nothing", vs_currencies="usd") == {}


async def test_coingecko_markets_have_every_field_and_end_with_an_empty_page(server):
    rows = await ask(
        server,
        "/coins/markets",
        vs_currency="usd",
        sparkline="true",
        price_change_percentage="1h,7d",
    )
    changes = {f"price_change_percentage_{p}_in_currency" for p in ("1h", "7d")}
    assert set(rows[0]) == MARKET_FIELDS | {"sparkline_in_7d"} | changes
    assert [row["market_cap_rank"] for row in rows] == [1, 2]
    assert len(rows[0]["sparkline_in_7d"]["price"]) == 168
    assert await ask(server, "/coins/markets", vs_currency="usd", page="2") == []
    by_id = await ask(server, "/coins/markets", vs_currency="usd", order="id_desc", per_page="1")
    assert [row["id"] for row in by_id] == ["ethereum"]


@pytest.mark.parametrize(("days", "spacing"), [(1, 300), (7, 3600), (90, 3600), (100, 86_400)])
async def test_coingecko_chart_granularity_follows_its_length(server, days, spacing):
    chart = await ask(server, "/coins/bitcoin/market_chart", vs_currency="usd", days=str(days))
    assert set(chart) == {"prices", "market_caps", "total_volumes"}
    times = [at for at, _ in chart["prices"]]
    assert times == sorted(times)
    assert len({len(series) for series in chart.values()}) == 1
    assert times[-1] == int((START + timedelta(days=100)).timestamp()) * 1000
    steps = [b - a for a, b in pairwise(times[:-1])]
    assert all(abs(step - spacing * 1000) <= 16_000 for step in steps)


async def test_coingecko_daily_points_are_exact_and_the_newest_day_is_late(server):
    chart = await ask(
        server, "/coins/bitcoin/market_chart", vs_currency="usd", days="10", interval="daily"
    )
    *days, now = [at for at, _ in chart["prices"]]
    assert all(at % 86_400_000 == 0 for at in days)
    assert days[-1] == now - 86_400_000  # midnight itself appears 35 minutes later


async def test_coingecko_volumes_are_trailing_days(server):
    chart = await ask(server, "/coins/ethereum/market_chart", vs_currency="usd", days="7")
    volumes = [volume for _, volume in chart["total_volumes"]]
    assert volumes[0] == pytest.approx(24 * 2 * 3000.5)


async def test_coingecko_range_takes_seconds_and_dates(server):
    first = int((START + timedelta(days=10)).timestamp())
    about = {"vs_currency": "usd"}
    path = "/coins/bitcoin/market_chart/range"
    seconds = await ask(server, path, **about, **{"from": str(first), "to": str(first + 86_400)})
    dates = await ask(server, path, **about, **{"from": "2026-01-11", "to": "2026-01-12"})
    assert seconds == dates
    assert len(seconds["prices"]) == 25


async def test_coingecko_candles_carry_their_close_time(server):
    path, about = "/coins/bitcoin/ohlc", {"vs_currency": "usd"}
    for days, spacing in (("1", 1800), ("7", 14_400), ("90", 4 * 86_400)):
        rows = await ask(server, path, **about, days=days)
        assert all(len(row) == 5 for row in rows)
        closes = [row[0] // 1000 for row in rows]
        assert {b - a for a, b in pairwise(closes[:-1])} == {spacing}
        for _, opening, high, low, close in rows:
            assert low <= min(opening, close) <= max(opening, close) <= high


async def test_coingecko_charts_are_cached_and_prices_are_not():
    market = a_market(1)
    async with a_public_server(market, UNLIMITED) as server:
        path, about = "/coins/bitcoin/market_chart", {"vs_currency": "usd", "days": "7"}
        before = await ask(server, path, **about)
        market.move(
            START + timedelta(hours=24, minutes=10),
            prints=[("buy", "99999", "1")],
            bids=[("1", "1")],
            asks=[("2", "1")],
        )
        price = await ask(server, "/simple/price", ids="bitcoin", vs_currencies="usd")
        assert price["bitcoin"]["usd"] == 99999
        assert await ask(server, path, **about) == before
        market.move(START + timedelta(hours=24, minutes=31), prints=[("buy", "99998", "1")])
        after = await ask(server, path, **about)
        assert after["prices"][-1][1] == 99998


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("/coins/nothing/ohlc", {"vs_currency": "usd", "days": "1"}, 404),
        ("/coins/bitcoin/market_chart", {"days": "1"}, 422),
        ("/coins/bitcoin/market_chart", {"vs_currency": "usd"}, 422),
        ("/coins/bitcoin/market_chart", {"vs_currency": "xyz", "days": "1"}, 400),
        ("/coins/bitcoin/market_chart", {"vs_currency": "usd", "days": "-1"}, 400),
        ("/coins/bitcoin/ohlc", {"vs_currency": "usd", "days": "8"}, 400),
        ("/coins/markets", {"vs_currency": "usd", "per_page": "251"}, 400),
        ("/simple/price", {"vs_currencies": "usd"}, 422),
        ("/key", {}, 401),
    ],
)
async def test_coingecko_refusals(server, path, query, status):
    answered, body = await server.get(API + path, **query)
    assert answered == status
    if status == 404:
        assert body == {"error": "coin not found"}


@pytest.mark.parametrize("days", ["366", "max"])
async def test_coingecko_history_beyond_a_year_is_refused_with_10012(server, days):
    path = f"{API}/coins/bitcoin/market_chart"
    status, body = await server.get(path, vs_currency="usd", days=days)
    assert status == 401
    assert body["error"]["status"]["error_code"] == 10012
    old = {"from": "1000000000", "to": "1700000000"}
    status, body = await server.get(f"{path}/range", vs_currency="usd", **old)
    assert (status, body["error"]["status"]["error_code"]) == (401, 10012)


async def test_coingecko_rate_limit_counts_failed_calls_and_says_when_to_retry():
    async with a_public_server(a_market(0), Limiter(demo_calls=3, keyless_calls=2)) as server:
        server.clock.offset = 30 - server.clock.seconds() % 60  # half a minute is left
        url = f"http://127.0.0.1:{server.port}{API}"
        assert (await server.get(f"{API}/coins/nothing/ohlc"))[0] == 404
        assert (await server.get(f"{API}/ping"))[0] == 200
        async with server.session.get(f"{url}/ping") as answer:
            assert answer.status == 429
            assert 1 <= int(answer.headers["Retry-After"]) <= 30
            assert (await answer.json())["status"]["error_code"] == 429
        key = {"x_cg_demo_api_key": "demo"}
        status, usage = await server.get(f"{API}/key", **key)
        assert (status, usage["current_total_monthly_calls"]) == (200, 1)
        assert usage["current_remaining_monthly_calls"] == 9999
        server.clock.offset += 60
        assert (await server.get(f"{API}/ping"))[0] == 200


async def test_coingecko_pro_key_on_the_public_host_is_refused(server):
    status, body = await server.get(f"{API}/ping", x_cg_pro_api_key="pro")
    assert (status, body["status"]["error_code"]) == (400, 10010)


async def test_coingecko_scripted_faults_strike(server):
    server.faults.add("rate_limit", {"match": {"plane": "coingecko"}})
    server.faults.add("http_status", {"match": {"plane": "coingecko"}, "params": {"status": 503}})
    assert (await server.get(f"{API}/ping"))[0] == 429
    async with server.session.get(f"http://127.0.0.1:{server.port}{API}/ping") as answer:
        assert answer.status == 503

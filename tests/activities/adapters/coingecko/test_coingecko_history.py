"""CoinGecko's past: which coin a pair is, and the key that goes with what is asked."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from activities.adapters.coingecko.history import (
    CoinGeckoHistory,
    CoinGeckoHistoryError,
    UnknownCoinError,
)

COINS = [
    {"id": "bitcoin-imitation", "symbol": "btc", "name": "Bitcoin"},
    {"id": "tron", "symbol": "trx", "name": "TRON"},
    *({"id": f"shiba-{n}", "symbol": "SHIB", "name": "Shiba"} for n in range(6)),
    {"id": None, "symbol": "trx"},
]


@pytest.fixture
def gecko():
    """A server of two endpoints, and the questions that it was asked."""
    asked = []
    answers = {"coins/list": COINS, "market_chart": {"prices": [[1, "2.5"]]}, "ohlc": []}

    class Page(BaseHTTPRequestHandler):
        def do_GET(self):
            address = urlsplit(self.path)
            asked.append((address.path, parse_qs(address.query)))
            self.send_response(200)
            self.end_headers()
            answer = next(a for name, a in answers.items() if address.path.endswith(name))
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/api/v3", asked, answers
    server.shutdown()
    thread.join()
    server.server_close()


def test_known_coin_is_taken_and_the_list_is_asked_once_for_others(gecko):
    address, asked, _ = gecko
    history = CoinGeckoHistory(address, lambda _: None)
    assert history.candles("BTC/USD", 1440, 30) == {"prices": [[1, "2.5"]]}
    assert [path for path, _ in asked] == ["/api/v3/coins/bitcoin/market_chart"]
    assert history.coin("TRX/USD") == "tron"
    history.candles("TRX/USD", 30, 1)
    assert [path for path, _ in asked[1:]] == ["/api/v3/coins/list", "/api/v3/coins/tron/ohlc"]
    assert asked[-1][1] == {"vs_currency": ["usd"], "precision": ["full"], "days": ["1"]}
    history.close()


@pytest.mark.parametrize(
    ("symbol", "why"),
    [
        ("SHIB/USD", r"6 coins of the ticker SHIB \(shiba-0, shiba-1, shiba-2, shiba-3, …\)"),
        ("NOPE/USD", "no coin of the ticker NOPE"),
        ("BTC/EUR", "only pairs in USD"),
    ],
)
def test_coin_that_is_not_certain_is_not_guessed(gecko, symbol, why):
    history = CoinGeckoHistory(gecko[0], lambda _: None)
    with pytest.raises(UnknownCoinError, match=why):
        history.candles(symbol, 1440, 30)
    history.close()


def test_list_that_is_none_is_no_list_without_the_coin(gecko):
    address, _, answers = gecko
    answers["coins/list"] = {"status": "busy"}
    history = CoinGeckoHistory(address, lambda _: None)
    with pytest.raises(CoinGeckoHistoryError, match="list of coins is none") as refused:
        history.coin("TRX/USD")
    assert not isinstance(refused.value, UnknownCoinError)
    history.close()


def test_key_goes_with_every_question(gecko):
    address, asked, _ = gecko
    history = CoinGeckoHistory(address, lambda _: None, "the-key")
    history.candles("TRX/USD", 1440, 30)
    assert [words["x_cg_demo_api_key"] for _, words in asked] == [["the-key"], ["the-key"]]
    history.close()

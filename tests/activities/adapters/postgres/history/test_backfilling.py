"""The past is asked for page by page on a real server, kept once, and adds up to the candles."""

import asyncio
from datetime import datetime
from decimal import Decimal
from itertools import islice

import pyarrow.parquet as pq
import pytest

from activities.adapters.coingecko.history import CoinGeckoHistory, CoinGeckoHistoryError
from activities.adapters.history_files.answers import AnsweredCandles, AnsweredPoints
from activities.adapters.history_files.coingecko import rows_of
from activities.adapters.kraken.addresses import AllowedHosts
from activities.adapters.kraken.history import HistoryServiceError, KrakenHistory, PastTrade
from activities.adapters.postgres.history.trades import PostgresTrades
from activities.history.backfilling import fill_trades
from activities.history.importing import import_source
from tests.activities.adapters.postgres.history.conftest import NOW, clock
from tests.support.demanded import absent
from tests.support.public_market import OpenMarket
from tests.support.public_server import a_public_server
from tests.support.recordings import RECORDINGS

TICKS = RECORDINGS.parent / "data/ticks/kraken_BTC-USDT_trades_20231117-20231122.parquet"
LONGER = (5, 15, 30, 60, 240, 1440)


def exchange_at(server):
    return KrakenHistory(
        f"http://127.0.0.1:{server.port}", AllowedHosts.loopback(), lambda _: None, 0
    )


def candles(history, function, *words):
    marks = ", ".join(["%s"] * len(words))
    columns = "start, open, high, low, close, volume, trades"
    found = history.reading.execute(f"SELECT {columns} FROM {function}({marks})", words)
    return found.fetchall()


async def test_trades_come_page_by_page_once_and_go_on(history, monkeypatch):
    market = OpenMarket(symbols=("BTC/USD",))
    market.generate(1500)
    async with a_public_server(market) as server:
        exchange = exchange_at(server)
        monkeypatch.setattr("activities.adapters.kraken.history.PAGE_TRADES", 100)
        kept = PostgresTrades(history.connection, "simulator", "BTC/USD", clock)

        def fill(pages=None):
            cursor = kept.cursor() or "0"
            found = exchange.trades("BTC/USD", cursor)
            chosen = found if pages is None else islice(found, pages)
            return fill_trades(chosen, kept, cursor)

        interrupted = await asyncio.to_thread(fill, 3)
        assert interrupted.trades == interrupted.new_trades == 300
        rest = await asyncio.to_thread(fill)
        assert rest.finding == ""
        held = history.reading.execute(
            "SELECT count(*), max(trade_id) - min(trade_id) + 1 FROM history_trades"
        )
        count, span = held.fetchone()
        assert count == span == 300 + rest.new_trades > 300
        assert (await asyncio.to_thread(fill)).new_trades == 0
        # The simulator's own candles are made of the same trades.
        bars = await asyncio.to_thread(exchange.candles, "BTC/USD", 15)
        ours = {
            int(row[0].timestamp()): row[1:]
            for row in candles(history, "candles_of_trades", "simulator", "BTC/USD", 15)
        }
        assert bars
        assert {at: tuple(map(Decimal, figures)) for at, figures in bars} == {
            at: tuple(map(Decimal, ours[at])) for at, _ in bars
        }


async def test_candles_and_coingecko_are_judged_and_kept(history):
    market = OpenMarket(symbols=("BTC/USD",))
    market.generate(3000)
    async with a_public_server(market) as server:
        exchange = exchange_at(server)
        gecko = CoinGeckoHistory(
            f"http://127.0.0.1:{server.port}/coingecko/api/v3/", sleep=lambda _: None
        )
        bars = await asyncio.to_thread(exchange.candles, "BTC/USD", 30)
        answer = await asyncio.to_thread(gecko.candles, "BTC/USD", 30, 1)
        with pytest.raises(CoinGeckoHistoryError):
            await asyncio.to_thread(gecko.candles, "BTC/USD", 7, 1)
        with pytest.raises(HistoryServiceError, match="Unknown asset pair"):
            await asyncio.to_thread(exchange.candles, "NOPE/USD", 30)
    source = AnsweredCandles("OHLC", "simulator", "BTC/USD", 30, bars)
    done = import_source(source, history, lambda: NOW * 2)
    assert (done.new_rows, done.quarantined_batches) == (len(bars), 0)
    assert import_source(source, history, lambda: NOW * 2).already_complete
    points = rows_of(answer)[:-1]  # the last one is still forming
    shown = AnsweredPoints("ohlc", "coingecko", "BTC/USD", 30, points)
    done = import_source(shown, history, lambda: NOW * 2)
    assert (done.new_rows, done.quarantined_batches) == (len(points), 0)
    both = history.reading.execute(
        "SELECT count(*) FROM known_candles() a "
        "JOIN known_candles() b USING (symbol, start, open, high, low, close) "
        "WHERE a.venue = 'simulator' AND b.venue = 'coingecko'"
    )
    assert both.fetchone()[0] > 0


def test_page_with_a_fault_is_not_taken(history):
    kept = PostgresTrades(history.connection, "kraken", "ETH/USD", clock)
    good = PastTrade(1, datetime.fromisoformat("2024-01-01T00:00:00+00:00"), "10.5", "1", "buy")
    bad = PastTrade(2, good.at, "-1", "1", "sell")

    class Page:
        def __init__(self, trades, cursor):
            self.trades, self.cursor = trades, cursor

    filled = fill_trades([Page((good,), "7"), Page((bad,), "9")], kept, "0")
    assert filled.finding == "page after 7: price: not above 0"
    assert kept.cursor() == "7"
    assert history.reading.execute(
        "SELECT count(*) FROM history_trades WHERE symbol = 'ETH/USD'"
    ).fetchone() == (1,)


@pytest.mark.recordings
def test_longer_bars_of_shorter_ones_are_those_of_the_trades(history):
    if not TICKS.is_file():
        absent("the recorded trades are not beside the checkout")
    rows = pq.read_table(TICKS).to_pylist()[:8000]
    trades = [
        PastTrade(
            int(row["trade_id"]),
            row["ts"],
            repr(row["price"]),
            repr(row["amount"]),
            row["side"].lower(),
        )
        for row in rows
    ]
    PostgresTrades(history.connection, "ticks", "BTC/USDT", clock).save(trades, "1")
    minute = candles(history, "candles_of_trades", "ticks", "BTC/USDT", 1)
    kept = [(int(row[0].timestamp()), tuple(map(str, row[1:]))) for row in minute]
    done = import_source(AnsweredCandles("m", "ticks", "BTC/USDT", 1, kept), history, lambda: NOW)
    assert done.new_rows == len(minute) > 1000
    for minutes in LONGER:
        of_trades = candles(history, "candles_of_trades", "ticks", "BTC/USDT", minutes)
        assert candles(history, "longer_candles", "ticks", "BTC/USDT", 1, minutes) == of_trades


def test_what_is_joined_was_known_by_then(history):
    bars = [(86_400 * n, ("10", "12", "9", "11", "1", "1")) for n in range(19_000, 19_004)]
    import_source(AnsweredCandles("d", "kraken", "BTC/USD", 1440, bars), history, lambda: NOW)
    points = [((86_400 * (n + 1)) * 1000, (None, None, None, "11")) for n in range(19_000, 19_004)]
    import_source(AnsweredPoints("g", "coingecko", "BTC/USD", 1440, points), history, lambda: NOW)
    known = history.reading.execute(
        "SELECT venue, extract(epoch FROM start)::bigint / 86400 "
        "FROM candles_known_at('BTC/USD', to_timestamp(%s)) ORDER BY 1",
        (86_400 * 19_002 + 60,),
    ).fetchall()
    # Just after midnight the exchange's day is known; CoinGecko shows its own half an hour later.
    assert known == [("coingecko", 19_000), ("kraken", 19_001)]

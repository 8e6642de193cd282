import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.simulation.markets.instruments import UNIVERSE
from models.simulation.markets.replay import ReplayMarket
from models.simulation.public.candles import INTERVALS, ROWS, CandleSeries, batch_of
from models.simulation.public.tickers import DAY_SECONDS, RollingWindow, Ticker
from tests.models.simulation.markets.test_replay_market import a_candle
from tests.support.public_market import OpenMarket

MIDNIGHT = 1_714_521_600


def trade(price, quantity="1"):
    return batch_of([(Decimal(price), Decimal(quantity))])


def a_series(interval=1):
    return CandleSeries(interval, 1, 8)


def test_candle_forms_from_the_trades_of_its_interval():
    series = a_series()
    for second, price, quantity in ((0, "10", "1"), (20, "14", "2"), (59, "8", "1")):
        series.add(trade(price, quantity), MIDNIGHT + second)
    assert series.rows(MIDNIGHT + 59) == [
        [MIDNIGHT, "10.0", "14.0", "8.0", "8.0", "11.5", "4.00000000", 3]
    ]


def test_candle_closes_when_a_trade_falls_into_a_later_interval():
    series = a_series()
    series.add(trade("10"), MIDNIGHT)
    series.add(trade("11"), MIDNIGHT + 60)
    starts = [row[0] for row in series.rows(MIDNIGHT + 61)]
    assert starts == [MIDNIGHT, MIDNIGHT + 60]


def test_candle_intervals_without_trades_are_flat_and_empty():
    series = a_series()
    series.add(trade("10"), MIDNIGHT)
    series.add(trade("12"), MIDNIGHT + 180)
    flat = ["10.0", "10.0", "10.0", "10.0", "0.0", "0.00000000", 0]
    assert series.rows(MIDNIGHT + 180)[1:3] == [[MIDNIGHT + 60, *flat], [MIDNIGHT + 120, *flat]]


def test_candle_clock_alone_opens_flat_intervals_until_now():
    series = a_series()
    series.add(trade("10"), MIDNIGHT)
    rows = series.rows(MIDNIGHT + 125)
    assert [row[0] for row in rows] == [MIDNIGHT, MIDNIGHT + 60, MIDNIGHT + 120]
    assert rows[-1][7] == 0
    assert [row[7] for row in series.traded_rows(10)] == [1]


def test_candle_series_keeps_the_newest_rows_over_a_long_gap():
    series = a_series()
    series.add(trade("10"), MIDNIGHT)
    series.add(trade("12"), MIDNIGHT + 60 * 5000)
    rows = series.rows(MIDNIGHT + 60 * 5000)
    assert len(rows) == ROWS + 1
    assert rows[-1][0] == MIDNIGHT + 60 * 5000
    assert rows[-2][4] == "10.0"


@given(st.lists(st.tuples(st.integers(0, 4000), st.integers(1, 999)), min_size=1, max_size=60))
def test_candle_rows_conserve_volume_and_follow_each_other(ticks):
    series = a_series(5)
    for second, price in sorted(ticks):
        series.add(trade(str(price)), MIDNIGHT + second)
    rows = series.rows(MIDNIGHT + 4000)
    assert sum(Decimal(row[6]) for row in rows) == len(ticks)
    assert [row[0] for row in rows] == list(range(rows[0][0], rows[-1][0] + 1, 300))
    for row in rows:
        low, high = Decimal(row[3]), Decimal(row[2])
        assert low <= min(Decimal(row[1]), Decimal(row[4]))
        assert high >= max(Decimal(row[1]), Decimal(row[4]))


@pytest.mark.parametrize("interval", INTERVALS)
def test_candle_series_survives_json(interval):
    series = a_series(interval)
    for second in range(0, 90000, 700):
        series.add(trade(str(100 + second % 13)), MIDNIGHT + second)
    copy = a_series(interval)
    copy.restore(json.loads(json.dumps(series.state())))
    for kept in (series, copy):
        kept.add(trade("999"), MIDNIGHT + 90100)
    assert copy.rows(MIDNIGHT + 90200) == series.rows(MIDNIGHT + 90200)


def test_candles_of_a_replay_are_the_recorded_candles():
    recorded = [
        a_candle(0, ("61234.567891", "61300.04", "61100.06", "61250"), "3.3"),
        a_candle(1, ("61250", "61260", "61000", "61010.1"), "7.1"),
        a_candle(3, ("61000", "61500", "61000", "61500"), "1.00000001"),
    ]
    market = OpenMarket(["BTC/USD"], start=recorded[0].start)
    source = ReplayMarket(UNIVERSE, {"BTC/USD": recorded}, seed=5)
    while (step := source.next_step()) is not None:
        market.apply(step)
    rows = market.public.pairs["BTC/USD"].candles[15].rows(market.public.second)
    assert [row[1:5] + row[6:7] for row in rows if row[7]] == [
        ["61234.6", "61300.0", "61100.1", "61250.0", "3.30000000"],
        ["61250.0", "61260.0", "61000.0", "61010.1", "7.10000000"],
        ["61000.0", "61500.0", "61000.0", "61500.0", "1.00000001"],
    ]
    assert [row[7] for row in rows] == [29, 29, 0, 29]


@given(
    st.lists(
        st.tuples(st.integers(0, 40), st.integers(1, 50), st.integers(1, 9)),
        min_size=1,
        max_size=80,
    )
)
def test_rolling_window_equals_a_recount(ticks):
    window = RollingWindow(600)
    ordered = sorted(ticks)
    for minute, price, quantity in ordered:
        window.add(trade(str(price), str(quantity)), MIDNIGHT + 60 * minute)
    newest = ordered[-1][0]
    inside = [tick for tick in ordered if tick[0] >= newest - 10]
    figures = window.figures(Decimal(1))
    assert figures.count == len(inside)
    assert figures.volume == sum(quantity for _, _, quantity in inside)
    assert figures.high == max(price for _, price, _ in inside)
    assert figures.low == min(price for _, price, _ in inside)


def test_ticker_today_starts_anew_at_midnight_and_the_window_a_day_later():
    ticker = Ticker()
    ticker.add(trade("10", "2"), Decimal(2), MIDNIGHT + 100)
    ticker.add(trade("20", "1"), Decimal(1), MIDNIGHT + DAY_SECONDS + 50)
    second = MIDNIGHT + DAY_SECONDS + 60
    assert (ticker.today(second).open, ticker.today(second).count) == (20, 1)
    assert (ticker.day(second).count, ticker.day(second).low) == (2, 10)
    assert ticker.day(second + 200).count == 1
    later = ticker.today(second + DAY_SECONDS)
    assert (later.open, later.volume) == (20, 0)

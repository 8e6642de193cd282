from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.simulation.markets.instruments import UNIVERSE
from models.simulation.markets.replay import (
    CandleDataError,
    PathAssumption,
    ReplayMarket,
    SourceStateError,
    walk,
)
from models.trading.market import Candle

START = datetime(2024, 5, 1, tzinfo=UTC)


def a_candle(index=0, prices=(100, 110, 90, 105), volume="5", symbol="BTC/USD", minutes=15):
    start = START + timedelta(minutes=minutes * index)
    figures = (Decimal(str(price)) for price in prices)
    return Candle(symbol, minutes, start, *figures, Decimal(volume))


@st.composite
def candles(draw):
    corners = draw(
        st.lists(st.floats(0.5, 90000, allow_nan=False), min_size=2, max_size=2).map(sorted)
    )
    low, high = corners
    inner = st.floats(low, high)
    start = draw(st.integers(0, 400))
    volume = draw(st.sampled_from(["0.00000001", "0.00000013", "3.14159265", "1234.5"]))
    return a_candle(start, (draw(inner), high, low, draw(inner)), volume)


def steps_of(market):
    steps = []
    while (step := market.next_step()) is not None:
        steps.append(step)
    return steps


def prints_of(steps, symbol="BTC/USD"):
    return [
        p for step in steps for part in step.symbols if part.symbol == symbol for p in part.prints
    ]


@given(candles(), st.integers(4, 16))
@settings(max_examples=150, deadline=None)
def test_replay_bar_is_given_back_by_its_prints_and_none_is_outside(candle, steps_per_bar):
    instrument = UNIVERSE.pair("BTC/USD").instrument
    market = ReplayMarket(UNIVERSE, {"BTC/USD": [candle]}, seed=1, steps_per_bar=steps_per_bar)
    steps = steps_of(market)
    prints = prints_of(steps)
    prices = [one.price for one in prints]

    assert len(steps) == steps_per_bar
    assert prices[0] == instrument.nearest_price(candle.open)
    assert prices[-1] == instrument.nearest_price(candle.close)
    assert max(prices) == instrument.nearest_price(candle.high)
    assert min(prices) == instrument.nearest_price(candle.low)
    assert all(price == instrument.nearest_price(price) for price in prices)
    assert all(one.quantity > 0 for one in prints)
    lots = len(prints) * Decimal("0.00000001")
    assert sum(one.quantity for one in prints) == max(candle.volume, lots)


@given(candles())
@settings(max_examples=50, deadline=None)
def test_replay_book_surrounds_the_last_print_on_tick(candle):
    instrument = UNIVERSE.pair("BTC/USD").instrument
    for step in steps_of(ReplayMarket(UNIVERSE, {"BTC/USD": [candle]}, seed=1)):
        (part,) = step.symbols
        assert part.bids[0].price < part.asks[0].price
        assert part.prints[-1].price in (part.bids[0].price, part.asks[0].price)
        for better, worse in pairwise(part.bids):
            assert better.price > worse.price
        for better, worse in pairwise(part.asks):
            assert better.price < worse.price
        for level in (*part.bids, *part.asks):
            assert level.quantity >= instrument.quantity_minimum
            assert level.price == instrument.nearest_price(level.price)


@pytest.mark.parametrize(
    ("path", "up", "down"),
    [
        (PathAssumption.WORST_FIRST, (100, 90, 110, 105), (105, 90, 110, 100)),
        (PathAssumption.BEST_FIRST, (100, 110, 90, 105), (105, 110, 90, 100)),
        (PathAssumption.BY_DIRECTION, (100, 90, 110, 105), (105, 110, 90, 100)),
    ],
)
def test_which_extreme_of_a_bar_comes_first_is_an_assumption_that_can_be_chosen(path, up, down):
    assert walk(100, 110, 90, 105, 4, path) == up
    assert walk(105, 110, 90, 100, 4, path) == down


def test_the_worse_extreme_comes_first_where_nothing_is_said():
    assert walk(105, 110, 90, 100, 4) == (105, 90, 110, 100)


def test_replay_steps_stay_inside_their_bar_and_gaps_stay_gaps():
    market = ReplayMarket(UNIVERSE, {"BTC/USD": [a_candle(0), a_candle(1), a_candle(5)]}, seed=1)
    times = [step.at for step in steps_of(market)]
    assert times == sorted(times)
    assert times[0] == START == market.start_time()
    for at in times:
        bar = (at - START) // timedelta(minutes=15)
        assert bar in (0, 1, 5)


def test_replay_symbols_are_merged_by_time():
    data = {
        "ETH/USD": [a_candle(i, symbol="ETH/USD") for i in range(3)],
        "BTC/USD": [a_candle(i) for i in range(1, 3)],
        "SOL/USD": [a_candle(i, symbol="SOL/USD", minutes=60) for i in range(1)],
    }
    market = ReplayMarket(UNIVERSE, data, seed=1)
    steps = steps_of(market)
    assert [step.number for step in steps] == list(range(1, len(steps) + 1))
    assert all(before.at < after.at for before, after in pairwise(steps))
    assert market.bar_minutes == 15
    for symbol, series in data.items():
        assert sum(one.quantity for one in prints_of(steps, symbol)) == 5 * len(series)


def test_replay_restored_in_mid_bar_goes_on_identically():
    data = {"BTC/USD": [a_candle(i) for i in range(4)]}
    original = ReplayMarket(UNIVERSE, data, seed=1)
    for _ in range(13):
        original.next_step()
    resumed = ReplayMarket(UNIVERSE, data, seed=1)
    resumed.restore(original.state())
    assert steps_of(resumed) == steps_of(original)


def test_replay_state_of_other_recordings_is_refused():
    original = ReplayMarket(UNIVERSE, {"BTC/USD": [a_candle(0)]}, seed=1)
    other = ReplayMarket(UNIVERSE, {"BTC/USD": [a_candle(1)]}, seed=1)
    with pytest.raises(SourceStateError):
        other.restore(original.state())


def test_replay_bar_without_volume_moves_the_book_but_prints_nothing():
    steps = steps_of(ReplayMarket(UNIVERSE, {"BTC/USD": [a_candle(volume="0")]}, seed=1))
    assert steps
    assert prints_of(steps) == []


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ([a_candle(prices=(100, 110, 101, 105))], "low"),
        ([a_candle(prices=(100, 104, 90, 105))], "high"),
        ([a_candle(prices=(0, 1, 0, 1))], "positive"),
        ([a_candle(volume="-1")], "volume"),
        ([a_candle(prices=("NaN", 1, 1, 1))], "number"),
        ([a_candle(1), a_candle(0)], "start"),
        ([a_candle(0), a_candle(0)], "start"),
        ([a_candle(0), a_candle(1, minutes=30)], "interval"),
        ([], "no candles"),
    ],
)
def test_replay_unclean_candles_are_refused(bad, reason):
    with pytest.raises(CandleDataError, match=reason):
        ReplayMarket(UNIVERSE, {"BTC/USD": bad}, seed=1)

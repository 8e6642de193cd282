"""Groups of correlated pairs are the same for the same market, whatever the order."""

import itertools
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.trading.market import Candle
from models.trading.universe.correlation import (
    CorrelationSettings,
    correlate,
    log_returns,
    sample_correlation,
    shrink,
)
from models.trading.universe.correlation_groups import group_symbols
from tests.models.trading.trading_builders import START

SETTINGS = CorrelationSettings()
LETTERS = "ABCDEFG"


def candles(symbol: str, closes: list[float], skip: tuple[int, ...] = ()) -> list[Candle]:
    prices = [Decimal(str(close)) for close in closes]
    return [
        Candle(symbol, 60, START + timedelta(hours=n), p, p, p, p, Decimal(1))
        for n, p in enumerate(prices)
        if n not in skip
    ]


def walk(seed: int, common: float, length: int = 400) -> list[float]:
    """Return closes that follow one shared market by the given part, and their own by the rest."""
    market, own, price, closes = Random(7), Random(seed), 100.0, []
    for _ in range(length):
        move = common * market.gauss(0, 0.01) + (1 - common) * own.gauss(0, 0.01)
        price *= 1 + move
        closes.append(round(price, 6))
    return closes


def test_correlation_is_that_of_numpy_over_common_bars_only() -> None:
    first = log_returns(candles("A/USD", walk(1, 0.7), skip=(5, 90)), 720)
    second = log_returns(candles("B/USD", walk(2, 0.7), skip=(6, 200, 201)), 720)
    common = sorted(first.keys() & second.keys())
    # Each missing bar takes the two returns that touch it.
    assert len(common) == 399 - len({5, 6, 90, 91, 7, 200, 201, 202})
    expected = np.corrcoef([first[t] for t in common], [second[t] for t in common])[0, 1]
    value, count = sample_correlation(first, second)
    assert value == pytest.approx(expected)
    assert count == len(common)


def test_short_histories_are_drawn_towards_the_target() -> None:
    assert shrink(None, 0, 0.6, 60) == 0.6
    assert shrink(0.0, 60, 0.6, 60) == pytest.approx(0.3)
    assert shrink(0.0, 6000, 0.6, 60) == pytest.approx(0.6 / 101)
    flat = {"A/USD": candles("A/USD", [1.0] * 50), "B/USD": candles("B/USD", [2.0] * 50)}
    result = correlate(flat, SETTINGS)
    assert result.value("B/USD", "A/USD") == SETTINGS.prior
    assert result.estimates[0].sample is None


def test_pairs_that_follow_the_same_market_are_one_group() -> None:
    histories = {
        "BTC/USD": candles("BTC/USD", walk(1, 0.95)),
        "ETH/USD": candles("ETH/USD", walk(2, 0.95)),
        "SOL/USD": candles("SOL/USD", walk(3, 0.95)),
        "PAXG/USD": candles("PAXG/USD", walk(4, 0.0)),
    }
    result = correlate(histories, SETTINGS)
    assert [g.symbols for g in result.groups] == [("BTC/USD", "ETH/USD", "SOL/USD"), ("PAXG/USD",)]
    assert result.group_names["SOL/USD"] == "BTC/USD"
    assert result.value("BTC/USD", "BTC/USD") == 1
    with pytest.raises(KeyError):
        result.value("BTC/USD", "XRP/USD")


def test_the_target_is_the_mean_of_the_samples_and_the_prior() -> None:
    histories = {
        name: candles(name, walk(seed, 0.8, length))
        for name, seed, length in (("A/USD", 1, 50), ("B/USD", 2, 400), ("C/USD", 3, 400))
    }
    result = correlate(histories, SETTINGS)
    known = [(e.sample, e.returns) for e in result.estimates if e.sample is not None]
    assert [count for _, count in known] == [49, 49, 399]
    total = SETTINGS.prior_weight + sum(count for _, count in known)
    weighted = SETTINGS.prior * SETTINGS.prior_weight + sum(s * n for s, n in known)
    assert result.target == pytest.approx(weighted / total)


def test_the_threshold_itself_makes_a_group() -> None:
    values = {("A", "B"): 0.7, ("A", "C"): 0.7, ("B", "C"): 0.7}
    assert [g.symbols for g in group_symbols("CAB", values, 0.7)] == [("A", "B", "C")]
    apart = {("A", "B"): 0.9, ("A", "C"): 0.8, ("B", "C"): 0.5}
    assert [g.symbols for g in group_symbols("ABC", apart, 0.7)] == [("A", "B"), ("C",)]


def test_only_the_newest_returns_count() -> None:
    closes = walk(1, 0.5, 300)
    returns = log_returns(candles("A/USD", closes), 100)
    assert len(returns) == 100
    assert min(returns) == START + timedelta(hours=200)


@given(st.permutations(list(LETTERS)), st.integers(0, 50))
@settings(max_examples=25, deadline=None)
def test_the_order_of_symbols_changes_nothing(order: list[str], seed: int) -> None:
    made = {s: candles(s, walk(seed + n, 0.1 * n, 40)) for n, s in enumerate(LETTERS)}
    assert correlate({s: made[s] for s in order}, SETTINGS) == correlate(made, SETTINGS)


@given(
    st.lists(st.sampled_from((-1.0, 0.0, 0.3, 0.69, 0.7, 0.9, 1.0)), min_size=21, max_size=21),
    st.floats(-1, 1),
    st.permutations(list(LETTERS)),
)
def test_groups_are_a_partition_whose_means_lie_apart(
    numbers: list[float], threshold: float, order: list[str]
) -> None:
    values = dict(zip(itertools.combinations(LETTERS, 2), numbers, strict=True))
    groups = group_symbols(order, values, threshold)
    assert groups == group_symbols(LETTERS, values, threshold)
    assert sorted(s for g in groups for s in g.symbols) == list(LETTERS)
    for one, other in itertools.combinations(groups, 2):
        between = [values[min(a, b), max(a, b)] for a in one.symbols for b in other.symbols]
        assert sum(between) / len(between) < threshold + 1e-9


@given(st.lists(st.tuples(st.floats(-0.2, 0.2), st.floats(-0.2, 0.2)), max_size=30))
def test_estimates_stay_between_minus_one_and_one(moves: list[tuple[float, float]]) -> None:
    first = {START + timedelta(hours=n): x for n, (x, _) in enumerate(moves)}
    second = {START + timedelta(hours=n): y for n, (_, y) in enumerate(moves)}
    value, count = sample_correlation(first, second)
    assert -1 <= shrink(value, count, 0.6, 60) <= 1
    assert sample_correlation(second, first) == (value, count)


def test_pairs_that_were_together_part_only_well_below_the_threshold() -> None:
    near = {"A/USD": candles("A/USD", walk(1, 0.6)), "B/USD": candles("B/USD", walk(2, 0.6))}
    loose = correlate(near, SETTINGS)
    value = loose.value("A/USD", "B/USD")
    tight = replace(SETTINGS, threshold=value + SETTINGS.hysteresis / 2)
    assert len(correlate(near, tight).groups) == 2
    before = {"A/USD": "A/USD", "B/USD": "A/USD"}
    assert len(correlate(near, tight, before).groups) == 1
    apart = {"A/USD": "A/USD", "B/USD": "B/USD"}
    assert len(correlate(near, tight, apart).groups) == 2
    far = replace(SETTINGS, threshold=value + SETTINGS.hysteresis * 1.5)
    assert len(correlate(near, far, before).groups) == 2

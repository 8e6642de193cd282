"""The hedge reads a smoothed volatility of a day, and moves only when that pays there and back."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from math import exp, log, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.trading.hedge.target import (
    FIRST_STANDING,
    HedgeMove,
    HedgeReading,
    HedgeSettings,
    HedgeState,
    decide_hedge,
    expected_standing,
)
from models.trading.market import Candle
from models.trading.strategies.indicators import DailyVolatility, daily_volatility
from tests.models.trading.trading_builders import START

SETTINGS = HedgeSettings()
DAY = timedelta(days=1)
READING = HedgeReading(Decimal("0.05"), Decimal(0), Decimal(1000), Decimal(9000), Decimal("0.0085"))


def a_bar(minute: int, close: float, minutes: int = 15) -> Candle:
    price = Decimal(repr(close))
    start = START + timedelta(minutes=minute)
    return Candle("BTC/USD", minutes, start, price, price, price, price, Decimal(1))


def a_walk(steps: int, move: float, minutes: int = 15) -> list[Candle]:
    """Bars that go up and down by the same return."""
    return [a_bar(minutes * n, 100 * exp(move * (n % 2)), minutes) for n in range(steps)]


@pytest.mark.parametrize("minutes", [1, 15, 60, 1440])
def test_the_figure_is_that_of_a_day_whatever_the_bar_is(minutes: int) -> None:
    move = 0.02 / sqrt(1440 / minutes)
    found = daily_volatility(a_walk(200, move, minutes))
    assert found == pytest.approx(0.02)


def test_squares_are_weighted_by_their_age_as_defined() -> None:
    bars = [a_bar(1440 * n, close, 1440) for n, close in enumerate((100, 103, 101, 108, 107))]
    returns = [log(float(b.close / a.close)) for a, b in pairwise(bars)]
    weights = [0.94**age for age in (3, 2, 1, 0)]
    expected = sqrt(sum(w * r * r for w, r in zip(weights, returns, strict=True)) / sum(weights))
    assert daily_volatility(bars) == pytest.approx(expected)


def test_a_missing_bar_is_no_calm_and_no_storm() -> None:
    # The same walk with the returns of an hour seen at once: as much variance in as much time.
    whole = [a_bar(15 * n, 100 * exp(0.002 * n)) for n in range(97)]
    thin = whole[::4]
    assert daily_volatility(thin) == pytest.approx(2 * (daily_volatility(whole) or 0), rel=1e-6)
    assert daily_volatility(whole[:2]) is None


@given(st.lists(st.floats(50, 200), min_size=3, max_size=40), st.integers(1, 39))
def test_bar_by_bar_is_the_same_as_all_at_once(closes: list[float], cut: int) -> None:
    bars = [a_bar(15 * n, close) for n, close in enumerate(closes)]
    further = DailyVolatility()
    further.take(bars[:cut])
    further.take(bars)  # what is known already is not taken in again
    assert further.value == daily_volatility(bars)


def test_a_hedge_that_changed_its_mind_often_must_gain_more_by_a_move() -> None:
    steady = decide_hedge(SETTINGS, HedgeState(Decimal("0.10"), since=START), READING, START + DAY)
    assert steady.move is HedgeMove.REDUCE
    # 5 % a day over 1 day: falls of 2 % are expected, against 1.7 % there and back.
    hasty = HedgeState(Decimal("0.10"), since=START, stands=Decimal("0.9"))
    calmer = replace(READING, volatility=Decimal("0.035"))
    refused = decide_hedge(SETTINGS, hasty, calmer, START + DAY / 24)
    assert refused.move is None
    (check,) = refused.verdict.failures
    assert check.code == "not-worth-costs"
    assert check.limit == Decimal("0.017")


def test_what_a_move_spares_is_the_mean_fall_of_the_days_it_stands() -> None:
    stands = HedgeState(Decimal("0.10"), since=START, stands=Decimal(4))
    decided = decide_hedge(SETTINGS, stands, replace(READING, volatility=Decimal("0.03")), START)
    check = next(c for c in decided.verdict.checks if c.code == "not-worth-costs")
    # The target changes at once, after no time: (4 + 0.25 * (0 - 4)) days are left.
    assert check.figure is not None
    assert float(check.figure) == pytest.approx(0.03 * sqrt(3) / sqrt(2 * 3.14159265))


def test_how_long_targets_stand_is_learned_from_those_before() -> None:
    assert HedgeState().stands == FIRST_STANDING
    first = decide_hedge(
        SETTINGS, HedgeState(), replace(READING, volatility=Decimal("0.02")), START
    )
    assert first.state.since == START
    later = decide_hedge(SETTINGS, first.state, READING, START + DAY)
    assert later.state.stands == Decimal(13)  # 17 + 0.25 * (1 - 17)
    assert expected_standing(later.state, START + 21 * DAY) == 20


def test_what_the_drawdown_alone_asks_for_is_sold_whatever_it_costs() -> None:
    hasty = HedgeState(Decimal("0.10"), since=START, stands=Decimal("0.01"))
    calm = replace(READING, volatility=Decimal("0.02"), drawdown=Decimal("0.20"))
    forced = decide_hedge(SETTINGS, hasty, calm, START)
    assert (forced.target, forced.move) == (Decimal("0.90"), HedgeMove.REDUCE)
    assert "the drawdown alone asks for it" in forced.verdict.checks[-1].reason
    back = replace(calm, drawdown=Decimal(0), cash=Decimal(9000), volatile=Decimal(1000))
    assert decide_hedge(SETTINGS, forced.state, back, START).move is None

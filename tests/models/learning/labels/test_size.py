"""A fraction of Kelly: worked figures and refusals."""

import math

import pytest

from models.learning.labels.size import Odds, SizeError, kelly_fraction, stake

ODDS = Odds(target=20, stop=8, cost=0.8)


@pytest.mark.parametrize(("probability", "expected"), [(0.45, 0.198), (0.36, 0.067), (0.3, 0.0)])
def test_worked_figures(probability: float, expected: float) -> None:
    assert kelly_fraction(probability, ODDS) == pytest.approx(expected, abs=5e-4)


def test_a_quarter_is_staked() -> None:
    assert stake(0.45, ODDS) == pytest.approx(kelly_fraction(0.45, ODDS) / 4)


def test_a_target_below_its_cost_stakes_nothing() -> None:
    assert kelly_fraction(0.99, Odds(target=0.5, stop=8, cost=0.8)) == 0


@pytest.mark.parametrize("probability", [math.nan, -0.1, 1.1])
def test_no_probability_no_size(probability: float) -> None:
    with pytest.raises(SizeError):
        kelly_fraction(probability, ODDS)


@pytest.mark.parametrize("odds", [Odds(math.nan, 8, 1), Odds(20, 0, 1), Odds(20, 8, math.inf)])
def test_no_odds_no_size(odds: Odds) -> None:
    with pytest.raises(SizeError):
        kelly_fraction(0.5, odds)

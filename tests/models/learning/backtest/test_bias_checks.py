"""The bias checks catch a strategy that reads the future and one that rests on its start."""

import numpy as np
import pytest

from models.learning.backtest.bars import Bars
from models.learning.backtest.bias_checks import look_ahead, recursive_warm_up
from models.learning.backtest.decisions import Decisions, decide_all, no_decisions
from models.trading.strategies import known
from tests.models.learning.backtest.backtest_builders import wandering

BARS = wandering(11, 700, interval=1440)
DAILY = ["donchian_ensemble", "volatility_managed"]


def decide_with(name: str):
    strategy = known().by_name(name)
    return lambda bars: decide_all(strategy, bars)


def reading_the_future(bars: Bars) -> Decisions:
    """Plant: hold when the next close is higher."""
    rows = no_decisions(len(bars))
    rows.target[:-1] = np.where(np.diff(bars.close) > 0, 1.0, 0.0)
    rows.stop[:] = bars.close - 500
    return rows


def scaled_by_all(bars: Bars) -> Decisions:
    """Plant: a mean over all bars, later ones included, as a careless normalisation has it."""
    rows = no_decisions(len(bars))
    rows.target[:] = np.where(bars.close > bars.close.mean(), 1.0, 0.0)
    rows.stop[:] = bars.close - 500
    return rows


def resting_on_its_start(bars: Bars) -> Decisions:
    """Plant: an average whose weight never fades: what came first counts as much as ever."""
    rows = no_decisions(len(bars))
    means = np.cumsum(bars.close) / np.arange(1, len(bars) + 1)
    rows.target[:] = np.where(bars.close > means, 1.0, 0.0)
    rows.stop[:] = np.rint(means * 0.5)
    return rows


@pytest.mark.parametrize("planted", [reading_the_future, scaled_by_all])
def test_look_ahead_is_caught(planted):
    found = look_ahead(planted, BARS)
    assert {finding.check for finding in found} >= {"look-ahead, other future"}
    assert all(finding.bar < finding.cut for finding in found)


def test_dependence_on_the_start_is_caught():
    found = recursive_warm_up(resting_on_its_start, BARS, warm_up_bars=30)
    assert {finding.check for finding in found} == {"recursive warm-up"}
    assert not look_ahead(resting_on_its_start, BARS)


@pytest.mark.parametrize("name", known().names)
def test_no_strategy_reads_the_future(name):
    assert look_ahead(decide_with(name), BARS, cuts=4) == []


@pytest.mark.parametrize("name", ["mean_reversion", "intraday_breakout", "trend"])
def test_windowed_strategies_do_not_rest_on_their_start(name):
    strategy = known().by_name(name)
    found = recursive_warm_up(decide_with(name), BARS, strategy.warm_up_bars, cuts=2)
    assert found == []


@pytest.mark.parametrize("name", DAILY)
def test_daily_strategies_forget_their_start_with_the_position(name):
    """Where stops stand depends on when a position began; once both have been flat, no more."""
    decide = decide_with(name)
    whole, later = decide(BARS), decide(BARS.slice(100, len(BARS)))
    aligned = whole.slice(100, len(BARS))
    both_known = ~np.isnan(aligned.target) & ~np.isnan(later.target)
    same = np.isclose(aligned.target[both_known], later.target[both_known], atol=0.005)
    assert same.mean() > 0.9
    assert same[-100:].all()

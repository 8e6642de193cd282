"""Figures against their definitions, and intervals that hold what they should."""

import numpy as np
import pytest

from models.learning.backtest.bootstrap import block_length, edge, reordered_drawdowns
from models.learning.backtest.decisions import decide_all
from models.learning.backtest.fast import run_fast
from models.learning.backtest.figures import drawdown_of, figures_of, sharpe_of, yearly_growth
from models.learning.backtest.rules import FillRules, Portfolio, flat_fees
from models.learning.backtest.series import Series
from models.learning.backtest.study import sum_over, try_strategy
from models.reporting.backtest.page import page
from models.reporting.backtest.tables import COLUMNS, notes, rows
from models.trading.strategies import known
from models.trading.universe.fees import SCHEDULES
from tests.models.learning.backtest.backtest_builders import Scripted, bars_of, wandering

FREE = FillRules(slippage_share=0.0, latency_seconds=0.0, fees=flat_fees("0", "0.01"))


def test_figures_of_one_round_trip():
    rows_of = [(1000, 1000, 1000, 1000)] * 3 + [(1100, 1100, 1100, 1100)] * 2
    bars = bars_of(rows_of)
    ideas = {0: {"stop": 900}, 3: {"stop": 900, "weight": 0}}
    result = run_fast(bars, decide_all(Scripted(ideas), bars), FREE, Portfolio(capital=10_000.0))
    (trip,) = result.round_trips()
    assert (trip.first_bar, trip.last_bar, trip.left) == (1, 4, "exit")
    units = trip.cost / 100
    assert trip.profit == pytest.approx(units * (10 - 1 - 1.1), rel=1e-6)
    figures = figures_of(result)
    assert figures.total == pytest.approx(result.equity[-1] / 10_000 - 1)
    assert figures.total == pytest.approx(trip.profit / 10_000)
    assert figures.fees == pytest.approx(units * 2.1 / 10_000)
    assert figures.trades == 1
    assert figures.won == 1


def test_known_figures():
    assert drawdown_of(np.array([100.0, 120.0, 90.0, 130.0])) == pytest.approx(0.25)
    assert yearly_growth(0.21, 2) == pytest.approx(0.1)
    assert np.isnan(yearly_growth(0.5, 0.01))
    assert np.isnan(sharpe_of(np.zeros(10), 365))
    returns = np.array([0.01, -0.01, 0.02])
    assert sharpe_of(returns, 365) == pytest.approx(
        returns.mean() / returns.std(ddof=1) * np.sqrt(365)
    )


def test_block_bootstrap_covers_the_truth_about_as_often_as_it_says():
    draw, held = np.random.default_rng(1), 0
    for trial in range(120):
        returns = draw.normal(0.001, 0.02, 400)
        found = edge(returns, np.zeros(400), 365, trial, samples=300)
        held += found.mean.low <= 0.365 <= found.mean.high
    assert 0.80 <= held / 120 <= 0.98


def test_no_edge_is_called_none_and_a_real_one_is_seen():
    draw = np.random.default_rng(2)
    noise = draw.normal(0, 0.02, 1500)
    assert edge(noise, noise, 365, 3).lead.low == pytest.approx(0)
    better = edge(noise + 0.003, noise, 365, 3)
    assert better.lead.low > 0.9
    assert better.behind == 0


def test_reordering_keeps_the_total_and_moves_the_drawdown():
    draw = np.random.default_rng(4)
    returns = draw.normal(0.001, 0.03, 500)
    falls = reordered_drawdowns(returns, 5, samples=200)
    assert falls.min() > 0
    assert np.std(falls) > 0.01
    assert block_length(500) == 22


def test_equities_are_added_with_the_capital_before_a_part_begins():
    first, second = bars_of([(10, 10, 10, 10)] * 3), bars_of([(10, 10, 10, 10)] * 2, minutes=[2, 3])
    minutes = np.unique(np.concatenate([first.minutes, second.minutes]))
    parts = [(first, np.array([1.0, 2.0, 3.0]), 1.0), (second, np.array([7.0, 8.0]), 5.0)]
    assert sum_over(minutes, parts).tolist() == [6.0, 7.0, 10.0, 11.0]


def test_a_trial_compares_with_holding_and_its_page_needs_nothing_beside_it():
    series = [
        Series("made", wandering(seed, 400, interval=1440, volume=1e5, spread=200))
        for seed in (1, 2)
    ]
    strategy = known().by_name("donchian_ensemble")
    trial = try_strategy(strategy, series, FillRules(), Portfolio())
    assert len(trial.equity) == len(trial.minutes)
    assert trial.equity[0] == pytest.approx(100_000)
    again = try_strategy(strategy, series, FillRules(), Portfolio())
    assert str(again.figures) == str(trial.figures)
    assert again.edge == trial.edge
    assert set(trial.other_fees) == {str(one.effective_from) for one in SCHEDULES[:-1]}
    (row,) = rows([trial])
    assert len(row) == len(COLUMNS)
    assert "ambiguous" in notes([trial])[0]
    text = page("Title <b>", [trial], FillRules(), 100_000)
    assert "Title &lt;b&gt;" in text
    assert text.count("<svg") == 2 + 2 * 2
    for word in ("http://", "https://", "<script", "<link", "src="):
        assert word not in text

"""Challengers learn what there is, see nothing ahead, pay for their switches, and are judged."""

from dataclasses import replace

import numpy as np
import pytest

from models.learning.challengers.judged import judge_challenger
from models.learning.challengers.regimes import Regimes
from models.learning.challengers.tabular import STATES, WEIGHTS, Tabular, solve
from models.learning.challengers.weights import challenge, days_of
from models.learning.features.bars import Bars
from models.learning.training.daily import daily_question, question_features, upper_half
from models.learning.training.question import make_plan
from models.learning.training.samples import make_samples

DAY = 86_400
QUICK = [Tabular(), Regimes(restarts=2)]


def market(seed: int, days: int = 1_500, drift: float = 0.0) -> Bars:
    """Return a market with calm good days and wild bad ones, `drift` apart."""
    rng = np.random.default_rng(seed)
    state = np.zeros(days, dtype=int)
    for row in range(1, days):
        state[row] = state[row - 1] if rng.random() < 0.98 else 1 - state[row - 1]
    mean, wild = np.array([drift, -drift])[state], np.array([0.01, 0.04])[state]
    close = 100 * np.exp(np.cumsum(rng.normal(0, 1, days) * wild + mean))
    opened = np.concatenate([[100.0], close[:-1]])
    unknown = np.full(days, np.nan)
    return Bars(
        np.arange(days) * DAY, DAY, opened, np.maximum(opened, close) * 1.01,
        np.minimum(opened, close) * 0.99, close, rng.gamma(2, 10, days), unknown, close,
    )  # fmt: skip


def planned(bars: Bars):
    question = replace(daily_question(), folds=3)
    samples = make_samples([bars], question_features(), upper_half, question.exits)
    return make_plan(question, samples)


@pytest.mark.parametrize("challenger", QUICK, ids=lambda one: one.trial)
def test_challenger_follows_a_market_that_can_be_followed(challenger):
    bars = market(1, drift=0.01)
    found = challenge(planned(bars), [bars], challenger, np.random.default_rng(1))
    assert found.net.mean() / found.net.std() > 0.03
    assert found.costs.sum() > 0


@pytest.mark.parametrize("challenger", QUICK, ids=lambda one: one.trial)
def test_challenger_on_a_walk_at_random_is_refused_by_the_gate(challenger):
    bars = market(2)
    plan = planned(bars)
    found = challenge(plan, [bars], challenger, np.random.default_rng(1))
    report = judge_challenger(plan, found, found.net[:, None], np.random.default_rng(1))
    assert not report.passed
    assert report.reasons
    assert "calibration" not in report.reasons


@pytest.mark.parametrize("challenger", QUICK, ids=lambda one: one.trial)
def test_no_weight_looks_ahead(challenger):
    bars = market(3, drift=0.003)
    days = days_of(bars)
    policy = challenger.fit([days.until(1_000 * DAY)], 0.005, np.random.default_rng(1))
    whole = policy.weights(days)
    assert set(np.unique(whole)) <= set(WEIGHTS)
    cut = days_of(bars.part(0, 1_200))
    assert np.array_equal(policy.weights(cut), whole[:1_200])


def test_days_until_a_moment_hold_no_gain_that_came_after():
    days = days_of(market(4))
    known = days.until(500 * DAY)
    assert known.ends[-1] == 499 * DAY
    assert np.isfinite(known.gain).all()


def test_costs_keep_a_weight_that_would_else_be_changed():
    moves = np.full((2, 2), 0.5)
    gains = np.array([0.01, -0.01])
    free, dear = (solve(gains, moves, cost, 0.9) for cost in (0.0, 1.0))
    assert WEIGHTS[free].tolist() == [[1.0] * 3, [0.0] * 3]
    # A change costs a hundred days' gain: what is held stays.
    assert WEIGHTS[dear].tolist() == [[0.0, 0.5, 1.0]] * 2
    assert STATES == 9


def test_costs_are_what_the_switches_cost():
    bars = market(5)
    plan = planned(bars)
    found = challenge(plan, [bars], Regimes(restarts=2), np.random.default_rng(1))
    free = replace(plan.question.exits, entry_cost=0.0, exit_cost=0.0)
    gratis = replace(plan, question=replace(plan.question, exits=free))
    gross = challenge(gratis, [bars], Regimes(restarts=2), np.random.default_rng(1))
    assert found.net.sum() == pytest.approx(gross.net.sum() - found.costs.sum())

"""The newest year is seen by nothing, and looked at by one model with its own stakes."""

from dataclasses import replace

import numpy as np
import pytest

from models.learning.training.daily import HOLDOUT, daily_question
from models.learning.training.holdout import FEWEST_TRADES, lock_holdout, open_holdout
from models.learning.training.question import DAY_SECONDS, make_plan
from models.learning.training.samples import Samples
from models.learning.validation.spans import Spans, SplitError
from tests.support.learning.champions import document

WIDTH = len(document().features)


def samples(days: int = 2_000, net: float = 0.05, seed: int = 1) -> Samples:
    start = np.arange(days) * DAY_SECONDS
    rng = np.random.default_rng(seed)
    return Samples(
        rng.normal(0, 1, (days, WIDTH)),
        rng.normal(net, 0.01, days),
        Spans(start, start + 10 * DAY_SECONDS),
        np.ones(days),
        np.full(days, 0.1),
        np.zeros(days, dtype=np.int64),
    )


def test_no_label_of_training_reaches_into_the_hold_out():
    question, found = daily_question(), samples()
    split = lock_holdout(question, found)
    begins = split.locked.spans.start.min()
    assert (split.open.spans.end + question.embargo_seconds <= begins).all()
    assert split.locked.spans.start.max() - begins == HOLDOUT
    plan = make_plan(question, split.open)
    assert plan.periods.begins + plan.periods.count * plan.periods.seconds <= begins
    assert split.open.weights.mean() == pytest.approx(1)


def test_nothing_is_locked_where_nothing_is_asked():
    question = replace(daily_question(), holdout_seconds=0)
    assert lock_holdout(question, samples()).locked is None


def test_too_short_a_history_is_refused():
    with pytest.raises(SplitError):
        lock_holdout(daily_question(), samples(days=300))


def test_model_that_earns_passes_and_one_that_loses_does_not():
    question = daily_question()
    for net, passes in ((0.05, True), (-0.05, False)):
        locked = lock_holdout(question, samples(net=net)).locked
        found = open_holdout(question, locked, document())
        assert found.passed is passes, found
        assert found.trades > FEWEST_TRADES
        assert np.sign(found.sharpe) == np.sign(net)


def test_what_earns_less_than_the_costs_that_may_come_does_not_pass():
    question = daily_question()
    paid = question.exits.entry_cost + question.exits.exit_cost
    locked = lock_holdout(question, samples(net=0.25 * paid)).locked
    found = open_holdout(question, locked, document())
    assert found.sharpe > 0
    assert "stressed costs" in found.reason


def test_a_model_that_takes_nothing_has_shown_nothing():
    question = daily_question()
    locked = lock_holdout(question, samples()).locked
    idle = document(members=({"kind": "logistic", "intercept": -5.0,
                              "coefficients": [0.0] * WIDTH},))  # fmt: skip
    found = open_holdout(question, locked, idle)
    assert found.trades == 0
    assert "say nothing" in found.reason

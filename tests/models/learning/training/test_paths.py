"""Paths through history: nothing tested was met in training, and luck is told from skill."""

import math
import re

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from models.learning.estimators.estimator import EstimatorSpec
from models.learning.labels.exits import Exits
from models.learning.training.fitting import INNER_PARTS, inner_parts
from models.learning.training.paths import judge_paths, paths_splits, walk_paths
from models.learning.training.question import DAY_SECONDS, Question, make_plan
from models.learning.training.samples import Samples
from models.learning.validation.spans import Spans, SplitError

EXITS = Exits(stop=0.08, target=0.15, longest_bars=15, entry_cost=0.005, exit_cost=0.005)
LINEAR = EstimatorSpec("logistic", {"penalty": 1})

of_pairs = st.lists(
    st.tuples(st.integers(0, 200), st.integers(1, 40), st.integers(0, 3)),
    min_size=40,
    max_size=120,
)


def samples_of(rows: list[tuple[int, int, int]], seed: int = 0, edge: float = 0.0) -> Samples:
    """Return samples of several pairs that stand together, in the order of their time."""
    table = np.array(sorted(rows), dtype=np.int64)
    rng = np.random.default_rng(seed)
    features = rng.standard_normal((len(rows), 2))
    wins = rng.random(len(rows)) < 1 / (1 + np.exp(-edge * features[:, 0]))
    net = np.where(wins, 0.10, -0.10)
    spans = Spans(table[:, 0] * DAY_SECONDS, (table[:, 0] + table[:, 1]) * DAY_SECONDS)
    ones = np.ones(len(rows))
    return Samples(features, net, spans, ones, ones, table[:, 2])


def asked(embargo: int = 0) -> Question:
    return Question("paths", EXITS, (LINEAR,), folds=3, embargo_seconds=embargo * DAY_SECONDS)


@settings(max_examples=80)
@example(rows=[(0, 1, 0), (0, 2, 0), *([(1, 150, 0)] * 19), *([(180, 1, 0)] * 19)], embargo=10)
@given(rows=of_pairs, embargo=st.integers(0, 10))
def test_no_split_of_the_pipeline_trains_on_a_span_that_meets_its_test(rows, embargo):
    """Walk-forward, paths and the calibration inside of each training, over all pairs."""
    samples, question = samples_of(rows), asked(embargo)
    try:
        splits = [*make_plan(question, samples).folds, *paths_splits(question, samples)]
    except SplitError:
        return
    inner = []
    for split in splits:
        try:
            inner += inner_parts(question, samples, split.train)
        except SplitError:
            assert len(split.train) < INNER_PARTS
    spans, wait = samples.spans, embargo * DAY_SECONDS
    for train, test in [*((one.train, one.test) for one in splits), *inner]:
        begins, ends = spans.start[train][:, None], spans.end[train][:, None]
        meets = (begins < spans.end[test] + wait) & (spans.start[test] < ends)
        assert not meets.any()


def test_every_path_covers_all_of_history_once():
    rows = [(day, 2, day % 3) for day in range(600)]
    samples, question = samples_of(rows, edge=2.0), asked(5)
    found = walk_paths(question, samples, LINEAR)
    assert found.splits == math.comb(6, 2) == 15
    assert found.net.shape[0] == math.comb(5, 1) == 5
    assert not found.failures
    # Other fits, other paths: none is another one again.
    assert len({tuple(path) for path in found.net}) == 5
    # Each trades from the first stretch to the last one, which walk-forward never tests.
    assert ((found.net[:, :100] != 0).any(axis=1) & (found.net[:, -100:] != 0).any(axis=1)).all()


def test_true_signal_earns_on_every_path_and_chance_does_not():
    rows = [(day, 2, day % 3) for day in range(900)]
    skill = judge_paths(asked(5), samples_of(rows, edge=2.0), LINEAR)
    assert skill.passed
    assert skill.figure > 1
    assert "5 paths of 15 splits" in skill.note
    lucky = sum(judge_paths(asked(5), samples_of(rows, seed), LINEAR).passed for seed in range(6))
    assert lucky <= 1


@pytest.mark.parametrize(("count", "why"), [(4, "cannot cut"), (60, "alike|needs|vary")])
def test_what_cannot_be_learnt_fails_the_test_and_says_why(count, why):
    rows = [(day, 1, 0) for day in range(count)]
    samples = samples_of(rows)
    samples.net[:] = 0.1
    found = judge_paths(asked(), samples, LINEAR)
    assert not found.passed
    assert math.isnan(found.figure)
    assert re.search(why, found.note)

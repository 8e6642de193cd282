"""No training span meets a test span, whatever the labels; and why counts will not do."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import KFold
from sklearn.neighbors import KNeighborsClassifier

from models.learning.validation.spans import Spans, SplitError, combinatorial, walk_forward

spans_drawn = st.lists(
    st.tuples(st.integers(0, 300), st.integers(1, 60)), min_size=20, max_size=120
).map(
    lambda rows: Spans(
        np.array([start for start, _ in rows]), np.array([start + length for start, length in rows])
    )
)


def meets(spans: Spans, one: int, other: int, embargo: int) -> bool:
    return bool(
        spans.start[one] < spans.end[other] + embargo and spans.start[other] < spans.end[one]
    )


@settings(max_examples=150, deadline=None)
@given(spans=spans_drawn, embargo=st.integers(0, 20))
def test_no_training_span_meets_a_test_span(spans: Spans, embargo: int) -> None:
    try:
        splits = [
            *combinatorial(spans, 5, 2, embargo=embargo),
            *walk_forward(spans, 4, embargo=embargo),
        ]
    except SplitError:
        return
    assert splits
    for split in splits:
        assert not set(split.train) & set(split.test)
        for train in split.train:
            assert not any(meets(spans, train, test, embargo) for test in split.test)


@given(spans=spans_drawn)
def test_every_sample_is_tested_equally_often(spans: Spans) -> None:
    try:
        splits = list(combinatorial(spans, 5, 2))
    except SplitError:
        return
    counts = np.zeros(len(spans), dtype=int)
    for split in splits:
        counts[split.test] += 1
    assert (counts == 4).all()


def test_nothing_is_purged_without_a_reason() -> None:
    spans = Spans(np.arange(100), np.arange(100) + 1)
    for split in combinatorial(spans, 5, 1):
        assert split.train.size + split.test.size == 100


@pytest.mark.parametrize(("start", "end"), [([0, 1], [1, 1]), ([0, 2], [1])])
def test_impossible_spans_are_refused(start: list[int], end: list[int]) -> None:
    with pytest.raises(SplitError):
        Spans(np.array(start), np.array(end))


def test_a_random_walk_is_not_predicted() -> None:
    """Overlapping labels of a random walk: folds that are shuffled see their answers."""
    scores, leaked = [], []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        steps = rng.standard_normal(6_000)
        price = np.concatenate([[0.0], np.cumsum(steps)])
        horizon = 40
        starts = np.arange(60, 6_000 - horizon)
        answers = (price[starts + horizon] > price[starts]).astype(int)
        features = np.stack(
            [price[starts] - price[starts - lag] for lag in (10, 20, 30, 40, 50, 60)], axis=1
        )
        spans = Spans(starts.astype(np.int64), (starts + horizon).astype(np.int64))
        scores.append(
            score(
                features,
                answers,
                [(s.train, s.test) for s in combinatorial(spans, 6, 1, embargo=60)],
            )
        )
        leaked.append(
            score(
                features, answers, list(KFold(6, shuffle=True, random_state=seed).split(features))
            )
        )
    assert np.mean(leaked) > 0.6
    assert np.mean(scores) == pytest.approx(0.5, abs=0.02)


def score(features: np.ndarray, answers: np.ndarray, splits: list) -> float:
    found = []
    for train, test in splits:
        if len(set(answers[test])) < 2 or len(set(answers[train])) < 2:
            continue
        model = KNeighborsClassifier(5)
        model.fit(features[train], answers[train])
        found.append(roc_auc_score(answers[test], model.predict_proba(features[test])[:, 1]))
    return float(np.mean(found))

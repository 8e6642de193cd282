"""Purging, splits and the probability of overfitting come to what another library comes to."""

import numpy as np
import pandas as pd
import purgedcv
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.learning.validation.overfitting import probability_of_overfitting
from models.learning.validation.spans import Spans, combinatorial, purged

DAYS = st.lists(st.tuples(st.integers(0, 300), st.integers(1, 60)), min_size=2, max_size=80)


def times(days: np.ndarray) -> pd.Series:
    """Return days as moments, which is how the library takes them."""
    return pd.Series(pd.Timestamp("2020-01-01") + pd.to_timedelta(days, unit="D"))


@given(rows=DAYS, chosen=st.integers(0, 2**32 - 1), embargo=st.integers(0, 20))
def test_what_is_purged_and_embargoed(rows, chosen, embargo):
    start = np.array([first for first, _ in rows])
    spans = Spans(start, start + np.array([length for _, length in rows]))
    is_test = np.random.default_rng(chosen).random(len(rows)) < 0.3
    test, rest = np.flatnonzero(is_test), np.flatnonzero(~is_test)
    begin, end = times(spans.start), times(spans.end)
    kept = purgedcv.purge(rest, test, begin, end)
    if embargo:
        # Its window is closed at its end, ours is open there: a second less is the same.
        window = pd.Timedelta(days=embargo) - pd.Timedelta(seconds=1)
        kept = purgedcv.apply_embargo(kept, test, begin, end, window)
    assert purged(spans, rest, test, embargo).tolist() == kept.tolist()


@pytest.mark.parametrize("embargo", [0, 5])
def test_combinatorial_splits(embargo):
    start = np.arange(120)
    spans = Spans(start, start + 1 + np.arange(120) % 7)
    window = pd.Timedelta(days=embargo) - pd.Timedelta(seconds=1) if embargo else None
    theirs = purgedcv.CombinatorialPurgedCV(
        n_splits=6, n_test_groups=2, prediction_times=times(spans.start),
        evaluation_times=times(spans.end), embargo=window,
    )  # fmt: skip
    found = {tuple(test): train.tolist() for train, test in theirs.split(np.zeros((120, 1)))}
    own = {
        tuple(one.test): one.train.tolist() for one in combinatorial(spans, 6, 2, embargo=embargo)
    }
    assert len(own) == 15
    assert own == found


@pytest.mark.parametrize("edge", [0.0, 0.1])
def test_probability_of_overfitting(edge):
    rng = np.random.default_rng(5)
    table = rng.normal(0, 1, (403, 10))
    table[:, 0] += edge
    theirs = purgedcv.probability_of_backtest_overfitting(table.T, n_splits=10)
    own = probability_of_overfitting(table, 10)
    assert own.splits == theirs.n_combos == 252
    assert own.probability == pytest.approx(theirs.pbo, abs=1e-12)
    assert 0 < own.probability < 1

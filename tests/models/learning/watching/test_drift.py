"""Drift is told from chance by the size of the samples, and the index has its known mean."""

import numpy as np
import pytest

from models.learning.watching.cusum import WatchError
from models.learning.watching.drift import (
    BINS,
    drifted,
    edges_of,
    largest_healthy_index,
    stability_index,
)


def test_index_of_nothing_has_its_published_mean():
    rng = np.random.default_rng(1)
    trained, seen, found = 2_000, 300, []
    for _ in range(400):
        (edges,) = edges_of(rng.normal(0, 1, (trained, 1)))
        found.append(stability_index(edges, rng.normal(0, 1, seen)))
    assert np.mean(found) == pytest.approx((BINS - 1) * (1 / trained + 1 / seen), rel=0.15)


@pytest.mark.parametrize("seen", [80, 1_000])
def test_chance_alarms_as_seldom_as_said(seen):
    rng = np.random.default_rng(2)
    names, alarms = [f"f{n}" for n in range(5)], 0
    trained = rng.normal(0, 1, (3_000, 5))
    for _ in range(300):
        alarms += bool(drifted(names, edges_of(trained), 3_000, rng.normal(0, 1, (seen, 5)), 1))
    assert alarms / 300 <= 0.06


def test_a_moved_feature_is_named_and_no_other():
    rng = np.random.default_rng(3)
    edges = edges_of(rng.normal(0, 1, (3_000, 2)))
    vectors = rng.normal([0, 1.0], 1, (400, 2))
    (found,) = drifted(["calm", "moved"], edges, 3_000, vectors, 5)
    assert found.startswith("moved ")


def test_few_vectors_say_nothing_and_a_small_sample_needs_more():
    rng = np.random.default_rng(4)
    edges = edges_of(rng.normal(0, 1, (3_000, 1)))
    assert drifted(["f"], edges, 3_000, np.full((20, 1), 9.0), 1) == []
    assert largest_healthy_index(3_000, 60) > 0.25 > largest_healthy_index(3_000, 3_000)


def test_a_feature_of_few_values_is_passed_over():
    days = np.tile(np.arange(7.0), 300)[:, None]
    assert drifted(["weekday"], edges_of(days), 2_000, np.zeros((100, 1)), 1) == []


def test_bins_of_other_features_are_refused():
    with pytest.raises(WatchError):
        drifted(["f"], [], 100, np.zeros((100, 1)), 1)

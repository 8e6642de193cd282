"""The checks catch a planted look-ahead and a planted memory, and clear the shipped sets."""

import numpy as np
import pytest

from models.learning.features.bars import Window
from models.learning.features.catalogue import FeatureSet, daily_features, hourly_features
from models.learning.features.checks import features_that_look_ahead, features_that_remember
from models.learning.features.definitions import Feature, log_return
from tests.models.learning.features.test_features import random_bars


def ahead(window: Window) -> np.ndarray:
    """Look at the last bar of all windows at once: the future of most of them."""
    return np.roll(window["close"][..., -1], -1) / window["close"][..., -1]


def remembering(window: Window) -> np.ndarray:
    """Sum over all windows so far: what came first is never forgotten."""
    return np.cumsum(window["close"][..., -1])


@pytest.mark.parametrize("features", [daily_features(), hourly_features()])
def test_the_shipped_features_are_clear(features: FeatureSet) -> None:
    bars = random_bars(800, 1)
    assert features_that_look_ahead(features, bars, np.random.default_rng(1)) == []
    assert features_that_remember(features, bars) == []


def test_a_planted_look_ahead_is_named() -> None:
    planted = FeatureSet("x", 1, (log_return(5), Feature("planted", "", "", 2, ahead)))
    found = features_that_look_ahead(planted, random_bars(300, 2), np.random.default_rng(1))
    assert found == ["planted"]


def test_a_planted_memory_is_named() -> None:
    planted = FeatureSet("x", 1, (log_return(5), Feature("planted", "", "", 2, remembering)))
    assert features_that_remember(planted, random_bars(300, 2)) == ["planted"]

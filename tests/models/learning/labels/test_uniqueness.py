"""Published figures of uniqueness and the sequential bootstrap."""

import numpy as np
import pytest

from models.learning.labels.uniqueness import (
    average_uniqueness,
    draw_probabilities,
    sample_weights,
)
from models.learning.validation.spans import Spans

PUBLISHED = Spans(np.array([0, 2, 4]), np.array([3, 4, 6]))


def test_the_published_uniqueness() -> None:
    assert average_uniqueness(PUBLISHED) == pytest.approx([5 / 6, 3 / 4, 1.0])


def test_the_published_draw() -> None:
    found = draw_probabilities(PUBLISHED, np.array([1]))
    assert found == pytest.approx([5 / 14, 3 / 14, 6 / 14])


def test_weights_have_mean_one_and_follow_the_result() -> None:
    weights = sample_weights(PUBLISHED, np.array([0.1, 0.1, 0.2]))
    assert weights.mean() == pytest.approx(1.0)
    assert weights[2] / weights[0] == pytest.approx(2 / (5 / 6))

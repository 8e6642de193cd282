"""The stationary bootstrap against its published implementation, and its coverage."""

import numpy as np
import pytest
from arch.bootstrap import optimal_block_length as published

from models.learning.validation.bootstrap import (
    lower_bound,
    optimal_block_length,
    stationary_indices,
)
from models.learning.validation.sharpe import UnknownStatisticError


def autoregressive(rng: np.random.Generator, size: int, rho: float) -> np.ndarray:
    noise = rng.standard_normal(size + 200)
    for position in range(1, noise.size):
        noise[position] += rho * noise[position - 1]
    return noise[200:]


@pytest.mark.parametrize("rho", [0.0, 0.3, 0.7, -0.4])
@pytest.mark.parametrize("size", [60, 500, 4000])
def test_block_lengths_are_the_published_ones(rho: float, size: int) -> None:
    values = autoregressive(np.random.default_rng(size), size, rho)
    expected = published(values)
    found = optimal_block_length(values)
    assert found[0] == pytest.approx(max(1.0, expected["stationary"].iloc[0]), rel=1e-9)
    assert found[1] == pytest.approx(max(1.0, expected["circular"].iloc[0]), rel=1e-9)


def test_blocks_run_on_and_have_the_length_asked() -> None:
    drawn = stationary_indices(1_000, 10, np.random.default_rng(1), 200)
    assert drawn.shape == (200, 1_000)
    follows = (drawn[:, 1:] - drawn[:, :-1]) % 1_000 == 1
    assert follows.mean() == pytest.approx(0.9, abs=0.01)


def test_the_lower_bound_covers_as_often_as_it_says() -> None:
    rng = np.random.default_rng(7)
    covered = [
        lower_bound(autoregressive(rng, 400, 0.3), rng, samples=300) <= 0 for _ in range(300)
    ]
    assert 0.90 <= np.mean(covered) <= 0.985


@pytest.mark.parametrize("values", [[], [1.0] * 7, [1.0] * 7 + [np.nan]])
def test_too_little_is_refused(values: list[float]) -> None:
    with pytest.raises(UnknownStatisticError):
        optimal_block_length(np.array(values))

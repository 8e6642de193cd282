"""The watch fires as late on healthy results, and as soon on fallen ones, as it says."""

import math

import numpy as np
import pytest

from models.learning.watching.cusum import (
    Cusum,
    WatchError,
    calibrated_threshold,
    run_length,
)


def test_published_run_lengths() -> None:
    assert run_length(0.5, 5, 0.0) == pytest.approx(938.2, abs=0.1)
    assert run_length(0.5, 5, 1.0) == pytest.approx(10.34, abs=0.01)


def runs_until(shift: float, seed: int) -> int:
    rng = np.random.default_rng(seed)
    watch = Cusum(expected=0.0, deviation=1.0, allowance=0.5, threshold=5.0)
    while not watch.fired:
        watch = watch.after(rng.normal(-shift, 1.0))
    return watch.count


def test_a_fall_of_one_deviation_is_seen_as_soon_as_said() -> None:
    assert np.mean([runs_until(1.0, seed) for seed in range(400)]) == pytest.approx(10.34, rel=0.1)


def test_a_threshold_from_its_own_results_keeps_its_promise() -> None:
    rng = np.random.default_rng(3)
    own = rng.standard_t(4, 800) * 0.02 + 0.003
    threshold = calibrated_threshold(own, 0.5, rng, horizon=300, false_alarms=0.05)
    fired = 0
    for _ in range(300):
        watch = Cusum(float(own.mean()), float(own.std(ddof=1)), 0.5, threshold)
        for result in rng.choice(own, 300):
            watch = watch.after(float(result))
            if watch.fired:
                fired += 1
                break
    assert fired / 300 == pytest.approx(0.05, abs=0.03)


def test_a_missing_result_is_not_a_healthy_one() -> None:
    with pytest.raises(WatchError):
        Cusum(0.0, 1.0, 0.5, 5.0).after(math.nan)


@pytest.mark.parametrize("deviation", [0.0, math.nan, -1.0])
def test_a_watch_without_a_deviation_is_refused(deviation: float) -> None:
    with pytest.raises(WatchError):
        Cusum(0.0, deviation, 0.5, 5.0)

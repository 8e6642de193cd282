"""Published figures of Sharpe ratio inference, and what cannot be known."""

import math

import numpy as np
import pytest

from models.learning.validation.sharpe import (
    Moments,
    UnknownStatisticError,
    deflated_sharpe,
    detectable_sharpe,
    expected_best_sharpe,
    minimum_track_record,
    moments,
    probabilistic_sharpe,
    probabilistic_sharpe_2025,
)

YEAR = 250


class TestPublishedFigures:
    def test_the_probabilistic_ratio_of_2012(self) -> None:
        hedge_fund = Moments(24, 0.458, -2.448, 10.164)
        assert probabilistic_sharpe(hedge_fund) == pytest.approx(0.9134, abs=5e-5)

    @pytest.mark.parametrize(("trials", "expected"), [(100, 0.90040), (46, 0.9505)])
    def test_the_deflated_ratio_of_2014(self, trials: int, expected: float) -> None:
        chosen = Moments(5 * YEAR, 2.5 / math.sqrt(YEAR), -3, 10)
        assert deflated_sharpe(chosen, 0.5 / YEAR, trials) == pytest.approx(expected, abs=5e-5)

    def test_the_best_of_a_hundred_without_skill(self) -> None:
        assert expected_best_sharpe(0.5 / YEAR, 100) == pytest.approx(0.1132, abs=5e-5)

    @pytest.mark.parametrize(
        ("benchmark", "autocorrelation", "expected"),
        [(0.0, 0.0, 0.987), (0.1, 0.0, 0.939), (0.0, 0.2, 0.966)],
    )
    def test_the_variant_of_2025(
        self, benchmark: float, autocorrelation: float, expected: float
    ) -> None:
        fund = Moments(24, 0.036 / 0.079, -2.448, 10.164, autocorrelation)
        assert probabilistic_sharpe_2025(fund, benchmark) == pytest.approx(expected, abs=5e-4)

    def test_the_shortest_record_of_two_against_one(self) -> None:
        twice = Moments(1, 2 / math.sqrt(YEAR))
        needed = minimum_track_record(twice, 1 / math.sqrt(YEAR))
        assert needed / YEAR == pytest.approx(2.731, abs=5e-4)


class TestUnknown:
    @pytest.mark.parametrize(
        "results",
        [[], [0.1, 0.2], [0.1] * 50, [0.1, math.nan, 0.2, 0.3], [0.1, math.inf, 0.2, 0.3]],
    )
    def test_moments_are_refused(self, results: list[float]) -> None:
        with pytest.raises(UnknownStatisticError):
            moments(results)

    def test_a_ratio_below_its_benchmark_is_never_proven(self) -> None:
        assert minimum_track_record(Moments(100, 0.1), 0.2) == math.inf

    def test_trials_fewer_than_one(self) -> None:
        with pytest.raises(UnknownStatisticError):
            expected_best_sharpe(0.1, 0)


def test_moments_of_many_draws() -> None:
    drawn = np.random.default_rng(3).gamma(4.0, 1.0, 200_000)
    found = moments(drawn)
    assert found.sharpe == pytest.approx(2.0, rel=0.01)
    assert found.skewness == pytest.approx(1.0, rel=0.05)
    assert found.kurtosis == pytest.approx(4.5, rel=0.05)
    assert found.autocorrelation == pytest.approx(0.0, abs=0.01)


def test_what_is_detectable_is_detected_as_often_as_said() -> None:
    size, rng = 500, np.random.default_rng(5)
    true = detectable_sharpe(size)
    found = [
        probabilistic_sharpe_2025(moments(rng.normal(true, 1.0, size))) >= 0.95 for _ in range(1000)
    ]
    assert np.mean(found) == pytest.approx(0.8, abs=0.05)

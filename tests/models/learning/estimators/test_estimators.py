"""Estimators learn, refuse what is unknown, and their probabilities mean what they say."""

import numpy as np
import pytest

from models.learning.estimators.calibration import (
    FEWEST_FOR_STEPS,
    CalibrationError,
    Isotonic,
    Sigmoid,
    fit_isotonic,
    fit_mapping,
    fit_sigmoid,
    judge_calibration,
    lower_probability,
)
from models.learning.estimators.estimator import (
    EstimatorError,
    EstimatorSpec,
    make_estimator,
)


def sample(seed: int, size: int = 2_000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    features = rng.normal(0, 1, (size, 4))
    chance = 1 / (1 + np.exp(-features[:, 0]))
    return features, rng.random(size) < chance, chance


@pytest.mark.parametrize("kind", ["logistic", "boosting"])
def test_what_can_be_learnt_is_learnt(kind: str) -> None:
    features, profitable, _ = sample(1)
    model = make_estimator(EstimatorSpec(kind)).fit(features, profitable, np.ones(2_000))
    fresh, _, chance = sample(2)
    assert np.corrcoef(model.probabilities(fresh), chance)[0, 1] > 0.9


def test_the_same_seed_gives_the_same_model() -> None:
    features, profitable, _ = sample(1)
    spec = EstimatorSpec("boosting", {"rounds": 20}, seed=7)
    found = [
        make_estimator(spec).fit(features, profitable, np.ones(2_000)).probabilities(features)
        for _ in range(2)
    ]
    assert np.array_equal(*found)


class TestRefusals:
    def test_an_unknown_feature(self) -> None:
        features, profitable, _ = sample(1)
        model = make_estimator(EstimatorSpec("logistic")).fit(features, profitable, np.ones(2_000))
        features[3, 1] = np.nan
        with pytest.raises(EstimatorError):
            model.probabilities(features)
        with pytest.raises(EstimatorError):
            make_estimator(EstimatorSpec("logistic")).fit(features, profitable, np.ones(2_000))

    def test_another_number_of_features(self) -> None:
        features, profitable, _ = sample(1)
        model = make_estimator(EstimatorSpec("logistic")).fit(features, profitable, np.ones(2_000))
        with pytest.raises(EstimatorError):
            model.probabilities(features[:, :3])

    def test_answers_that_are_all_alike(self) -> None:
        features, _, _ = sample(1)
        with pytest.raises(EstimatorError):
            make_estimator(EstimatorSpec("logistic")).fit(
                features, np.ones(2_000, dtype=bool), np.ones(2_000)
            )

    @pytest.mark.parametrize("spec", [EstimatorSpec("oracle"), EstimatorSpec("logistic", {"x": 1})])
    def test_an_unknown_kind_or_parameter(self, spec: EstimatorSpec) -> None:
        with pytest.raises(EstimatorError):
            make_estimator(spec)


class TestCalibration:
    def test_true_probabilities_hold(self) -> None:
        _, profitable, chance = sample(3)
        found = judge_calibration(chance, profitable)
        assert found.holds
        assert found.slope == pytest.approx(1.0, abs=0.15)

    def test_overconfident_ones_do_not_and_are_mended(self) -> None:
        _, profitable, chance = sample(4)
        boasted = chance**4 / (chance**4 + (1 - chance) ** 4)
        assert not judge_calibration(boasted, profitable).holds
        mended = fit_sigmoid(boasted, profitable)
        assert mended.slope == pytest.approx(0.25, abs=0.05)
        _, fresh, other = sample(5)
        again = other**4 / (other**4 + (1 - other) ** 4)
        assert judge_calibration(mended.apply(again), fresh).holds

    def test_coins_do_not_beat_the_base_rate(self) -> None:
        rng = np.random.default_rng(6)
        assert not judge_calibration(rng.uniform(0.3, 0.7, 2_000), rng.random(2_000) < 0.5).holds

    def test_overlap_widens_the_interval(self) -> None:
        _, profitable, chance = sample(3)
        many, few = (
            judge_calibration(chance, profitable),
            judge_calibration(chance, profitable, effective=200),
        )
        width = (few.slope_upper - few.slope_lower) / (many.slope_upper - many.slope_lower)
        assert width == pytest.approx(np.sqrt(10))

    def test_too_little_is_refused(self) -> None:
        with pytest.raises(CalibrationError):
            fit_sigmoid(np.full(20, 0.4), np.ones(20, dtype=bool))

    def test_steps_are_learnt_from_thousands_of_samples_only(self) -> None:
        rng = np.random.default_rng(7)
        said = rng.uniform(0.02, 0.98, 8_000)
        true = np.where(said < 0.5, 0.2, 0.7)  # no sigmoid is of this shape
        wins = rng.random(said.size) < true
        few = fit_mapping(said, wins, FEWEST_FOR_STEPS - 1)
        assert isinstance(few, Sigmoid)
        steps = fit_mapping(said, wins, FEWEST_FOR_STEPS)
        assert isinstance(steps, Isotonic)
        asked = np.array([0.05, 0.3, 0.7, 0.95])
        assert steps.apply(asked) == pytest.approx([0.2, 0.2, 0.7, 0.7], abs=0.06)
        assert np.abs(few.apply(asked) - [0.2, 0.2, 0.7, 0.7]).max() > 0.1
        with pytest.raises(CalibrationError, match="independent"):
            fit_isotonic(said, wins, 2_000)

    def test_no_step_is_surer_than_its_evidence(self) -> None:
        said = np.linspace(0.01, 0.99, 4_000)
        steps = fit_isotonic(said, said > 0.5, 4_000)
        found = steps.apply(np.array([0.0, 1.0]))
        assert found == pytest.approx([1 / 4_002, 1 - 1 / 4_002])
        assert np.isnan(steps.apply(np.array([np.nan]))[0])

    @pytest.mark.parametrize(
        ("scores", "values"),
        [((), ()), ((0.1, 0.1), (0.2, 0.3)), ((0.1, 0.2), (0.3, 0.2)), ((0.1,), (float("nan"),))],
    )
    def test_steps_that_fall_or_are_unknown_are_no_map(self, scores, values) -> None:
        with pytest.raises(CalibrationError):
            Isotonic(scores, values)

    def test_little_evidence_means_a_low_bound(self) -> None:
        assert lower_probability(0.6, 10) < lower_probability(0.6, 1_000) < 0.6
        with pytest.raises(CalibrationError):
            lower_probability(float("nan"), 10)

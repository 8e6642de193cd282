"""Overfitting and superior ability: nulls are not found, truth is."""

import numpy as np
import pytest
from arch.bootstrap import SPA

from models.learning.validation.overfitting import probability_of_overfitting, superior_ability
from models.learning.validation.sharpe import UnknownStatisticError


class TestOverfitting:
    def test_trials_without_skill_overfit_about_half_of_the_time(self) -> None:
        rng = np.random.default_rng(1)
        found = [
            probability_of_overfitting(rng.normal(0, 1, (320, 10))).probability for _ in range(40)
        ]
        assert np.mean(found) == pytest.approx(0.5, abs=0.1)

    def test_one_that_is_truly_better_is_chosen_rightly(self) -> None:
        table = np.random.default_rng(2).normal(0, 1, (800, 10))
        table[:, 3] += 0.3
        found = probability_of_overfitting(table)
        assert found.probability < 0.02
        assert found.loss_probability < 0.02
        assert found.splits == 12_870

    def test_a_set_that_always_loses_scores_low_and_loses(self) -> None:
        rng = np.random.default_rng(3)
        table = rng.normal(0, 1, (800, 6)) - 0.5 - np.linspace(0, 0.4, 6)
        found = probability_of_overfitting(table)
        assert found.probability < 0.2
        assert found.loss_probability == 1.0

    @pytest.mark.parametrize(
        "table", [np.zeros((400, 1)), np.zeros((20, 4)), np.full((400, 4), np.nan)]
    )
    def test_too_little_is_refused(self, table: np.ndarray) -> None:
        with pytest.raises(UnknownStatisticError):
            probability_of_overfitting(table)


class TestSuperiorAbility:
    def test_the_published_implementation_agrees(self) -> None:
        rng = np.random.default_rng(11)
        for shift in (0.0, 0.05, 0.1):
            models = rng.normal(shift, 1, (500, 4))
            benchmark = rng.normal(0, 1, 500)
            oracle = SPA(-benchmark, -models, reps=4_000, bootstrap="stationary", seed=1)
            oracle.compute()
            expected = float(oracle.pvalues["consistent"])
            found = superior_ability(models, benchmark, rng, samples=4_000)
            assert found == pytest.approx(expected, abs=0.05)

    def test_chance_is_found_as_often_as_said(self) -> None:
        rng = np.random.default_rng(4)
        zero = np.zeros(300)
        found = [
            superior_ability(rng.normal(0, 1, (300, 5)), zero, rng, samples=200) for _ in range(200)
        ]
        assert np.mean(np.array(found) <= 0.05) <= 0.1

    def test_what_never_moves_is_not_superior(self) -> None:
        zero = np.zeros(300)
        assert superior_ability(zero, zero, np.random.default_rng(1)) == 1.0

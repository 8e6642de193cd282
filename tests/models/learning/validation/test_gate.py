"""The gate refuses chance, costs and unknown figures, and lets a true edge pass."""

import numpy as np
import pytest

from models.learning.validation.gate import Evidence, judge
from models.learning.validation.sharpe import UnknownStatisticError
from models.learning.validation.trials import summarise_trials

DAYS = 8 * 365


def evidence(table: np.ndarray, costs: float = 0.0) -> Evidence:
    chosen = table[:, table.mean(axis=0).argmax()]
    return Evidence(chosen, np.full(chosen.size, costs), np.zeros(chosen.size), table)


def test_a_true_edge_passes() -> None:
    rng = np.random.default_rng(1)
    shared = rng.normal(2 / np.sqrt(365), 1, DAYS)
    table = np.stack(
        [shared + rng.normal(0, 0.2 + 0.2 * number, DAYS) for number in range(6)], axis=1
    )
    report = judge(evidence(table), rng)
    assert report.passed, report.reasons


def test_chance_does_not_pass() -> None:
    for seed in range(8):
        rng = np.random.default_rng(seed)
        assert not judge(evidence(rng.normal(0, 1, (1_000, 10))), rng).passed


def test_an_edge_below_stressed_costs_does_not_pass() -> None:
    rng = np.random.default_rng(2)
    shared = rng.normal(2 / np.sqrt(365), 1, DAYS)
    others = [rng.normal(0, 1, DAYS) for _ in range(3)]
    table = np.stack([shared, *others], axis=1)
    chosen, costs = table[:, 0], np.full(DAYS, 0.3)
    report = judge(Evidence(chosen, costs, np.zeros(DAYS), table), rng)
    assert report.reasons == ("lower_bound_at_stressed_costs",)


def test_more_trials_than_a_question_allows() -> None:
    rng = np.random.default_rng(3)
    report = judge(evidence(rng.normal(1, 1, (DAYS, 21))), rng)
    assert "trials" in report.reasons


def test_a_missing_figure_fails_its_test_and_says_why() -> None:
    rng = np.random.default_rng(4)
    table = rng.normal(1, 1, (DAYS, 4))
    table[7] = np.nan
    report = judge(Evidence(table[:, 0], np.zeros(DAYS), np.zeros(DAYS), table), rng)
    assert not report.passed
    assert "deflated_sharpe_2025" in report.reasons
    assert all(finding.note for finding in report.findings if np.isnan(finding.figure))


def test_results_that_never_move_do_not_pass() -> None:
    report = judge(evidence(np.zeros((DAYS, 4))), np.random.default_rng(5))
    assert not report.passed


def test_shapes_that_differ_are_refused() -> None:
    with pytest.raises(UnknownStatisticError):
        Evidence(np.zeros(5), np.zeros(4), np.zeros(5), np.zeros((5, 2)))


class TestTrials:
    def test_copies_count_once_and_strangers_each(self) -> None:
        rng = np.random.default_rng(6)
        roots = rng.normal(0, 1, (1_000, 3))
        copies = np.concatenate([roots + rng.normal(0, 0.1, roots.shape) for _ in range(5)], axis=1)
        assert summarise_trials(copies).effective == 3
        assert summarise_trials(rng.normal(0, 1, (1_000, 12))).effective == 12

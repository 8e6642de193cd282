"""The gate refuses chance, costs and unknown figures, and lets a true edge pass."""

import numpy as np
import pytest

from models.learning.validation.gate import Evidence, judge
from models.learning.validation.sharpe import UnknownStatisticError
from models.learning.validation.trials import merge_alike, summarise_trials

DAYS = 8 * 365


def evidence(table: np.ndarray, costs: float = 0.0) -> Evidence:
    chosen = table[:, table.mean(axis=0).argmax()]
    return Evidence(chosen, np.full(chosen.size, costs), table)


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
    report = judge(Evidence(chosen, costs, table), rng)
    assert report.reasons == ("lower_bound_at_stressed_costs",)


def test_more_trials_than_a_question_allows() -> None:
    rng = np.random.default_rng(3)
    report = judge(evidence(rng.normal(1, 1, (DAYS, 21))), rng)
    assert "trials" in report.reasons


def test_a_missing_figure_fails_its_test_and_says_why() -> None:
    rng = np.random.default_rng(4)
    table = rng.normal(1, 1, (DAYS, 4))
    table[7] = np.nan
    report = judge(Evidence(table[:, 0], np.zeros(DAYS), table), rng)
    assert not report.passed
    assert "deflated_sharpe_2025: the trials are not known" in report.reasons
    assert all(finding.note for finding in report.findings if np.isnan(finding.figure))


def test_one_that_does_not_beat_its_primary_does_not_pass() -> None:
    rng = np.random.default_rng(1)
    shared = rng.normal(2 / np.sqrt(365), 1, DAYS)
    table = np.stack([shared, *(rng.normal(0, 1, DAYS) for _ in range(3))], axis=1)
    primary = shared + rng.normal(0.02, 0.1, DAYS)
    report = judge(Evidence(shared, np.zeros(DAYS), table, {"primary": primary}), rng)
    assert report.reasons == ("superior_to_primary",)


def test_results_that_never_move_do_not_pass() -> None:
    report = judge(evidence(np.zeros((DAYS, 4))), np.random.default_rng(5))
    assert not report.passed


def test_shapes_that_differ_are_refused() -> None:
    with pytest.raises(UnknownStatisticError):
        Evidence(np.zeros(5), np.zeros(4), np.zeros((5, 2)))


class TestTrials:
    def test_copies_count_once_and_strangers_each(self) -> None:
        rng = np.random.default_rng(6)
        roots = rng.normal(0, 1, (1_000, 3))
        copies = np.concatenate([roots + rng.normal(0, 0.1, roots.shape) for _ in range(5)], axis=1)
        assert summarise_trials(copies).effective == 3
        assert summarise_trials(rng.normal(0, 1, (1_000, 12))).effective == 12

    def test_what_is_alike_is_merged(self) -> None:
        rng = np.random.default_rng(7)
        one, other = rng.normal(0, 1, (2, 1_000))
        table = np.stack([one, one + rng.normal(0, 0.05, 1_000), other], axis=1)
        merged = merge_alike(table)
        assert merged.shape == (1_000, 2)
        assert (
            np.corrcoef(merged[:, 0], one)[0, 1] > 0.99
            or np.corrcoef(merged[:, 1], one)[0, 1] > 0.99
        )

    def test_choosing_among_copies_is_no_overfitting(self) -> None:
        rng = np.random.default_rng(8)
        shared = rng.normal(2 / np.sqrt(365), 1, DAYS)
        table = np.stack([shared + rng.normal(0, 0.05, DAYS) for _ in range(6)], axis=1)
        assert judge(evidence(table), rng).passed

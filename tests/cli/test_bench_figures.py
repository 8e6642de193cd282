import pytest

from cli.bench_figures import BUDGETS, figure, percentile


def test_percentile_is_the_smallest_value_that_enough_values_do_not_exceed():
    values = [float(number) for number in range(100, 0, -1)]
    assert percentile(values, 0.5) == 50
    assert percentile(values, 0.99) == 99
    assert percentile([7.0], 0.99) == 7
    assert percentile([], 0.5) is None


def test_figure_with_values_says_whether_its_budget_was_met():
    limits = BUDGETS["request_to_ack"]
    assert figure("request_to_ack", [limits["p50_ms"]])["met"]
    assert not figure("request_to_ack", [limits["p50_ms"] + 1])["met"]
    assert not figure("request_to_ack", [1.0] * 98 + [limits["p99_ms"] + 1] * 2)["met"]


@pytest.mark.parametrize("name", ["request_to_ack", "something_without_budget"])
def test_figure_without_values_has_met_no_budget(name):
    assert figure(name, []).get("met") is None


def test_figure_shows_its_parts_beside_it():
    parted = figure("request_to_ack", [5.0], {"first": [2.0], "second": [3.0]})
    assert parted["parts"]["second"] == {"p50_ms": 3.0, "p99_ms": 3.0, "n": 1}

import pytest

from cli.bench.figures import BUDGETS, add_ratios, figure, percentile


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


def test_figure_is_judged_by_its_multiple_of_the_bare_chain_too():
    figures = {
        "request_to_ack": figure("request_to_ack", [25.0] * 98 + [50.0] * 2),
        "cross_to_exit": figure("cross_to_exit", [36.0]),
        "request_to_answer": figure("request_to_answer", [20.0]),
    }
    add_ratios(figures, [10.0] * 100)
    assert figures["request_to_ack"]["ratio"] == {"p50": 2.5, "p99": 5.0}
    assert figures["request_to_ack"]["ratio_met"]
    assert figures["cross_to_exit"]["ratio_met"] is False
    assert "ratio_met" not in figures["request_to_answer"]
    slow = {"request_to_ack": figure("request_to_ack", [25.0] * 98 + [50.1] * 2)}
    add_ratios(slow, [10.0] * 100)
    assert slow["request_to_ack"]["ratio_met"] is False


@pytest.mark.parametrize(("values", "chain"), [([], [10.0]), ([5.0], [])])
def test_what_was_not_measured_has_met_no_multiple(values, chain):
    figures = {"request_to_ack": figure("request_to_ack", values)}
    add_ratios(figures, chain)
    assert figures["request_to_ack"]["ratio_met"] is None

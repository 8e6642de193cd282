"""Fills that cost more than modelled withdraw a champion, where that is shown and not chance."""

import pytest

from activities.learning.watching import FEWEST_COSTS, costlier_than_modelled


@pytest.mark.parametrize(
    ("costs", "alarms"),
    [
        ([0.02] * (FEWEST_COSTS - 1), False),
        ([0.02, 0.021] * 10, True),
        ([0.004, 0.005] * 50, False),
        # Worse on average, but one expensive day is not shown to be more than that.
        ([0.004] * 19 + [0.05], False),
        ([float("nan")] * 20, False),
    ],
)
def test_costs(costs, alarms):
    assert bool(costlier_than_modelled(costs)) is alarms

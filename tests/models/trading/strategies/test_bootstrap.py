"""The lower bound of a mean is reproducible, holds what it promises, and says when it cannot."""

from decimal import Decimal
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.trading.strategies.bootstrap import (
    RESULTS_MINIMUM,
    MeanBound,
    block_length,
    lower_bound,
    split_mix,
)

RUN = [Decimal(n) / 1000 for n in (12, -8, 25, 3, -15, 30, 7, -2, 18, -20, 11, 9)]


def test_numbers_are_those_of_the_published_generator() -> None:
    # Reference output of splitmix64.c (Vigna) for the seed 1234567.
    assert list(islice(split_mix(1234567), 5)) == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


@pytest.mark.parametrize(
    ("results", "length"), [(1, 1), (8, 2), (9, 3), (27, 3), (28, 4), (1000, 10)]
)
def test_blocks_have_the_cube_root_of_the_number_of_results(results: int, length: int) -> None:
    assert block_length(results) == length


def test_the_same_results_give_the_same_bound() -> None:
    found = lower_bound(RUN)
    assert found == lower_bound(RUN)
    assert found.mean == Decimal("0.0058333333")
    assert found.lower == Decimal("0.0026666667")
    assert lower_bound(RUN, seed=1) == lower_bound(RUN, seed=1)


def test_the_bound_is_that_of_blocks_drawn_one_result_after_the_other() -> None:
    # The same resamples laid out in full: blocks of three on a circle, the last one cut short.
    run, numbers, means = RUN[:11], split_mix(3), []
    for _ in range(100):
        starts = [next(numbers) % 11 for _ in range(4)]
        drawn = [run[(start + place) % 11] for start in starts for place in range(3)][:11]
        means.append(sum(drawn) / 11)
    bound = lower_bound(run, seed=3, resamples=100).lower
    assert bound is not None
    assert abs(bound - sorted(means)[5]) < Decimal("1e-9")


def test_a_sure_profit_is_above_zero_and_a_loss_below() -> None:
    profit = [one + Decimal("0.02") for one in RUN]
    assert (lower_bound(profit).lower or 0) > 0
    assert (lower_bound([-one for one in profit]).lower or 0) < 0


def test_results_in_runs_carry_less_than_the_same_results_mixed() -> None:
    mixed = [Decimal("0.03"), Decimal("-0.02")] * 50
    in_runs = [Decimal("0.03")] * 50 + [Decimal("-0.02")] * 50
    one, other = lower_bound(mixed).lower, lower_bound(in_runs).lower
    assert one is not None
    assert other is not None
    assert other < one


@pytest.mark.parametrize("wrong", [Decimal("NaN"), Decimal("Infinity"), Decimal("1e400")])
def test_what_is_no_number_gives_no_bound(wrong: Decimal) -> None:
    assert lower_bound([*RUN, wrong]) == MeanBound(len(RUN) + 1, None, None)
    assert lower_bound([]) == MeanBound(0, None, None)
    few = lower_bound(RUN[: RESULTS_MINIMUM - 1])
    assert few.mean is not None
    assert few.lower is None


@given(st.lists(st.decimals("-1", "1", places=4), min_size=RESULTS_MINIMUM, max_size=60))
def test_the_bound_lies_between_the_worst_result_and_the_best(results: list[Decimal]) -> None:
    lower = lower_bound(results, resamples=50).lower
    assert lower is not None
    tiny = Decimal("1e-9")
    assert min(results) - tiny <= lower <= max(results) + tiny


def test_nineteen_of_twenty_bounds_lie_below_the_truth() -> None:
    # Two hundred samples of 40 results each, of a mean of zero: at 95 % about ten bounds may lie
    # above it. Bounds of small samples are a little too high; thirty would mean they are wrong.
    numbers = split_mix(7)
    above = 0
    for _ in range(200):
        sample = [Decimal(next(numbers) % 2001 - 1000) / 10000 for _ in range(40)]
        lower = lower_bound(sample, resamples=200).lower
        above += lower is not None and lower > 0
    assert above <= 30

"""Expressions: bounded, the same for history and for a decision, never a guess."""

import numpy as np
import pytest

from models.learning.features.catalogue import daily_features
from models.learning.features.expressions import (
    OPERATIONS,
    Expression,
    ExpressionError,
    drawn,
    widened,
)

NAMES = ("one", "two", "three")
VECTORS = np.array([[1.0, -3.0, 0.0], [2.0, 2.0, 0.0], [0.0, 5.0, 0.0]])


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("product(one, two)", [-3, 4, 0]),
        ("difference(one, two)", [4, 0, -5]),
        ("larger(one, two)", [1, 2, 5]),
        ("smaller(one, two)", [-3, 2, 0]),
        ("share(two, one)", [-0.75, 0.5, 1]),
    ],
)
def test_operations(text, column):
    assert Expression.parse(text).describe() == text
    found = widened(VECTORS, NAMES, (text,))
    assert found.shape == (3, 4)
    assert found[:, 3].tolist() == column
    # One vector, as a decision has it, comes to the same.
    assert [widened(row, NAMES, (text,))[3] for row in VECTORS] == column


def test_share_of_nothing_is_unknown():
    found = widened(VECTORS, NAMES, ("share(one, three)", "share(three, one)"))
    assert found[:2, 3].tolist() == [1, 1]
    assert np.isnan(found[2, 3:]).all()


@pytest.mark.parametrize(
    "text", ["", "one", "power(one, two)", "product(one)", "product(one, product(one, two))"]
)
def test_what_is_no_expression_is_refused(text):
    with pytest.raises(ExpressionError):
        Expression.parse(text)


def test_features_that_are_not_there_are_refused():
    with pytest.raises(ExpressionError, match="not there"):
        widened(VECTORS, NAMES, ("product(one, four)",))
    with pytest.raises(ExpressionError, match="two features"):
        drawn(("one",), np.random.default_rng(1))


def test_search_is_bounded_and_the_same_for_the_same_seed():
    names = daily_features().names
    found = [drawn(names, np.random.default_rng(seed)) for seed in range(300)]
    assert found == [drawn(names, np.random.default_rng(seed)) for seed in range(300)]
    assert {one.operation for one in found} == set(OPERATIONS)
    assert all(one.left != one.right for one in found)
    # A mirror of itself is no second expression.
    assert all(one.left < one.right for one in found if one.operation in ("product", "larger"))

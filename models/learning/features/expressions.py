"""Expressions of features: what a bounded search may try, and what a model that found one computes.

An expression is made of two features of the same vector, so it knows nothing that they do not and
looks no further ahead; it is computed by the same code in training and for a decision.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Operation = Callable[[Floats, Floats], Floats]


class ExpressionError(ValueError):
    """A text names no expression of the features that are there."""


def _share(left: Floats, right: Floats) -> Floats:
    """Return the left's share of both sizes, between -1 and 1; of nothing it is unknown."""
    size = np.abs(left) + np.abs(right)
    share: Floats = np.divide(left, size, out=np.full(size.shape, np.nan), where=size > 0)
    return share


OPERATIONS: Mapping[str, Operation] = {
    "difference": np.subtract,
    "larger": np.maximum,
    "product": np.multiply,
    "share": _share,
    "smaller": np.minimum,
}
ORDERED = ("difference", "share")
"""Operations whose sides are no mirror of each other."""


@dataclass(frozen=True, slots=True)
class Expression:
    """One operation on two features, by their names."""

    operation: str
    left: str
    right: str

    def describe(self) -> str:
        """Name it, the same text for the same expression."""
        return f"{self.operation}({self.left}, {self.right})"

    @classmethod
    def parse(cls, text: str) -> "Expression":
        """Read what `describe` wrote. Raise `ExpressionError` where it is no such text."""
        found = re.fullmatch(r"(\w+)\((\w+), (\w+)\)", text)
        if found is None or found[1] not in OPERATIONS:
            message = f"{text!r} names no expression"
            raise ExpressionError(message)
        return cls(found[1], found[2], found[3])

    def apply(self, vectors: Floats, names: Sequence[str]) -> Floats:
        """Compute it of vectors, shape (..., features): shape (...). Raise `ExpressionError`."""
        try:
            at = names.index(self.left), names.index(self.right)
        except ValueError as error:
            message = f"{self.describe()} is made of a feature that is not there"
            raise ExpressionError(message) from error
        with np.errstate(all="ignore"):
            return OPERATIONS[self.operation](vectors[..., at[0]], vectors[..., at[1]])


def widened(vectors: Floats, names: Sequence[str], expressions: Sequence[str]) -> Floats:
    """Add a column for each expression: shape (..., features and expressions).

    Raise `ExpressionError` where one is made of something else than these features.
    """
    columns = [Expression.parse(text).apply(vectors, names) for text in expressions]
    return np.concatenate([vectors, *(column[..., None] for column in columns)], axis=-1)


def drawn(names: Sequence[str], rng: np.random.Generator) -> Expression:
    """Draw one expression of the grammar, each operation and each pair of features alike."""
    if len(names) < 2:
        raise ExpressionError("an expression needs two features")
    operation = sorted(OPERATIONS)[int(rng.integers(len(OPERATIONS)))]
    left, right = (names[int(at)] for at in rng.choice(len(names), 2, replace=False))
    if operation not in ORDERED:
        left, right = sorted((left, right))
    return Expression(operation, left, right)

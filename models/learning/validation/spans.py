"""Splits of dependent samples: purged by the spans of their labels, embargoed, never by count.

A label knows the time from its decision to its end. A training sample whose span meets the span of
any test sample, of whatever pair, has seen the test's answer and goes (Lopez de Prado, "Advances in
financial machine learning", 2018, chapter 7).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
import numpy.typing as npt

Indices = npt.NDArray[np.int64]
Times = npt.NDArray[np.int64]


class SplitError(ValueError):
    """The samples cannot be split as asked."""


@dataclass(frozen=True, slots=True)
class Spans:
    """When each sample's label begins and ends, shape (samples,), in any one integer unit of time.

    `start` is the moment of the decision, `end` the first moment at which the answer is known; a
    span is half open, [start, end). Samples of several pairs stand together, in any order.
    """

    start: Times
    end: Times

    def __post_init__(self) -> None:
        if self.start.shape != self.end.shape or self.start.ndim != 1:
            raise SplitError("starts and ends differ in shape")
        if (self.end <= self.start).any():
            raise SplitError("a label ends before it begins")

    def __len__(self) -> int:
        return int(self.start.size)


@dataclass(frozen=True, slots=True)
class Split:
    """Rows to fit on and rows to judge by; `groups` names the stretches that are tested."""

    train: Indices
    test: Indices
    groups: tuple[int, ...] = ()


def purged(spans: Spans, candidates: Indices, test: Indices, embargo: int) -> Indices:
    """Return the `candidates` whose span meets no span of `test`, nor begins in its `embargo`.

    `embargo` is in the spans' unit of time and follows the end of each stretch of the test.
    """
    if not test.size:
        return candidates
    begun = np.sort(spans.start[test])
    order = np.argsort(spans.start[test], kind="stable")
    ended = np.maximum.accumulate(spans.end[test][order]) + embargo
    # Of the tests that begin before this sample ends, the latest to end decides: one that ends
    # after the sample begins meets it.
    before = np.searchsorted(begun, spans.end[candidates], side="left")
    latest = np.where(before > 0, ended[np.maximum(before - 1, 0)], np.iinfo(np.int64).min)
    kept: Indices = candidates[latest <= spans.start[candidates]]
    return kept


def walk_forward(
    spans: Spans, folds: int, *, embargo: int = 0, fewest_train: int = 1, first: int = 1
) -> Iterator[Split]:
    """Yield splits that train on the past only: equal stretches of time by the samples' starts.

    The `first` stretches only train. Training samples end before the test begins, less the embargo.
    """
    for number, test in enumerate(_stretches(spans, folds + first)):
        if number < first:
            continue
        begins = spans.start[test].min()
        past = np.flatnonzero(spans.end + embargo <= begins)
        if past.size >= fewest_train:
            yield Split(past, test, (number,))


def combinatorial(spans: Spans, groups: int, tested: int, *, embargo: int = 0) -> Iterator[Split]:
    """Yield each choice of `tested` of `groups` stretches of time as test, the rest purged.

    Combinatorial purged cross-validation: each sample is tested in C(groups - 1, tested - 1)
    splits.
    """
    if not 0 < tested < groups:
        message = f"cannot test {tested} of {groups} groups"
        raise SplitError(message)
    parts = list(_stretches(spans, groups))
    for chosen in combinations(range(groups), tested):
        test = np.sort(np.concatenate([parts[group] for group in chosen]))
        rest = np.sort(
            np.concatenate([parts[group] for group in range(groups) if group not in chosen])
        )
        yield Split(purged(spans, rest, test, embargo), test, chosen)


def _stretches(spans: Spans, count: int) -> Iterator[Indices]:
    """Cut into stretches of equally many samples by start; one moment stays together."""
    if count < 2 or len(spans) < count:
        message = f"cannot cut {len(spans)} samples into {count} stretches"
        raise SplitError(message)
    order = np.argsort(spans.start, kind="stable")
    starts = spans.start[order]
    cuts = [0]
    for number in range(1, count):
        at = int(np.searchsorted(starts, starts[number * starts.size // count], side="left"))
        cuts.append(max(at, cuts[-1]))
    cuts.append(starts.size)
    for first, last in pairwise(cuts):
        if last == first:
            message = f"too few distinct moments for {count} stretches"
            raise SplitError(message)
        yield np.sort(order[first:last])

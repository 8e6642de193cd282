"""Which symbols count as one risk: groups by the mean of their correlations (R-3)."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Pair = tuple[str, str]
Members = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CorrelationGroup:
    """Symbols that count as one risk; named after the first of them by name."""

    name: str
    symbols: Members


def group_symbols(
    symbols: Sequence[str], values: Mapping[Pair, float], threshold: float
) -> tuple[CorrelationGroup, ...]:
    """Merge the two closest groups while their mean correlation reaches the threshold.

    Average linkage (UPGMA: Sokal and Michener, 1958) stands between complete linkage, which one odd
    pair of assets tears apart, and single linkage, which chains everything together. Ties go to the
    first by name, so the outcome does not depend on the order of symbols. ``values`` are by pairs
    of symbols in the order of their names.
    """
    groups: list[Members] = [(symbol,) for symbol in sorted(symbols)]
    means = {(a, b): values[a[0], b[0]] for a, b in itertools.combinations(groups, 2)}
    while means:
        # Rounded, so that the last bit of a sum does not decide between equals.
        best = min(means, key=lambda pair: (-round(means[pair], 12), pair))
        if round(means[best], 12) < round(threshold, 12):
            break
        groups, means = _merge(groups, means, best)
    return tuple(CorrelationGroup(group[0], group) for group in groups)


def _merge(
    groups: list[Members],
    means: dict[tuple[Members, Members], float],
    pair: tuple[Members, Members],
) -> tuple[list[Members], dict[tuple[Members, Members], float]]:
    left, right = pair
    merged = tuple(sorted(left + right))
    others = [group for group in groups if group not in pair]
    kept = {names: mean for names, mean in means.items() if not set(names) & set(pair)}
    for other in others:
        parts = (means[_ordered(left, other)], means[_ordered(right, other)])
        mean = (len(left) * parts[0] + len(right) * parts[1]) / len(merged)
        kept[_ordered(merged, other)] = mean
    return sorted([*others, merged]), kept


def _ordered(a: Members, b: Members) -> tuple[Members, Members]:
    return (a, b) if a < b else (b, a)

"""A lower bound of a mean by block bootstrap: what a run of results shows at the least.

Results of trades that follow each other are not independent: a trend feeds several of them. So
whole blocks are drawn, not single results: the circular block bootstrap of Politis and Romano
(1992, "A circular block-resampling procedure for stationary data"), with blocks of the cube root of
the number of results, the order at which the error of the variance is least (Hall, Horowitz and
Jing 1995). The bound is the percentile of the resampled means, one-sided.

Nothing is random: numbers come from SplitMix64 (Steele, Lea and Flood 2014, "Fast splittable
pseudorandom number generators") with a seed, so that the same results give the same bound.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate
from math import ceil, floor, isfinite

SEED = 20260709
RESAMPLES = 2000
CONFIDENCE = 0.95
RESULTS_MINIMUM = 8
"""Results below which no bound is given: blocks of so few are no sample of anything."""

_MASK = (1 << 64) - 1
_STEP = Decimal("1e-10")


@dataclass(frozen=True, slots=True)
class MeanBound:
    """The mean of results and its lower bound, both shares; None where it cannot be told."""

    results: int
    mean: Decimal | None
    lower: Decimal | None


def split_mix(seed: int) -> Iterator[int]:
    """Yield the 64-bit numbers of SplitMix64 from a seed, without end."""
    state = seed & _MASK
    while True:
        state = (state + 0x9E3779B97F4A7C15) & _MASK
        mixed = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
        yield mixed ^ (mixed >> 31)


def block_length(results: int) -> int:
    """Return how many results make a block: the cube root of their number, rounded up."""
    length = 1
    while length**3 < results:
        length += 1
    return length


def lower_bound(
    results: Sequence[Decimal],
    *,
    seed: int = SEED,
    resamples: int = RESAMPLES,
    confidence: float = CONFIDENCE,
) -> MeanBound:
    """Return the mean of results in their order of time, and its lower bound.

    The bound is None with fewer than ``RESULTS_MINIMUM`` results, or when one is no number.
    """
    number = len(results)
    if not number or not all(one.is_finite() and isfinite(float(one)) for one in results):
        return MeanBound(number, None, None)
    mean = (sum(results, Decimal(0)) / number).quantize(_STEP)
    if number < RESULTS_MINIMUM:
        return MeanBound(number, mean, None)
    means = sorted(_resampled([float(one) for one in results], seed, resamples))
    place = floor((1 - confidence) * resamples)
    return MeanBound(number, mean, Decimal(repr(means[place])).quantize(_STEP))


def _resampled(values: list[float], seed: int, resamples: int) -> Iterator[float]:
    """Yield the means of resamples: blocks on a circle until there are as many, the last cut."""
    number, length = len(values), block_length(len(values))
    # Sums up to each place of the circle laid out twice: a block's sum is one subtraction.
    sums = [0.0, *accumulate(values + values[:length])]
    blocks, numbers = ceil(number / length), split_mix(seed)
    last = number - (blocks - 1) * length
    for _ in range(resamples):
        total = 0.0
        for block in range(blocks):
            start = next(numbers) % number
            taken = last if block == blocks - 1 else length
            total += sums[start + taken] - sums[start]
        yield total / number

"""How sure a figure is: blocks of returns drawn anew for the edge, reordered for the drawdown.

The edge (mean return, Sharpe ratio, lead over holding) is judged by the circular block bootstrap:
blocks keep what follows on what, and the same blocks are drawn for both sides of a comparison
(Politis and Romano, 1992). Reordering the blocks keeps the total as it is: it says how deep the
same returns could have fallen in another order, and nothing of the edge.
"""

from dataclasses import dataclass
from math import nan, sqrt

import numpy as np

from models.learning.backtest.bars import Floats, Integers

SAMPLES = 2000
LEVEL = 0.90


@dataclass(frozen=True, slots=True)
class Interval:
    """Lower and upper end between which a share ``LEVEL`` of the samples lies."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Edge:
    """What the samples say; returns are yearly and simple, ``block`` is in bars.

    Attributes:
        mean: yearly mean return.
        sharpe: yearly Sharpe ratio.
        lead: yearly mean return beyond holding.
        sharpe_lead: Sharpe ratio beyond that of holding.
        losing: share of samples whose mean return is not above zero.
        behind: share of samples whose Sharpe ratio is not above that of holding.
    """

    mean: Interval
    sharpe: Interval
    lead: Interval
    sharpe_lead: Interval
    losing: float
    behind: float
    block: int


def edge(
    returns: Floats, benchmark: Floats, per_year: float, seed: int, samples: int = SAMPLES
) -> Edge:
    """Judge bar returns against those of holding over the same bars.

    Args:
        returns: simple returns of the strategy.
        benchmark: simple returns of holding, as many.
        per_year: bars per year.
        seed: the same seed draws the same blocks.
        samples: how many times.
    """
    block = block_length(len(returns))
    chosen = _blocks(len(returns), block, samples, np.random.default_rng(seed))
    own, held = returns[chosen], benchmark[chosen]
    mean, mean_held = own.mean(axis=1) * per_year, held.mean(axis=1) * per_year
    sharpe, sharpe_held = _sharpes(own, per_year), _sharpes(held, per_year)
    return Edge(
        _interval(mean),
        _interval(sharpe),
        _interval(mean - mean_held),
        _interval(sharpe - sharpe_held),
        float(np.mean(mean <= 0)),
        float(np.mean(sharpe <= sharpe_held)),
        block,
    )


def reordered_drawdowns(returns: Floats, seed: int, samples: int = SAMPLES) -> Floats:
    """Return the deepest falls of the same returns with their blocks in other orders."""
    count, block = len(returns), block_length(len(returns))
    generator = np.random.default_rng(seed)
    edges = [returns[start : start + block] for start in range(0, count, block)]
    falls = np.empty(samples)
    for sample in range(samples):
        order = generator.permutation(len(edges))
        growth = np.cumprod(1 + np.concatenate([edges[place] for place in order]))
        falls[sample] = np.max(1 - growth / np.maximum.accumulate(np.maximum(growth, 1.0)))
    return falls


def block_length(count: int) -> int:
    """Return the length of a block: the square root of the sample, at least 5 bars, at most 60."""
    return int(min(60, max(5, round(sqrt(count)))))


def _blocks(count: int, block: int, samples: int, generator: np.random.Generator) -> Integers:
    starts = generator.integers(0, count, size=(samples, -(-count // block)))
    rows: Integers = (starts[:, :, None] + np.arange(block)).reshape(samples, -1)[:, :count] % count
    return rows


def _sharpes(samples: Floats, per_year: float) -> Floats:
    deviation = samples.std(axis=1, ddof=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios: Floats = samples.mean(axis=1) / deviation * sqrt(per_year)
    return np.where(deviation > 0, ratios, 0.0)


def _interval(values: Floats) -> Interval:
    if not len(values):
        return Interval(nan, nan)
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return Interval(float(low), float(high))

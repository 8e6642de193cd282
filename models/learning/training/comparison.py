"""The candidate beside its primary rule, holding and no trade, net, with intervals."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.learning.features.bars import Bars
from models.learning.training.question import Answer, Plan
from models.learning.validation.bootstrap import optimal_block_length, stationary_indices

Floats = npt.NDArray[np.float64]
YEAR_SECONDS = 365 * 86_400
SAMPLES = 2_000


@dataclass(frozen=True, slots=True)
class Performance:
    """What one way of trading came to: a year's net return at the risk of the candidate.

    `sharpe` and `yearly` (a share of capital) with their 90 % intervals by stationary bootstrap,
    `drawdown` the largest fall from a high, a share of capital.
    """

    name: str
    sharpe: float
    sharpe_interval: tuple[float, float]
    yearly: float
    yearly_interval: tuple[float, float]
    drawdown: float


def compare_with_rivals(
    plan: Plan, answer: Answer, histories: Iterable[Bars], rng: np.random.Generator
) -> tuple[Performance, ...]:
    """Measure the candidate, the primary and holding at equal risk, and no trade.

    Where there is no candidate, the primary sets the risk at a yearly deviation of a tenth.
    """
    per_year = YEAR_SECONDS / plan.periods.seconds
    held = holding(plan, histories)
    rivals = {"primary": answer.primary, "holding": held}
    if answer.candidate is not None:
        risk = float(answer.candidate.net.std())
        rivals = {"candidate": answer.candidate.net, **rivals}
    else:
        risk = 0.1 / math.sqrt(per_year)
    found = [_performance(name, _at_risk(net, risk), per_year, rng) for name, net in rivals.items()]
    return (*found, Performance("no trade", 0.0, (0.0, 0.0), 0.0, (0.0, 0.0), 0.0))


def holding(plan: Plan, histories: Iterable[Bars]) -> Floats:
    """Return what an equal share of each pair earned per tested period, one entry and exit paid.

    A period without a price earns nothing; its change is booked when the price is back.
    """
    periods, exits = plan.periods, plan.question.exits
    edges = periods.begins + periods.seconds * np.arange(periods.count + 1)
    gains = []
    for bars in histories:
        known = np.flatnonzero(np.isfinite(bars.close))
        ends = bars.time[known] + bars.seconds
        at = np.searchsorted(ends, edges, side="right") - 1
        price = np.where(at >= 0, bars.close[known][np.maximum(at, 0)], np.nan)
        gain = np.nan_to_num(price[1:] / price[:-1] - 1)
        traded = np.flatnonzero(gain)
        if traded.size:
            gain[traded[0]] -= exits.entry_cost
            gain[traded[-1]] -= exits.exit_cost
        gains.append(gain)
    total: Floats = np.mean(gains, axis=0)
    return total


def _at_risk(net: Floats, risk: float) -> Floats:
    deviation = float(net.std())
    return net * (risk / deviation) if deviation > 0 else net


def _performance(name: str, net: Floats, per_year: float, rng: np.random.Generator) -> Performance:
    block, _ = optimal_block_length(net)
    drawn = np.stack([net[rows] for rows in stationary_indices(net.size, block, rng, SAMPLES)])
    root = math.sqrt(per_year)
    means, deviations = drawn.mean(axis=1), drawn.std(axis=1)
    sharpes = np.divide(means, deviations, out=np.zeros_like(means), where=deviations > 0) * root
    deviation = float(net.std())
    wealth = np.concatenate([[0.0], np.cumsum(net)])
    return Performance(
        name=name,
        sharpe=float(net.mean()) / deviation * root if deviation > 0 else 0.0,
        sharpe_interval=_interval(sharpes),
        yearly=float(net.mean()) * per_year,
        yearly_interval=_interval(means * per_year),
        drawdown=float((np.maximum.accumulate(wealth) - wealth).max()),
    )


def _interval(values: Floats) -> tuple[float, float]:
    low, high = np.quantile(values, [0.05, 0.95])
    return float(low), float(high)

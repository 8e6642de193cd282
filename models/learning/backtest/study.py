"""One strategy tried on recorded series: engines run, compared with holding, judged."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from models.learning.backtest.bars import Bars, Floats, Integers
from models.learning.backtest.bootstrap import Edge, edge, reordered_drawdowns
from models.learning.backtest.decisions import decide_universe
from models.learning.backtest.fast import both_bounds, run_fast
from models.learning.backtest.figures import (
    Figures,
    bars_per_year,
    drawdown_of,
    figures_of,
    holding,
    sharpe_of,
    span_years,
    yearly_growth,
)
from models.learning.backtest.parity import Parity, compare
from models.learning.backtest.reference import run_reference
from models.learning.backtest.results import BacktestResult, Counts
from models.learning.backtest.rules import FillRules, Portfolio
from models.learning.backtest.series import Series
from models.trading.strategies import Strategy
from models.trading.universe.fees import SCHEDULES, FeeSchedule

SEED = 20260101
DAY_MINUTES = 1440
DAYS_PER_YEAR = 365.0


@dataclass(frozen=True, slots=True)
class Held:
    """What holding the same pairs over the same bars came to."""

    total: float
    yearly: float
    sharpe: float
    drawdown: float


@dataclass(frozen=True, eq=False)
class Trial:
    """One strategy on one or more series that share a span of time.

    Attributes:
        label: venue, pair or pairs, and years.
        results: one per series, with ambiguous bars against us.
        optimistic: total gain had every ambiguous bar been for us.
        equity: USD of all series together at each moment of ``minutes``.
        held: the same of holding.
        figures: of all series together.
        other_fees: total gain under the earlier fee schedules, by the day they took effect.
        parity: of the two engines, one per series, where both have run.
        drawdowns: deepest falls with the returns reordered: median and the worst twentieth.
    """

    strategy: str
    label: str
    results: tuple[BacktestResult, ...]
    optimistic: float
    minutes: Floats
    equity: Floats
    held: Floats
    figures: Figures
    holding: Held
    edge: Edge
    drawdowns: tuple[float, float]
    other_fees: dict[str, float]
    parity: tuple[Parity, ...] = ()

    @property
    def counts(self) -> Counts:
        """Return the counts of all series together."""
        every = [result.counts for result in self.results]
        return Counts(
            bars_held=sum(c.bars_held for c in every),
            ambiguous=sum(c.ambiguous for c in every),
            proposed=sum(c.proposed for c in every),
            lapsed=sum(c.lapsed for c in every),
            large_exits=sum(c.large_exits for c in every),
            regret=sum(c.regret for c in every),
        )


def try_strategy(
    strategy: Strategy,
    series: Sequence[Series],
    rules: FillRules,
    portfolio: Portfolio,
    *,
    schedules: Sequence[FeeSchedule] = SCHEDULES[:-1],
    by_reference: bool = False,
) -> Trial:
    """Run a strategy on series that share a span of time, each with an even part of the capital.

    ``by_reference`` has the platform's own decisions make the trades; a strategy that sees all
    pairs at once cannot be run so.
    """
    if by_reference and strategy.sees_universe:
        raise ValueError(f"{strategy.name} sees all pairs at once: the fast engine runs it")
    share = replace(portfolio, capital=portfolio.capital / len(series))
    decisions = [
        rows.slice(len(rows.target) - len(one.bars), len(rows.target))
        for one, rows in zip(
            series, decide_universe(strategy, [one.seen for one in series]), strict=True
        )
    ]
    bounds = [
        both_bounds(one.bars, rows, rules, share, one.finer)
        for one, rows in zip(series, decisions, strict=True)
    ]
    results = tuple(low for low, _ in bounds)
    parity: tuple[Parity, ...] = ()
    if by_reference:
        fast = results
        results = tuple(
            run_reference(strategy, s.bars, rules, share, s.finer, s.before) for s in series
        )
        parity = tuple(compare(one, other) for one, other in zip(results, fast, strict=True))
    other = {
        str(schedule.effective_from): sum(
            run_fast(one.bars, rows, replace(rules, fees=schedule), share, one.finer).equity[-1]
            for one, rows in zip(series, decisions, strict=True)
        )
        / portfolio.capital
        - 1
        for schedule in schedules
    }
    optimistic = sum(high.equity[-1] for _, high in bounds) / portfolio.capital - 1
    trial = trial_of(strategy.name, series, results, rules, portfolio, float(optimistic), other)
    return replace(trial, parity=parity)


def trial_of(
    name: str,
    series: Sequence[Series],
    results: Sequence[BacktestResult],
    rules: FillRules,
    portfolio: Portfolio,
    optimistic: float,
    other_fees: dict[str, float],
) -> Trial:
    """Put the results of some series together and judge them."""
    taker = float(rules.fees.tiers[0].rates.taker)
    minutes = np.unique(np.concatenate([one.bars.minutes for one in series]))
    equity = sum_over(minutes, [(r.bars, r.equity, r.capital) for r in results])
    held = sum_over(
        minutes, [(r.bars, holding(r.bars, r.capital, taker), r.capital) for r in results]
    )
    days = day_ends(minutes)
    per_year = min(bars_per_year(series[0].bars), DAYS_PER_YEAR)
    returns = changes(equity[days], portfolio.capital)
    held_returns = changes(held[days], portfolio.capital)
    falls = reordered_drawdowns(returns, SEED)
    whole = _joined(results, minutes, equity, portfolio.capital)
    total = float(held[-1] / portfolio.capital - 1)
    return Trial(
        strategy=name,
        label=_label(series),
        results=tuple(results),
        optimistic=optimistic,
        minutes=minutes,
        equity=equity,
        held=held,
        figures=whole,
        holding=Held(
            total,
            yearly_growth(total, whole.years),
            sharpe_of(held_returns, per_year),
            drawdown_of(held),
        ),
        edge=edge(returns, held_returns, per_year, SEED),
        drawdowns=(float(np.median(falls)), float(np.quantile(falls, 0.95))),
        other_fees=other_fees,
    )


def day_ends(minutes: Floats) -> Integers:
    """Return the places of each UTC day's last moment: what is judged are days, or longer bars."""
    days = minutes // DAY_MINUTES
    return np.concatenate([np.flatnonzero(np.diff(days)), [len(minutes) - 1]])


def sum_over(minutes: Floats, parts: Sequence[tuple[Bars, Floats, float]]) -> Floats:
    """Return the sum of some equities at each moment: the capital before a part's first bar."""
    total = np.zeros(len(minutes))
    for bars, equity, capital in parts:
        place = np.searchsorted(bars.minutes, minutes, side="right") - 1
        total += np.where(place < 0, capital, equity[np.maximum(place, 0)])
    return total


def changes(equity: Floats, capital: float) -> Floats:
    """Return the change of each bar, the first against the capital."""
    whole: Floats = equity / np.concatenate([[capital], equity[:-1]]) - 1
    return whole


def _joined(
    results: Sequence[BacktestResult], minutes: Floats, equity: Floats, capital: float
) -> Figures:
    """Return the figures of all results together."""
    if len(results) == 1:
        return figures_of(results[0])
    bars = results[0].bars
    years = max(
        (float(minutes[-1] - minutes[0]) + bars.interval_minutes) / (365 * 1440),
        span_years(bars),
    )
    returns = changes(equity, capital)
    mean, fees = float(np.mean(equity)), sum(r.fees for r in results)
    trips = [trip for result in results for trip in result.round_trips()]
    exposure = sum_over(
        minutes, [(r.bars, r.held * r.bars.closes, 0.0) for r in results]
    ) / np.maximum(equity, 1e-9)
    total = float(equity[-1] / capital - 1)
    gross = float(equity[-1]) - capital + fees
    per_year = bars_per_year(bars)
    return Figures(
        years=years,
        total=total,
        yearly=yearly_growth(total, years),
        volatility=float(np.std(returns, ddof=1)) * per_year**0.5,
        sharpe=sharpe_of(returns, per_year),
        drawdown=drawdown_of(equity),
        exposure=float(np.mean(exposure)),
        turnover=sum(r.traded for r in results) / 2 / mean / years,
        fees=fees / capital,
        yearly_cost=fees / mean / years,
        cost_share=fees / gross if gross > 0 else float("nan"),
        trades=len(trips),
        won=sum(trip.profit > 0 for trip in trips) / len(trips) if trips else float("nan"),
    )


def _label(series: Sequence[Series]) -> str:
    if len(series) == 1:
        return series[0].label
    first = min(one.bars.start(0) for one in series)
    last = max(one.bars.end(len(one.bars) - 1) for one in series)
    return f"{series[0].venue} {len(series)} series {first:%Y-%m}…{last:%Y-%m}"

"""What a backtest is judged by. Every figure is net of fees and slippage."""

from dataclasses import dataclass
from math import nan, sqrt

import numpy as np

from models.learning.backtest.bars import Bars, Floats
from models.learning.backtest.results import BacktestResult

MINUTES_PER_YEAR = 365 * 1440


@dataclass(frozen=True, slots=True)
class Figures:
    """Shares of equity unless said otherwise; NaN: not to be told from so few bars.

    Attributes:
        years: span of time from the first bar to the last.
        total: change of equity over all of it.
        yearly: the same per year, compounded.
        volatility: standard deviation of bar returns, per year.
        sharpe: mean bar return over its deviation, per year, without a risk-free rate.
        drawdown: deepest fall from a peak.
        exposure: mean share of equity that was held.
        turnover: value traded one way over mean equity, per year.
        fees: all fees over the capital.
        yearly_cost: fees over mean equity, per year.
        cost_share: fees as a share of the profit before them; NaN: there was none.
        trades: trades from flat to flat.
        won: share of them that earned.
    """

    years: float
    total: float
    yearly: float
    volatility: float
    sharpe: float
    drawdown: float
    exposure: float
    turnover: float
    fees: float
    yearly_cost: float
    cost_share: float
    trades: int
    won: float


def figures_of(result: BacktestResult) -> Figures:
    """Return the figures of one backtest."""
    bars, equity = result.bars, result.equity
    years = span_years(bars)
    mean = float(np.mean(equity)) if len(equity) else nan
    gross = float(equity[-1]) - result.capital + result.fees
    trips = result.round_trips()
    returns = np.concatenate([[equity[0] / result.capital - 1], result.returns()])
    total = float(equity[-1] / result.capital - 1)
    return Figures(
        years=years,
        total=total,
        yearly=yearly_growth(total, years),
        volatility=_deviation(returns) * sqrt(bars_per_year(bars)),
        sharpe=sharpe_of(returns, bars_per_year(bars)),
        drawdown=drawdown_of(equity),
        exposure=float(np.mean(result.exposure)),
        turnover=result.traded / 2 / mean / years,
        fees=result.fees / result.capital,
        yearly_cost=result.fees / mean / years,
        cost_share=result.fees / gross if gross > 0 else nan,
        trades=len(trips),
        won=sum(trip.profit > 0 for trip in trips) / len(trips) if trips else nan,
    )


def holding(bars: Bars, capital: float, taker: float) -> Floats:
    """Return the equity of buying at the first close and never selling."""
    units = capital / (1 + taker) / bars.closes[0]
    equity: Floats = units * bars.closes
    return equity


def span_years(bars: Bars) -> float:
    """Return the time that bars cover, in years."""
    return float(bars.minutes[-1] - bars.minutes[0] + bars.interval_minutes) / MINUTES_PER_YEAR


def bars_per_year(bars: Bars) -> float:
    """Return how many bars of this length a year has."""
    return MINUTES_PER_YEAR / bars.interval_minutes


def yearly_growth(total: float, years: float) -> float:
    """Return a total gain as a gain per year, compounded; less than a month is not scaled up."""
    if years < 1 / 12:
        return nan
    return float((1 + total) ** (1 / years) - 1) if total > -1 else -1.0


def sharpe_of(returns: Floats, per_year: float) -> float:
    """Return the yearly Sharpe ratio of bar returns, NaN when they do not vary."""
    deviation = _deviation(returns)
    return float(np.mean(returns)) / deviation * sqrt(per_year) if deviation > 0 else nan


def drawdown_of(equity: Floats) -> float:
    """Return the deepest fall from a peak, as a share of the peak."""
    peaks = np.maximum.accumulate(equity)
    return float(np.max(1 - equity / peaks))


def _deviation(returns: Floats) -> float:
    return float(np.std(returns, ddof=1)) if len(returns) > 1 else 0.0

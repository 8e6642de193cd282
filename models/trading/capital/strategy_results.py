"""What each strategy of an account has earned, day by day: what its share of capital may rest on.

A day's return is the net profit of the trades that the strategy closed on it, over the capital that
the strategy itself had at the last of them. Over the account's equity a strategy with little
capital would look calm and be given more; equal risk weighs each strategy's own
(Maillard, Roncalli, Teiletche 2010). Days without a closed trade count as zero. Only sums are kept,
so that the figures stay small however long an account trades.
"""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

ZERO = Decimal(0)
STEP = Decimal("1e-10")
MONTHS = 13


@dataclass(frozen=True, slots=True)
class StrategyResults:
    """Sums over the finished days and what the running one has come to.

    Attributes:
        trades: closed trades ever.
        days: finished days since the first closed trade.
        total: sum of their returns; ``squares`` that of the squares.
        day: the running day, None before the first closed trade.
        day_return: what it has come to.
        entered: USD of entries by month (its first day), the newest thirteen.
    """

    trades: int = 0
    days: int = 0
    total: Decimal = ZERO
    squares: Decimal = ZERO
    day: date | None = None
    day_return: Decimal = ZERO
    entered: tuple[tuple[date, Decimal], ...] = ()

    @property
    def volatility(self) -> Decimal | None:
        """Return the standard deviation of daily returns, None with fewer than two days."""
        if self.days < 2:
            return None
        mean = self.total / self.days
        variance = (self.squares - self.total * mean) / (self.days - 1)
        return max(ZERO, variance).sqrt().quantize(STEP)

    @property
    def score(self) -> Decimal | None:
        """Return the mean daily return over its deviation, None when that is not known."""
        volatility = self.volatility
        if volatility is None or volatility == ZERO:
            return None
        return (self.total / self.days / volatility).quantize(STEP)


def note_entry(results: StrategyResults, value: Decimal, day: date) -> StrategyResults:
    """Count an entry worth so many USD."""
    month = day.replace(day=1)
    sums = dict(results.entered)
    sums[month] = sums.get(month, ZERO) + value
    return replace(results, entered=tuple(sorted(sums.items())[-MONTHS:]))


def entered_within_a_year(results: StrategyResults, day: date) -> Decimal:
    """Return USD of the entries of the running month and of the eleven before it."""
    first = day.replace(day=1)
    oldest = first.replace(year=first.year - 1)
    return sum((value for month, value in results.entered if month > oldest), ZERO)


def note_trade(
    results: StrategyResults, profit: Decimal, capital: Decimal, day: date
) -> StrategyResults:
    """Count a closed trade: its net profit and the strategy's own capital in USD, on a day."""
    current = roll_to(results, day)
    earned = (profit / capital).quantize(STEP) if capital > ZERO else ZERO
    return replace(current, trades=current.trades + 1, day_return=current.day_return + earned)


def roll_to(results: StrategyResults, day: date) -> StrategyResults:
    """Finish the days before this one; a day that is past already changes nothing."""
    if results.day is None:
        return replace(results, day=day)
    finished = (day - results.day).days
    if finished <= 0:
        return results
    return replace(
        results,
        days=results.days + finished,
        total=results.total + results.day_return,
        squares=results.squares + (results.day_return**2).quantize(STEP**2),
        day=day,
        day_return=ZERO,
    )

"""How much an account, and each of its strategies, has lost on each clock (R-4).

Losses of the account are measured on the growth index of its drawdown, so that a deposit dilutes no
loss and a withdrawal is none. A hard level once reached stands until its own clock begins anew: the
day, the week (from Monday) and the month of the account's zone. The state is plain data; nothing
here acts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum

from models.trading.risk.loss_limits import Levels, LossLimits
from models.trading.verdicts import Check

ZERO, ONE = Decimal(0), Decimal(1)
LEAST_GROWTH = Decimal("1e-9")
FACTOR_STEP = Decimal("0.0001")


class LossClock(StrEnum):
    """What a loss of the account is measured since."""

    DAY_PEAK = "day_peak"
    WEEK = "week"
    MONTH = "month"


CODES = {
    LossClock.DAY_PEAK: "day-peak-loss",
    LossClock.WEEK: "week-loss",
    LossClock.MONTH: "month-loss",
}
SINCE = {
    LossClock.DAY_PEAK: "from the day's best",
    LossClock.WEEK: "this week",
    LossClock.MONTH: "this month",
}


@dataclass(frozen=True, slots=True)
class LossMark:
    """What a loss is measured against: the growth index then, and the first day of the clock.

    ``halted_at`` is when the hard level was reached; it stays until the clock begins anew.
    """

    begins: date
    growth: Decimal
    halted_at: datetime | None = None

    def share(self, growth: Decimal) -> Decimal:
        """Return the share lost at a growth index, zero when up."""
        return max(ZERO, ONE - growth / max(LEAST_GROWTH, self.growth))


@dataclass(frozen=True, slots=True)
class StrategyLoss:
    """What one strategy's own trades came to in the week, in USD.

    Attributes:
        opening: profit of its open trades when the week began: it belongs to the week before.
        closed: profit of the trades that it closed since.
        profit: both, and what its open trades have come to, as last measured.
        halted_at: when the hard level was reached.
    """

    opening: Decimal = ZERO
    closed: Decimal = ZERO
    profit: Decimal = ZERO
    halted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LossRecord:
    """Carry what the next loss is measured against; ``base`` is the week's opening equity in USD.

    ``base`` is at the capital in place: with a deposit in the week it grows in proportion.
    """

    day_peak: LossMark
    week: LossMark
    month: LossMark
    base: Decimal = ZERO
    strategies: Mapping[str, StrategyLoss] = field(default_factory=dict)

    def mark(self, clock: LossClock) -> LossMark:
        """Return what the loss on a clock is measured against."""
        marks = {
            LossClock.DAY_PEAK: self.day_peak,
            LossClock.WEEK: self.week,
            LossClock.MONTH: self.month,
        }
        return marks[clock]


@dataclass(frozen=True, slots=True)
class LossesMarked:
    """What a mark came to: the clocks and strategies whose hard level was reached just now."""

    record: LossRecord
    clocks: tuple[LossClock, ...] = ()
    strategies: tuple[str, ...] = ()


def begin_losses(day: date, growth: Decimal, equity: Decimal) -> LossRecord:
    """Begin to measure on every clock with a day of the account."""
    marks = (LossMark(day, growth), LossMark(_monday(day), growth), LossMark(_first(day), growth))
    return LossRecord(*marks, base=equity)


def mark_losses(
    record: LossRecord,
    limits: LossLimits,
    growth: Decimal,
    equity: Decimal,
    open_profits: Mapping[str, Decimal],
    at: datetime,
) -> LossesMarked:
    """Take in the growth index and equity of this moment, and the open profit by strategy in USD.

    Args:
        record: what was known before.
        limits: the levels in force.
        growth: the growth index now.
        equity: USD now.
        open_profits: profit of the open trades of each strategy, in USD.
        at: market time.
    """
    peak = replace(record.day_peak, growth=max(record.day_peak.growth, growth))
    seen = replace(record, day_peak=peak)
    marks, reached = {}, []
    for clock in LossClock:
        known = seen.mark(clock)
        if known.halted_at is None and known.share(growth) >= levels_of(limits, clock).hard:
            known = replace(known, halted_at=at)
            reached.append(clock)
        marks[clock.value] = known
    base = max(ZERO, equity) * seen.week.growth / max(LEAST_GROWTH, growth)
    strategies, halted = _mark_strategies(seen.strategies, limits, base, open_profits, at)
    seen = replace(seen, base=base, strategies=strategies, **marks)
    return LossesMarked(seen, tuple(reached), halted)


def note_closed_trade(record: LossRecord, strategy: str, profit: Decimal) -> LossRecord:
    """Count what a trade of a strategy came to as it closed, in USD."""
    known = record.strategies.get(strategy, StrategyLoss())
    counted = replace(known, closed=known.closed + profit)
    return replace(record, strategies={**record.strategies, strategy: counted})


def roll_losses(
    record: LossRecord, day: date, growth: Decimal, open_profits: Mapping[str, Decimal]
) -> tuple[LossRecord, tuple[LossClock, ...]]:
    """Begin a day of the account, and the week and month that begin with it.

    Returns the record, and the clocks that began anew.
    """
    rolled = [LossClock.DAY_PEAK]
    record = replace(record, day_peak=LossMark(day, growth))
    if _monday(day) > record.week.begins:
        rolled.append(LossClock.WEEK)
        opened = {name: StrategyLoss(opening=value) for name, value in open_profits.items()}
        record = replace(record, week=LossMark(_monday(day), growth), strategies=opened)
    if _first(day) > record.month.begins:
        rolled.append(LossClock.MONTH)
        record = replace(record, month=LossMark(_first(day), growth))
    return record, tuple(rolled)


def strategy_share(record: LossRecord, strategy: str) -> Decimal:
    """Return what a strategy has lost in the week, as a share of the week's opening equity.

    Without any equity to compare with, a loss is the whole.
    """
    profit = record.strategies.get(strategy, StrategyLoss()).profit
    if profit >= ZERO:
        return ZERO
    return -profit / record.base if record.base > ZERO else ONE


def levels_of(limits: LossLimits, clock: LossClock) -> Levels:
    """Return the levels of a clock."""
    levels = {
        LossClock.DAY_PEAK: limits.day_peak,
        LossClock.WEEK: limits.week,
        LossClock.MONTH: limits.month,
    }
    return levels[clock]


def judge_losses(
    record: LossRecord | None, limits: LossLimits, growth: Decimal, strategy: str = ""
) -> tuple[Check, ...]:
    """Tell on every clock whether an entry is allowed; losses that are not known allow none.

    Args:
        record: what losses are measured against, None while nothing could be measured.
        limits: the levels in force.
        growth: the growth index now.
        strategy: whose idea the entry is, empty for one that somebody asks for.
    """
    if record is None:
        reason = "no loss could be measured yet"
        return (Check("R-4", "loss-unknown", passed=False, reason=reason),)
    checks = []
    for clock in LossClock:
        mark, hard = record.mark(clock), levels_of(limits, clock).hard
        lost = mark.share(growth)
        checks.append(_check(CODES[clock], SINCE[clock], lost, hard, mark.halted_at))
    if strategy:
        halted = record.strategies.get(strategy, StrategyLoss()).halted_at
        since, lost = f"this week by {strategy}", strategy_share(record, strategy)
        checks.append(_check("strategy-loss", since, lost, limits.strategy.hard, halted))
    return tuple(checks)


def loss_factor(
    record: LossRecord | None,
    limits: LossLimits,
    growth: Decimal,
    smallest: Decimal,
    strategy: str = "",
) -> Decimal:
    """Return by how much entries are made smaller, from one down to zero; the strictest counts."""
    if record is None:
        return ZERO
    factors = [
        shrink(record.mark(clock).share(growth), levels_of(limits, clock), smallest)
        for clock in LossClock
    ]
    if strategy:
        factors.append(shrink(strategy_share(record, strategy), limits.strategy, smallest))
    return min(factors)


def shrink(figure: Decimal, levels: Levels, smallest: Decimal) -> Decimal:
    """Return one up to the soft level, a line down to ``smallest`` at the hard one, zero from it.

    Rounded down to four decimals.
    """
    if figure >= levels.hard:
        return ZERO
    if figure <= levels.soft:
        return ONE
    way = (figure - levels.soft) / (levels.hard - levels.soft)
    factor = ONE - (ONE - smallest) * way
    return factor.quantize(FACTOR_STEP, rounding=ROUND_DOWN)


def _mark_strategies(
    known: Mapping[str, StrategyLoss],
    limits: LossLimits,
    base: Decimal,
    open_profits: Mapping[str, Decimal],
    at: datetime,
) -> tuple[dict[str, StrategyLoss], tuple[str, ...]]:
    marked, halted = {}, []
    for name in sorted({*known, *open_profits}):
        before = known.get(name, StrategyLoss())
        profit = before.closed + open_profits.get(name, ZERO) - before.opening
        after = replace(before, profit=profit)
        lost = ZERO if profit >= ZERO else (-profit / base if base > ZERO else ONE)
        if after.halted_at is None and lost >= limits.strategy.hard:
            after = replace(after, halted_at=at)
            halted.append(name)
        marked[name] = after
    return marked, tuple(halted)


def _check(code: str, since: str, lost: Decimal, hard: Decimal, halted: datetime | None) -> Check:
    passed = halted is None and lost < hard
    standing = ", the halt stands" if halted is not None and lost < hard else ""
    reason = f"down {lost:.4%} {since} against {hard:.4%} allowed{standing}"
    return Check("R-4", code, passed, reason, lost, hard)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _first(day: date) -> date:
    return day.replace(day=1)

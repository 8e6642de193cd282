"""How far an account is down, today and from its best, and what follows (R-4).

Both are measured on a growth index and not in USD: equity after over equity before, chained over
every flow of capital (the time-weighted return of the Global Investment Performance Standards). A
deposit cannot dilute a loss and a withdrawal cannot look like one. The state is plain data; nothing
here acts.

Sequence matters: a flow is told in the same turn in which it reaches the balances, with the equity
just before it; a flow told later would pass for a gain or a loss in between.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum

from models.trading.risk.drawdown_limits import DrawdownLimits, PositionsOnHalt
from models.trading.verdicts import Check, Verdict

ZERO = Decimal(0)
ONE = Decimal(1)

MEASURED_MINIMUM = ONE
"""Equity in USD below which no growth is measured: of dust, any price move is a large share."""

LEAST_GROWTH = Decimal("1e-9")
"""What is measured against is never less: from zero nothing could be measured any more."""


class Breach(StrEnum):
    """Which hard level was reached."""

    DAILY = "daily"
    TOTAL = "total"


@dataclass(frozen=True, slots=True)
class DrawdownState:
    """Carry what the next mark is measured against; money in USD, growth as a plain index.

    Attributes:
        day: the account's own day that runs; ``opened_at`` is the boundary it began at.
        opening_equity: equity at that boundary, the day's baseline.
        flows: net capital brought in since the boundary.
        equity: equity at the last mark or flow.
        link_equity: equity right after the last flow; growth is measured from there.
        link_growth: the index at that moment.
        day_growth: the index at the day's boundary.
        lowest_growth: the lowest index of the day.
        peak_growth: the highest index ever, or since people lifted the total halt.
        daily_halted_at: when the day's hard level was reached; it stays until the day is closed.
        total_halted_at: when the total level was reached; it stays until people lift it.
    """

    day: date
    opened_at: datetime
    opening_equity: Decimal
    equity: Decimal
    link_equity: Decimal
    flows: Decimal = ZERO
    link_growth: Decimal = ONE
    day_growth: Decimal = ONE
    lowest_growth: Decimal = ONE
    peak_growth: Decimal = ONE
    daily_halted_at: datetime | None = None
    total_halted_at: datetime | None = None

    @property
    def growth(self) -> Decimal:
        """Return the growth index now."""
        if self.link_equity < MEASURED_MINIMUM:
            return self.link_growth
        return self.link_growth * max(ZERO, self.equity) / self.link_equity

    @property
    def daily_share(self) -> Decimal:
        """Return the share lost since the day's boundary, zero when up."""
        return _share_lost(self.growth, self.day_growth)

    @property
    def day_return(self) -> Decimal:
        """Return the day's return since its boundary, below zero when down; no flow changes it."""
        return self.growth / max(LEAST_GROWTH, self.day_growth) - ONE

    @property
    def worst_share(self) -> Decimal:
        """Return the largest share lost since the day's boundary."""
        return _share_lost(min(self.lowest_growth, self.growth), self.day_growth)

    @property
    def total_share(self) -> Decimal:
        """Return the share lost from the high-water mark."""
        return _share_lost(self.growth, self.peak_growth)


@dataclass(frozen=True, slots=True)
class DueDay:
    """A day that has ended and is not closed yet.

    Attributes:
        since: protocol time at which that was first noticed.
        equity: USD as last measured before its end.
        lowest_growth: the lowest index until then.
    """

    since: datetime
    equity: Decimal
    lowest_growth: Decimal


@dataclass(frozen=True, slots=True)
class Marked:
    """What a mark came to. ``breaches`` are the levels reached by this mark, not before."""

    state: DrawdownState
    size_factor: Decimal
    verdict: Verdict
    breaches: tuple[Breach, ...] = ()
    close_positions: bool = False


def start(equity: Decimal, day: date, at: datetime) -> DrawdownState:
    """Begin to measure an account with its equity at the boundary of a day."""
    return DrawdownState(day, at, equity, equity, equity)


def mark(state: DrawdownState, limits: DrawdownLimits, equity: Decimal, at: datetime) -> Marked:
    """Take in the equity of this moment: cash and holdings at market, fees already paid.

    A level once reached stays reached, whatever the market does afterwards.
    """
    seen = replace(state, equity=equity)
    growth = seen.growth
    seen = replace(
        seen,
        lowest_growth=min(seen.lowest_growth, growth),
        peak_growth=max(seen.peak_growth, growth),
    )
    breaches: list[Breach] = []
    if seen.daily_halted_at is None and seen.daily_share >= limits.hard_share:
        seen = replace(seen, daily_halted_at=at)
        breaches.append(Breach.DAILY)
    if seen.total_halted_at is None and seen.total_share >= limits.total_share:
        seen = replace(seen, total_halted_at=at)
        breaches.append(Breach.TOTAL)
    closes = bool(breaches) and limits.positions is PositionsOnHalt.CLOSE
    factor = size_factor(seen, limits)
    return Marked(seen, factor, judge_drawdown(seen, limits), tuple(breaches), closes)


def note_flow(state: DrawdownState, amount: Decimal, equity_before: Decimal) -> DrawdownState:
    """Take capital in (positive) or out (negative), in USD, without moving the growth index.

    A flow in another asset counts at its value in USD when it reached the balances.
    """
    before = replace(state, equity=equity_before)
    growth, after = before.growth, equity_before + amount
    return replace(
        before,
        equity=after,
        link_equity=after,
        link_growth=max(LEAST_GROWTH, growth),
        lowest_growth=min(before.lowest_growth, growth),
        peak_growth=max(before.peak_growth, growth),
        flows=before.flows + amount,
    )


def lift_total(state: DrawdownState) -> DrawdownState:
    """Lift the total halt, which only people may ask for; the high-water mark starts from here."""
    return replace(state, total_halted_at=None, peak_growth=state.growth)


def rebase(state: DrawdownState, equity: Decimal, at: datetime) -> DrawdownState:
    """Begin new baselines, as after a change of mode; what is halted stays halted."""
    fresh = start(equity, state.day, at)
    return replace(
        fresh, daily_halted_at=state.daily_halted_at, total_halted_at=state.total_halted_at
    )


def size_factor(state: DrawdownState, limits: DrawdownLimits) -> Decimal:
    """Return by how much entries are made smaller, from one down to zero.

    One up to the soft level; from there a straight line down to the smallest factor at the hard
    level; zero at and beyond it, and while a halt stands. Rounded down to four decimals.
    """
    lost = state.daily_share
    if state.daily_halted_at or state.total_halted_at or lost >= limits.hard_share:
        return ZERO
    if lost <= limits.soft_share:
        return ONE
    way = (lost - limits.soft_share) / (limits.hard_share - limits.soft_share)
    factor = ONE - (ONE - limits.smallest_factor) * way
    return factor.quantize(Decimal("0.0001"), rounding=ROUND_DOWN)


def judge_drawdown(state: DrawdownState, limits: DrawdownLimits) -> Verdict:
    """Tell whether entries are allowed as far as drawdown goes (R-4)."""
    daily = state.daily_halted_at is None and state.daily_share < limits.hard_share
    total = state.total_halted_at is None and state.total_share < limits.total_share
    return Verdict(
        (
            _check("daily-drawdown", daily, "today", state.daily_share, limits.hard_share),
            _check("total-drawdown", total, "from the best", state.total_share, limits.total_share),
        )
    )


def _check(code: str, passed: bool, since: str, lost: Decimal, limit: Decimal) -> Check:
    standing = "" if passed or lost >= limit else ", the halt stands"
    reason = f"down {lost:.4%} {since} against {limit:.4%} allowed{standing}"
    return Check("R-4", code, passed, reason, lost, limit)


def _share_lost(growth: Decimal, reference: Decimal) -> Decimal:
    return max(ZERO, ONE - growth / max(LEAST_GROWTH, reference))

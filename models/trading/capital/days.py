"""Closing an account's day: its profit and loss, the next baseline, and which halt ends (R-4)."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from models.trading.risk.drawdown import ZERO, DrawdownState


@dataclass(frozen=True, slots=True)
class DailyRecord:
    """What a day came to, in USD; shares are of the capital in place (time-weighted).

    Attributes:
        profit: closing less opening equity less the flows: trading only, all fees inside.
        profit_share: the day's time-weighted return.
        realised: net profit of what was sold on the day, None when not known.
        unrealised: the rest of the profit, None when the realised part is not known.
        fees: fees paid on the day, None when not known; they are inside the profit.
        worst_share: the largest share lost at any mark of the day.
        halted: the day's hard level was reached.
    """

    day: date
    opened_at: datetime
    closed_at: datetime
    opening_equity: Decimal
    closing_equity: Decimal
    flows: Decimal
    profit: Decimal
    profit_share: Decimal
    worst_share: Decimal
    halted: bool
    realised: Decimal | None = None
    unrealised: Decimal | None = None
    fees: Decimal | None = None


@dataclass(frozen=True, slots=True)
class DayClosed:
    """The state of the new day. ``record`` is None when the day had been closed before."""

    state: DrawdownState
    record: DailyRecord | None
    halt_lifted: bool = False


@dataclass(frozen=True, slots=True)
class DayFigures:
    """Equity in USD at the boundary, and what the record of fills tells of the day."""

    equity: Decimal
    realised: Decimal | None = None
    fees: Decimal | None = None


def close_day(
    state: DrawdownState, figures: DayFigures, boundary: datetime, opens: date
) -> DayClosed:
    """Close the day that runs at a boundary and open the next; a repeat changes nothing.

    Only the daily halt is lifted. The high-water mark, the total halt and the growth index go on.
    """
    if boundary <= state.opened_at:
        return DayClosed(state, None)
    last = replace(state, equity=figures.equity)
    growth = last.growth
    profit = figures.equity - state.opening_equity - state.flows
    realised = figures.realised
    record = DailyRecord(
        day=state.day,
        opened_at=state.opened_at,
        closed_at=boundary,
        opening_equity=state.opening_equity,
        closing_equity=figures.equity,
        flows=state.flows,
        profit=profit,
        profit_share=last.day_return,
        worst_share=last.worst_share,
        halted=state.daily_halted_at is not None,
        realised=realised,
        unrealised=profit - realised if realised is not None else None,
        fees=figures.fees,
    )
    opened = replace(
        last,
        day=opens,
        opened_at=boundary,
        opening_equity=figures.equity,
        flows=ZERO,
        day_growth=growth,
        lowest_growth=growth,
        peak_growth=max(last.peak_growth, growth),
        daily_halted_at=None,
    )
    return DayClosed(opened, record, halt_lifted=state.daily_halted_at is not None)

"""Scheduled reports of what an account came to: its days, trades, risk, hedge and performance.

Every figure is that of the report which is made when it is asked for. What is not known is None,
and the note of its section says why.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from models.reporting.costs import ALL, SettledTrade, costs_of
from models.reporting.documents import Cell, Section, Table
from models.reporting.performance import (
    Benchmarks,
    DayResult,
    Measured,
    compounded,
    deepest_fall,
    risk_of,
)
from models.trading.capital.flows import NavPoint, time_weighted_return

ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class ClosedDay:
    """One closed day; USD, shares are time-weighted. None: not measured."""

    day: date
    share: Decimal
    profit: Decimal
    worst_share: Decimal
    flows: Decimal
    realised: Decimal | None
    unrealised: Decimal | None
    fees: Decimal | None
    halted: bool

    @property
    def result(self) -> DayResult:
        """Return its return and profit alone."""
        return DayResult(self.day, self.share, self.profit)


@dataclass(frozen=True, slots=True)
class HedgeReviewed:
    """One review of the hedge; shares of the value in USD, money since the hedge began."""

    at: datetime
    actual: Decimal
    target: Decimal | None
    move: str
    value: Decimal
    fees: Decimal
    turnover: Decimal
    profit: Decimal | None


def daily_sections(days: Sequence[ClosedDay]) -> tuple[Section, ...]:
    """Return what each closed day came to, oldest first (RP-1)."""
    known = [day.fees for day in days if day.fees is not None]
    facts: tuple[tuple[str, Cell], ...] = (
        ("Return of the closed days", compounded([day.share for day in days]) if days else None),
        ("Profit USD", sum((day.profit for day in days), ZERO) if days else None),
        ("Fees USD", sum(known, ZERO) if days and len(known) == len(days) else None),
        ("Days", len(days)),
        ("Halted", sum(day.halted for day in days)),
    )
    rows = tuple(
        (str(day.day), day.share, day.profit, day.worst_share, day.realised, day.unrealised,
         day.fees, day.flows)
        for day in days
    )  # fmt: skip
    columns = (
        "Day", "Return", "Profit USD", "Worst", "Realised USD", "Unrealised USD", "Fees USD",
        "Flows USD",
    )  # fmt: skip
    note = "Net of flows of capital." if days else "No day was closed in this time."
    return (Section("Daily profit", note, facts), Section("Days", table=Table(columns, rows)))


def trade_sections(trades: Sequence[SettledTrade]) -> tuple[Section, ...]:
    """Return the trades that ended, and what they came to together (RP-2)."""
    costs = costs_of(ALL, trades)
    facts: tuple[tuple[str, Cell], ...] = (
        ("Profit USD", costs.profit if trades else None),
        ("Trades", costs.trades),
        ("Won", costs.won_share),
        ("Mean USD", costs.mean),
        ("Gains over losses", costs.profit_factor),
        ("Fees USD", costs.fees if trades else None),
        ("Slippage USD", costs.slippage if trades else None),
    )
    rows = tuple(
        (one.number, one.symbol, one.strategy or "by hand", one.closed_at, one.bought,
         one.entry_price, one.exit_price, one.profit, one.fees, one.slippage, one.exit_reason)
        for one in trades
    )  # fmt: skip
    columns = (
        "Trade", "Pair", "Strategy", "Closed", "Bought", "Entry", "Exit", "Profit USD", "Fees USD",
        "Slippage USD", "Why it ended",
    )  # fmt: skip
    note = "Net of fees." if trades else "No trade ended in this time."
    return (Section("Trades", note, facts), Section("Each", table=Table(columns, rows)))


def risk_sections(
    days: Sequence[ClosedDay], points: Sequence[NavPoint], marks: Sequence[Measured]
) -> tuple[Section, ...]:
    """Return drawdown, volatility and exposure (RP-3); points and marks in order of time."""
    risk, fall = risk_of([day.result for day in days]), deepest_fall(points)
    exposures = [one.exposure_share for one in marks if one.exposure_share is not None]
    notes = []
    if risk.daily_volatility is None:
        notes.append("Fewer than two days were closed: volatility is not known.")
    if fall is None:
        notes.append("No value was measured: drawdown and exposure are not known.")
    facts: tuple[tuple[str, Cell], ...] = (
        ("Deepest fall", None if fall is None else fall.share),
        ("Fell from", None if fall is None else fall.best_at),
        ("Lowest at", None if fall is None else fall.lowest_at),
        ("Exposure at the end", marks[-1].exposure_share if marks else None),
        ("Exposure, mean", sum(exposures, ZERO) / len(exposures) if exposures else None),
        ("Exposure, most", max(exposures, default=None)),
        ("Volatility of a day", risk.daily_volatility),
        ("Volatility of a year", risk.yearly_volatility),
        ("Worst day", None if risk.worst is None else risk.worst.share),
        ("Best day", None if risk.best is None else risk.best.share),
        ("Losing days", risk.losing_days if risk.days else None),
        ("Days", risk.days),
    )
    return (Section("Risk", " ".join(notes) or "Net of flows of capital.", facts),)


def hedge_sections(reviews: Sequence[HedgeReviewed]) -> tuple[Section, ...]:
    """Return how the hedge followed its target, what it cost and earned (RP-4), oldest first."""
    last = reviews[-1] if reviews else None
    note = "The hedge was not looked at in this time."
    if last is not None:
        unknown = " Nothing is hedged, so that there is no profit." if last.profit is None else ""
        note = f"Money is since the hedge began.{unknown}"
    facts: tuple[tuple[str, Cell], ...] = (
        ("In USD", None if last is None else last.actual),
        ("Target", None if last is None else last.target),
        ("Profit USD", None if last is None else last.profit),
        ("Fees USD", None if last is None else last.fees),
        ("Traded USD", None if last is None else last.turnover),
        ("Reviews", len(reviews)),
        ("Moves", sum(one.move != "" for one in reviews)),
    )
    rows = tuple(
        (one.at, one.actual, one.target, one.move or "none", one.value, one.profit)
        for one in reviews
    )
    columns = ("At", "In USD", "Target", "Move", "Value USD", "Profit USD")
    return (Section("Hedge", note, facts), Section("Reviews", table=Table(columns, rows)))


def performance_sections(
    days: Sequence[ClosedDay], points: Sequence[NavPoint], against: Benchmarks
) -> tuple[Section, ...]:
    """Return the time-weighted return beside that of holding, and of Bitcoin (RP-5)."""
    measured = len(points) > 1
    earned = time_weighted_return(points) if measured else None
    fall = deepest_fall(points) if measured else None
    notes = ["Net of flows of capital."]
    if not measured:
        notes.append("Fewer than two values were measured: the return is not known.")
    if against.bitcoin is None:
        notes.append("Bitcoin has no bar at the beginning or the end.")
    if against.holding is None:
        notes.append("What was held at the beginning, or a price of it, is not known.")
    facts: tuple[tuple[str, Cell], ...] = (
        ("Return", earned),
        ("Holding what was held", against.holding),
        ("Holding Bitcoin", against.bitcoin),
        ("Return beyond holding", _beyond(earned, against.holding)),
        ("Return beyond Bitcoin", _beyond(earned, against.bitcoin)),
        ("Deepest fall", None if fall is None else fall.share),
        ("Return of the closed days", compounded([day.share for day in days]) if days else None),
        ("Measured from", points[0].at if points else None),
        ("Measured until", points[-1].at if points else None),
    )
    rows = tuple((str(day.day), day.share, day.profit) for day in days)
    return (
        Section("Performance", " ".join(notes), facts),
        Section("Days", table=Table(("Day", "Return", "Profit USD"), rows)),
    )


def _beyond(earned: Decimal | None, other: Decimal | None) -> Decimal | None:
    return None if earned is None or other is None else earned - other

"""Requests and results of the workflow and the steps that close days and record capital."""

from dataclasses import dataclass
from datetime import datetime

from models.trading.account.capital.facts import (
    CapitalMoved,
    CapitalRefused,
    CapitalRequested,
    DayBoundaryPassed,
    FlowNoted,
)
from models.trading.capital.days import DailyRecord
from models.trading.capital.flows import NavBaseline
from models.trading.trading_day import DayRule


@dataclass(frozen=True, slots=True)
class DayToClose:
    """The account whose days are to be closed up to a market time.

    ``market_time`` is None where market time is the wall clock: the schedule knows no other.
    """

    account: str
    market_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class DaysClosed:
    """The boundaries at which days were closed."""

    boundaries: tuple[datetime, ...]


@dataclass(frozen=True, slots=True)
class DaysToMeasure:
    """The account, and the market time up to which boundaries count."""

    account: str
    until: datetime


@dataclass(frozen=True, slots=True)
class DaysMeasured:
    """Boundaries that are not closed, oldest first."""

    boundaries: tuple[DayBoundaryPassed, ...]


@dataclass(frozen=True, slots=True)
class SignalBoundaries:
    """Boundaries for an account."""

    account: str
    boundaries: tuple[DayBoundaryPassed, ...]


@dataclass(frozen=True, slots=True)
class DayToRecord:
    """A closed day."""

    account: str
    record: DailyRecord


@dataclass(frozen=True, slots=True)
class DayScheduleToKeep:
    """The rule that an account's schedule is to follow."""

    account: str
    rule: DayRule


@dataclass(frozen=True, slots=True)
class FlowsToRecord:
    """Flows that were counted."""

    account: str
    flows: tuple[FlowNoted, ...]


@dataclass(frozen=True, slots=True)
class BaselineToRecord:
    """A value that profit is measured from."""

    account: str
    baseline: NavBaseline


@dataclass(frozen=True, slots=True)
class CapitalToMove:
    """What the simulated exchange is to book."""

    account: str
    request: CapitalRequested


@dataclass(frozen=True, slots=True)
class CapitalOutcome:
    """What became of it; exactly one is set."""

    moved: CapitalMoved | None = None
    refused: CapitalRefused | None = None

    @property
    def fact(self) -> CapitalMoved | CapitalRefused:
        """Return the one that is set."""
        outcome = self.moved or self.refused
        assert outcome is not None
        return outcome

"""The steps that close days: what the record tells of each boundary, the telling, and the proof."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.execution.order_submission import Clock
from activities.ports.capital import DayBook
from activities.ports.messaging import Messenger
from models.contracts.days import (
    DayScheduleToKeep,
    DaysMeasured,
    DaysToMeasure,
    DayToRecord,
    SignalBoundaries,
)
from models.trading.account.capital.facts import DayBoundaryPassed
from models.trading.trading_day import DayRule, boundaries_between

log = structlog.get_logger(__name__)

PATIENCE = timedelta(minutes=10)
"""How long a day waits for news of its end; then it is closed by what is known."""

AT_ONCE = 31
"""Days closed by one run; more are closed by further rounds."""


class DaySchedules(Protocol):
    """Keeps the schedules by which days are closed where market time is the wall clock."""

    async def keep(self, account: str, rule: DayRule) -> None:
        """Have the account's schedule follow its rule."""
        ...


class DayActivities:
    """Close days in the record; ``schedules`` is None where the market's own clock closes them.

    ``is_level`` tells whether all that an account's exchange has told is in the record.
    """

    def __init__(
        self,
        days: DayBook,
        messenger: Messenger,
        clock: Clock,
        schedules: DaySchedules | None = None,
        is_level: Callable[[str], bool] = lambda _: True,
    ) -> None:
        self._days = days
        self._messenger = messenger
        self._clock = clock
        self._schedules = schedules
        self._is_level = is_level

    @activity.defn
    async def measure_days(self, request: DaysToMeasure) -> DaysMeasured:
        """Return every boundary up to a market time that is not closed, with its figures.

        After an outage it waits until what happened meanwhile is known: a stop that was executed
        before the boundary, and the prices then.
        """
        running = await self._days.running_day(request.account)
        if running is None:
            return DaysMeasured(())
        opened_at, facts = running.opened_at, []
        due = boundaries_between(running.rule, opened_at, request.until)
        if not due:
            return DaysMeasured(())
        await self._await_news(request.account, due[-1].at)
        executed = await self._days.executed_since(request.account, opened_at)
        for boundary in due[:AT_ONCE]:
            figures = await self._days.boundary_figures(request.account, opened_at, boundary.at)
            facts.append(
                DayBoundaryPassed(
                    boundary=boundary,
                    prices=figures.prices,
                    moved=figures.moved,
                    sent_at=self._clock(),
                    realised=figures.realised,
                    fees=figures.fees,
                    executed=executed,
                )
            )
            opened_at = boundary.at
        return DaysMeasured(tuple(facts))

    async def _await_news(self, account: str, boundary: datetime) -> None:
        missing = await self._missing_news(account, boundary)
        if missing is None:
            return
        if self._clock() - activity.info().scheduled_time < PATIENCE:
            raise ApplicationError(f"the day of {account} cannot be measured yet: {missing}")
        log.warning("a day is closed by what is known", account=account, missing=missing)

    async def _missing_news(self, account: str, boundary: datetime) -> str | None:
        if not self._is_level(account):
            return "what its exchange has to tell"
        # Where the market's own clock closes days, it has stored the bars before it passes a time.
        by_schedule = self._schedules is not None
        if by_schedule and not await self._days.prices_reach(account, boundary):
            return "the prices then"
        return None

    @activity.defn
    async def signal_boundaries(self, request: SignalBoundaries) -> None:
        """Tell the account, oldest first; it closes each once."""
        if not await self._messenger.signal_account(request.account, request.boundaries):
            raise ApplicationError(f"the workflow of {request.account} does not run")

    @activity.defn
    async def confirm_days(self, request: SignalBoundaries) -> None:
        """Return when the record shows the days as closed; tried until it does."""
        running = await self._days.running_day(request.account)
        last: datetime = request.boundaries[-1].boundary.at
        # The account's state is written beside the days, and may be there before the last of them.
        recorded = None if running is None else running.recorded_until
        if running is None or running.opened_at < last or recorded is None or recorded < last:
            raise ApplicationError(f"the day of {request.account} is not closed yet")

    @activity.defn
    async def record_day(self, request: DayToRecord) -> None:
        """Write what a day came to."""
        await self._days.save_day(request.account, request.record)

    @activity.defn
    async def keep_day_schedule(self, request: DayScheduleToKeep) -> None:
        """Have the schedule follow a changed rule."""
        if self._schedules is not None:
            await self._schedules.keep(request.account, request.rule)

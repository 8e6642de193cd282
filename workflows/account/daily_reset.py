"""Closing an account's days: started at its boundary, by a schedule or by the market's clock."""

from datetime import datetime

from temporalio import workflow

from activities.accounts.day_closing import DayActivities
from activities.policies import RECORD
from models.contracts.days import (
    DaysClosed,
    DaysMeasured,
    DaysToMeasure,
    DayToClose,
    SignalBoundaries,
)
from models.trading.account.capital.facts import DayBoundaryPassed


@workflow.defn
class DailyResetWorkflow:
    """Close what has ended, also several days missed; a day that is closed is left alone.

    The account closes each day in its own turn: it writes the record, sets the next baseline and
    lifts the daily halt.
    """

    @workflow.run
    async def run(self, request: DayToClose) -> DaysClosed:
        """Measure, tell, wait for the proof; again while there is more."""
        until = request.market_time or workflow.now()
        closed: list[datetime] = []
        while boundaries := await self.measured(request.account, until):
            found = SignalBoundaries(request.account, boundaries)
            await workflow.execute_activity_method(DayActivities.signal_boundaries, found, **RECORD)
            await workflow.execute_activity_method(DayActivities.confirm_days, found, **RECORD)
            closed += [fact.boundary.at for fact in boundaries]
        return DaysClosed(tuple(closed))

    async def measured(self, account: str, until: datetime) -> tuple[DayBoundaryPassed, ...]:
        """Return the boundaries that are not closed, with their figures."""
        found: DaysMeasured = await workflow.execute_activity_method(
            DayActivities.measure_days, DaysToMeasure(account, until), **RECORD
        )
        return found.boundaries

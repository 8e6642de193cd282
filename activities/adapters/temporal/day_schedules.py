"""Temporal Schedules that close the accounts' days, where market time is the wall clock.

Decided (ADR 10): a run at the boundary and one an hour later, both in the account's zone. Temporal
skips a local time that does not exist on the day clocks go forward, when the day begins with the
first instant after the gap: the later run closes it then, with the figures of the very boundary. A
run that finds nothing to close changes nothing, so a local time that comes twice does no harm.
"""

from collections.abc import Callable
from datetime import timedelta

import structlog
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleCalendarSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)

from activities.policies import DECIDING_TASK_TIMEOUT
from models.contracts.days import DayToClose
from models.contracts.names import DAILY_RESET_WORKFLOW, TRADING_QUEUE, daily_reset_workflow_id
from models.trading.trading_day import DayRule

log = structlog.get_logger(__name__)

CATCH_UP = timedelta(days=1)
"""How late a run may start after an outage of Temporal; one run closes every day that was missed.

One day is enough: whatever was missed before, a run within it closes too.
"""
SECOND_RUN_HOURS = 1


class TemporalDaySchedules:
    """Implement ``day_closing.DaySchedules``."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def keep(self, account: str, rule: DayRule) -> None:
        """Create the account's schedule, or bring it up to its rule."""
        name, wanted = daily_reset_workflow_id(account), day_schedule(account, rule)
        try:
            await self._client.create_schedule(name, wanted)
        except ScheduleAlreadyRunningError:
            await self._client.get_schedule_handle(name).update(_replaced(wanted))
        log.info("day schedule", account=account, zone=rule.zone_name, at=str(rule.starts_at))


def day_schedule(account: str, rule: DayRule) -> Schedule:
    """Return the schedule of an account's day."""
    hour, minute = rule.starts_at.hour, rule.starts_at.minute
    later = (hour + SECOND_RUN_HOURS) % 24
    return Schedule(
        action=ScheduleActionStartWorkflow(
            DAILY_RESET_WORKFLOW,
            DayToClose(account),
            id=daily_reset_workflow_id(account),
            task_queue=TRADING_QUEUE,
            task_timeout=DECIDING_TASK_TIMEOUT,
        ),
        spec=ScheduleSpec(
            calendars=[
                ScheduleCalendarSpec(
                    hour=[ScheduleRange(hour), ScheduleRange(later)],
                    minute=[ScheduleRange(minute)],
                )
            ],
            time_zone_name=rule.zone_name,
        ),
        policy=SchedulePolicy(
            # A run that waits for a dead account must not swallow the next one.
            overlap=ScheduleOverlapPolicy.BUFFER_ONE,
            catchup_window=CATCH_UP,
            pause_on_failure=False,
        ),
    )


def _replaced(wanted: Schedule) -> Callable[[ScheduleUpdateInput], ScheduleUpdate]:
    def change(current: ScheduleUpdateInput) -> ScheduleUpdate:
        wanted.state = current.description.schedule.state
        return ScheduleUpdate(wanted)

    return change

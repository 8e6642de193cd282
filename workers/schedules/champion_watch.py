"""The schedules of the champion's watch and of the nightly replay, by the wall clock."""

import asyncio
from datetime import timedelta

import structlog
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleCalendarSpec,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
)
from temporalio.service import RPCError

from activities.pauses import GrowingPause
from models.contracts.learning import (
    CHAMPION_WATCH_ID,
    CHAMPION_WATCH_WORKFLOW,
    FEATURE_REPLAY_ID,
    FEATURE_REPLAY_WORKFLOW,
    WATCH_QUEUE,
)

log = structlog.get_logger(__name__)

EVERY = timedelta(minutes=1)
NIGHT_HOUR, NIGHT_MINUTE = 1, 30
"""After the day's bar has closed, in UTC."""
RETRY_SECONDS, LONGEST_RETRY_SECONDS = 0.5, 5.0


async def keep_watching(client: Client) -> None:
    """Create both schedules, tried until Temporal takes them; those that exist are kept."""
    nightly = ScheduleCalendarSpec(
        hour=[ScheduleRange(NIGHT_HOUR)], minute=[ScheduleRange(NIGHT_MINUTE)]
    )
    wanted = (
        (CHAMPION_WATCH_ID, CHAMPION_WATCH_WORKFLOW, ScheduleSpec(
            intervals=[ScheduleIntervalSpec(every=EVERY)])),
        (FEATURE_REPLAY_ID, FEATURE_REPLAY_WORKFLOW, ScheduleSpec(calendars=[nightly])),
    )  # fmt: skip
    pause = GrowingPause(RETRY_SECONDS, LONGEST_RETRY_SECONDS)
    missing = list(wanted)
    for name, workflow, spec in iter(lambda: missing[0] if missing else None, None):
        if await _created(client, name, workflow, spec):
            missing.pop(0)
        else:
            await asyncio.sleep(pause.next())


async def _created(client: Client, name: str, workflow: str, spec: ScheduleSpec) -> bool:
    schedule = Schedule(
        action=ScheduleActionStartWorkflow(workflow, id=name, task_queue=WATCH_QUEUE),
        spec=spec,
        # A look that takes long is not followed by a crowd of others.
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.BUFFER_ONE),
    )
    try:
        await client.create_schedule(name, schedule, trigger_immediately=True)
    except ScheduleAlreadyRunningError:
        return True
    except RPCError as error:
        log.info("schedule waits for Temporal", schedule=name, error=str(error))
        return False
    return True

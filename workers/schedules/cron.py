"""Schedules that a setting says: five fields as of cron, or none."""

from datetime import timedelta

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleUpdate,
)
from temporalio.service import RPCError, RPCStatusCode


async def keep_cron_schedule(
    client: Client,
    name: str,
    cron: str | None,
    action: ScheduleActionStartWorkflow,
    catch_up: timedelta,
    *,
    at_once: bool = False,
) -> None:
    """Create, change or remove a schedule, so that it is what the setting says.

    Args:
        client: connected to the installation's namespace.
        name: the schedule's id.
        cron: five fields in UTC, None for no schedule.
        action: what it starts.
        catch_up: a start that was missed while nothing ran is made up for within this time.
        at_once: a new schedule starts its first run now.

    Raises:
        RPCError: Temporal does not answer.
    """
    handle = client.get_schedule_handle(name)
    if cron is None:
        try:
            await handle.delete()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
        return
    wanted = Schedule(
        action=action,
        spec=ScheduleSpec(cron_expressions=[cron]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=catch_up),
    )
    try:
        await client.create_schedule(name, wanted, trigger_immediately=at_once)
    except ScheduleAlreadyRunningError:
        await handle.update(lambda _found: ScheduleUpdate(wanted))

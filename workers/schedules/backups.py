"""The schedule of backups: as the setting says, and none where it says nothing."""

from datetime import timedelta

from temporalio.client import Client, ScheduleActionStartWorkflow

from models.contracts.backups import BACKUP_ID, BACKUP_QUEUE, BACKUP_WORKFLOW, BackupRequest
from workers.schedules.cron import keep_cron_schedule

LONGEST_RUN = timedelta(hours=12)
CATCH_UP = timedelta(hours=6)
"""A start that was missed while nothing ran is made up for within this time."""


async def keep_backup_schedule(client: Client, cron: str | None) -> None:
    """Create, change or remove the schedule, so that it is what the setting says.

    Args:
        client: connected to the installation's namespace.
        cron: five fields in UTC, None for no schedule.

    Raises:
        RPCError: Temporal does not answer.
    """
    action = ScheduleActionStartWorkflow(
        BACKUP_WORKFLOW,
        BackupRequest("scheduled"),
        id=BACKUP_ID,
        task_queue=BACKUP_QUEUE,
        execution_timeout=LONGEST_RUN,
    )
    await keep_cron_schedule(client, BACKUP_ID, cron, action, CATCH_UP)

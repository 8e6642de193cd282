"""Backing the installation up: on a schedule, each run made and verified once."""

from temporalio import workflow

from activities.operation.backups import BackupActivities
from activities.policies import BACKUP
from models.contracts.backups import BACKUP_WORKFLOW, BackupDone, BackupRequest


@workflow.defn(name=BACKUP_WORKFLOW)
class BackupWorkflow:
    """Have one backup made; what stands in the way is tried again a few times, then told."""

    @workflow.run
    async def run(self, request: BackupRequest) -> BackupDone:
        """Return the backup's name."""
        return await workflow.execute_activity_method(
            BackupActivities.back_up,
            request,
            start_to_close_timeout=BACKUP["start_to_close_timeout"],
            heartbeat_timeout=BACKUP["heartbeat_timeout"],
            retry_policy=BACKUP["retry_policy"],
        )

"""The process that backs the installation up: ``python -m workers.backups.process``.

Started where ``AETHER_BACKUP_SCHEDULE`` says when, niced: what it makes is read and encrypted in a
process of its own, one at a time.
"""

import asyncio
import sys
from collections.abc import Sequence
from functools import partial

import structlog
from temporalio.client import Client
from temporalio.worker import Interceptor, Worker

from activities.operation.backups import BackupActivities
from infra.runtime.errors import ConfigurationError
from infra.runtime.settings import Settings
from infra.runtime.temporal.workers import worker_options
from models.contracts.backups import BACKUP_QUEUE
from workers.running import connected, run_process
from workers.schedules.backups import keep_backup_schedule
from workers.upkeep.process_health import ProcessHealth, StepsSeen
from workflows.operation.backup import BackupWorkflow

log = structlog.get_logger(__name__)

NICE = 15
COMMAND = (sys.executable, "-m", "cli.entry")


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Keep the schedule and make what it asks for, until asked to stop.

    Raises:
        ConfigurationError: there is no schedule.
    """
    if settings.backup_schedule is None:
        raise ConfigurationError("AETHER_BACKUP_SCHEDULE says nothing: no backup is made")
    schedule = partial(keep_backup_schedule, cron=settings.backup_schedule)
    async with ProcessHealth(settings.health_port("backups"), "temporal", "worker") as health:
        client = await connected(settings, stop, schedule)
        if client is None:
            return
        health.ask_temporal(client)
        seen = StepsSeen(partial(health.worked, "backup"))
        async with backup_worker(client, BackupActivities(COMMAND), interceptors=[seen]) as worker:
            health.ask_worker(worker)
            log.info("backups are made", schedule=settings.backup_schedule)
            await stop.wait()


def backup_worker(
    client: Client,
    activities: BackupActivities,
    queue: str = BACKUP_QUEUE,
    interceptors: Sequence[Interceptor] = (),
) -> Worker:
    """Return the worker of the queue of backups: one at a time."""
    options = worker_options(max_concurrent_activities=1, max_cached_workflows=10)
    return Worker(
        client,
        task_queue=queue,
        workflows=[BackupWorkflow],
        activities=[activities.back_up],
        interceptors=interceptors,
        **options,
    )


def main() -> int:
    """Work until SIGTERM or SIGINT; 2 with one line on standard error when it cannot start."""
    return run_process("backups", run, NICE)


if __name__ == "__main__":
    sys.exit(main())

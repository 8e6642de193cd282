"""The learning process: ``python -m workers.learning``. Started only when learning is on, niced.

It serves the learning queue: one training step at a time, so that trading does not feel it.
"""

import asyncio
import os
import signal
import sys

import structlog
from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.worker import Worker

from activities.adapters.postgres.learning.ledger import PostgresTrainingLedger
from activities.learning.training import TrainingActivities
from activities.pauses import GrowingPause
from infra.runtime import event_loop
from infra.runtime.database.connections import Database, Role, database_url
from infra.runtime.errors import PlatformError
from infra.runtime.logs import configure_logs
from infra.runtime.settings import Settings
from infra.runtime.temporal.workers import build_id, worker_options
from models.contracts.learning import LEARNING_QUEUE
from workers.connection import connect_temporal
from workflows.learning.training import TrainingWorkflow

log = structlog.get_logger(__name__)

NICE = 15
RETRY_SECONDS, LONGEST_RETRY_SECONDS = 0.5, 5.0


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Work until asked to stop; a trial under way is given up and run again at the next start."""
    database = Database(
        database_url(settings, Role.LEARNING), application="aether-learning", connections=2
    )
    try:
        client = await _connected(settings, stop)
        if client is None:
            return
        activities = TrainingActivities(
            PostgresTrainingLedger(database), settings.learning_data, build_id()
        )
        async with learning_worker(client, activities):
            log.info("learning worker runs", data=str(settings.learning_data))
            await stop.wait()
    finally:
        await database.close()


def learning_worker(
    client: Client, activities: TrainingActivities, queue: str = LEARNING_QUEUE
) -> Worker:
    """Return the worker of the learning queue: one step at a time bounds its memory."""
    options = worker_options(max_concurrent_activities=1, max_cached_workflows=10)
    return Worker(
        client,
        task_queue=queue,
        workflows=[TrainingWorkflow],
        activities=[
            activities.plan_training,
            activities.run_trials,
            activities.judge_training,
            activities.promote_model,
        ],
        **options,
    )


async def _connected(settings: Settings, stop: asyncio.Event) -> Client | None:
    pause = GrowingPause(RETRY_SECONDS, LONGEST_RETRY_SECONDS)
    while not stop.is_set():
        try:
            return await connect_temporal(settings)
        except (RPCError, RuntimeError) as error:
            log.info("temporal does not answer yet", error=str(error))
            await asyncio.sleep(pause.next())
    return None


async def _serve(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await run(settings, stop)


def main() -> int:
    """Work until SIGTERM or SIGINT; 2 with one line on standard error when it cannot start."""
    settings = Settings()
    configure_logs("learning", settings.log_level)
    os.nice(NICE)
    try:
        event_loop.run(_serve(settings))
    except PlatformError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The learning process: ``python -m workers.learning``. Started only when learning is on, niced.

It serves two queues: training, one step at a time, so that trading does not feel it; and the watch
of the champion, which no training holds up.
"""

import asyncio
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

import structlog
from temporalio.client import Client
from temporalio.worker import Interceptor, Worker

from activities.adapters.candle_files.snapshots import read_snapshot
from activities.adapters.mlflow.registry import MlflowRegistry
from activities.adapters.postgres.learning import champions
from activities.adapters.postgres.learning.ledger import PostgresTrainingLedger
from activities.adapters.postgres.learning.models import PostgresModelRecord
from activities.adapters.postgres.learning.shadows import PostgresShadows
from activities.learning.challenging import ChallengerActivities
from activities.learning.keeping import KeepingActivities, ModelKeeper
from activities.learning.shadowing import ShadowActivities
from activities.learning.training import TrainingActivities
from activities.learning.wanting import WantingActivities
from activities.learning.watching import WatchActivities
from infra.runtime.database.connections import Database, Role, database_url
from infra.runtime.event_loop import beside
from infra.runtime.model_keys import ModelSignatures, ModelSigner
from infra.runtime.settings import Settings
from infra.runtime.state_directory import StateDirectory
from infra.runtime.temporal.workers import build_id, worker_options
from models.contracts.learning import LEARNING_QUEUE, WATCH_QUEUE
from workers.running import connected, run_process
from workers.schedules.champion_watch import keep_watching
from workers.upkeep.process_health import ProcessHealth, StepsSeen
from workflows.learning.training import TrainingWorkflow
from workflows.learning.watching import ChampionWatchWorkflow, FeatureReplayWorkflow

log = structlog.get_logger(__name__)

NICE = 15


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Work until asked to stop; a trial under way is given up and run again at the next start."""
    database = Database(
        database_url(settings, Role.LEARNING), application="aether-learning", connections=3
    )
    needed = ("temporal", "database", "worker", "watch_worker")
    try:
        async with ProcessHealth(settings.health_port("learning"), *needed) as health:
            health.ask_database(database)
            client = await connected(settings, stop)
            if client is not None:
                health.ask_temporal(client)
                await _work(settings, database, client, health, stop)
    finally:
        await database.close()


async def _work(
    settings: Settings,
    database: Database,
    client: Client,
    health: ProcessHealth,
    stop: asyncio.Event,
) -> None:
    keeper = model_keeper(settings, database)
    ledger, build = PostgresTrainingLedger(database), build_id()
    training = TrainingActivities(ledger, settings.learning_data, read_snapshot, build)
    seen = [StepsSeen(partial(health.worked, "steps"))]
    watching = WatchActivities(
        PostgresModelRecord(database),
        keeper,
        ModelSignatures(settings.home),
        partial(champions.roll_back, database, "aether"),
        lambda: datetime.now(UTC),
    )
    wanting = WantingActivities(
        PostgresModelRecord(database),
        keeper.registry,
        ModelSignatures(settings.home),
        lambda: datetime.now(UTC),
    )
    async with (
        learning_worker(
            client,
            training,
            KeepingActivities(training, keeper),
            ChallengerActivities(training, ledger, build),
            ShadowActivities(PostgresShadows(database)),
            interceptors=seen,
        ) as worker,
        watch_worker(client, watching, wanting, interceptors=seen) as watch,
    ):
        health.ask_worker(worker)
        health.ask_worker(watch, "watch_worker")
        scheduling = beside("schedules", partial(keep_watching, client))
        log.info("learning worker runs", data=str(settings.learning_data))
        await stop.wait()
        scheduling.cancel()


def model_keeper(settings: Settings, database: Database) -> ModelKeeper:
    """Return what registers models: MLflow, the record, and the installation's own key."""
    token = StateDirectory(settings.home).registry_token
    return ModelKeeper(
        MlflowRegistry(settings.registry_url, token),
        PostgresModelRecord(database),
        ModelSigner(settings.home).sign,
        build_id(),
    )


def learning_worker(
    client: Client,
    activities: TrainingActivities,
    keeping: KeepingActivities,
    challenging: ChallengerActivities,
    shadowing: ShadowActivities,
    queue: str = LEARNING_QUEUE,
    interceptors: Sequence[Interceptor] = (),
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
            challenging.run_challengers,
            activities.judge_training,
            activities.end_training,
            keeping.keep_model,
            keeping.open_holdout,
            shadowing.look_at_shadow,
            keeping.promote_model,
        ],
        interceptors=interceptors,
        **options,
    )


def watch_worker(
    client: Client,
    watching: WatchActivities,
    wanting: WantingActivities,
    queue: str = WATCH_QUEUE,
    interceptors: Sequence[Interceptor] = (),
) -> Worker:
    """Return the worker of the champion's watch, one look at a time."""
    options = worker_options(max_concurrent_activities=1, max_cached_workflows=10)
    return Worker(
        client,
        task_queue=queue,
        workflows=[ChampionWatchWorkflow, FeatureReplayWorkflow],
        activities=[watching.watch_champion, watching.replay_features, wanting.training_wanted],
        interceptors=interceptors,
        **options,
    )


def main() -> int:
    """Work until SIGTERM or SIGINT; 2 with one line on standard error when it cannot start."""
    return run_process("learning", run, NICE)


if __name__ == "__main__":
    sys.exit(main())

"""The research process, ``python -m workers.research.process``: backtests, reports, outside data.

Niced, and one backtest at a time, each in a process of its own: trading does not feel it, and what
a backtest needs in memory is gone when it ends. The same goes for data that comes from outside.
"""

import asyncio
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from functools import partial

import structlog
from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.worker import Interceptor, Worker

from activities.accounts.written_reports import WrittenReports
from activities.learning.backtests import BacktestActivities
from infra.runtime.database.connections import DatabaseUnavailableError
from infra.runtime.settings import Settings
from infra.runtime.temporal.workers import worker_options
from models.contracts.backtests import RESEARCH_QUEUE, WAITING_MAXIMUM
from models.contracts.reports import REPORT_WORKFLOW, REPORTS, ReportRequest, report_schedule_id
from workers.research.assembly import ResearchParts, market_data_worker, research_parts
from workers.running import connected, run_process, until_it_works
from workers.schedules.market_data import keep_data_schedules, wanted_schedules
from workers.schedules.market_jobs import create_schedule
from workers.upkeep.process_health import ProcessHealth, StepsSeen
from workflows.learning.backtest import BacktestWorkflow
from workflows.learning.report import ReportWorkflow

log = structlog.get_logger(__name__)

NICE = 15


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Work until asked to stop; a backtest under way is given up and begins anew afterwards."""
    parts = research_parts(settings, _now)
    needed = ("temporal", "database", "worker", "schedules")
    try:
        async with ProcessHealth(settings.health_port("research"), *needed) as health:
            health.ask_database(parts.databases[0])
            client = await connected(settings, stop)
            if client is not None:
                health.ask_temporal(client)
                await _work(settings, client, parts, health, stop)
    finally:
        await parts.close()


async def _work(
    settings: Settings,
    client: Client,
    parts: ResearchParts,
    health: ProcessHealth,
    stop: asyncio.Event,
) -> None:
    seen = [StepsSeen(partial(health.worked, "steps"))]
    async with AsyncExitStack() as workers:
        worker = research_worker(client, parts.backtests, parts.reports, interceptors=seen)
        await workers.enter_async_context(worker)
        health.ask_worker(worker)
        await _keep_schedules(client, stop)
        if await _keep_data_schedules(client, settings, parts, stop):
            outside = market_data_worker(client, parts.outside, interceptors=seen)
            await workers.enter_async_context(outside)
            health.ask_worker(outside, "market_data")
        health.health.checks["schedules"] = "ok"
        log.info("research worker runs")
        await stop.wait()


def research_worker(
    client: Client,
    steps: BacktestActivities,
    reports: WrittenReports | None = None,
    queue: str = RESEARCH_QUEUE,
    interceptors: Sequence[Interceptor] = (),
) -> Worker:
    """Return the worker of the research queue. Those that wait for their turn take a place too."""
    options = worker_options(
        max_concurrent_activities=WAITING_MAXIMUM + 5, max_cached_workflows=WAITING_MAXIMUM
    )
    written = [] if reports is None else [reports.write_reports]
    return Worker(
        client,
        task_queue=queue,
        workflows=[BacktestWorkflow, ReportWorkflow],
        activities=[steps.run_backtest, steps.end_backtest, *written],
        interceptors=interceptors,
        **options,
    )


async def _keep_schedules(client: Client, stop: asyncio.Event) -> None:
    """Create the schedule of each kind of report; those that exist are kept."""
    for kind, (_, every) in REPORTS.items():
        create = partial(
            create_schedule,
            client,
            report_schedule_id(kind),
            REPORT_WORKFLOW,
            ReportRequest(kind),
            every,
            queue=RESEARCH_QUEUE,
        )
        failing = f"schedule of {kind} reports cannot be made yet"
        await until_it_works(create, stop, (RPCError,), failing)


async def _keep_data_schedules(
    client: Client, settings: Settings, parts: ResearchParts, stop: asyncio.Event
) -> bool:
    """Have the schedules be what the settings say; tell whether there is any."""
    wanted = wanted_schedules(settings)

    async def keep() -> None:
        for work, cron in wanted.items():
            await parts.data.keep_scheduled(work, _now(), wanted=cron is not None)
        await keep_data_schedules(client, wanted)

    failures = (RPCError, DatabaseUnavailableError)
    await until_it_works(keep, stop, failures, "schedules of data cannot be made yet")
    return any(wanted.values())


def _now() -> datetime:
    return datetime.now(UTC)


def main() -> int:
    """Work until SIGTERM or SIGINT; 2 with one line on standard error when it cannot start."""
    return run_process("research", run, NICE)


if __name__ == "__main__":
    sys.exit(main())

"""The research process's composition: its steps, and with which adapters."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from temporalio.client import Client
from temporalio.worker import Interceptor, Worker

from activities.accounts.written_reports import WrittenReports
from activities.adapters.postgres.accounts.report_record import PostgresReports
from activities.adapters.postgres.learning.backtests import PostgresBacktests
from activities.adapters.postgres.market.data_record import PostgresMarketData
from activities.adapters.sanctions.assets import read_sanctions
from activities.adapters.sentiment.fear_and_greed import FearAndGreed
from activities.history.market_data import MarketDataActivities
from activities.learning.backtests import BacktestActivities
from infra.runtime.database.connections import Database, Role, database_url
from infra.runtime.settings import Settings
from infra.runtime.temporal.workers import worker_options
from models.contracts.market.data import MARKET_DATA_QUEUE
from workflows.market.data import MarketDataWorkflow

COMMAND = (sys.executable, "-m", "cli.entry")
BACKTEST_COMMAND = (sys.executable, "-m", "workers.research.backtesting")


@dataclass(frozen=True, slots=True)
class ResearchParts:
    """What the process works with; ``data`` notes what is wanted on a schedule."""

    backtests: BacktestActivities
    reports: WrittenReports
    outside: MarketDataActivities
    data: PostgresMarketData
    databases: tuple[Database, ...]

    async def close(self) -> None:
        """Close its connections."""
        for one in self.databases:
            await one.close()


def research_parts(settings: Settings, clock: Callable[[], datetime]) -> ResearchParts:
    """Compose the process; nothing is connected yet.

    Raises:
        PlatformError: a source's address is none.
    """
    own, reading, market = (
        Database(database_url(settings, role), application=f"aether-{name}", connections=count)
        for role, name, count in (
            (Role.LEARNING, "research", 2),
            (Role.READER, "reports", 2),
            (Role.MARKET, "market-data", 1),
        )
    )
    data = PostgresMarketData(market)
    return ResearchParts(
        BacktestActivities(PostgresBacktests(own), BACKTEST_COMMAND, clock),
        WrittenReports(PostgresReports(reading, own), clock),
        market_data_activities(settings, data, clock),
        data,
        (own, reading, market),
    )


def market_data_activities(
    settings: Settings, record: PostgresMarketData, clock: Callable[[], datetime]
) -> MarketDataActivities:
    """Return the steps with the sources that the settings name.

    Raises:
        PlatformError: a source's address is none.
    """
    source = settings.sanctions_list
    return MarketDataActivities(
        record,
        COMMAND,
        clock,
        partial(read_sanctions, source) if source else None,
        FearAndGreed(settings.sentiment) if settings.sentiment else None,
    )


def market_data_worker(
    client: Client,
    steps: MarketDataActivities,
    queue: str = MARKET_DATA_QUEUE,
    interceptors: Sequence[Interceptor] = (),
) -> Worker:
    """Return the worker of what comes from outside: one step at a time, for its rate limits."""
    options = worker_options(max_concurrent_activities=1, max_cached_workflows=10)
    return Worker(
        client,
        task_queue=queue,
        workflows=[MarketDataWorkflow],
        activities=[
            steps.series_due,
            steps.fill_series,
            steps.read_sanctions,
            steps.read_sentiment,
            steps.note_done,
        ],
        interceptors=interceptors,
        **options,
    )

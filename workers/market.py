"""The market worker's process: ``python -m workers.market``.

Hosts the market feed activity on its own queue, makes sure that the workflow which keeps it alive
runs, and tells its health.
"""

import asyncio
import contextlib
import signal

import structlog
from prometheus_client import Gauge
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError
from temporalio.worker import Worker

from activities.market_feed import MarketFeedActivities
from activities.policies import DECIDING_TASK_TIMEOUT
from infra.runtime.logs import configure_logs
from infra.runtime.settings import Settings
from infra.runtime.temporal import worker_options
from models.contracts.names import (
    MARKET_FEED_WORKFLOW,
    MARKET_FEED_WORKFLOW_ID,
    MARKET_QUEUE,
    TRADING_QUEUE,
)
from workers.health import HealthServer
from workers.market_assembly import MarketParts, assemble_market

log = structlog.get_logger(__name__)

RETRY_SECONDS = 0.5
HEALTHY_SYMBOLS = Gauge("aether_market_healthy_symbols_count", "Symbols whose feed is healthy")
WATCHES = Gauge("aether_market_watches_count", "Price levels watched")


async def run(settings: Settings) -> None:
    """Work until asked to stop."""
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    parts = await assemble_market(settings)
    health = HealthServer(settings.market_metrics_port, lambda: not_ready(parts.activities))
    await health.start()
    options = worker_options()
    worker = Worker(
        parts.client,
        task_queue=MARKET_QUEUE,
        activities=[parts.activities.run_market_feed],
        graceful_shutdown_timeout=options["graceful_shutdown_timeout"],
        max_heartbeat_throttle_interval=options["max_heartbeat_throttle_interval"],
        default_heartbeat_throttle_interval=options["default_heartbeat_throttle_interval"],
    )
    async with worker:
        keeping = asyncio.create_task(keep_feed_running(parts.client))
        measuring = asyncio.create_task(measure(parts))
        log.info("market worker runs")
        await stopping.wait()
        keeping.cancel()
        measuring.cancel()
    await health.stop()
    await parts.close()


async def keep_feed_running(client: Client) -> None:
    """Start the feed's workflow; one that runs is left alone."""
    while True:
        try:
            await client.start_workflow(
                MARKET_FEED_WORKFLOW,
                id=MARKET_FEED_WORKFLOW_ID,
                task_queue=TRADING_QUEUE,
                task_timeout=DECIDING_TASK_TIMEOUT,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            )
        except RPCError:
            log.warning("the feed's workflow could not be started", exc_info=True)
            await asyncio.sleep(RETRY_SECONDS)
        else:
            return


def not_ready(activities: MarketFeedActivities) -> str | None:
    """Return why the market is not followed, None when it is."""
    engine = activities.engine
    if engine is None:
        return "the market feed has not started"
    missing = sorted(symbol for symbol, state in engine.symbols.items() if not state.healthy)
    return f"no healthy feed of {', '.join(missing)}" if missing else None


async def measure(parts: MarketParts) -> None:
    """Bring the gauges up to date once a second."""
    while True:
        engine = parts.activities.engine
        if engine is not None:
            HEALTHY_SYMBOLS.set(sum(state.healthy for state in engine.symbols.values()))
            WATCHES.set(sum(len(state.watches) for state in engine.symbols.values()))
        await asyncio.sleep(1)


def main() -> None:
    """Work until stopped."""
    settings = Settings()
    configure_logs("market", settings.log_level)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(run(settings))


if __name__ == "__main__":
    main()

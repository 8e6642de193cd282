"""The market worker's process: ``python -m workers.market``.

Hosts the market feed activity on its own queue, makes sure that the workflow which keeps it alive
runs, and tells its health.
"""

import asyncio
import sys
import time
from collections.abc import Mapping
from functools import partial

import structlog
from prometheus_client import Gauge
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError
from temporalio.worker import Worker

from activities.market.feed import MarketFeedActivities
from activities.metrics import FEED_AGE
from activities.pauses import GrowingPause
from activities.policies import DECIDING_TASK_TIMEOUT
from infra.runtime.database.connections import DatabaseUnavailableError
from infra.runtime.event_loop import beside
from infra.runtime.settings import Settings
from infra.runtime.temporal.workers import worker_options
from models.contracts.names import (
    MARKET_FEED_WORKFLOW,
    MARKET_FEED_WORKFLOW_ID,
    MARKET_QUEUE,
    TRADING_QUEUE,
)
from models.trading.instruments import InstrumentStatus
from workers.health import Health, HealthServer
from workers.market_assembly import MarketParts, assemble_market
from workers.running import run_process, until_it_works

log = structlog.get_logger(__name__)

RETRY_SECONDS = 0.2
LONGEST_RETRY_SECONDS = 2.0
HEALTH_SECONDS = 0.25
HEALTHY_SYMBOLS = Gauge("aether_market_healthy_symbols_count", "Symbols whose feed is healthy")
WATCHES = Gauge("aether_market_watches_count", "Price levels watched")


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Work until asked to stop."""
    health = Health({"temporal": "connecting", "feed": "starting"})
    server = HealthServer(settings.market_metrics_port, health)
    server.start()
    parts = await _assembled(settings, stop)
    try:
        if parts is None:
            return
        health.checks["temporal"] = "ok"
        async with market_worker(parts):
            tasks = [
                beside("feed workflow", partial(keep_feed_running, parts.client)),
                beside("feed watch", partial(watch_feed, parts, health)),
                beside("second source", partial(_compare, parts)),
                beside("figures", parts.figures.run),
            ]
            log.info("market worker runs")
            await stop.wait()
            for task in tasks:
                task.cancel()
    finally:
        if parts is not None:
            await parts.close()
        server.stop()


async def _assembled(settings: Settings, stop: asyncio.Event) -> MarketParts | None:
    failures = (RPCError, RuntimeError, DatabaseUnavailableError)
    pause = GrowingPause(RETRY_SECONDS, LONGEST_RETRY_SECONDS)
    assemble = partial(assemble_market, settings)
    return await until_it_works(assemble, stop, failures, "not everything answers yet", pause)


def market_worker(parts: MarketParts) -> Worker:
    """Return the worker of the market queue."""
    options = worker_options()
    return Worker(
        parts.client,
        task_queue=MARKET_QUEUE,
        activities=[
            parts.activities.run_market_feed,
            parts.rules.review_universe,
            parts.rules.compute_groups,
            parts.rules.signal_market_rules,
            parts.stress.stress_account,
        ],
        build_id=options["build_id"],
        graceful_shutdown_timeout=options["graceful_shutdown_timeout"],
        max_heartbeat_throttle_interval=options["max_heartbeat_throttle_interval"],
        default_heartbeat_throttle_interval=options["default_heartbeat_throttle_interval"],
    )


async def keep_feed_running(client: Client) -> None:
    """Start the feed's workflow; one that runs is left alone."""
    pause = GrowingPause(RETRY_SECONDS, LONGEST_RETRY_SECONDS)
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
            await asyncio.sleep(pause.next())
        else:
            return


def not_ready(activities: MarketFeedActivities) -> str | None:
    """Return why the market is not followed, None when it is."""
    engine = activities.engine
    if engine is None:
        return "the market feed has not started"
    # A pair that is gone has no feed for good; it keeps nobody from following the others.
    missing = [
        f"{symbol} ({state.reason})" if state.reason else symbol
        for symbol, state in sorted(engine.symbols.items())
        if not state.healthy and state.instrument.status is not InstrumentStatus.DELISTED
    ]
    return f"no healthy feed of {', '.join(missing)}" if missing else None


async def _compare(parts: MarketParts) -> None:
    if parts.second is not None:
        await parts.second.run()


async def watch_feed(parts: MarketParts, health: Health) -> None:
    """Bring health and gauges up to date, again and again."""
    while True:
        health.checks["feed"] = not_ready(parts.activities) or "ok"
        engine = parts.activities.engine
        if engine is not None:
            publish_ages(parts.feed.heard_at)
            HEALTHY_SYMBOLS.set(sum(state.healthy for state in engine.symbols.values()))
            WATCHES.set(sum(len(state.watches) for state in engine.symbols.values()))
        await asyncio.sleep(HEALTH_SECONDS)


def publish_ages(heard_at: Mapping[str, float]) -> None:
    """Let each symbol's age be reckoned when it is asked for: it grows though nothing runs."""
    for symbol in heard_at:
        FEED_AGE.labels(symbol).set_function(partial(_age, heard_at, symbol))


def _age(heard_at: Mapping[str, float], symbol: str) -> float:
    return time.monotonic() - heard_at[symbol]


def main() -> int:
    """Work until SIGTERM or SIGINT; 2 with one line on standard error when it cannot start."""
    return run_process("market", run)


if __name__ == "__main__":
    sys.exit(main())

"""The trading process: ``python -m workers.trading``. Runs until it is told to stop."""

import asyncio
import sys
from functools import partial

import structlog
from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.worker import Worker

from activities.adapters.postgres.accounts.exchange_keys import PostgresExchangeKeys
from activities.adapters.postgres.orders.restoration import RestorationRecord
from activities.adapters.temporal.day_schedules import TemporalDaySchedules
from activities.metrics import begin_counts
from activities.pauses import GrowingPause
from infra.runtime import event_loop
from infra.runtime.database.connections import TimeSeriesStorage
from infra.runtime.emergency import StopFile
from infra.runtime.event_loop import beside
from infra.runtime.settings import Settings
from infra.runtime.state_directory import StateDirectory
from infra.runtime.telemetry import degraded_modes
from infra.runtime.temporal.workers import metered_runtime
from infra.runtime.traces.sending import open_traces
from infra.runtime.traces.traced_steps import TracedSteps
from models.trading.account.state import AccountState
from workers.assembly import TradingParts, trading_parts, trading_worker
from workers.emergency import EmergencyDesk, close_desk, resting_entries
from workers.gauges.headroom import keep_headroom_published
from workers.gauges.limits import keep_limits_published
from workers.health import Health, HealthServer, free_loopback_port
from workers.keys.watch import KeyWatch
from workers.running import connected, run_process
from workers.schedules.backups import keep_backup_schedule
from workers.schedules.market_jobs import create_market_schedules, signal_market_rules
from workers.schedules.reconciliation import keep_reconciling
from workers.standby import LeaderLock
from workers.upkeep.account_workflows import (
    start_account,
    start_kill_switches,
    start_platform,
)
from workers.upkeep.recording import kept_record
from workers.upkeep.restoring import Restorer
from workers.upkeep.watchdog import Watchdog

log = structlog.get_logger(__name__)

RETRY_SECONDS = 0.2
LONGEST_RETRY_SECONDS = 2.0


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Serve the trading queue and keep every account's workflows started.

    Everything that takes time is done before the lock is asked for: a second process started the
    same way is a standby that takes over when this one dies.
    """
    metrics_port = free_loopback_port()
    parts = trading_parts(settings)
    traces = open_traces(settings, "trading")
    sole = LeaderLock(settings.home / "run" / "trading.lock")
    try:
        pause = GrowingPause(RETRY_SECONDS, LONGEST_RETRY_SECONDS)
        runtime = metered_runtime(metrics_port)
        client = await connected(settings, stop, runtime=runtime, pause=pause)
        if client is None:
            return
        worker = trading_worker(client, parts, [] if traces is None else [TracedSteps(traces)])
        event_loop.keep_what_is_loaded()
        if await sole.acquire(stop):
            await _serve_queue(settings, client, worker, parts, metrics_port, stop)
    finally:
        await parts.close()
        sole.release()
        if traces is not None:
            traces.close()


async def _serve_queue(
    settings: Settings,
    client: Client,
    worker: Worker,
    parts: TradingParts,
    metrics_port: int,
    stop: asyncio.Event,
) -> None:
    health = Health({"temporal": "ok", "worker": "starting", "accounts": "starting"})
    server = HealthServer(settings.trading_metrics_port, health, metrics_port)
    server.start()
    places = StateDirectory(settings.home)
    desk = EmergencyDesk(
        places.sockets,
        StopFile(places.run),
        parts.stop,
        parts.exchanges.opened,
        partial(resting_entries, parts.journal),
    )
    # Before the first order can be sent: what was stopped before this process stays stopped.
    listening = await desk.open()
    try:
        async with kept_record(settings, parts.journal), worker:
            health.checks["worker"] = "ok"
            keys = KeyWatch(parts.exchanges, PostgresExchangeKeys(parts.database))
            accounts = partial(_keep_accounts, client, parts, settings, health, desk)
            tasks = [
                beside("accounts", accounts),
                beside("headroom", partial(keep_headroom_published, parts.exchanges)),
                beside("exchange keys", keys.run),
                beside("limits", partial(keep_limits_published, parts.database)),
                beside("stops", partial(_record_stops, client, parts, desk)),
            ]
            if parts.load is not None:
                tasks.append(beside("load", parts.load.watch))
            await stop.wait()
            for task in tasks:
                task.cancel()
            log.info("stopping")
    finally:
        await close_desk(listening)
        server.stop()


async def _record_stops(client: Client, parts: TradingParts, desk: EmergencyDesk) -> None:
    async def start() -> None:
        try:
            await start_kill_switches(client, parts.journal)
        except RPCError as error:
            raise ConnectionError(str(error)) from error

    await desk.record_when_possible(parts.journal, parts.database.accounts, start)


async def _keep_accounts(
    client: Client,
    parts: TradingParts,
    settings: Settings,
    health: Health,
    desk: EmergencyDesk,
) -> None:
    """Start what is not running, then see for ever that it runs."""
    await _start_accounts(client, parts, settings, health)
    record = RestorationRecord(parts.database)

    created = await _schedules(client)

    async def keep_schedules() -> None:
        if not created <= await _schedules(client):
            log.error("schedules are gone and are created again")
            await _keep_schedules(client, parts, settings, await parts.journal.accounts())

    watchdog = Watchdog(
        client,
        parts.journal,
        record,
        Restorer(client, parts.journal, record, parts.exchanges),
        parts.database.accounts,
        keep_schedules,
    )

    def tell(found: str) -> None:
        health.checks["workflows"] = found
        health.silent_workflows = dict(watchdog.silent)
        health.checks.pop("emergency_stop", None)
        if (not_recorded := desk.not_recorded()) is not None:
            health.checks["emergency_stop"] = not_recorded

    await watchdog.keep_looking(tell)


async def _schedules(client: Client) -> set[str]:
    return {schedule.id async for schedule in await client.list_schedules()}


async def _keep_schedules(
    client: Client, parts: TradingParts, settings: Settings, accounts: list[AccountState]
) -> None:
    """Create the schedules of the accounts and of the market's rules that do not exist."""
    for state in accounts:
        await keep_reconciling(client, state.account, in_lockstep=settings.market_is_lockstep)
        if parts.days_by_schedule:
            await TemporalDaySchedules(client).keep(state.account, state.day)
    if settings.backup_schedule is None:  # else the process that makes backups keeps it
        await keep_backup_schedule(client, None)
    if settings.market_is_wall_clock:
        await create_market_schedules(client, [state.account for state in accounts])


async def _start_accounts(
    client: Client, parts: TradingParts, settings: Settings, health: Health
) -> None:
    """Start what is not running; tried until the record and Temporal have answered."""
    pause = GrowingPause(RETRY_SECONDS, LONGEST_RETRY_SECONDS)
    while True:
        try:
            accounts = await parts.journal.accounts()
            storage = await parts.database.time_series_storage()
            health.degraded_modes = degraded_modes(
                settings, hypertables=storage is TimeSeriesStorage.HYPERTABLES
            )
            begin_counts(state.account for state in accounts)
            await start_platform(client)
            for state in accounts:
                await start_account(client, state)
            await _keep_schedules(client, parts, settings, accounts)
            await signal_market_rules(client, "after-a-start")
            await start_kill_switches(client, parts.journal)
        except (ConnectionError, RPCError) as error:
            log.warning("accounts cannot be started yet", error=str(error))
            await asyncio.sleep(pause.next())
        else:
            health.checks["accounts"] = "ok"
            log.info("accounts run", accounts=[state.account for state in accounts])
            return


def main() -> int:
    """Run until SIGTERM or SIGINT; 2 with one line on standard error when it cannot start."""
    return run_process("trading", run)


if __name__ == "__main__":
    sys.exit(main())

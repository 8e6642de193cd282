"""The process that tells people what the record holds: ``workers.notifications.process``.

A process and a queue of its own: a mail server that does not answer holds up no order. Two may run
at once, each on ports of its own; each occurrence counts once.
"""

import asyncio
import sys
from functools import partial

import structlog
from temporalio.client import Client

from infra.runtime.database.connections import Database, Role, database_url
from infra.runtime.settings import Settings
from workers.notifications.assembly import (
    evidence_alarm,
    notification_parts,
    notification_worker,
    requested_packs,
    scheduled_packs,
)
from workers.running import connected, run_process
from workers.upkeep.evidence import keep_packs, make_wanted_packs
from workers.upkeep.process_health import ProcessHealth, StepsSeen

log = structlog.get_logger(__name__)

NICE = 10
LOOKS_WITHIN_SECONDS = 60.0
"""The record is looked at each second, and after failures every fifteen."""


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Follow the record and send messages until asked to stop."""
    database = Database(
        database_url(settings, Role.NOTIFIER), application="aether-notifications", connections=3
    )
    port = settings.health_port("notifications")
    try:
        async with ProcessHealth(port, "temporal", "database", "worker") as health:
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
    looked = health.expect("record", LOOKS_WITHIN_SECONDS)
    parts = notification_parts(settings, database, client, looked)
    seen = StepsSeen(partial(health.worked, "steps"))
    async with notification_worker(client, parts.steps, interceptors=[seen]) as worker:
        health.ask_worker(worker)
        log.info("notifications are sent")
        beside = [_keep_packs(settings, client, stop), _make_wanted(settings, stop)]
        if settings.notify_conditions:
            beside.append(parts.watch.run(stop))
        await asyncio.gather(parts.pump.run(stop), *beside)


async def _keep_packs(settings: Settings, client: Client, stop: asyncio.Event) -> None:
    if not settings.evidence_target:
        return
    recorder = Database(
        database_url(settings, Role.RECORDER), application="aether-evidence", connections=2
    )
    try:
        await keep_packs(partial(scheduled_packs, settings, recorder), evidence_alarm(client), stop)
    finally:
        await recorder.close()


async def _make_wanted(settings: Settings, stop: asyncio.Event) -> None:
    recorder = Database(
        database_url(settings, Role.RECORDER), application="aether-packs", connections=2
    )
    try:
        await make_wanted_packs(partial(requested_packs, settings, recorder), stop)
    finally:
        await recorder.close()


def main() -> int:
    """Work until SIGTERM or SIGINT; 2 with one line on standard error when it cannot start."""
    return run_process("notifications", run, NICE)


if __name__ == "__main__":
    sys.exit(main())

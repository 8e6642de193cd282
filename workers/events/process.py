"""The bridge to other systems: ``python -m workers.events.process``.

Started where a broker is configured, as a process of its own: a broker that hangs holds up nobody
but it.
"""

import asyncio
import sys
from collections.abc import Coroutine

import structlog

from infra.runtime.settings import Settings
from workers.events.assembly import BridgeParts, bridge_parts
from workers.running import run_process, until_it_works
from workers.standby import LeaderLock
from workers.upkeep.process_health import ProcessHealth

log = structlog.get_logger(__name__)

NICE = 5


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Bring events to the broker until asked to stop; one process of an installation does.

    Raises:
        ConfigurationError: there is no broker.
    """
    health: list[ProcessHealth] = []

    def told(why: str) -> None:
        for one in health:
            one.degrade("events", f"they wait, {why}" if why else "")
            if not why:
                one.worked("round")

    parts = bridge_parts(settings, told)
    sole = LeaderLock(settings.home / "run" / "events.lock")
    try:
        if not await sole.acquire(stop):
            return
        async with ProcessHealth(settings.health_port("events"), "database", "outbox") as one:
            health.append(one)
            one.ask_database(parts.database)
            if await _switched_on(parts, settings.events_room, stop):
                one.health.checks["outbox"] = "ok"
                log.info(
                    "events are told", broker=settings.events_url, stream=settings.events_stream
                )
                await _until(parts.bridge.run(), stop)
    finally:
        await parts.close()
        sole.release()


async def _until(work: Coroutine[None, None, None], stop: asyncio.Event) -> None:
    """Work until asked to stop; what the work fails with is passed on."""
    working, stopped = asyncio.create_task(work), asyncio.create_task(stop.wait())
    await asyncio.wait({working, stopped}, return_when=asyncio.FIRST_COMPLETED)
    if working.done():
        working.result()
    for task in (working, stopped):
        task.cancel()
    await asyncio.gather(working, stopped, return_exceptions=True)


async def _switched_on(parts: BridgeParts, room: int, stop: asyncio.Event) -> bool:
    """Switch the outbox on, as soon as the record answers and its tables are free for a moment."""

    async def switch() -> bool:
        if await parts.outbox.switch(on=True, room=room):
            log.info("events are kept from now on", room=room)
        return True

    failing = "events cannot be switched on yet"
    return await until_it_works(switch, stop, (ConnectionError,), failing) or False


def main() -> int:
    """Work until SIGTERM or SIGINT; 2 with one line on standard error when it cannot start."""
    return run_process("events", run, NICE)


if __name__ == "__main__":
    sys.exit(main())

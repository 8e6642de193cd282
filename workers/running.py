"""How a process of the platform begins, waits for what it needs, and ends: once for all of them."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from temporalio.client import Client
from temporalio.runtime import Runtime
from temporalio.service import RPCError

from activities.pauses import GrowingPause
from infra.runtime import event_loop
from infra.runtime.errors import PlatformError
from infra.runtime.logs import configure_logs
from infra.runtime.settings import Settings
from workers.connection import connect_temporal

log = structlog.get_logger(__name__)

Run = Callable[[Settings, asyncio.Event], Awaitable[None]]
"""What a process does until its event is set."""
Failures = tuple[type[Exception], ...]
Found = TypeVar("Found")

TEMPORAL_FAILURES: Failures = (RPCError, RuntimeError)
"""How Temporal's client says that no server answers: the second while it connects."""
RETRY_SECONDS, LONGEST_RETRY_SECONDS = 0.5, 5.0


def run_process(name: str, run: Run, nice: int = 0) -> int:
    """Work until SIGTERM or SIGINT and return the exit status.

    Args:
        name: of the process, in its log.
        run: its work, given the settings and what is set when it is asked to stop.
        nice: how far its priority is lowered, 0 to 19.

    Returns:
        0; 2, with one line on standard error, when it cannot start or go on.
    """
    settings = Settings()
    configure_logs(name, settings.log_level)
    if nice:
        os.nice(nice)
    try:
        event_loop.run(_until_signalled(run, settings))
    except PlatformError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


async def until_it_works(
    attempt: Callable[[], Awaitable[Found]],
    stop: asyncio.Event,
    failures: Failures,
    what_fails: str,
    pause: GrowingPause | None = None,
) -> Found | None:
    """Attempt something until it does not fail, and return what it returned; None when stopped.

    Args:
        attempt: what is attempted.
        stop: looked at before each attempt.
        failures: what is waited out; anything else is raised.
        what_fails: logged at each failure, with the error.
        pause: between attempts; half a second, growing to five, where it is not said.
    """
    waiting = pause or GrowingPause(RETRY_SECONDS, LONGEST_RETRY_SECONDS)
    while not stop.is_set():
        try:
            return await attempt()
        except failures as error:
            log.info(what_fails, error=str(error))
            await asyncio.sleep(waiting.next())
    return None


async def connected(
    settings: Settings,
    stop: asyncio.Event,
    first: Callable[[Client], Awaitable[None]] | None = None,
    runtime: Runtime | None = None,
    pause: GrowingPause | None = None,
) -> Client | None:
    """Wait until Temporal answers and return a client of it; None when stopped before.

    Args:
        settings: of the installation.
        stop: set when the process is asked to stop.
        first: done with the client; where it fails for Temporal's sake, all begins anew.
        runtime: of the client, with the metrics of the SDK.
        pause: between attempts.
    """

    async def attempt() -> Client:
        client = await connect_temporal(settings, runtime)
        if first is not None:
            await first(client)
        return client

    return await until_it_works(
        attempt, stop, TEMPORAL_FAILURES, "temporal does not answer yet", pause
    )


async def _until_signalled(run: Run, settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await run(settings, stop)

"""Makes evidence packs beside the notifying process: at regular times, and when people ask."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta

import structlog

from activities.ports.record import RecordDamagedError
from activities.record.evidence import PackRefusedError
from activities.record.requested_packs import RequestedPacks
from activities.record.scheduled_packs import ScheduledPacks
from infra.runtime.errors import PlatformError

log = structlog.get_logger(__name__)

LOOK_EVERY = timedelta(minutes=1)
WANTED_EVERY = timedelta(seconds=2)


async def keep_packs(
    compose: Callable[[], ScheduledPacks],
    alarm: Callable[[str], Awaitable[None]],
    stop: asyncio.Event,
    every: timedelta = LOOK_EVERY,
) -> None:
    """Look each minute until told to stop; a failure is told once, and tried again."""
    packs, failed = None, ""
    while not stop.is_set():
        try:
            packs = packs or compose()
            made = await packs.look()
            if made is not None:
                log.info("an evidence pack was made", rows=made.rows, tree_size=made.tree_size)
            failed = ""
        except (OSError, PackRefusedError, RecordDamagedError, PlatformError) as error:
            log.warning("no evidence pack could be made", error=str(error))
            if str(error) != failed:
                failed = await _told(alarm, str(error))
        try:
            await asyncio.wait_for(stop.wait(), every.total_seconds())
        except TimeoutError:
            continue


async def make_wanted_packs(
    compose: Callable[[], RequestedPacks], stop: asyncio.Event, every: timedelta = WANTED_EVERY
) -> None:
    """Make the packs that people have asked for, one after the other, until told to stop."""
    packs = None
    while not stop.is_set():
        try:
            packs = packs or compose()
            made = await packs.look()
            if made is not None:
                log.info("a pack that was asked for is made", rows=made.rows)
                continue
        except (OSError, RecordDamagedError, PlatformError) as error:
            log.warning("no pack that was asked for could be made", error=str(error))
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), every.total_seconds())


async def _told(alarm: Callable[[str], Awaitable[None]], reason: str) -> str:
    """Tell people; return what they were told, "" when it must be told again."""
    try:
        await alarm(reason)
    except ConnectionError:
        return ""
    return reason

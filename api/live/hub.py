"""Hears of changes once per process and hands them to every stream."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

import structlog

from activities.adapters.postgres.record_events import (
    MARKET,
    RECORD,
    SESSIONS,
    Notified,
    RecordEvent,
)
from api.live.stream import Message, RecordStream
from infra.runtime.database.connections import DatabaseUnavailableError

log = structlog.get_logger(__name__)

HEARTBEAT_SECONDS: Final = 5.0
OVERVIEW_SECONDS: Final = 1.0
"""The least time between two overviews, whatever happens in between."""
RECONNECT_SECONDS: Final = 0.5
KEPT: Final = timedelta(days=2)
PRUNE_SECONDS: Final = 3600.0

Heartbeat = Callable[[bool], Awaitable[dict[str, Any]]]
Overview = Callable[[], Awaitable[Any]]


class Events(Protocol):
    """The record's events, as ``PostgresRecordEvents`` reads them."""

    async def scopes(self) -> list[str]:
        """Return every account, and the platform."""
        ...

    async def after(self, account: str, sequence: int) -> list[RecordEvent]:
        """Return an account's events behind a number, oldest first, a page at most."""
        ...

    async def time_of(self, account: str, sequence: int) -> datetime | None:
        """Return when an event happened, None when it is not kept."""
        ...

    async def newest(self, account: str) -> tuple[int, datetime] | None:
        """Return number and time of an account's newest event."""
        ...

    async def prune(self, before: datetime) -> int:
        """Forget events before a time."""
        ...

    def notifications(self) -> Any:
        """Yield None once listening has begun, then every notification."""
        ...


@dataclass(frozen=True, slots=True)
class Sources:
    """What streams carry beside the record's events, computed once for all of them."""

    heartbeat: Heartbeat
    overview: Overview


class Hub:
    """Follows the record for all streams of this process; does nothing while there are none.

    Notifications only wake it: what has changed is read from the table behind the last number seen,
    and read again with each heartbeat, so that a lost notification delays and never loses.
    """

    def __init__(self, events: Events, sources: Sources) -> None:
        self.events = events
        self._sources = sources
        self._streams: set[RecordStream] = set()
        self._seen: dict[str, int] = {}
        self._due: set[str] = set()
        self._woken = asyncio.Event()
        self._overview_due = asyncio.Event()
        self._hears = False

    async def run(self) -> None:
        """Hear, read and hand out until cancelled."""
        async with asyncio.TaskGroup() as group:
            for work in (self._hear, self._read, self._tell_overview, self._beat, self._prune):
                group.create_task(_for_ever(work))

    async def join(self, stream: RecordStream) -> None:
        """Hand events to a stream from now on; it reads what came before by itself."""
        if not self._streams:
            for account in await self.events.scopes():
                newest = await self.events.newest(account)
                self._seen[account] = 0 if newest is None else newest[0]
        self._streams.add(stream)
        self._overview_due.set()

    def leave(self, stream: RecordStream) -> None:
        """Hand nothing more to a stream."""
        self._streams.discard(stream)

    def check_sessions(self) -> None:
        """Have every stream ask whether its session still stands."""
        for stream in self._streams:
            stream.check_session()

    async def _hear(self) -> None:
        while True:
            try:
                async with aclosing(self.events.notifications()) as notifications:
                    async for notified in notifications:
                        self._hears = True
                        self._on(notified)
            except DatabaseUnavailableError as error:
                log.warning("changes of the record are not heard of", error=str(error))
            self._hears = False
            await asyncio.sleep(RECONNECT_SECONDS)

    def _on(self, notified: Notified | None) -> None:
        if notified is None:
            self._due.update(self._seen)
            self.check_sessions()
        elif notified.channel == RECORD:
            self._due.add(notified.payload)
        elif notified.channel == SESSIONS:
            self.check_sessions()
        if notified is None or notified.channel in (RECORD, MARKET):
            self._overview_due.set()
        self._woken.set()

    async def _read(self) -> None:
        while True:
            await self._woken.wait()
            self._woken.clear()
            due, self._due = self._due, set()
            if not self._streams:
                continue
            for account in sorted(due):
                try:
                    await self._advance(account)
                except DatabaseUnavailableError as error:
                    log.warning("events cannot be read", account=account, error=str(error))
                    self._due.add(account)

    async def _advance(self, account: str) -> None:
        while True:
            found = await self.events.after(account, self._seen.get(account, 0))
            for event in found:
                self._seen[account] = event.sequence
                for stream in self._streams:
                    stream.offer(event)
            if not found:
                return

    async def _tell_overview(self) -> None:
        while True:
            await self._overview_due.wait()
            self._overview_due.clear()
            if not self._streams:
                continue
            try:
                shown = await self._sources.overview()
            except (OSError, TimeoutError) as error:
                log.warning("the overview cannot be read", error=str(error))
            else:
                self._broadcast(Message("overview", shown))
            await asyncio.sleep(OVERVIEW_SECONDS)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            if not self._streams:
                continue
            with suppress(OSError):
                self._due.update(await self.events.scopes())
                self._woken.set()
            self._overview_due.set()
            # A session that is over by its time ends without anything being written.
            self.check_sessions()
            self._broadcast(Message("heartbeat", await self._sources.heartbeat(self._hears)))

    async def _prune(self) -> None:
        while True:
            try:
                await self.events.prune(datetime.now(UTC) - KEPT)
            except DatabaseUnavailableError as error:
                log.warning("old events cannot be forgotten yet", error=str(error))
            await asyncio.sleep(PRUNE_SECONDS)

    def _broadcast(self, message: Message) -> None:
        for stream in self._streams:
            stream.send(message)


async def _for_ever(work: Callable[[], Awaitable[None]]) -> None:
    """Begin again what failed: one fault must not leave every screen without news."""
    while True:
        try:
            await work()
        except Exception:
            log.exception("live data failed and begin again")
        await asyncio.sleep(RECONNECT_SECONDS)

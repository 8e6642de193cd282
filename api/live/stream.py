"""One browser's stream: what it missed, then what happens, each event once and in order."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from activities.adapters.postgres.record_events import RecordEvent
from api.live.cursor import BEGINNING, Position, check_of, cursor_text

WAITING_MAXIMUM: Final = 10_000
"""Events held for a browser that reads too slowly; beyond it is told to read all anew."""
MISSED_MAXIMUM: Final = 5_000
"""Events sent one by one to a browser that comes back; more are said in one word: resync."""


class Past(Protocol):
    """Where a stream reads what happened before it joined."""

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


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a stream; only events of the record carry an id."""

    kind: str
    data: Any = None
    id: str | None = None


class RecordStream:
    """What one browser is sent. Join a hub before reading ``messages``."""

    def __init__(
        self,
        past: Past,
        after: Mapping[str, Position] | None,
        stands: Callable[[], Awaitable[bool]],
        sees: Callable[[str], bool] = lambda _: True,
    ) -> None:
        """Prepare a stream.

        Args:
            past: reads the events kept.
            after: what the browser has seen; None begins with a resync.
            stands: whether the session that the stream was opened in still stands.
            sees: whether the caller may read an account; of others nothing is told.
        """
        self._past = past
        self._cursor: dict[str, Position] = dict(after or {})
        self._resumes = after is not None
        self._stands = stands
        self._sees = sees
        self._waiting: deque[RecordEvent | Message] = deque()
        self._overflowed = False
        self._woken = asyncio.Event()
        self._asked = False

    def offer(self, event: RecordEvent) -> None:
        """Take an event from the hub."""
        if self._sees(event.account):
            self._take(event)

    def send(self, message: Message) -> None:
        """Take what is no event of the record; a newer one of its kind replaces one that waits.

        Of accounts that an overview names, the caller gets those that they may read.
        """
        if message.kind == "overview" and message.data:
            seen = [one for one in message.data["accounts"] if self._sees(one["account"])]
            message = Message(message.kind, message.data | {"accounts": seen})
        for place, waiting in enumerate(self._waiting):
            if isinstance(waiting, Message) and waiting.kind == message.kind:
                self._waiting[place] = message
                return
        self._take(message)

    def check_session(self) -> None:
        """Ask soon whether the session still stands."""
        self._asked = True
        self._woken.set()

    async def messages(self) -> AsyncIterator[Message]:
        """Yield what was missed, ``caught-up``, then everything as it happens."""
        if not self._resumes or not await self._can_resume():
            yield await self._resync()
        else:
            async for missed in self._missed():
                yield missed
        yield Message("caught-up", id=cursor_text(self._cursor) or None)
        while True:
            await self._woken.wait()
            self._woken.clear()
            if self._asked:
                self._asked = False
                if not await self._stands():
                    yield Message("session-ended")
                    return
            if self._overflowed:
                self._overflowed = False
                self._waiting.clear()
                yield await self._resync()
            while self._waiting:
                waiting = self._waiting.popleft()
                if isinstance(waiting, Message):
                    yield waiting
                    continue
                message = await self._next(waiting)
                if message is not None:
                    yield message

    async def _scopes(self) -> list[str]:
        return [account for account in await self._past.scopes() if self._sees(account)]

    def _take(self, item: RecordEvent | Message) -> None:
        if len(self._waiting) >= WAITING_MAXIMUM:
            self._overflowed = True
        else:
            self._waiting.append(item)
        self._woken.set()

    async def _can_resume(self) -> bool:
        missed = 0
        for account in await self._scopes():
            at = self._cursor.get(account, BEGINNING)
            newest = await self._past.newest(account)
            head = 0 if newest is None else newest[0]
            missed += head - at.sequence
            if at.sequence > head or missed > MISSED_MAXIMUM:
                return False
            if at.sequence == 0:
                first = await self._past.after(account, 0)
                if first and first[0].sequence != 1:
                    return False
                continue
            happened = await self._past.time_of(account, at.sequence)
            if happened is None or check_of(happened) != at.check:
                return False
        return True

    async def _missed(self) -> AsyncIterator[Message]:
        for account in await self._scopes():
            while True:
                seen = self._cursor.get(account, BEGINNING).sequence
                found = await self._past.after(account, seen)
                for event in found:
                    message = await self._next(event)
                    if message is not None:
                        yield message
                if not found:
                    break

    async def _next(self, event: RecordEvent) -> Message | None:
        seen = self._cursor.get(event.account, BEGINNING).sequence
        if event.sequence <= seen:
            return None
        if event.sequence != seen + 1:
            return await self._resync()
        self._cursor[event.account] = Position(event.sequence, check_of(event.at))
        data = {
            "account": event.account,
            "topic": event.topic,
            "subject": event.subject,
            "at": event.at.isoformat(),
        }
        return Message("record", data, cursor_text(self._cursor))

    async def _resync(self) -> Message:
        """Go on from the newest events: the browser reads everything that it shows anew."""
        for account in await self._scopes():
            newest = await self._past.newest(account)
            if newest is not None:
                self._cursor[account] = Position(newest[0], check_of(newest[1]))
        return Message("resync", id=cursor_text(self._cursor) or None)

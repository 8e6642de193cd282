"""Browsers that are signed in, each by the token that it showed."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

LIFE: Final = timedelta(hours=12)
MOST: Final = 1000
"""Sessions kept; the oldest gives way."""


class BrowserSessions:
    """Sessions of this process; a restart of the API ends them."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._sessions: dict[str, tuple[str, float]] = {}

    def open(self, session: str, hashed: str, token_ends_at: datetime) -> datetime:
        """Begin a session of the token with a hash, and return when it ends."""
        now = self._clock()
        self._sessions = {s: held for s, held in self._sessions.items() if held[1] > now}
        while len(self._sessions) >= MOST:
            del self._sessions[next(iter(self._sessions))]
        ends = min(now + LIFE.total_seconds(), token_ends_at.timestamp())
        self._sessions[session] = (hashed, ends)
        return datetime.fromtimestamp(ends, UTC)

    def token_of(self, session: str) -> str | None:
        """Return the hash of a session's token, None when it is unknown or has ended."""
        hashed, ends = self._sessions.get(session, (None, 0.0))
        return hashed if self._clock() < ends else None

    def ends_at(self, session: str) -> datetime | None:
        """Return when a session ends, None when it is unknown."""
        held = self._sessions.get(session)
        return None if held is None else datetime.fromtimestamp(held[1], UTC)

    def close(self, session: str) -> None:
        """End a session."""
        self._sessions.pop(session, None)

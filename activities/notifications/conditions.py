"""Looks at the platform's own figures, and begins a notification for each beyond its bound."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

import structlog

from activities.notifications.pump import Begin
from models.trading.governance.notifications.conditions import Sample, changes

log = structlog.get_logger(__name__)

LOOK_SECONDS = 5.0

ReadFigures = Callable[[], Awaitable[Sequence[Sample]]]
"""Reads the figures; raises OSError while nobody tells them."""


class ConditionWatch:
    """Tells what begins and what ends, once each; nothing is taken for the end of something."""

    def __init__(self, read: ReadFigures, begin: Begin, clock: Callable[[], datetime]) -> None:
        self._read = read
        self._begin = begin
        self._clock = clock
        self._state: dict[str, bool] = {}

    async def look(self) -> None:
        """Read the figures and tell what has changed; what could not be told is told again."""
        notices, state = changes(await self._read(), self._state, self._clock())
        for notice in notices:
            await self._begin(notice)
            self._state[notice.key] = state[notice.key]

    async def run(self, stop: asyncio.Event) -> None:
        """Look again and again until told to stop."""
        while not stop.is_set():
            try:
                await self.look()
            except (OSError, TimeoutError) as error:
                log.warning("the platform's figures are not watched now", error=str(error))
            try:
                await asyncio.wait_for(stop.wait(), LOOK_SECONDS)
            except TimeoutError:
                continue

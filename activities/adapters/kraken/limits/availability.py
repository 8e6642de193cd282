"""Whether the exchange answers, found out without spending what its counters allow.

During an outage everybody who is owed an answer asks again and again. Requests whose answers are
lost may have been counted all the same, so that nothing would be left for the questions, stops
and exits that are due when the exchange is back.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

from activities.ports.exchange_errors import (
    ExchangeError,
    ExchangeUnavailableError,
    UnknownOutcomeError,
)

DOUBTED_AFTER = 2
"""Answers lost in a row; one by itself is no outage, and is asked after at once."""
PAUSE_SECONDS = 0.25
FRESH_SECONDS = 0.1

_NO_ANSWERS = (
    "HTTP status",
    "EService:Unavailable",
    "EService:Busy",
    "EService:Timeout",
    "EGeneral:Internal error",
)


class Availability:
    """What is known of the exchange's presence; ``probe`` asks it by a call that is not counted."""

    def __init__(
        self,
        probe: Callable[[], Coroutine[Any, Any, bool]],
        clock: Callable[[], float] = time.monotonic,
        refuse: Callable[[bool], None] = lambda _: None,
    ) -> None:
        """``refuse`` raises while nothing may be asked, told whether it protects a position."""
        self._probe = probe
        self._refuse = refuse
        self._clock = clock
        self._lost_reads = 0
        self._lost_changes = 0
        self._probing: asyncio.Task[bool] | None = None
        self._probed_at = float("-inf")
        self._there = True

    def answered(self, *, change: bool) -> None:
        """Note that a request had its answer, whatever it was.

        A read that is answered says nothing of the engine, which may refuse every change meanwhile.
        """
        self._lost_reads = 0
        if change:
            self._lost_changes = 0

    def failed(self, failure: ExchangeError, *, change: bool) -> None:
        """Note a failed request: a refusal is an answer too."""
        silent = not failure.raw or failure.raw.startswith(_NO_ANSWERS)
        if not (silent and isinstance(failure, ExchangeUnavailableError | UnknownOutcomeError)):
            self.answered(change=change)
        elif change:
            self._lost_changes += 1
        else:
            self._lost_reads += 1

    async def confirm(self, *, change: bool, urgent: bool = False) -> None:
        """Return when the exchange is there as far as anybody knows; to be called before a request.

        Raises:
            ExchangeUnavailableError: it is not, and nothing should be sent.
            CoolingDownError: it must not be asked.
        """
        self._refuse(urgent)
        if self._lost_reads + (self._lost_changes if change else 0) < DOUBTED_AFTER:
            return
        if self._clock() - self._probed_at >= (FRESH_SECONDS if self._there else PAUSE_SECONDS):
            await self._ask()
        if not self._there:
            raise ExchangeUnavailableError("the exchange does not answer; nothing was sent")

    async def _ask(self) -> None:
        if self._probing is None:
            self._probing = asyncio.create_task(self._probe())
            self._probing.add_done_callback(self._told)
        # Whoever waits may be cancelled; the others still want the answer.
        await asyncio.shield(self._probing)

    def _told(self, probing: asyncio.Task[bool]) -> None:
        self._probing = None
        self._probed_at = self._clock()
        self._there = not probing.cancelled() and probing.exception() is None and probing.result()

"""How far the exchange's clock is from ours: deadlines are kept by theirs.

A deadline that is past for the exchange has every order refused; one that lies far ahead lets a
delayed order through long after its absence was taken as proven.
"""

import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from activities.adapters.kraken.errors import reading
from activities.metrics import CLOCK_OFFSET
from activities.ports.exchange_errors import ExchangeError

_log = logging.getLogger(__name__)

ROUND_TRIP_MAXIMUM = timedelta(seconds=1)
"""An answer that took longer says too little about the moment it was given."""
_WORTH_A_WORD = timedelta(seconds=1)


class ExchangeClock:
    """Translates our protocol time into the exchange's."""

    def __init__(self) -> None:
        self.offset = timedelta(0)

    def learn(self, told: datetime, asked_at: datetime, answered_at: datetime) -> None:
        """Take what the exchange's clock showed between two moments of ours."""
        if not timedelta(0) <= answered_at - asked_at <= ROUND_TRIP_MAXIMUM:
            return
        offset = told - (asked_at + (answered_at - asked_at) / 2)
        if abs(offset - self.offset) > _WORTH_A_WORD:
            _log.warning("the exchange's clock is %+.1f s from ours", offset.total_seconds())
        self.offset = offset
        CLOCK_OFFSET.labels("exchange").set(offset.total_seconds())

    async def ask(self, public: Callable[[str], Awaitable[Any]]) -> None:
        """Ask for the exchange's clock by a public call; without an answer the next pong tells."""
        asked_at = now()
        with suppress(ExchangeError), reading("Time"):
            answer = await public("Time")
            self.learn(datetime.fromtimestamp(int(answer["unixtime"]), UTC), asked_at, now())

    def theirs(self, ours: datetime) -> datetime:
        """Return what the exchange's clock shows at a moment of ours."""
        return ours + self.offset


def now() -> datetime:
    """Return our protocol time."""
    return datetime.now(UTC)  # noqa: TID251 - the one clock of this adapter

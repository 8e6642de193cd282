"""How the market moves: paced by the wall clock, step by step on command, or with a live feed."""

import asyncio
import logging
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from activities.pauses import GrowingPause
from models.simulation.pair_changes import PairChangeError
from models.simulation.steps import MarketStep
from workers.exchange.runtime import Exchange

if TYPE_CHECKING:
    from workers.exchange.market.live import LiveMarket

LONGEST_DEBT_SECONDS = 1.0
"""A market this far behind its pace stops catching up: its clock slips instead."""
TIMER_SECONDS = 0.05
MILLISECOND = timedelta(milliseconds=1)
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 30.0
"""Between attempts to reach the live feed, which counts them."""
HELD_SECONDS = 0.02
"""How long a step that is held takes: whoever asks again and again leaves time to others."""

log = logging.getLogger(__name__)


class Pace:
    """Market time by the wall clock, ``speed`` times as fast; it stands at the next step.

    Orders and executions happen between the steps too, each at a time of its own: to the
    millisecond, which every spelling of a time can tell.
    """

    def __init__(self, exchange: Exchange, speed: float) -> None:
        self._exchange = exchange
        self._speed = speed
        self._loop = asyncio.get_running_loop()
        self._wall, self._market = self._loop.time(), exchange.venue.market_time

    def __call__(self) -> datetime:
        """Return the market time now, before that of the next step."""
        step = self._exchange.peek()
        if step is None:
            return self._exchange.venue.market_time
        passed = (self._loop.time() - self._wall) * self._speed
        at = min(self._market + timedelta(seconds=passed), step.at - MILLISECOND)
        return at.replace(microsecond=at.microsecond // 1_000 * 1_000)

    def debt(self, step: MarketStep) -> float:
        """Return how many seconds ago a step was due (negative: in how many it is)."""
        due = self._wall + (step.at - self._market).total_seconds() / self._speed
        return self._loop.time() - due

    def slip(self, seconds: float) -> None:
        """Fall back by wall seconds that are not caught up."""
        self._wall += seconds


async def run_paced(exchange: Exchange, speed: float) -> None:
    """Apply steps when their market time comes, ``speed`` times faster than the wall clock.

    After a delay the missed steps follow at once, one for each turn of the event loop, so that
    requests are answered in between; at most ``LONGEST_DEBT_SECONDS`` are caught up.
    """
    pace = exchange.pace = Pace(exchange, speed)
    while (step := exchange.peek()) is not None:
        debt = pace.debt(step)
        if debt > LONGEST_DEBT_SECONDS:
            pace.slip(debt)
        await asyncio.sleep(max(0.0, -debt))
        exchange.step()
    log.info("the market has ended after %d steps", exchange.steps)


async def run_live(exchange: Exchange, market: "LiveMarket") -> None:
    """Take the steps of a live feed as they come; a lost feed leaves the market standing still."""
    from workers.exchange.market.live import LiveMarketError

    venue = exchange.venue
    # What a pair was when this exchange ran last may be kept; what it is now counts.
    kept = {
        symbol: replace(pair, status=venue.pair_status(symbol))
        for symbol, pair in venue.directory.instruments.items()
    }
    for symbol, change in market.differences(kept).items():
        exchange.alter_pair(symbol, change)
    pause = GrowingPause(FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)
    while True:
        try:
            step = await market.next_step()
            # A pair that Kraken changed changes here as well, before prices of its new kind come.
            for symbol, change in market.take_altered().items():
                exchange.alter_pair(symbol, change)
            exchange.take(step)
            pause.reset()
        except (LiveMarketError, PairChangeError) as error:
            log.warning("%s", error)
            await asyncio.sleep(pause.next())


class Hold:
    """A market time that the market does not pass (lockstep); None: it moves freely.

    Ends with the process, as scripted faults do.
    """

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._at: datetime | None = None
        self.refused = 0

    @property
    def at(self) -> datetime | None:
        """Return the market time that is not passed."""
        return self._at

    @at.setter
    def at(self, at: datetime | None) -> None:
        self._at, self.refused = at, 0

    @property
    def stands(self) -> bool:
        """Tell whether the next step would reach the time."""
        if self._at is None:
            return False
        step = self._exchange.peek()
        return step is not None and step.at >= self._at

    async def run_steps(self, count: int) -> None:
        """Apply steps on command (lockstep) up to the hold, letting requests in between."""
        for _ in range(count):
            if self.stands:
                self.refused += 1
                await asyncio.sleep(HELD_SECONDS)
                return
            if not self._exchange.step():
                return
            await asyncio.sleep(0)


async def run_timers(exchange: Exchange) -> None:
    """Fire dead-man switches when they are due in protocol time."""
    while True:
        await asyncio.sleep(TIMER_SECONDS)
        exchange.expire_timers()

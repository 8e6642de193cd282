"""The activity that holds the market feed: exactly one runs, kept alive by its heartbeat."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import structlog
from temporalio import activity

from activities.accounts.day_clock import DayClock
from activities.heartbeat import until_worker_stops
from activities.market.engine import MarketEngine
from activities.market.market_time_scheduler import MarketTimeScheduler
from activities.market.marks import EquityWatch, ExitFees
from activities.pauses import GrowingPause, growing_apart
from activities.ports.market import Fence, MarketFeed, MarketRecord
from models.trading.market import Candle

log = structlog.get_logger(__name__)

HEARTBEAT_SECONDS = 0.5
SNAPSHOT_SECONDS = 0.2
MARK_SECONDS = 1.0
RECONNECT_SECONDS = 0.5
LONGEST_RECONNECT_SECONDS = 5.0
FIRST_RESTART_SECONDS = 0.05
STEADY_SECONDS = 30.0
"""An attempt that lasted so long had begun well: the next one after it begins at once."""


class MarketDriver(Protocol):
    """Moves a market in lockstep; absent when the market moves by itself."""

    async def run(self, engine: MarketEngine, feed: MarketFeed) -> None:
        """Step the market for ever."""
        ...

    def fence_reached(self, number: int) -> None:
        """Learn that everything before a fence has been dealt with."""
        ...


@dataclass(frozen=True, slots=True)
class FeedSettings:
    """What to follow: bars of this interval, for these symbols (empty: the whole universe)."""

    bar_minutes: int
    symbols: tuple[str, ...] = ()


class MarketFeedActivities:
    """Follow the market and act on it until cancelled."""

    def __init__(
        self,
        feed: MarketFeed,
        record: MarketRecord,
        make_engine: Callable[[], MarketEngine],
        settings: FeedSettings,
        driver: MarketDriver | None = None,
        market_time_scheduler: MarketTimeScheduler | None = None,
        days: DayClock | None = None,
        exit_fees: ExitFees | None = None,
    ) -> None:
        """Prepare; in lockstep the driver looks at the clockwork, else this activity does."""
        self._market_time_scheduler = market_time_scheduler
        self._feed = feed
        self._record = record
        self._make_engine = make_engine
        self._settings = settings
        self._driver = driver
        self._days = days
        self._equity = EquityWatch(record, exit_fees)
        self._restart = GrowingPause(FIRST_RESTART_SECONDS, LONGEST_RECONNECT_SECONDS)
        self.engine: MarketEngine | None = None

    @activity.defn
    async def run_market_feed(self) -> None:
        """Load the universe, then stream it; ends only by error, cancellation or its worker's end.

        Raises whatever broke the feed: the workflow that owns this activity starts it again.
        """
        async with growing_apart(self._restart, STEADY_SECONDS):
            await until_worker_stops(self._run())

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_heartbeat())
            engine = await self._load()
            self.engine = engine
            tasks.create_task(self._follow_watches(engine))
            tasks.create_task(self._flush_snapshots(engine))
            tasks.create_task(self._consume(engine))
            # Beside the prices, which wait for no model.
            tasks.create_task(engine.proposals.keep_judging())
            tasks.create_task(engine.proposals.keep_loaded())
            if self._driver is not None:
                tasks.create_task(self._driver.run(engine, self._feed))
            else:
                tasks.create_task(_every(MARK_SECONDS, lambda: self._mark(engine)))
            if self._driver is None and self._market_time_scheduler is not None:
                tasks.create_task(self._market_time_scheduler.keep(lambda: engine.market_time))

    async def _load(self) -> MarketEngine:
        instruments = await self._feed.instruments()
        if self._settings.symbols:
            instruments = {s: instruments[s] for s in self._settings.symbols if s in instruments}
        history: dict[str, list[Candle]] = {}
        for symbol in sorted(instruments):
            history[symbol] = await self._feed.history(symbol, self._settings.bar_minutes)
            await self._record.save_candles(history[symbol])
        engine = self._make_engine()
        longer = [
            await self._feed.history(symbol, minutes)
            for minutes in engine.longer_intervals
            if minutes > self._settings.bar_minutes
            for symbol in sorted(instruments)
        ]
        await engine.start(instruments, history, longer)
        log.info("market feed loaded", symbols=sorted(instruments))
        return engine

    async def _consume(self, engine: MarketEngine) -> None:
        symbols = sorted(engine.symbols)
        async for event in self._feed.events(symbols, self._settings.bar_minutes):
            if isinstance(event, Fence):
                await engine.on_fence()
                if self._driver is not None:
                    # Here and not by the clock, so that the same input gives the same marks.
                    await self._mark(engine)
                    self._driver.fence_reached(event.number)
            else:
                await engine.on_event(event)
        raise ConnectionError("the market feed ended")

    async def _follow_watches(self, engine: MarketEngine) -> None:
        pause = GrowingPause(RECONNECT_SECONDS, LONGEST_RECONNECT_SECONDS)
        while True:
            try:
                await engine.reload_watches()
                pause.reset()
                async for account, trade, watches in self._record.watch_changes():
                    await engine.set_watches(account, trade, watches)
            except OSError:
                log.warning("watch changes interrupted", exc_info=True)
            await asyncio.sleep(pause.next())

    async def _flush_snapshots(self, engine: MarketEngine) -> None:
        await _every(SNAPSHOT_SECONDS, lambda: flush_snapshots(engine, self._record))

    async def _mark(self, engine: MarketEngine) -> None:
        """Close the days that have ended, then mark the accounts."""
        at = engine.market_time
        if at is None:
            return
        if self._days is not None:
            lockstep = self._driver is not None
            engine.messages_sent += await self._days.tick(at, wait=lockstep)
        await engine.signal_accounts(await self._equity.mark(at, engine.prices(), engine.symbols))


async def flush_snapshots(engine: MarketEngine, record: MarketRecord) -> None:
    """Write the snapshots that changed, so that the API judges requests on fresh figures.

    Bars that a record away has not taken are written first.
    """
    await engine.save_bars()
    changed = engine.take_changed_snapshots()
    if not changed:
        return
    try:
        await record.save_snapshots(changed)
    except OSError:
        engine.keep_for_later(changed)
        raise


async def _every(seconds: float, act: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await act()
        except OSError:
            log.warning("record unreachable, trying again", exc_info=True)
        await asyncio.sleep(seconds)


async def _heartbeat() -> None:
    while True:
        activity.heartbeat(datetime.now(UTC).isoformat())  # noqa: TID251 - what a heartbeat shows
        await asyncio.sleep(HEARTBEAT_SECONDS)

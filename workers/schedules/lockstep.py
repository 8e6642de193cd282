"""Lockstep: the market moves one step only when the platform has dealt with the last.

Market time then runs as fast as the machine keeps up, and the same input gives the same trades. It
exists for the simulator only; the exchange's control endpoint does the stepping.
"""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import structlog

from activities.market.engine import MarketEngine
from activities.market.feed import flush_snapshots
from activities.market.market_time_scheduler import MarketTimeScheduler
from activities.ports.market import MarketFeed, MarketRecord

if TYPE_CHECKING:
    import aiohttp

log = structlog.get_logger(__name__)

FENCE_TIMEOUT_SECONDS = 15.0
SAID_AFTER_SECONDS = 10.0
"""How long the market waits before it says for what."""
POLL_SECONDS, LONGEST_POLL_SECONDS = 0.003, 0.25
"""Between two looks, each longer than the last: the first ones answer most steps. The others wait
for the rate limits, and looking keeps those busy that are looked at."""
FINISHED_POLL_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class ExchangeCounters:
    """What the exchange has done for its accounts so far, as its control endpoint reports it."""

    fills: dict[str, int]
    open_orders: dict[str, int]


class PlatformProbe(Protocol):
    """Tells whether the platform has nothing left to do.

    Attributes:
        waits_for: what the last answer was no for; said in the log when it takes long.
    """

    waits_for: str

    async def caught_up(self, counters: ExchangeCounters) -> bool:
        """Tell whether every execution is recorded, told, and no order is in another state."""
        ...

    async def rest(self, account: str | None = None) -> int | None:
        """Return the facts handled ever, None while an account or trade has work in flight.

        With an account only what belongs to it is asked.
        """
        ...


class ExchangeControl:
    """The simulator's control endpoint."""

    def __init__(self, base_url: str, headers: Mapping[str, str] | None = None) -> None:
        self._base_url = base_url
        self._headers = dict(headers or {})
        self._session: aiohttp.ClientSession | None = None

    async def step(self) -> dict[str, Any]:
        """Move the market by one step and return the exchange's state."""
        return await self._call("POST", "/control/step", {"steps": 1})

    async def state(self) -> dict[str, Any]:
        """Return the exchange's state."""
        return await self._call("GET", "/control/state", None)

    async def close(self) -> None:
        """Close the connection."""
        if self._session is not None:
            await self._session.close()

    async def _call(self, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        if self._session is None:
            # Loaded where it is used: most markets are not in lockstep.
            import aiohttp

            self._session = aiohttp.ClientSession(self._base_url, headers=self._headers)
        async with self._session.request(method, path, json=body) as response:
            response.raise_for_status()
            answer: dict[str, Any] = await response.json()
            return answer


def counters(state: dict[str, Any]) -> ExchangeCounters:
    """Read the counters out of a control answer."""
    return ExchangeCounters(fills=dict(state["fills"]), open_orders=dict(state["open_orders"]))


class LockstepDriver:
    """Step, wait until the step has been seen whole, wait until the platform is at rest, repeat."""

    def __init__(
        self,
        control: ExchangeControl,
        probe: PlatformProbe,
        record: MarketRecord,
        market_time_scheduler: MarketTimeScheduler | None = None,
    ) -> None:
        self._market_time_scheduler = market_time_scheduler
        self._control = control
        self._probe = probe
        self._record = record
        self._fences: dict[int, asyncio.Event] = {}
        self._fence = 0
        self._engine: MarketEngine | None = None
        self.steps = 0

    def fence_reached(self, number: int) -> None:
        """Learn that every event before a fence has been dealt with."""
        if number in self._fences:
            self._fences[number].set()

    async def run(self, engine: MarketEngine, feed: MarketFeed) -> None:
        """Step the market for ever; a recording that has ended leaves the platform at rest."""
        self._engine = engine
        await self._await_fence(feed)
        await self._do_what_is_due(engine)
        await self.settle()
        last = counters(await self._control.state())
        while True:
            sent_before = engine.messages_sent
            state = await self._control.step()
            await self._await_fence(feed)
            now = counters(state)
            due = await self._do_what_is_due(engine)
            if due or engine.messages_sent != sent_before or now != last:
                await self.settle()
                now = counters(await self._control.state())
            last = now
            self.steps += 1
            if state["finished"]:
                await flush_snapshots(engine, self._record)
                await asyncio.sleep(FINISHED_POLL_SECONDS)

    async def _do_what_is_due(self, engine: MarketEngine) -> bool:
        if self._market_time_scheduler is None or engine.market_time is None:
            return False
        return await self._market_time_scheduler.advance(engine.market_time)

    async def settle(self, account: str | None = None) -> None:
        """Wait until nothing moves: two looks at exchange and platform show the same, at rest.

        What one account was told moves none of the others: then it is enough to look at that one.
        """
        previous: tuple[ExchangeCounters, int, int] | None = None
        pauses = _pauses()
        waited = 0.0
        while True:
            caught_up = await self._caught_up()
            handled = await self._probe.rest(account) if caught_up else None
            if handled is None:
                pause = next(pauses)
                await asyncio.sleep(pause)
                waited += pause
                if waited >= SAID_AFTER_SECONDS:
                    waited = 0.0
                    log.warning(
                        "the market waits for the platform", waits_for=self._probe.waits_for
                    )
                continue
            if self._engine is not None:
                await self._engine.reload_watches()
            sent = 0 if self._engine is None else self._engine.messages_sent
            look = (counters(await self._control.state()), handled, sent)
            if look == previous:
                return
            previous = look

    async def _caught_up(self) -> bool:
        return await self._probe.caught_up(counters(await self._control.state()))

    async def _await_fence(self, feed: MarketFeed) -> None:
        while True:
            self._fence += 1
            reached = self._fences[self._fence] = asyncio.Event()
            await feed.request_fence(self._fence)
            try:
                async with asyncio.timeout(FENCE_TIMEOUT_SECONDS):
                    await reached.wait()
            except TimeoutError:
                # The connection that carried the fence is gone; the feed reconnects by itself.
                log.warning("fence lost, asking again", fence=self._fence)
                continue
            finally:
                del self._fences[self._fence]
            return


def _pauses() -> Iterator[float]:
    """Give one pause after the other, each longer than the last."""
    pause = POLL_SECONDS
    while True:
        yield pause
        pause = min(1.4 * pause, LONGEST_POLL_SECONDS)

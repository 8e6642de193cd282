"""In lockstep the market moves only when all that the last step caused has been dealt with."""

import asyncio

import pytest
from structlog.testing import capture_logs

from activities.market.engine import MarketEngine
from activities.market.strategy_runner import StrategyRunner
from tests.support.fakes import BITCOIN
from tests.support.market_fakes import (
    Eager,
    FakeMarketRecord,
    KeptMessages,
    a_tick,
    a_watch,
    healthy,
)
from tests.support.temporal import eventually
from workers.schedules import lockstep
from workers.schedules.lockstep import ExchangeCounters, LockstepDriver


class World:
    """An exchange, a platform and a feed whose every move is written down in order."""

    def __init__(self, steps=3):
        self.log = []
        self.steps, self.left = 0, steps
        self.fills = 0
        self.recorded = 0
        self.handled = 0
        self.busy = 0
        self.ticks = {}
        self.lose_fences = 0
        self.record = FakeMarketRecord()
        self.delivery = KeptMessages()
        self.engine = MarketEngine(self.record, self.delivery, StrategyRunner([Eager()], "home"))
        self.driver = LockstepDriver(self, self, self.record)

    # --- the exchange's control endpoint

    async def step(self):
        self.steps += 1
        self.left -= 1
        self.log.append(f"step {self.steps}")
        return self._state()

    async def state(self):
        return self._state()

    def _state(self):
        return {
            "fills": {"company": self.fills},
            "open_orders": {"company": 0},
            "finished": self.left <= 0,
        }

    # --- the platform

    waits_for = "an account has work in flight"

    async def caught_up(self, counters):
        assert isinstance(counters, ExchangeCounters)
        self.recorded = min(self.recorded + 1, counters.fills["company"])
        return self.recorded == counters.fills["company"]

    async def rest(self, account=None):
        if self.busy:
            self.busy -= 1
            self.handled += 1
            self.log.append("busy")
            return None
        return self.handled

    # --- the feed

    async def request_fence(self, number):
        if self.lose_fences:
            self.lose_fences -= 1
            return
        for event in self.ticks.pop(self.steps, ()):
            await self.engine.on_event(event)
        self.log.append("seen")
        asyncio.get_running_loop().call_soon(self.driver.fence_reached, number)

    async def run_to_the_end(self):
        await self.engine.start({"BTC/USD": BITCOIN}, {})
        await self.engine.on_event(healthy())
        task = asyncio.create_task(self.driver.run(self.engine, self))
        await eventually(lambda: self.left <= 0 and self.driver.steps >= self.steps, "the end")
        assert not task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture(autouse=True)
def _fast(monkeypatch):
    monkeypatch.setattr(lockstep, "POLL_SECONDS", 0)
    monkeypatch.setattr(lockstep, "FINISHED_POLL_SECONDS", 60)


async def test_quiet_market_steps_on_as_soon_as_each_step_was_seen():
    world = World(steps=3)
    await world.run_to_the_end()
    assert world.log == ["seen", "step 1", "seen", "step 2", "seen", "step 3", "seen"]


async def test_next_step_waits_until_the_platform_is_at_rest():
    world = World(steps=2)
    world.record.watches = [a_watch(105)]
    world.ticks[1] = [a_tick(106, 1)]
    world.busy = 0

    async def deliver(messages):
        world.delivery.messages += messages
        world.busy = 3

    world.delivery.deliver = deliver
    await world.run_to_the_end()
    assert world.log == ["seen", "step 1", "seen", "busy", "busy", "busy", "step 2", "seen"]


async def test_a_wait_that_takes_long_says_for_what(monkeypatch):
    monkeypatch.setattr(lockstep, "SAID_AFTER_SECONDS", 0)
    world = World(steps=1)
    world.busy = 2
    with capture_logs() as said:
        await world.driver.settle()
    waits = [line["waits_for"] for line in said if "waits_for" in line]
    assert waits == ["an account has work in flight"] * 2


async def test_fills_of_a_step_are_recorded_before_the_next():
    world = World(steps=2)
    step = world.step

    async def filling():
        world.fills += 4 if world.steps == 0 else 0
        return await step()

    world.step = filling
    await world.run_to_the_end()
    assert world.recorded == 4


async def test_order_placed_while_settling_is_waited_for_too():
    world = World()
    world.fills = 1
    looks = []
    rest = world.rest

    async def trading(account=None):
        looks.append(1)
        if len(looks) == 1:
            world.fills += 2
        return await rest()

    world.rest = trading
    await world.driver.settle()
    assert world.recorded == 3
    assert len(looks) >= 2


async def test_crossing_found_by_the_reload_is_settled_as_well():
    world = World()
    await world.engine.start({"BTC/USD": BITCOIN}, {})
    await world.engine.on_event(healthy())
    await world.engine.on_event(a_tick(106))
    world.driver._engine = world.engine
    world.record.watches = [a_watch(105)]
    await world.driver.settle()
    assert len(world.delivery.messages) == 1


async def test_lost_fence_is_asked_for_again(monkeypatch):
    monkeypatch.setattr(lockstep, "FENCE_TIMEOUT_SECONDS", 0.01)
    world = World(steps=1)
    world.lose_fences = 2
    await world.run_to_the_end()
    assert world.log == ["seen", "step 1", "seen"]
    world.driver.fence_reached(999)


async def test_snapshots_are_written_when_the_recording_has_ended():
    world = World(steps=1)
    world.ticks[1] = [a_tick(101, 1)]
    await world.run_to_the_end()
    await eventually(lambda: world.record.snapshots, "the last figures are written")

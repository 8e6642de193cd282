"""Work without an end of its own goes on until its worker stops, fails or is cancelled."""

import asyncio

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.heartbeat import WORKER_STOPS, until_worker_stops


class Endless:
    def __init__(self):
        self.begun, self.ended = asyncio.Event(), False

    async def work(self):
        try:
            self.begun.set()
            await asyncio.Event().wait()
        finally:
            self.ended = True


async def begun(endless, environment):
    task = asyncio.create_task(environment.run(until_worker_stops, endless.work()))
    async with asyncio.timeout(5):
        await endless.begun.wait()
    return task


async def test_worker_that_stops_ends_the_work_at_once():
    endless, environment = Endless(), ActivityEnvironment()
    task = await begun(endless, environment)
    assert not task.done()
    environment.worker_shutdown()
    async with asyncio.timeout(5):
        with pytest.raises(ApplicationError) as stopped:
            await task
    assert stopped.value.type == WORKER_STOPS
    assert endless.ended


async def test_cancellation_ends_the_work_before_it_is_passed_on():
    endless = Endless()
    task = await begun(endless, ActivityEnvironment())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert endless.ended


async def test_failure_of_the_work_is_the_failure_of_the_activity():
    async def fail():
        raise ConnectionError("broken")

    with pytest.raises(ConnectionError, match="broken"):
        await ActivityEnvironment().run(until_worker_stops, fail())

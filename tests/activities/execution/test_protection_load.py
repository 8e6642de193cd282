"""What waits for protection is watched; a reading that is old refuses as a bad one does."""

import asyncio
from contextlib import suppress

from activities.execution.protection_load import STALE_SECONDS, ProtectionLoad
from models.trading.risk.protection_backlog import WaitingPosition


class Record:
    """A record whose answer and clock a test sets."""

    def __init__(self):
        self.waiting, self.failure, self.now = [], None, 100.0

    async def read(self):
        if self.failure is not None:
            raise self.failure
        return self.waiting

    def load(self):
        return ProtectionLoad(self.read, lambda: self.now)


async def watched(load):
    task = asyncio.create_task(load.watch())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_several_waiting_positions_refuse_and_are_named():
    record = Record()
    load = record.load()
    assert load.refusal("company") is None
    record.waiting = [WaitingPosition("company", number, 1.5) for number in (1, 2, 3)]
    await watched(load)
    assert "3 positions wait for their stops" in load.refusal("director-1")
    assert load.degraded() == [
        "overloaded: no entries are taken, 3 positions wait for their stops, the longest for 1.5 s"
    ]


async def test_reading_that_cannot_be_had_refuses_once_it_is_old():
    record = Record()
    load = record.load()
    await watched(load)
    record.failure = ConnectionError("the database is away")
    await watched(load)
    assert load.refusal("company") is None
    record.now += STALE_SECONDS + 0.5
    assert "not been readable for 3.5 s" in load.refusal("company")
    assert load.degraded()
    record.failure = None
    await watched(load)
    assert load.refusal("company") is None

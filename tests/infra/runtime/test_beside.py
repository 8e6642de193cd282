"""What a process does beside its work begins anew when it fails, and is counted."""

import asyncio

from infra.runtime.event_loop import FAILURES, beside


async def test_work_that_fails_begins_anew_until_it_is_done():
    tries = []

    async def work():
        tries.append(len(tries))
        if len(tries) < 4:
            raise [ZeroDivisionError, KeyError, OSError][len(tries) - 1]

    await asyncio.wait_for(beside("tried", work, again_seconds=0), 5)
    assert len(tries) == 4
    assert FAILURES.labels("tried")._value.get() == 3


async def test_work_that_is_cancelled_ends():
    task = beside("for ever", asyncio.Event().wait)
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task], timeout=5)
    assert task.cancelled()
    assert FAILURES.labels("for ever")._value.get() == 0

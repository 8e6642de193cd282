"""Pauses of repair loops grow up to a cap and begin again after success."""

import pytest

from activities import pauses
from activities.pauses import GrowingPause, growing_apart


def test_pause_doubles_up_to_its_cap_and_begins_again(monkeypatch):
    monkeypatch.setattr("random.uniform", lambda low, high: (low + high) / 2)
    pause = GrowingPause(0.5, 3.0)
    assert [pause.next() for _ in range(5)] == [0.5, 1.0, 2.0, 3.0, 3.0]
    pause.reset()
    assert pause.next() == 0.5


def test_pause_never_exceeds_its_cap():
    pause = GrowingPause(1.0, 2.0)
    assert all(0.85 <= pause.next() <= 2.0 for _ in range(5000))


@pytest.mark.parametrize(("first", "cap"), [(0.0, 1.0), (2.0, 1.0), (-1.0, 1.0)])
def test_pause_needs_a_first_one_below_its_cap(first, cap):
    with pytest.raises(ValueError, match="first was"):
        GrowingPause(first, cap)


async def test_attempts_that_fail_at_once_begin_ever_further_apart(monkeypatch):
    slept, pause, clock = [], GrowingPause(1.0, 8.0), [0.0]

    async def sleep(seconds):
        slept.append(round(seconds))

    monkeypatch.setattr(pauses.asyncio, "sleep", sleep)
    monkeypatch.setattr(pauses.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr("random.uniform", lambda low, high: (low + high) / 2)

    async def attempt(lasting):
        async with growing_apart(pause, 30.0):
            clock[0] += lasting
            raise OSError("broken")

    for lasting in (0.0, 1.0, 29.0, 30.0, 0.0):
        with pytest.raises(OSError, match="broken"):
            await attempt(lasting)
    assert slept == [1, 2, 4, 1, 2]

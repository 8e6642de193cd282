"""Tests wait as long as their machine needs, and say what did not come."""

import asyncio
import time

import pytest

from tests.support import temporal
from tests.support.waiting import patience
from tests.support.waiting.patience import (
    CALM_SECONDS,
    LONGEST_FACTOR,
    eventually,
    factor_of,
    slowness,
)


@pytest.mark.parametrize(
    ("seconds", "factor"),
    [
        (CALM_SECONDS / 10, 1.0),
        (CALM_SECONDS, 1.0),
        (CALM_SECONDS * 3, 3.0),
        (CALM_SECONDS * 8, LONGEST_FACTOR),
        (CALM_SECONDS * 1000, LONGEST_FACTOR),
    ],
)
def test_a_slow_machine_is_given_more_time_within_bounds(seconds, factor):
    assert factor_of(seconds) == pytest.approx(factor)


def test_it_is_measured_once(monkeypatch):
    slowness.cache_clear()
    took = iter((CALM_SECONDS * 2, CALM_SECONDS * 4))
    monkeypatch.setattr(patience, "busy_work", lambda: next(took))
    assert [round(slowness(), 6) for _ in range(3)] == [2.0, 2.0, 2.0]
    slowness.cache_clear()


def test_what_is_measured_takes_a_moment():
    assert 0.001 < patience.busy_work() < 60


async def test_what_comes_late_comes_in_time_on_a_slow_machine():
    with pytest.raises(AssertionError):
        await eventually(lambda: None, "much", seconds=0.05, factor=lambda: 1.0)
    late = time.monotonic() + 0.2
    assert await eventually(
        lambda: time.monotonic() > late, "much", seconds=0.05, factor=lambda: 8.0
    )


async def test_what_never_comes_is_named_with_the_machines_slowness():
    began = time.monotonic()
    with pytest.raises(AssertionError) as failed:
        await eventually(lambda: None, "a stop is placed", seconds=0.1, factor=lambda: 3.04)
    assert time.monotonic() - began >= 0.3
    said = str(failed.value)
    assert said.startswith("never: a stop is placed (waited 0.")
    assert said.endswith("the machine was 3.0 times slower than a calm one)")


async def test_what_must_be_waited_for_itself_is_and_is_returned():
    async def soon():
        await asyncio.sleep(0)
        return "here"

    assert await eventually(soon, "it is here", factor=lambda: 1.0) == "here"


def test_stories_wait_so():
    assert temporal.eventually is eventually

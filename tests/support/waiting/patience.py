"""How long tests wait for what must come: longer where the machine is slow, and by name."""

import asyncio
import inspect
import time
from collections.abc import Callable
from functools import cache
from typing import Any

LONGEST_FACTOR = 8.0
"""What has not come by then does not come for want of speed."""
CALM_SECONDS = 0.05
"""What ``busy_work`` takes on a machine of two cores that does nothing else."""
_ROUNDS = 10
_STEPS = 100_000


def busy_work() -> float:
    """Calculate for a moment; return the seconds by the clock, waiting for a processor included."""
    began = time.perf_counter()
    for _ in range(_ROUNDS):
        total = 0
        for number in range(_STEPS):
            total += number * number % 7
    return time.perf_counter() - began


def factor_of(seconds: float) -> float:
    """Return how many times longer to wait where the calculation took these seconds."""
    return min(max(seconds / CALM_SECONDS, 1.0), LONGEST_FACTOR)


@cache
def slowness() -> float:
    """Return how many times slower this machine is than a calm one; measured once per process."""
    return factor_of(busy_work())


async def eventually(
    condition: Callable[[], Any],
    what: str,
    seconds: float = 15,
    factor: Callable[[], float] = slowness,
) -> Any:
    """Wait until a condition holds and return what it returned.

    Args:
        condition: returns what is waited for, or nothing yet; may be a coroutine function.
        what: names it where it never comes.
        seconds: how long a calm machine may take.
        factor: how many times longer this one may.
    """
    times = factor()
    began = time.monotonic()
    while True:
        result = condition()
        if inspect.isawaitable(result):
            result = await result
        if result:
            return result
        waited = time.monotonic() - began
        if waited > seconds * times:
            machine = f"the machine was {times:.1f} times slower than a calm one"
            raise AssertionError(f"never: {what} (waited {waited:.1f} s; {machine})")
        await asyncio.sleep(0.01)

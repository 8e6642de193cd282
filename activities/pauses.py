"""Pauses of repair loops: they grow with each attempt, have a cap, and begin again on success."""

import asyncio
import random  # noqa: TID251 - pauses that differ between clients
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager


class GrowingPause:
    """The pause before the next attempt: ``first`` seconds, doubled each time up to ``cap``.

    Jitter of 15 % keeps several loops that failed together from trying again together.
    """

    def __init__(self, first: float, cap: float) -> None:
        """Begin with ``first`` seconds; ``cap`` seconds are the longest."""
        if not 0 < first <= cap:
            raise ValueError(f"first was {first}, cap was {cap}")
        self._first = first
        self._cap = cap
        self._attempts = 0

    def next(self) -> float:
        """Return how many seconds to wait now; the next answer is longer."""
        seconds = pause_seconds(self._attempts, self._first, self._cap)
        self._attempts += 1
        # Jitter spreads attempts; nothing secret hangs on it.
        return min(self._cap, seconds * random.uniform(0.85, 1.15))  # noqa: S311

    def reset(self) -> None:
        """Begin again: an attempt succeeded."""
        self._attempts = 0


def pause_seconds(attempts: int, first: float, cap: float) -> float:
    """Return ``first`` doubled by each attempt before, at most ``cap``; without jitter."""
    return min(cap, float(first * 2 ** min(attempts, 32)))


@asynccontextmanager
async def growing_apart(pause: GrowingPause, steady_seconds: float) -> AsyncGenerator[None, None]:
    """Let attempts that fail one after the other begin ever further apart.

    An attempt that fails is left after its pause, so that whoever starts the next one at once
    starts it then. One that lasted ``steady_seconds`` begins with the shortest pause again.
    """
    began = time.monotonic()
    try:
        yield
    except Exception:
        if time.monotonic() - began >= steady_seconds:
            pause.reset()
        await asyncio.sleep(pause.next())
        raise

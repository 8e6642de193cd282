"""Looks for the moment at which a struck trade is owned and protected again.

By itself, so that it is noted when it comes: a request that waits for the API, the last to come
back, must not count what it waits for as time without an owner.
"""

import threading
import time
from collections.abc import Callable

LOOK_SECONDS = 0.25

EndOfStrike = Callable[[], float | None]


class RecoveryWatch:
    """Looks until it is closed; ``at`` is the moment, None while there is none that has lasted."""

    def __init__(self, ended: EndOfStrike, is_recovered: Callable[[], bool]) -> None:
        """``ended`` gives when the fault had struck for the last time, monotonic seconds."""
        self.at: float | None = None
        self._ended = ended
        self._is_recovered = is_recovered
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> float | None:
        """Stop looking and return the moment."""
        self._stop.set()
        self._thread.join()
        return self.at

    def _run(self) -> None:
        while not self._stop.wait(LOOK_SECONDS):
            ended, now = self._ended(), time.monotonic()
            if ended is None or now < ended or not self._is_recovered():
                self.at = None
            elif self.at is None or self.at < ended:
                self.at = now

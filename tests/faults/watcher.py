"""Watches the exchange's record and measures how long positions are without protection."""

import threading
import time
from dataclasses import dataclass, field
from decimal import Decimal

from tests.faults.exchange import Control, ExchangeAwayError, Slice

LOOK_SECONDS = 0.05


@dataclass
class Watched:
    """One trade under watch; ``spans`` are the stretches without protection, monotonic seconds."""

    account: str
    symbol: str
    minimum: Decimal
    before: frozenset[str]
    spans: list[tuple[float, float]] = field(default_factory=list)
    since: float | None = None
    seen: tuple[int, int] | None = None

    def note(self, found: Slice, at: float) -> None:
        """Take note of a look at the exchange's record."""
        bare = found.held - found.covered >= self.minimum
        if bare and self.since is None:
            self.since = at
        elif not bare and self.since is not None:
            self.spans.append((self.since, at))
            self.since = None

    def finish(self, at: float) -> None:
        """End the watch; what is unprotected then counts until now."""
        if self.since is not None:
            self.spans.append((self.since, at))
            self.since = None


class Watcher:
    """Looks about fifty times a second; while the exchange is away, what was so goes on."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._watched: list[Watched] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def watch(self, watched: Watched) -> None:
        """Begin to watch a trade."""
        self._watched = [*self._watched, watched]

    def forget(self, watched: Watched) -> None:
        """Stop watching a trade."""
        self._watched = [one for one in self._watched if one is not watched]
        watched.finish(time.monotonic())

    def close(self) -> None:
        """End."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(LOOK_SECONDS):
            watched = self._watched
            if not watched:
                continue
            try:
                self._look(watched)
            except ExchangeAwayError:
                continue

    def _look(self, watched: list[Watched]) -> None:
        state = self._control.state()
        for one in watched:
            seen = (state["fills"][one.account], state["open_orders"][one.account])
            # The record is long; it is read when something has happened, or protection is awaited.
            if seen != one.seen or one.since is not None:
                found = self._control.slice(one.account, one.symbol, one.before)
                one.note(found, time.monotonic())
                one.seen = seen


def longest(spans: list[tuple[float, float]], outages: list[tuple[float, float]]) -> float:
    """Return the longest stretch without protection, less what lay within outages."""
    worst = 0.0
    for start, end in spans:
        inside = sum(max(0.0, min(end, b) - max(start, a)) for a, b in outages)
        worst = max(worst, end - start - inside)
    return worst

"""What `aether up` says while it waits: for whom, why, and for how long already."""

import time
from collections.abc import Callable, Mapping

REPEAT_SECONDS = 5.0
WORDS_SHOWN = 80


class WaitingTold:
    """Say who is waited for when that changes, and every five seconds with what each lacks."""

    def __init__(
        self, tell: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._tell = tell
        self._clock = clock
        self._began = self._said_at = clock()
        self._told: tuple[str, ...] = ()

    def __call__(self, lacking: Mapping[str, str]) -> None:
        """Take what each process lacks; nothing is said while nobody is waited for."""
        names, now = tuple(sorted(lacking)), self._clock()
        elapsed = now - self._began
        if names and names != self._told:
            self._say(f"Waiting for {', '.join(names)} …", now)
        elif names and now - self._said_at >= REPEAT_SECONDS:
            words = "; ".join(f"{name} ({_short(lacking[name])})" for name in names)
            self._say(f"Still waiting after {elapsed:.0f} s for {words} …", now)
        elif self._told and not names:
            self._say(f"Ready after {elapsed:.0f} s; last was {', '.join(self._told)}", now)
        self._told = names

    def _say(self, line: str, now: float) -> None:
        self._tell(line)
        self._said_at = now


def _short(words: str) -> str:
    line = " ".join(words.split())
    return line if len(line) <= WORDS_SHOWN else f"{line[:WORDS_SHOWN]}…"

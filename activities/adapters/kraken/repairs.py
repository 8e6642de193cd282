"""When each broken part of a stream is tried again: soon at first, then ever more rarely.

Whatever is broken is here until it is sound, so no trouble lasts because nobody tries.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from activities.pauses import pause_seconds

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
ANSWER_SECONDS = 10.0
"""What was asked for and is not answered by then is asked for again."""
STEADY_SECONDS = 15.0
"""What was sound for so long begins again with short pauses; a snapshot alone proves little."""

Part = tuple[str, str]
"""A channel and the symbol it is about; ``("status", "")`` is the mode of the exchange."""


@dataclass(slots=True)
class _Repair:
    attempts: int = 0
    asked: bool = False
    sound_since: float | None = None


class Repairs:
    """The attempts to mend each part: at once the first time, then after pauses that double."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        longest_pause_seconds: float = LONGEST_PAUSE_SECONDS,
    ) -> None:
        """Begin with nothing broken; pauses grow up to ``longest_pause_seconds``."""
        self._clock = clock
        self._longest = longest_pause_seconds
        self._repairs: dict[Part, _Repair] = {}
        # Only what is broken or not answered: this is looked at with every frame.
        self._due: dict[Part, float] = {}

    def broken(self, part: Part, *, again_at_once: bool = True) -> None:
        """Note that a part does not work; it is due after its pause.

        ``again_at_once`` is False for what was just refused: even the first try waits then.
        """
        repair = self._repairs.setdefault(part, _Repair())
        now = self._clock()
        if part in self._due and not repair.asked:
            return
        if repair.sound_since is not None and now - repair.sound_since >= STEADY_SECONDS:
            repair.attempts = 0
        if not again_at_once:
            repair.attempts = max(1, repair.attempts)
        repair.sound_since, repair.asked = None, False
        self._due[part] = now + self._pause(repair.attempts)

    def asked(self, part: Part) -> None:
        """Note that a part was asked for; without an answer it is due again."""
        repair = self._repairs.setdefault(part, _Repair())
        repair.sound_since, repair.asked = None, True
        self._due[part] = self._clock() + max(ANSWER_SECONDS, self._pause(repair.attempts))

    def sound(self, part: Part) -> None:
        """Note that a part works."""
        if self._due.pop(part, None) is not None:
            self._repairs[part].asked = False
            self._repairs[part].sound_since = self._clock()

    def is_pending(self, part: Part) -> bool:
        """Tell whether a part is broken, or asked for and not answered."""
        return part in self._due

    def wait_seconds(self) -> float | None:
        """Return how long it is until something is due, None while nothing is pending."""
        return max(0.0, min(self._due.values()) - self._clock()) if self._due else None

    def attempts(self, part: Part) -> int:
        """Return how often a part was tried since it was steady."""
        repair = self._repairs.get(part)
        return 0 if repair is None else repair.attempts

    def suspend(self) -> None:
        """Stop trying: the connection is gone. The pauses stay as long as they were."""
        self._due.clear()
        for repair in self._repairs.values():
            repair.asked, repair.sound_since = False, None

    def take_due(self) -> list[Part]:
        """Return the parts to be tried now, each once; they count as asked for."""
        if not self._due:
            return []
        now = self._clock()
        due = [part for part, due_at in self._due.items() if due_at <= now]
        for part in due:
            self._repairs[part].attempts += 1
            self.asked(part)
        return due

    def _pause(self, attempts: int) -> float:
        if not attempts:
            return 0.0
        return pause_seconds(attempts - 1, FIRST_PAUSE_SECONDS, self._longest)

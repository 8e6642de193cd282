"""The level of a rate counter, kept for the process that takes over.

Kraken's counter goes on where a killed process left it. Whoever began at zero would spend what is
not there, and be refused when a stop has to be asked about.
"""

import logging
import math
import os
import struct
import time
from collections.abc import Callable
from pathlib import Path

_log = logging.getLogger(__name__)
_FORM = struct.Struct("<dd")


class PersistedCounter:
    """A level and its time in a small file: what is written outlives the process at once.

    Not written through to the disk: when the machine itself goes down, Kraken's counters (45 s from
    full to empty at most, §4.1) have decayed before anything runs again. Not mapped either: where a
    disk is full, writing to a mapping ends the process.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:  # noqa: TID251 - the default of an argument
        self._path = path
        self._clock = clock
        self._keeps = True

    def load(self, decay: float, maximum: float) -> float:
        """Return the level now, at most ``maximum``; ``decay`` is what it loses each second.

        0 where nothing was kept. What cannot be a level counts as full: the next requests wait, and
        none is refused.
        """
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return 0.0
        if len(content) != _FORM.size:
            return maximum
        level, at = map(float, _FORM.unpack(content))
        if not (math.isfinite(level) and math.isfinite(at)) or level < 0:
            return maximum
        elapsed = max(0.0, self._clock() - at)
        return min(maximum, max(0.0, level - elapsed * decay))

    def save(self, level: float) -> None:
        """Keep the level as it is now; where that fails no request may fail for it."""
        try:
            self._write(_FORM.pack(level, self._clock()))
        except OSError as failure:
            if self._keeps:
                _log.warning("the level of the rate counter is not kept: %s", failure)
            self._keeps = False
            return
        self._keeps = True

    def _write(self, content: bytes) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.pwrite(descriptor, content, 0)
        finally:
            os.close(descriptor)

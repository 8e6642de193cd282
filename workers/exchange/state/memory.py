"""When the exchange's state is written: often enough to restart fast, never while clients wait.

A snapshot is written by a forked child from its copy of the memory, so that the exchange goes on
answering; its journal goes on meanwhile.
"""

import logging
import os
import time
import warnings
from collections.abc import Callable
from typing import Any

from workers.exchange.state.journal import StateDirectory

SNAPSHOT_AFTER_SECONDS = 0.3
SNAPSHOT_DUTY = 5.0
MAXIMUM_DESCRIPTORS = 4096

log = logging.getLogger(__name__)


class Memory:
    """The journal of one exchange and its snapshots; without a directory nothing is kept.

    A snapshot is due when applying the inputs since the last one took ``SNAPSHOT_AFTER_SECONDS``
    (that is what a restart has to do again), but never more than a share of 1 in ``SNAPSHOT_DUTY``
    of the time is spent on writing them.
    """

    def __init__(self, directory: StateDirectory | None) -> None:
        self.directory = directory
        self._work = 0.0
        self._child: tuple[int, int, float] | None = None
        self._last_duration = 0.0

    def append(self, record: list[Any]) -> None:
        """Keep an input before it is applied."""
        if self.directory is not None:
            self.directory.append(record)

    def worked(self, seconds: float, state: Callable[[], dict[str, Any]]) -> None:
        """Count the time an input took, and begin a snapshot when one is due."""
        self._work += seconds
        due = max(SNAPSHOT_AFTER_SECONDS, SNAPSHOT_DUTY * self._last_duration)
        if self.directory is not None and self._work >= due:
            self._reap()
            if self._child is None:
                self._begin(self.directory, state)

    def resume(self, seconds: float) -> None:
        """Go on from what is written, which took ``seconds`` to apply again, in a new journal.

        Whoever starts after a crash is waited for: a new snapshot is written when one is due.
        """
        if self.directory is not None:
            self.directory.begin_journal()
            self._work = seconds

    def write(self, state: dict[str, Any]) -> None:
        """Write a snapshot at once and wait for it: at a first start and at an orderly end."""
        if self.directory is None:
            return
        self._reap(wait=True)
        generation = self.directory.begin_journal()
        self.directory.write_snapshot(generation, state)
        self.directory.remove_before(generation)
        self._work = 0.0

    def close(self) -> None:
        """Release the directory."""
        self._reap(wait=True)
        if self.directory is not None:
            self.directory.close()

    def _begin(self, directory: StateDirectory, state: Callable[[], dict[str, Any]]) -> None:
        generation = directory.begin_journal()
        with warnings.catch_warnings():
            # The child only serialises and writes: it takes no lock that another thread may hold.
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child == 0:
            status = 1
            try:
                # Were this child to outlive a killed parent, its copies of the lock, the listening
                # socket and the clients' lines would keep the next server from starting.
                os.closerange(3, MAXIMUM_DESCRIPTORS)
                directory.write_snapshot(generation, state())
                status = 0
            finally:
                os._exit(status)
        self._child = (child, generation, time.monotonic())
        self._work = 0.0

    def _reap(self, *, wait: bool = False) -> None:
        if self._child is None or self.directory is None:
            return
        child, generation, started = self._child
        finished, status = os.waitpid(child, 0 if wait else os.WNOHANG)
        if finished == 0:
            return
        self._child = None
        self._last_duration = time.monotonic() - started
        if status == 0:
            self.directory.remove_before(generation)
        else:
            log.error("snapshot %d could not be written (status %d)", generation, status)

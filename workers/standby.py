"""One active process of a kind; others wait, imported and connected, to take over at once.

A process that dies loses its lock with it, so a waiting one goes on within milliseconds instead of
the seconds that starting an interpreter and its libraries takes.
"""

import asyncio
import fcntl
import os
from pathlib import Path

POLL_SECONDS = 0.02


class LeaderLock:
    """A lock on a file that the operating system frees when its holder dies."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    async def acquire(self, stop: asyncio.Event) -> bool:
        """Wait until this process is the only one; False when told to stop before."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        while not stop.is_set():
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                await asyncio.sleep(POLL_SECONDS)
            else:
                self._descriptor = descriptor
                os.utime(descriptor)  # tells those who wait for it to have settled since when
                return True
        os.close(descriptor)
        return False

    def release(self) -> None:
        """Let another process go on; releasing twice is harmless."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

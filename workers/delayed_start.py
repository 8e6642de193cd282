"""Start a process without taking the cores from the one that protects positions.

``workers.delayed_start [--expect] SECONDS LOCK MODULE`` becomes the module's program after a
while: to load and connect everything takes a core for long. ``--expect`` waits until the process
that matters more holds its lock, at most ``EXPECTING_SECONDS``; in any case it waits until that one
has held it for so many seconds and has taken over what there is. When it dies this goes on at once.
Standard library only: this is on the restart path.
"""

import fcntl
import os
import sys
import time
from pathlib import Path

from infra.stack.programs.launch import become

EXPECTING_SECONDS = 10.0
POLL_SECONDS = 0.05


def is_held(lock: Path) -> bool:
    """Tell whether another process holds the lock."""
    try:
        descriptor = os.open(lock, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        # Shared, so that two who look do not see each other.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def held_seconds(lock: Path) -> float:
    """Return for how long a held lock has been held, by the wall clock: its holder touched it."""
    return time.time() - lock.stat().st_mtime


def wait(
    lock: Path,
    *,
    expect: bool,
    settling: float,
    expecting: float = EXPECTING_SECONDS,
) -> None:
    """Wait until nobody holds the lock, or somebody has held it for long enough to be settled."""
    until = time.monotonic() + expecting
    while expect and not is_held(lock) and time.monotonic() < until:
        time.sleep(POLL_SECONDS)
    until = time.monotonic() + settling
    while is_held(lock) and time.monotonic() < until and held_seconds(lock) < settling:
        time.sleep(POLL_SECONDS)


def main() -> int:
    """Wait, then become the program; return its exit status."""
    *options, settling, lock, module = sys.argv[1:]
    wait(Path(lock), expect="--expect" in options, settling=float(settling))
    return become(module, [])

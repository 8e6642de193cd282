"""Start a process without taking the cores from the one that protects positions.

``workers.yielding_start [--expect] [--settle] LOCK MODULE`` becomes the module's program after a
while: to load and connect everything takes a core for long. ``--expect`` waits until the process
that matters more holds its lock, at most ``EXPECTING_SECONDS``; ``--settle`` until it has held it
for ``SETTLING_SECONDS`` and has taken over what there is; when that one dies it goes on at once.
Standard library only: this is on the restart path.
"""

import fcntl
import os
import sys
import time
from pathlib import Path

from infra.runtime.launch import become

SETTLING_SECONDS = 3.0
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


def wait(
    lock: Path,
    *,
    expect: bool,
    settling: float = SETTLING_SECONDS,
    expecting: float = EXPECTING_SECONDS,
) -> None:
    """Wait until nobody holds the lock, or somebody has held it for long enough to be settled."""
    until = time.monotonic() + expecting
    while expect and not is_held(lock) and time.monotonic() < until:
        time.sleep(POLL_SECONDS)
    until = time.monotonic() + settling
    while is_held(lock) and time.monotonic() < until:
        time.sleep(POLL_SECONDS)


def main() -> int:
    """Wait, then become the program; return its exit status."""
    *options, lock, module = sys.argv[1:]
    settling = SETTLING_SECONDS if "--settle" in options else 0.0
    wait(Path(lock), expect="--expect" in options, settling=settling)
    return become(module, [])

"""Start a standby without taking the cores from the process that it stands by for.

``python -m workers.yielding_start [--expect] LOCK MODULE`` becomes ``python -m MODULE`` after a
while: importing everything takes seconds of a core, and those are needed elsewhere while another
process takes over, or starts for the first time (``--expect``). It waits as long as the other one
holds the lock, at most ``SETTLING_SECONDS``; when that one dies it goes on at once. Standard
library only: this is on the restart path.
"""

import fcntl
import os
import sys
import time
from pathlib import Path

SETTLING_SECONDS = 4.0
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


def main() -> None:
    """Wait, then become the program."""
    *options, lock, module = sys.argv[1:]
    wait(Path(lock), expect="--expect" in options)
    os.execv(sys.executable, [sys.executable, "-m", module])  # noqa: S606 no shell is wanted


if __name__ == "__main__":
    main()

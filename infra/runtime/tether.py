"""Run a program so that it cannot outlive its supervisor: ``tether.py [options] -- command …``.

Started by supervisord in front of every program; after its preparations it becomes the program
(exec), so that signals and the process id are the program's own. Standard library only and no site
packages: this is on the restart path of every process.
"""

import argparse
import ctypes
import os
import signal
import sys
import time
from pathlib import Path

PR_SET_PDEATHSIG = 1
PARENT_NAME = b"supervisord"
POLL_SECONDS = 0.05


def main() -> None:
    """Drop privileges, tie this process to its parent, wait for the start file, then exec."""
    options = _parse(sys.argv[1:])
    if options.user:
        user, group = (int(part) for part in options.user.split(":"))
        os.setgroups([])
        os.setgid(group)
        os.setuid(user)
    # After the change of user: the kernel forgets the death signal when credentials change.
    _die_with_parent(signal.Signals[f"SIG{options.death_signal}"])
    while options.wait_for and not Path(options.wait_for).exists():
        time.sleep(POLL_SECONDS)
    os.execvp(options.command[0], options.command)  # noqa: S606 no shell is wanted


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--death-signal", default="KILL", help="sent when the parent dies")
    parser.add_argument("--wait-for", default="", help="exec only when this file exists")
    parser.add_argument("--user", default="", help="uid:gid to run as")
    parser.add_argument("command", nargs="+")
    return parser.parse_args(arguments)


def _die_with_parent(death_signal: signal.Signals) -> None:
    if sys.platform != "linux":
        return
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    # The parent may have died before the call above: then nobody would send the signal.
    command_line = Path(f"/proc/{os.getppid()}/cmdline")
    if not command_line.exists() or PARENT_NAME not in command_line.read_bytes():
        sys.exit("the supervisor is gone")


if __name__ == "__main__":
    main()

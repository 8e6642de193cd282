"""The programs that holders keep: which run, as told by the files they lock (``holder.py``)."""

import fcntl
import json
import os
import signal
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import psutil

from infra.stack.programs.holder import start_of

SUFFIX = ".alive"
POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class HeldProgram:
    """A program that runs. ``priority`` is its place in the order of starting.

    ``started`` tells it from another process that had or will have the same id.
    """

    name: str
    pid: int
    started: int
    priority: int
    stop_signal: str
    stop_seconds: int

    @property
    def up_seconds(self) -> int:
        """Return since when it runs, 0 when it has just ended."""
        try:
            return max(0, int(time.time() - psutil.Process(self.pid).create_time()))
        except psutil.NoSuchProcess:
            return 0


def alive_file(run: Path, name: str) -> Path:
    """Return the file that a program keeps locked while it lives."""
    return run / f"{name}{SUFFIX}"


def living(run: Path) -> dict[str, HeldProgram]:
    """Return the programs that live, by name; with or without a supervisor."""
    found = (_read(path) for path in sorted(run.glob(f"*{SUFFIX}")))
    return {program.name: program for program in found if program is not None}


def end_all(run: Path, keep: Collection[int] = ()) -> list[str]:
    """End what lives, but for some process ids, in reverse order of starting; return the names.

    For programs that have no supervisor or holder to do it: it died, or was killed by a stop that
    came before it could pass it on.
    """
    found = [program for program in living(run).values() if program.pid not in keep]
    found.sort(key=lambda program: program.priority, reverse=True)
    for program in found:
        end(run, program)
    return [program.name for program in found]


def end(run: Path, program: HeldProgram) -> None:
    """Ask a program to end, wait until it has, and kill it after its time."""
    path, until = alive_file(run, program.name), time.monotonic() + program.stop_seconds
    _send(program.pid, signal.Signals[f"SIG{program.stop_signal}"])
    while _read(path) == program:
        if time.monotonic() > until:
            _send(program.pid, signal.SIGKILL)
        time.sleep(POLL_SECONDS)


def _read(path: Path) -> HeldProgram | None:
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        # Shared, so that two who look do not see each other.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _noted(path)
    finally:
        os.close(descriptor)
    return None


def _noted(path: Path) -> HeldProgram | None:
    try:
        note = json.loads(path.read_bytes())
        program = HeldProgram(name=path.name.removesuffix(SUFFIX), **note)
    except (ValueError, TypeError):
        return None  # it has only just begun and writes this now
    return program if start_of(program.pid) == program.started else None


def _send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return

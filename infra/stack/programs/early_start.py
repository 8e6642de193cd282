"""Start the fork server before the command line itself has loaded.

It loads more than anything else and everything waits for it, while a command and the supervisor
keep one core busy at most. What is started is noted by the last start; its holder takes it on as it
takes on a program that outlived its supervisor. Standard library only, and as little of it as
possible: this runs before everything else.
"""

from __future__ import annotations

import fcntl
import json
import os

from infra.stack.programs import holder
from infra.stack.programs.environment import inherited

TYPE_CHECKING = False  # that of typing, which takes long to load
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

NOTE = "early-start.json"
COMMANDS = (["up"], ["run"])
"""The command lines that start the stack and nothing else; whoever asks for more waits for it."""
DEFAULT_HOME = ".aether"
SIGKILL = 9


class EarlyStart:
    """What was started early, until it is handed over or given up."""

    def __init__(self) -> None:
        self.pid = 0
        self._started: int | None = None
        self._command: list[str] = []

    def begin(self, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start what the last start noted; nothing where it runs, or where there is no note."""
        if list(arguments) not in COMMANDS:
            return
        home = os.path.expanduser(environment.get("AETHER_HOME") or DEFAULT_HOME)  # noqa: PTH111 light
        try:
            with open(os.path.join(home, "run", NOTE), "rb") as file:  # noqa: PTH118, PTH123 light
                note = json.load(file)
            self._start(note)
        except (OSError, ValueError, KeyError, TypeError):
            # The ordinary start will tell what is wrong.
            return

    def _start(self, note: Mapping[str, Any]) -> None:
        options, command = note["options"], note["command"]
        lock = os.open(options["alive"], os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            output = holder.open_output(options["output"])
            pid = os.fork()
            if pid == 0:
                _become(note, lock, output)
            os.close(output)
            self.pid, self._started, self._command = pid, holder.start_of(pid), command
        finally:
            os.close(lock)

    def is_running(self, command: Sequence[str]) -> bool:
        """Tell whether this very command was started and lives."""
        return bool(self.pid) and self._command == list(command) and self._lives()

    def hand_over(self) -> None:
        """Leave what was started to its holder."""
        self.pid = 0

    def give_up(self) -> None:
        """End what was started and not handed over."""
        if self.pid and self._lives():
            os.kill(self.pid, SIGKILL)
            os.waitpid(self.pid, 0)
        self.pid = 0

    def _lives(self) -> bool:
        started = holder.start_of(self.pid)
        return started is not None and started == self._started


def _become(note: Mapping[str, Any], lock: int, output: int) -> None:
    """Become the program in the child, or end: the child must never go on as the command."""
    try:
        options = note["options"]
        os.chdir(os.path.dirname(options["alive"]))  # noqa: PTH120 light
        kept = inherited(os.environ)
        os.environ.clear()
        os.environ.update(kept | note["environment"])
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        holder.become_program(note["command"], options, lock, output)
    finally:
        os._exit(1)


THIS = EarlyStart()
"""That of this process, which starts at most one."""

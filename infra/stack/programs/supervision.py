"""Which programs run and how they are kept running: supervisord, its settings and its answers.

supervisord starts every program again whenever it ends, without end; the keeper, itself one of the
programs, starts supervisord again when that is killed; and before each program stands a holder
(``holder.py``), which takes on the program that outlived the supervisor before.
"""

import fcntl
import json
import os
import shlex
import sys
import time
import xmlrpc.client
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil
from supervisor.xmlrpc import SupervisorTransport

from infra.runtime.errors import NotRunningError, StartError
from infra.runtime.files import write_atomically
from infra.stack.programs.held_programs import HeldProgram, alive_file, end, end_all, living

HOLDER = Path(__file__).with_name("holder.py")
# A program that ends with this status was configured wrongly: starting it again cannot help.
CONFIGURATION_EXIT_STATUS = 2
MODULE = "infra.stack.programs.supervisord"
KEEPER = "keeper"
LOG_BYTES = 10_000_000
LOG_FILES = 5
START_TIMEOUT_SECONDS = 15.0
HOLDER_SECONDS = 3


@dataclass(frozen=True, slots=True)
class Program:
    """A supervised program.

    Attributes:
        name: its name in logs and status.
        command: program and arguments.
        priority: order of starting; stopping is in reverse.
        stop_signal: asks it to end in order.
        stop_seconds: how long it may take to end before it is killed.
        wait_for: start only when this file exists.
        user: user and group id to run as, None for our own.
        pid_files: files in which it notes its process id, to tell whether it runs already.
        starts: whether it is started with the supervisor.
        may_refuse: whether exit status 2 means that it was configured wrongly (ours do).
        is_held: whether it outlives its supervisor; the keeper needs no holder for that.
        fork_server: socket of the server that forks it, None for one that loads all by itself;
            the command is then ``python -m infra.stack.programs.launch MODULE …`` all the same.
    """

    name: str
    command: Sequence[str]
    priority: int
    stop_signal: str = "TERM"
    stop_seconds: int = 10
    wait_for: Path | None = None
    user: tuple[int, int] | None = None
    pid_files: Sequence[Path] = ()
    starts: bool = True
    may_refuse: bool = True
    is_held: bool = True
    fork_server: Path | None = None

    def starting(self, starts: bool) -> "Program":
        """Return the program with or without an automatic start."""
        return replace(self, starts=starts)

    def full_command(self, run: Path) -> list[str]:
        """Return the command with its holder in front; ``run`` is where the holder's files are."""
        if not self.is_held:
            return list(self.command)
        options = json.dumps(self.holding(run))
        return [sys.executable, "-I", "-S", str(HOLDER), options, *self.command]

    def holding(self, run: Path) -> dict[str, Any]:
        """Return the options of its holder."""
        return {
            "alive": str(alive_file(run, self.name)),
            "output": str(run / f"{self.name}.output"),
            "priority": self.priority,
            "stop_signal": self.stop_signal,
            "stop_seconds": self.stop_seconds,
            "wait_for": str(self.wait_for or ""),
            "user": self.user,
            "pid_files": [str(path) for path in self.pid_files],
            "fork_server": str(self.fork_server or ""),
            "name": self.name,
        }


@dataclass(frozen=True, slots=True)
class ProcessStatus:
    """What is known of a program. ``exit_status`` is that of its last end.

    ``pid`` and ``up_seconds`` are the program's own, 0 while it does not run.
    """

    name: str
    state: str
    pid: int
    up_seconds: int
    exit_status: int


class Supervisor:
    """Start, ask and stop the supervisord of one run directory."""

    def __init__(self, run: Path, sockets: Path, logs: Path) -> None:
        self._run = run
        self._logs = logs
        self._socket = sockets / "supervisor.sock"
        self._settings = run / "supervisord.conf"
        self._wanted = run / "wanted"

    @property
    def is_wanted(self) -> bool:
        """Tell whether the stack is meant to run: from its start until someone stops it."""
        return self._wanted.exists()

    @property
    def is_running(self) -> bool:
        """Tell whether a supervisor answers."""
        return self.pid is not None

    @property
    def pid(self) -> int | None:
        """Return the process id of the supervisor, None when none answers."""
        try:
            return int(self._call("getPID"))
        except NotRunningError:
            return None

    def configure(self, programs: Sequence[Program]) -> None:
        """Write the settings that the next start uses."""
        settings = render_settings(programs, self._socket, self._run, self._logs)
        write_atomically(self._settings, settings.encode(), 0o600)

    def start(
        self, environment: Mapping[str, str], take_on: bool = False, keep: Collection[int] = ()
    ) -> None:
        """Start supervisord in a session of its own unless it runs; return when it answers.

        Args:
            environment: that of supervisord and of what it starts.
            take_on: come as the successor of one that was killed: only while the stack is wanted,
                and keeping the programs that outlived it, with their settings of then.
            keep: process ids of programs that were started for it already.

        Raises:
            StartError: it ended, or did not answer in time.
        """
        with self._starting():
            if self.is_running or (take_on and not self.is_wanted):
                return
            if not take_on:
                self._wanted.touch()
                end_all(self._run, keep)
            # Not subprocess: supervisord is meant to outlive this process.
            errors = str(self._logs / "supervisor.err")
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
            pid = os.posix_spawn(
                sys.executable,
                [sys.executable, "-P", "-m", MODULE, "-n", "-c", str(self._settings)],
                dict(environment),
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
                    (os.POSIX_SPAWN_OPEN, 2, errors, flags, 0o600),
                ],
                setsid=True,
            )
            self._wait_until_it_answers(pid)

    def stop(self, seconds: float = 60.0) -> bool:
        """Stop every program in reverse order, then supervisord; False when nothing ran.

        Raises:
            StartError: for so many seconds no further program has ended.
        """
        if not self._run.is_dir():
            return False
        self._wanted.unlink(missing_ok=True)
        with self._starting():
            pid = self.pid
            if pid is None:
                return bool(end_all(self._run))
        left, until = len(living(self._run)), time.monotonic() + seconds
        self._call("shutdown")
        while not _has_ended(pid):
            if time.monotonic() > until:
                # They end one after the other: on a busy machine all of them take longer than one.
                before, left = left, len(living(self._run))
                if left >= before:
                    text = f"the supervisor (process {pid}) did not stop in {seconds:.0f} s"
                    raise StartError(f"{text}; {left} programs live")
                until = time.monotonic() + seconds
            time.sleep(0.05)
        end_all(self._run)
        return True

    def processes(self) -> list[ProcessStatus]:
        """Return the state of every program.

        Raises:
            NotRunningError: no supervisor answers.
        """
        rows, held = self._call("getAllProcessInfo"), living(self._run)
        return [_status(row, held) for row in rows]

    def end_survivors(self, keep: Collection[int] = ()) -> list[str]:
        """End what outlived a supervisor that nobody starts again; return the names."""
        with self._starting():
            return [] if self.is_running else end_all(self._run, keep)

    def last_words(self, name: str) -> str:
        """Return the last line that a program wrote."""
        try:
            with (self._logs / f"{name}.log").open("rb") as log:
                log.seek(max(0, log.seek(0, os.SEEK_END) - 4_000))
                lines = log.read().decode(errors="replace").strip().splitlines()
        except FileNotFoundError:
            lines = []
        return lines[-1] if lines else "it said nothing"

    def start_process(self, name: str) -> None:
        """Start one stopped program."""
        wait = False
        self._call("startProcess", name, wait)

    def stop_process(self, name: str) -> None:
        """Stop one program until it is started again."""
        wait = True
        self._call("stopProcess", name, wait)
        if program := living(self._run).get(name):
            end(self._run, program)

    def _call(self, method: str, *arguments: object) -> Any:
        transport = SupervisorTransport(None, None, f"unix://{self._socket}")
        proxy = xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport)
        try:
            return getattr(proxy.supervisor, method)(*arguments)
        except xmlrpc.client.Fault as fault:
            raise StartError(f"the supervisor refused {method}: {fault.faultString}") from None
        except (OSError, xmlrpc.client.Error, ValueError, EOFError):
            raise NotRunningError("the stack is not running: aether up") from None
        finally:
            transport.close()

    def _wait_until_it_answers(self, pid: int) -> None:
        until = time.monotonic() + START_TIMEOUT_SECONDS
        while time.monotonic() < until:
            if self.pid == pid:
                return
            if _has_ended(pid):
                words = (self._logs / "supervisor.err").read_text(errors="replace").strip()
                last = words.splitlines()[-1:] or ["it said nothing"]
                raise StartError(f"the supervisor ended at once: {last[0]}")
            time.sleep(0.05)
        raise StartError(f"the supervisor did not answer in {START_TIMEOUT_SECONDS:.0f} s")

    @contextmanager
    def _starting(self) -> Iterator[None]:
        descriptor = os.open(self._run / "supervisor.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _status(row: Mapping[str, Any], held: Mapping[str, HeldProgram]) -> ProcessStatus:
    name, pid = row["name"], row["pid"]
    up_seconds = max(0, row["now"] - row["start"]) if pid else 0
    if name != KEEPER:
        program = held.get(name)
        pid, up_seconds = (program.pid, program.up_seconds) if program else (0, 0)
    return ProcessStatus(name, row["statename"].lower(), pid, up_seconds, row["exitstatus"])


def render_settings(programs: Sequence[Program], socket: Path, run: Path, logs: Path) -> str:
    """Return supervisord's settings file for the programs."""
    sections = [
        f"[unix_http_server]\nfile={_escaped(str(socket))}\nchmod=0600",
        (
            "[rpcinterface:supervisor]\n"
            "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface"
        ),
        "\n".join(
            (
                "[supervisord]",
                *(["user=root"] if os.geteuid() == 0 else []),
                f"pidfile={_escaped(str(run / 'supervisord.pid'))}",
                f"logfile={_escaped(str(logs / 'supervisord.log'))}",
                f"logfile_maxbytes={LOG_BYTES}",
                f"logfile_backups={LOG_FILES}",
                "silent=true",
                "umask=077",
            )
        ),
    ]
    sections += [_program_section(program, run, logs) for program in programs]
    return "\n\n".join(sections) + "\n"


def _program_section(program: Program, run: Path, logs: Path) -> str:
    command = shlex.join(str(word) for word in program.full_command(run))
    # The holder kills a program that does not stop; it needs a moment longer than that.
    stop_seconds = program.stop_seconds + HOLDER_SECONDS
    lines = (
        f"[program:{program.name}]",
        f"command={_escaped(command)}",
        f"directory={_escaped(str(run))}",
        f"priority={program.priority}",
        f"autostart={str(program.starts).lower()}",
        # With startsecs=0 supervisord never counts a quick end as a failed start, so it neither
        # waits longer each time nor gives up.
        "startsecs=0",
        f"autorestart={'unexpected' if program.may_refuse else 'true'}",
        f"exitcodes={CONFIGURATION_EXIT_STATUS}",
        f"stopsignal={program.stop_signal}",
        f"stopwaitsecs={stop_seconds}",
        "killasgroup=true",
        "redirect_stderr=true",
        f"stdout_logfile={_escaped(str(logs / f'{program.name}.log'))}",
        f"stdout_logfile_maxbytes={LOG_BYTES}",
        f"stdout_logfile_backups={LOG_FILES}",
    )
    return "\n".join(lines)


def _escaped(value: str) -> str:
    return value.replace("%", "%%")


def _has_ended(pid: int) -> bool:
    try:
        # A zombie only waits for its parent, who may be busy.
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True

"""Which programs run and how they are kept running: supervisord, its settings and its answers.

supervisord starts every program again whenever it ends, without end; the keeper, itself one of the
programs, starts supervisord again when that is killed; and every other program dies with its
supervisor, so that nothing is ever half alive.
"""

import fcntl
import os
import shlex
import sys
import time
import xmlrpc.client
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil
from supervisor.xmlrpc import SupervisorTransport

from infra.runtime.errors import NotRunningError, StartError
from infra.runtime.files import write_atomically

TETHER = Path(__file__).with_name("tether.py")
# A program that ends with this status was configured wrongly: starting it again cannot help.
CONFIGURATION_EXIT_STATUS = 2
MODULE = "infra.runtime.supervisord"
KEEPER = "keeper"
LOG_BYTES = 10_000_000
LOG_FILES = 5
START_TIMEOUT_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Program:
    """A supervised program.

    Attributes:
        name: its name in logs and status.
        command: program and arguments.
        priority: order of starting; stopping is in reverse.
        stop_signal: asks it to end in order.
        death_signal: what it gets when the supervisor dies; None lets it live on.
        stop_seconds: how long it may take to end before it is killed.
        wait_for: start only when this file exists.
        user: user and group id to run as, None for our own.
        starts: whether it is started with the supervisor.
        may_refuse: whether exit status 2 means that it was configured wrongly (ours do).
    """

    name: str
    command: Sequence[str]
    priority: int
    stop_signal: str = "TERM"
    death_signal: str | None = "KILL"
    stop_seconds: int = 10
    wait_for: Path | None = None
    user: tuple[int, int] | None = None
    starts: bool = True
    may_refuse: bool = True

    def starting(self, starts: bool) -> "Program":
        """Return the program with or without an automatic start."""
        return replace(self, starts=starts)

    def full_command(self) -> list[str]:
        """Return the command with the tether in front."""
        if self.death_signal is None:
            return list(self.command)
        options = ["--death-signal", self.death_signal]
        if self.wait_for is not None:
            options += ["--wait-for", str(self.wait_for)]
        if self.user is not None:
            options += ["--user", "{}:{}".format(*self.user)]
        return [sys.executable, "-I", "-S", str(TETHER), *options, "--", *self.command]


@dataclass(frozen=True, slots=True)
class ProcessStatus:
    """What the supervisor knows of a program. ``exit_status`` is that of its last end."""

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

    def start(self, environment: Mapping[str, str]) -> None:
        """Start supervisord in a session of its own unless it runs; return when it answers.

        Raises:
            StartError: it ended, or did not answer in time.
        """
        with self._starting():
            self._wanted.touch()
            if self.is_running:
                return
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
        """Stop every program in reverse order, then supervisord; False when it did not run."""
        self._wanted.unlink(missing_ok=True)
        pid = self.pid
        if pid is None:
            return False
        self._call("shutdown")
        until = time.monotonic() + seconds
        while not _has_ended(pid):
            if time.monotonic() > until:
                raise StartError(f"the supervisor (process {pid}) did not stop in {seconds:.0f} s")
            time.sleep(0.05)
        return True

    def processes(self) -> list[ProcessStatus]:
        """Return the state of every program.

        Raises:
            NotRunningError: no supervisor answers.
        """
        return [
            ProcessStatus(
                name=row["name"],
                state=row["statename"].lower(),
                pid=row["pid"],
                up_seconds=max(0, row["now"] - row["start"]) if row["pid"] else 0,
                exit_status=row["exitstatus"],
            )
            for row in self._call("getAllProcessInfo")
        ]

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
            )
        ),
    ]
    sections += [_program_section(program, run, logs) for program in programs]
    return "\n\n".join(sections) + "\n"


def _program_section(program: Program, run: Path, logs: Path) -> str:
    lines = (
        f"[program:{program.name}]",
        f"command={_escaped(shlex.join(str(word) for word in program.full_command()))}",
        f"directory={_escaped(str(run))}",
        f"priority={program.priority}",
        f"autostart={str(program.starts).lower()}",
        # With startsecs=0 supervisord never counts a quick end as a failed start, so it neither
        # waits longer each time nor gives up.
        "startsecs=0",
        f"autorestart={'unexpected' if program.may_refuse else 'true'}",
        f"exitcodes={CONFIGURATION_EXIT_STATUS}",
        f"stopsignal={program.stop_signal}",
        f"stopwaitsecs={program.stop_seconds}",
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

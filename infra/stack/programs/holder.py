"""Hold a program for its supervisor: ``holder.py OPTIONS command …``; the options are JSON.

supervisord starts one in front of every program. It starts the program in a session of its own, or
takes on the one that an earlier holder started; passes its output on and its stop signal down; and
ends as it ends. A holder dies with its supervisor, a program with neither: whoever comes next finds
it by its lock. A program that shares its libraries with others is started by the fork server
(``fork_server.py``) instead. As little as possible of the standard library and no site packages:
this is on every process's restart path, and all of them start at once.

Options:
    alive: file that the program keeps locked.
    output: pipe that the program writes to.
    priority: later ones are stopped first.
    stop_signal, stop_seconds: what asks the program to end, and when it is killed.
    wait_for: start only when this file exists; "" to start at once.
    user: (user id, group id) to run the program as, None for our own.
    pid_files: files in which it notes its process id, to tell whether it runs already.
    fork_server, name: socket of the server that forks it, "" for none, and what that calls it.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import select
import signal
import sys
import time

TYPE_CHECKING = False  # that of typing, which takes as long to load as all of the above
if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping
    from types import FrameType
    from typing import Any

PR_SET_PDEATHSIG = 1
F_SETPIPE_SZ = 1031
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
PARENT_NAME = b"supervisord"
POLL_SECONDS = 0.05
# Without the kernel's help (pidfd, death signal: Linux only) both ends are looked for this often.
LOOK_MILLISECONDS = None if sys.platform == "linux" else 200
LAST_LINES_MILLISECONDS = 100
FORK_SERVER_SECONDS = 10.0
"""How long the fork server is waited for; a program that it does not start loads all by itself."""
ANSWER_SECONDS = 2.0
ANSWER_BYTES = 4096
OUTPUT_BYTES = 1 << 20
"""Output that is kept for the next holder; what is more is lost, nobody waits for a log."""
CHUNK_BYTES = 1 << 16
ENDED_UNSEEN = 1
"""The exit status told of a program that somebody else started: only a parent learns it."""


def main() -> None:
    """Take the program on or start it, then stay until it has ended."""
    options, command = json.loads(sys.argv[1]), sys.argv[2:]
    _die_with_parent()
    while options["wait_for"] and not os.path.exists(options["wait_for"]):  # noqa: PTH110 light
        time.sleep(POLL_SECONDS)
    output = open_output(options["output"])
    held = _take_on(command, options, output)
    stop_signal = signal.Signals[f"SIG{options['stop_signal']}"]
    _pass_stop_signals_on(held.pid, stop_signal, options["stop_seconds"])
    sys.exit(_relay_until_end(held, output))


def _die_with_parent() -> None:
    if sys.platform == "linux":
        library = ctypes.CDLL(None, use_errno=True)
        if library.prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
        # The parent may have died before the call above: then nobody would send the signal.
        if not is_supervisor(os.getppid()):
            sys.exit("the supervisor is gone")


def is_supervisor(pid: int) -> bool:
    """Tell whether a process is one, not whoever takes on its children: without /proc the first."""
    if sys.platform != "linux":
        return pid != 1
    return PARENT_NAME in _content(f"/proc/{pid}/cmdline")


def _content(path: str) -> bytes:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 light
            return file.read()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def open_output(path: str) -> int:
    """Open the pipe for both directions: then it is never closed, whoever else holds it."""
    if not os.path.exists(path):  # noqa: PTH110 light
        os.mkfifo(path, 0o600)
    descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    if sys.platform == "linux":
        fcntl.fcntl(descriptor, F_SETPIPE_SZ, OUTPUT_BYTES)
    return descriptor


class _Held:
    """The program: started by us, by the fork server for us, or by somebody before us."""

    def __init__(
        self, pid: int, is_ours: bool = False, server: socket.socket | None = None
    ) -> None:
        self.pid = pid
        self._is_ours = is_ours
        self._server = server

    def exit_status(self, has_ended: bool) -> int | None:
        """Return it, None while the program runs."""
        if self._is_ours:
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            return _told(os.waitstatus_to_exitcode(status)) if ended else None
        if not has_ended and _is_there(self.pid):
            return None
        answer = _answer(self._server) if self._server else {}
        return _told(answer.get("status", ENDED_UNSEEN))


def _told(code: int) -> int:
    return code if code >= 0 else 128 - code


def _take_on(command: list[str], options: Mapping[str, Any], output: int) -> _Held:
    """Return the program that runs, or start it.

    Stop signals stay blocked until they can be passed on: one that ended only the holder would
    leave the program running.
    """
    until = time.monotonic() + FORK_SERVER_SECONDS
    forked = bool(options["fork_server"])
    while True:
        signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
        lock = os.open(options["alive"], os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = _process_behind(lock)
            held = _Held(pid) if pid else None
        else:
            start = _fork_elsewhere if forked else _fork
            held = start(command, options, lock, output)
        os.close(lock)
        if held is not None:
            return held
        # It is about to begin, or what it started has still to end, or nobody forks it yet.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
        time.sleep(POLL_SECONDS)
        forked = forked and time.monotonic() < until


def _fork(command: list[str], options: Mapping[str, Any], lock: int, output: int) -> _Held | None:
    pid = os.fork()
    if pid == 0:
        become_program(command, options, lock, output)
    return _Held(pid, is_ours=True)


def _fork_elsewhere(
    command: list[str], options: Mapping[str, Any], lock: int, output: int
) -> _Held | None:
    """Let the fork server start the program; None when it does not answer.

    It may start it nevertheless: then the lock stays taken, and tells of it.
    """
    import socket  # not needed, and not loaded, by those who start their program themselves

    request = {
        "name": options["name"],
        "note": _note(options),
        "environment": dict(os.environ),
        "directory": os.getcwd(),  # noqa: PTH109 light
        "command": command,
    }
    server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    server.settimeout(ANSWER_SECONDS)
    try:
        server.connect(options["fork_server"])
        socket.send_fds(server, [json.dumps(request).encode()], [lock, output])
    except OSError:
        server.close()
        return None
    pid = _answer(server).get("pid")
    return _Held(pid, server=server) if pid else None


def _answer(server: socket.socket) -> dict[str, int]:
    try:
        answer: dict[str, int] = json.loads(server.recv(ANSWER_BYTES))
    except (OSError, ValueError):
        return {}
    return answer


def _note(options: Mapping[str, Any]) -> dict[str, object]:
    return {name: options[name] for name in ("priority", "stop_signal", "stop_seconds")}


def _process_behind(lock: int) -> int:
    """Return who wrote the file that is locked, 0 when that process is gone."""
    try:
        note = json.loads(os.pread(lock, CHUNK_BYTES, 0))
        pid, started = int(note["pid"]), note["started"]
    except (ValueError, KeyError):
        return 0
    # What was written by one before may still stand there, and its number be given anew.
    return pid if started == start_of(pid) else 0


def start_of(pid: int) -> int | None:
    """Return when the process began, in the kernel's ticks; None when it has ended.

    Two processes of the same number differ in this. Without /proc it is 0 for all that live.
    """
    if sys.platform != "linux":
        return 0 if _is_there(pid) else None
    # proc_pid_stat(5): the name, in parentheses, may hold anything; state and times follow.
    fields = _content(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    return None if not fields or fields[0] in (b"Z", b"X") else int(fields[19])


def enter_session(lock: int, output: int, note: dict[str, object]) -> None:
    """Make this process the program: in a session of its own, noted, writing to the pipe.

    The lock is the program's from here on: it outlives the holder and ends with the program.
    """
    os.setsid()
    note = {"pid": os.getpid(), "started": start_of(os.getpid()), **note}
    os.ftruncate(lock, 0)
    os.pwrite(lock, json.dumps(note).encode(), 0)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
    for descriptor in (1, 2):
        os.dup2(output, descriptor)
    os.close(output)


def become_program(command: list[str], options: Mapping[str, Any], lock: int, output: int) -> None:
    """Become the command, noted by the lock; never returns."""
    enter_session(lock, output, _note(options))
    fcntl.fcntl(lock, fcntl.F_SETFD, 0)  # not closed by exec
    if options["user"] is not None:
        user, group = options["user"]
        os.setgroups([])
        os.setgid(group)
        os.setuid(user)
    # Those of a supervisor that an older version has started do not name any.
    for path in options.get("pid_files", ()):
        _disown(path)
    try:
        os.execvp(command[0], command)  # noqa: S606 no shell is wanted
    except OSError as error:
        os.write(2, f"{command[0]}: {error.strerror}\n".encode())
        os._exit(127)


def _disown(path: str) -> None:
    """Take a pid file over from a process that has ended but that nobody has waited for yet.

    To a program that asks the kernel whether the number is in use such a one is alive: it would not
    start until the first process of the machine or container has waited for it, which some do late
    and some never. Its own number it takes for stale, and goes on with its other checks
    (PostgreSQL: whether anything still uses the shared memory that the file names).
    """
    number, newline, rest = _content(path).partition(b"\n")
    if number.isdigit() and _is_there(int(number)) and start_of(int(number)) is None:
        with open(f"{path}.new", "wb") as file:  # noqa: PTH123 light
            file.write(b"%d" % os.getpid() + newline + rest)
        os.replace(f"{path}.new", path)  # noqa: PTH105 light


def _pass_stop_signals_on(pid: int, stop_signal: signal.Signals, seconds: int) -> None:
    def kill(_number: int, _frame: FrameType | None) -> None:
        _signal_group(pid, signal.SIGKILL)

    def stop(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGALRM, kill)
        signal.alarm(seconds)
        _signal(pid, stop_signal)

    for number in STOP_SIGNALS:
        signal.signal(number, stop)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _signal_group(pid: int, number: int) -> None:
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return


class _Relay:
    """Passes on what the program writes, as fast as the supervisor takes it and no faster."""

    def __init__(self, source: int, target: int) -> None:
        self._source, self._target, self._pending = source, target, b""
        os.set_blocking(target, False)

    def prepare(self, poller: select.poll) -> None:
        """Ask for what can be done next: to pass on what was read, or else to read."""
        poller.register(self._source, 0 if self._pending else select.POLLIN)
        poller.register(self._target, select.POLLOUT if self._pending else 0)

    def move(self, ready: dict[int, int]) -> bool:
        """Do it; tell whether anything was to be done."""
        if self._pending and self._target in ready:
            self._pending = self._pending[os.write(self._target, self._pending) :]
            return True
        if not self._pending and self._source in ready:
            self._pending = os.read(self._source, CHUNK_BYTES)
            return True
        return False


def _relay_until_end(held: _Held, output: int) -> int:
    """Pass output on until the program has ended and all is passed on; return its exit status."""
    poller, relay = select.poll(), _Relay(output, 1)
    end = os.pidfd_open(held.pid) if sys.platform == "linux" else -1
    if end >= 0:
        poller.register(end, select.POLLIN)
    parent, status = os.getppid(), None
    while True:
        relay.prepare(poller)
        # Once it has ended nothing is waited for but that the supervisor takes the last lines.
        patience = LOOK_MILLISECONDS if status is None else LAST_LINES_MILLISECONDS
        ready = dict(poller.poll(patience))
        if os.getppid() != parent:
            sys.exit("the supervisor is gone")
        moved = relay.move(ready)
        if status is not None and not moved:
            return status
        if status is None and (end < 0 or end in ready):
            status = held.exit_status(has_ended=end in ready)
            if status is not None and end >= 0:
                poller.unregister(end)


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    main()

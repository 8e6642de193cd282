"""Start Python programs from one process that has loaded what they share.

``python -m infra.stack.programs.fork_server SOCKET MODULE …`` imports the modules once and then
forks, for each holder (``holder.py``) that asks, a child that becomes the program: at a common
start libraries are loaded once, not once in each process; a killed one is back without loading
anything. It never runs a thread, a loop or a connection of its own, so that nothing is in the
middle of something when it forks. Its end ends no program. Linux only.
"""

import array
import gc
import importlib
import json
import os
import selectors
import socket
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from setproctitle import getproctitle, setproctitle

from infra.stack.programs import holder, launch
from infra.stack.programs.launch import become, put_collector_off

LAUNCH = [sys.executable, "-m", launch.MODULE]
STANDARD = 2
"""The descriptors up to this one are input and output."""
REQUEST_BYTES = 1 << 20
REQUEST_SECONDS = 1.0
DESCRIPTORS = 2
"""That come with a request: the file that the program keeps locked, the pipe for its output."""


class ForkServer:
    """Forks a program per request and tells whoever asked its process id and its exit status."""

    def __init__(self, path: Path, inherited: Iterable[int]) -> None:
        self._inherited = tuple(inherited)
        path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind(str(path))
        path.chmod(0o600)
        self._listener.listen(64)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._running: dict[int, tuple[int, socket.socket]] = {}
        """By the descriptor that tells of its end: a child, and the holder to tell it to."""

    def serve(self) -> Callable[[], int]:
        """Serve until killed; in each child, return the program that it is to run."""
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is not self._listener:
                    self._tell_end(key.fd)
                elif program := self._accept():
                    return program

    def _accept(self) -> Callable[[], int] | None:
        """Fork the program that is asked for; in the child, return what it is to run."""
        connection, _ = self._listener.accept()
        connection.settimeout(REQUEST_SECONDS)  # one who asks for nothing holds up nobody
        try:
            request, descriptors = _receive(connection)
        except (OSError, ValueError, KeyError, TypeError):
            connection.close()
            return None
        pid = os.fork()
        if pid == 0:
            connection.close()
            return self._program(request, *descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        _tell(connection, {"pid": pid})
        end = os.pidfd_open(pid)
        self._running[end] = pid, connection
        self._selector.register(end, selectors.EVENT_READ)
        return None

    def _tell_end(self, end: int) -> None:
        pid, connection = self._running.pop(end)
        _, status = os.waitpid(pid, 0)
        self._selector.unregister(end)
        os.close(end)
        _tell(connection, {"status": os.waitstatus_to_exitcode(status)})
        connection.close()

    def _program(self, request: Mapping[str, Any], lock: int, output: int) -> Callable[[], int]:
        """Leave everything of the server behind; return the program."""
        self._selector.close()
        self._listener.close()
        for descriptor in self._inherited:
            os.close(descriptor)
        for end, (_, connection) in self._running.items():
            os.close(end)
            connection.close()
        holder.enter_session(lock, output, request["note"])
        os.environ.clear()
        os.environ.update(request["environment"])
        os.chdir(request["directory"])
        module, *arguments = request["command"][len(LAUNCH) :]
        setproctitle(f"aether {request['name']}: {' '.join((module, *arguments))}")
        return lambda: become(module, arguments)


def _receive(connection: socket.socket) -> tuple[Mapping[str, Any], list[int]]:
    """Return a request and its descriptors.

    Raises:
        ValueError, KeyError, TypeError: it is not one.
    """
    size = socket.CMSG_SPACE(DESCRIPTORS * array.array("i").itemsize)
    content, ancillary, _, _ = connection.recvmsg(REQUEST_BYTES, size)
    descriptors = array.array("i")
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            descriptors.frombytes(data)
    try:
        request = json.loads(content)
        if len(descriptors) != DESCRIPTORS or request["command"][: len(LAUNCH)] != LAUNCH:
            raise ValueError("two descriptors and a command of the launcher are asked for")
    except (ValueError, KeyError, TypeError):
        for descriptor in descriptors:
            os.close(descriptor)
        raise
    return request, list(descriptors)


def _inherited() -> list[int]:
    """Return the descriptors that came with the start.

    One of them is the lock that tells that the server lives: it must not live on in a child.
    """
    numbers = [int(name) for name in os.listdir("/proc/self/fd")]  # noqa: PTH208 no files
    # The one that the listing itself was read from is closed by now.
    return [number for number in numbers if number > STANDARD and _is_open(number)]


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def _tell(connection: socket.socket, message: Mapping[str, int]) -> None:
    # A holder that died is replaced by one that finds the program by its lock.
    with suppress(OSError):
        connection.send(json.dumps(message).encode())


def main() -> None:
    """Load the modules, then serve."""
    inherited = _inherited()
    gc.disable()
    getproctitle()  # finds the title's place by the environment, which is another later
    _, path, *modules = sys.argv
    for module in modules:
        importlib.import_module(module)
    # What is shared stays shared: a collection would touch, and so copy, all of it in each child.
    # Not even one before, for which everybody would wait: it would give no memory back.
    gc.freeze()
    program = ForkServer(Path(path), inherited).serve()
    # Here only children arrive, with nothing of the server left on their stack.
    put_collector_off()
    gc.enable()
    sys.exit(program())


if __name__ == "__main__":
    main()

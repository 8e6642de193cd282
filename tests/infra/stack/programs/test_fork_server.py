"""Programs that are forked behave as those that load by themselves, whatever is killed."""

import json
import os
import signal
import socket
import sys
from pathlib import Path

import psutil
import pytest

from infra.stack.programs import holder, launch
from infra.stack.programs.supervision import Program, Supervisor
from tests.infra.stack.programs.test_supervision import is_gone, pid_of, state_of, wait_for

if sys.platform != "linux":
    pytest.skip("programs are forked on Linux only", allow_module_level=True)

PROGRAM = """
import os, sys, time
from pathlib import Path

def main():
    words = [str(os.getpid()), str(os.getppid()), os.getcwd(), os.environ["PLACE"], *sys.argv[1:]]
    path = Path(os.environ["PLACE"], "told")
    path.with_suffix(".part").write_text(" ".join(words))
    path.with_suffix(".part").replace(path)  # whoever finds it finds all of it
    print("written by", os.getpid())
    while not Path(os.environ["PLACE"], "end").exists():
        time.sleep(0.02)
    return int(Path(os.environ["PLACE"], "end").read_text())
"""
LAUNCHED = [sys.executable, "-m", launch.MODULE, "a_program", "one", "two words"]


@pytest.fixture
def place(tmp_path):
    (tmp_path / "a_program.py").write_text(PROGRAM)
    for name in ("run", "logs"):
        (tmp_path / name).mkdir()
    return tmp_path


@pytest.fixture
def supervisor(place):
    found = Supervisor(place / "run", place / "run", place / "logs")
    yield found
    found.stop()


def socket_of(place):
    return place / "run" / "fork.sock"


def start(place, supervisor, *, serves=True):
    """Start a forked program, with or without somebody who forks it."""
    command = [
        sys.executable,
        "-m",
        "infra.stack.programs.fork_server",
        str(socket_of(place)),
        "a_program",
    ]
    server = [Program("fork-server", command, 5)] if serves else []
    supervisor.configure(
        [*server, Program("worker", LAUNCHED, 10, stop_seconds=2, fork_server=socket_of(place))]
    )
    supervisor.start({**os.environ, "PLACE": str(place), "PYTHONPATH": str(place)})


def told(place):
    """Return what the program said of itself: its words, its parent first."""
    path = place / "told"
    return path.read_text().split(" ", 4) if path.exists() else None


def test_forked_program_has_its_own_words_place_log_and_title(place, supervisor):
    start(place, supervisor)
    pid, parent, directory, _, arguments = wait_for(lambda: told(place))
    assert int(parent) == pid_of(supervisor, "fork-server")
    assert int(pid) == pid_of(supervisor, "worker") == os.getsid(int(pid))
    assert (directory, arguments) == (str(place / "run"), "one two words")
    assert psutil.Process(int(pid)).cmdline()[0].startswith("aether worker: a_program one")
    log = place / "logs" / "worker.log"
    wait_for(lambda: f"written by {pid}" in log.read_text())


@pytest.mark.parametrize(("status", "state"), [(2, "exited"), (3, "running")])
def test_supervisor_learns_how_a_forked_program_ended(place, supervisor, status, state):
    start(place, supervisor)
    first, *_ = wait_for(lambda: told(place))
    (place / "told").unlink()
    (place / "end").write_text(str(status))
    wait_for(lambda: is_gone(int(first)))
    if state == "running":
        (place / "end").unlink()
        wait_for(lambda: told(place))
    wait_for(lambda: state_of(supervisor, "worker") == state)
    said = (place / "logs" / "supervisord.log").read_text()
    assert f"exited: worker (exit status {status};" in said


def test_killed_program_is_forked_again(place, supervisor):
    start(place, supervisor)
    first, parent, *_ = wait_for(lambda: told(place))
    (place / "told").unlink()
    os.kill(int(first), signal.SIGKILL)
    second, again, *_ = wait_for(lambda: told(place))
    assert second != first
    assert again == parent


def test_end_of_the_server_ends_no_program(place, supervisor):
    start(place, supervisor)
    worker, server, *_ = wait_for(lambda: told(place))
    os.kill(int(server), signal.SIGKILL)
    wait_for(lambda: pid_of(supervisor, "fork-server") not in (0, int(server)))
    assert pid_of(supervisor, "worker") == int(worker)
    assert not is_gone(int(worker))
    (place / "told").unlink()
    os.kill(int(worker), signal.SIGKILL)
    _, parent, *_ = wait_for(lambda: told(place))
    assert int(parent) == pid_of(supervisor, "fork-server")


def test_server_and_program_killed_at_once_come_back(place, supervisor):
    start(place, supervisor)
    worker, server, *_ = wait_for(lambda: told(place))
    (place / "told").unlink()
    for pid in (server, worker):
        os.kill(int(pid), signal.SIGKILL)
    again, *_ = wait_for(lambda: told(place))
    assert int(again) == pid_of(supervisor, "worker") != int(worker)


def test_next_supervisor_takes_forked_programs_on(place, supervisor):
    start(place, supervisor)
    worker, *_ = wait_for(lambda: told(place))
    os.kill(supervisor.pid, signal.SIGKILL)
    wait_for(lambda: not supervisor.is_running)
    supervisor.start({**os.environ, "PLACE": str(place), "PYTHONPATH": str(place)}, take_on=True)
    wait_for(lambda: state_of(supervisor, "worker") == "running")
    assert pid_of(supervisor, "worker") == int(worker)
    supervisor.stop()
    assert is_gone(int(worker))


def test_without_a_server_a_program_loads_by_itself(place, supervisor, monkeypatch):
    # The holder is a program of its own: it is told the shorter wait by its source.
    impatient = place / "holder.py"
    waits = f"FORK_SERVER_SECONDS = {holder.FORK_SERVER_SECONDS}"
    source = Path(holder.__file__).read_text()
    assert waits in source
    impatient.write_text(source.replace(waits, "FORK_SERVER_SECONDS = 0.5"))
    monkeypatch.setattr("infra.stack.programs.supervision.HOLDER", impatient)
    start(place, supervisor, serves=False)
    worker, *_ = wait_for(lambda: told(place))
    assert pid_of(supervisor, "worker") == int(worker)


def test_what_is_no_request_is_refused_and_harms_nobody(place, supervisor):
    start(place, supervisor)
    worker, server, *_ = wait_for(lambda: told(place))
    for content in (
        b"no JSON",
        b"[1]",
        b"{}",
        json.dumps({"command": ["/bin/true"]}).encode(),
        b"",
    ):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
            connection.connect(str(socket_of(place)))
            if content:
                connection.send(content)
                assert connection.recv(100) == b""
    assert pid_of(supervisor, "fork-server") == int(server)
    assert pid_of(supervisor, "worker") == int(worker)


def test_one_who_connects_and_asks_for_nothing_holds_up_nobody(place, supervisor):
    start(place, supervisor)
    worker, server, *_ = wait_for(lambda: told(place))
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as silent:
        silent.connect(str(socket_of(place)))
        (place / "told").unlink()
        os.kill(int(worker), signal.SIGKILL)
        _, parent, *_ = wait_for(lambda: told(place))
    assert parent == server

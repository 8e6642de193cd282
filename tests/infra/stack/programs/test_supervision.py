"""The supervisor restarts what is killed, the keeper restarts the supervisor, none is orphaned."""

import os
import signal
import sys
import time

import psutil
import pytest

from infra.runtime.errors import NotRunningError, StartError
from infra.stack.programs import supervision
from infra.stack.programs.held_programs import SUFFIX
from infra.stack.programs.supervision import KEEPER, MODULE, Program, render_settings

DEADLINE_SECONDS = 10.0
SLEEPER = (
    "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); signal.pause()"
)

TALKER = """
import itertools, time
for number in itertools.count():
    print(number)
    time.sleep(0.01)
"""


def programs(tmp_path, **changes):
    places = [str(tmp_path / "run"), str(tmp_path / "run"), str(tmp_path / "logs")]
    keeper = [sys.executable, "-m", "infra.stack.programs.keeper", *places]
    return [
        Program("worker", [sys.executable, "-c", SLEEPER], 10, **changes),
        Program(KEEPER, keeper, 999, is_held=False),
    ]


def wait_for(condition):
    until = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < until:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("it did not come to pass")


def pid_of(supervisor, name):
    try:
        return next(p.pid for p in supervisor.processes() if p.name == name)
    except NotRunningError:
        return 0


def state_of(supervisor, name):
    try:
        return next(p.state for p in supervisor.processes() if p.name == name)
    except NotRunningError:
        return ""


def holders_of(pid):
    """Return who holds the program: its parent, or who has taken it on."""
    words = [f"worker{SUFFIX}", "holder.py"]
    found = []
    for process in psutil.process_iter(["pid", "cmdline"]):
        line = " ".join(process.info["cmdline"] or ())
        if process.info["pid"] != pid and all(word in line for word in words):
            found.append(process.info["pid"])
    return found


def is_gone(pid):
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def program_runs(pid):
    """Tell whether the process has become the program (then a signal meets the program).

    Before that it is, for a moment after its fork, still its holder's or its supervisor's image.
    """
    try:
        words = psutil.Process(pid).cmdline() if pid else []
        return words and MODULE not in words and "holder" not in " ".join(words)
    except psutil.Error:
        return False


def test_killed_program_is_started_again_at_once(tmp_path, supervisor):
    supervisor.configure(programs(tmp_path))
    supervisor.start(os.environ)
    first = wait_for(lambda: pid_of(supervisor, "worker"))
    began = time.monotonic()
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: pid_of(supervisor, "worker") not in (0, first))
    assert time.monotonic() - began < 2


def test_programs_outlive_a_killed_supervisor_and_are_taken_on_by_the_next(tmp_path, supervisor):
    supervisor.configure(programs(tmp_path))
    supervisor.start(os.environ)
    old, keeper = supervisor.pid, wait_for(lambda: pid_of(supervisor, KEEPER))
    worker = wait_for(lambda: pid_of(supervisor, "worker"))
    wait_for(lambda: program_runs(worker) and program_runs(keeper))
    os.kill(old, signal.SIGKILL)
    wait_for(lambda: supervisor.pid not in (None, old))
    wait_for(lambda: is_gone(keeper))
    wait_for(lambda: state_of(supervisor, "worker") == "running")
    assert pid_of(supervisor, "worker") == worker
    assert not is_gone(worker)
    os.kill(worker, signal.SIGKILL)
    wait_for(lambda: pid_of(supervisor, "worker") not in (0, worker))


def test_program_outlives_its_killed_holder(tmp_path, supervisor):
    supervisor.configure(programs(tmp_path))
    supervisor.start(os.environ)
    worker = wait_for(lambda: pid_of(supervisor, "worker"))
    wait_for(lambda: program_runs(worker))
    holder = psutil.Process(worker).ppid()
    os.kill(holder, signal.SIGKILL)
    wait_for(lambda: [one for one in holders_of(worker) if one != holder])
    assert pid_of(supervisor, "worker") == worker
    assert supervisor.stop()
    assert is_gone(worker)


def test_what_is_written_while_there_is_no_supervisor_reaches_the_log(tmp_path, supervisor):
    talker = tmp_path / "talker.py"
    talker.write_text(TALKER)
    command = [sys.executable, "-u", "-S", str(talker)]
    keeper = programs(tmp_path)[1]
    supervisor.configure([Program("worker", command, 10), keeper])
    supervisor.start(os.environ)
    log = tmp_path / "logs" / "worker.log"
    wait_for(lambda: log.exists() and log.read_text())
    old = supervisor.pid
    os.kill(old, signal.SIGKILL)
    wait_for(lambda: supervisor.pid not in (None, old))
    last = int(log.read_text().split()[-1])
    wait_for(lambda: int(log.read_text().split()[-1]) > last + 20)
    numbers = [int(word) for word in log.read_text().split()]
    missing = set(range(numbers[-1])) - set(numbers)
    # What the killed supervisor and holder had in hand is lost with them, and no more.
    assert len(missing) < 20


def test_programs_that_nobody_supervises_are_ended_by_a_stop_and_by_a_new_start(
    tmp_path, supervisor
):
    supervisor.configure(programs(tmp_path)[:1])  # no keeper: nobody starts it again
    first = lose_the_supervisor(supervisor)
    assert not is_gone(first)
    supervisor.start(os.environ)
    assert is_gone(first)
    second = lose_the_supervisor(supervisor)
    assert not is_gone(second)
    assert supervisor.stop()
    assert is_gone(second)


def lose_the_supervisor(supervisor):
    """Start, kill the supervisor once its program runs, and return the program's process id."""
    supervisor.start(os.environ)
    worker = wait_for(lambda: pid_of(supervisor, "worker"))
    wait_for(lambda: program_runs(worker))
    os.kill(supervisor.pid, signal.SIGKILL)
    wait_for(lambda: not supervisor.is_running)
    return worker


def test_program_that_does_not_stop_is_killed(tmp_path, supervisor):
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(99)"
    command = [sys.executable, "-S", "-c", stubborn]
    supervisor.configure([Program("worker", command, 10, stop_seconds=1)])
    supervisor.start(os.environ)
    worker = wait_for(lambda: pid_of(supervisor, "worker"))
    wait_for(lambda: program_runs(worker))
    assert supervisor.stop()
    assert is_gone(worker)


def test_killed_keeper_is_started_again(tmp_path, supervisor):
    supervisor.configure(programs(tmp_path))
    supervisor.start(os.environ)
    keeper = wait_for(lambda: pid_of(supervisor, KEEPER))
    os.kill(keeper, signal.SIGKILL)
    wait_for(lambda: pid_of(supervisor, KEEPER) not in (0, keeper))


def test_all_killed_at_once_leaves_nothing_and_starts_again(tmp_path, supervisor):
    supervisor.configure(programs(tmp_path))
    supervisor.start(os.environ)
    victims = [supervisor.pid, wait_for(lambda: pid_of(supervisor, KEEPER))]
    victims.insert(0, wait_for(lambda: pid_of(supervisor, "worker")))
    for pid in reversed(victims):
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: all(is_gone(pid) for pid in victims))
    assert not supervisor.is_running
    supervisor.start(os.environ)
    assert wait_for(lambda: pid_of(supervisor, "worker")) not in victims


def test_stop_ends_everything_and_keeps_it_ended(tmp_path, supervisor):
    supervisor.configure(programs(tmp_path))
    supervisor.start(os.environ)
    pids = [wait_for(lambda name=name: pid_of(supervisor, name)) for name in ("worker", KEEPER)]
    wait_for(lambda: all(program_runs(pid) for pid in pids))
    assert supervisor.stop()
    assert all(is_gone(pid) for pid in pids)
    assert not supervisor.is_wanted
    assert not supervisor.stop()


def test_wrong_configuration_is_not_tried_again(tmp_path, supervisor):
    command = [sys.executable, "-c", "print('SPEED is wrong'); raise SystemExit(2)"]
    supervisor.configure([Program("worker", command, 10)])
    supervisor.start(os.environ)
    ended = wait_for(lambda: [p for p in supervisor.processes() if p.state == "exited"])
    assert ended[0].exit_status == 2
    assert wait_for(lambda: supervisor.last_words("worker") == "SPEED is wrong")


def test_any_other_end_is_tried_again_without_end(tmp_path, supervisor):
    marks = tmp_path / "marks"
    code = f"open({str(marks)!r}, 'a').write('x'); raise SystemExit(1)"
    supervisor.configure([Program("worker", [sys.executable, "-S", "-c", code], 10)])
    supervisor.start(os.environ)
    wait_for(lambda: marks.exists() and len(marks.read_text()) >= 6)


def test_program_waits_for_its_start_file(tmp_path, supervisor):
    ready = tmp_path / "prepared"
    supervisor.configure(programs(tmp_path, wait_for=ready))
    supervisor.start(os.environ)
    wait_for(lambda: state_of(supervisor, "worker") == "running")
    assert pid_of(supervisor, "worker") == 0
    ready.touch()
    wait_for(lambda: program_runs(pid_of(supervisor, "worker")))


def test_stale_socket_and_pid_file_do_not_stand_in_the_way(tmp_path, supervisor):
    (tmp_path / "run" / "supervisord.pid").write_text("999999")
    import socket as sockets

    stale = sockets.socket(sockets.AF_UNIX)
    stale.bind(str(tmp_path / "run" / "supervisor.sock"))
    stale.close()
    supervisor.configure(programs(tmp_path))
    supervisor.start(os.environ)
    assert supervisor.is_running


def test_percent_signs_in_paths_are_escaped(tmp_path):
    odd = tmp_path / "100%"
    text = render_settings(programs(tmp_path), odd / "s", odd, odd)
    assert "100%%" in text


def test_a_stop_goes_on_while_programs_end_one_by_one(supervisor, tmp_path, monkeypatch):
    """Three programs that take a while each: longer together than any of them may alone."""
    supervisor.configure(programs(tmp_path))
    supervisor.start(os.environ)
    assert wait_for(lambda: pid_of(supervisor, "worker"))
    living = iter([3, 2, 1, 1, 1])
    monkeypatch.setattr(supervision, "living", lambda _run: range(next(living)))
    monkeypatch.setattr(supervision, "_has_ended", lambda _pid: False)
    with pytest.raises(StartError, match="1 programs live"):
        supervisor.stop(seconds=0.1)
    assert list(living) == [1]

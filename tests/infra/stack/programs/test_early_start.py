"""What is started before the command has loaded runs once, and not when the start is refused."""

import json
import os
import sys

import pytest

from infra.stack.programs.early_start import NOTE, EarlyStart
from infra.stack.programs.held_programs import end_all, living
from infra.stack.programs.supervision import Program, Supervisor
from tests.infra.stack.programs.test_supervision import is_gone, pid_of, state_of, wait_for

if sys.platform != "linux":
    pytest.skip("programs are forked on Linux only", allow_module_level=True)

NAME = "sleeper"
WORDS = "import os, time; print(os.getcwd(), os.environ['SAID'], flush=True); time.sleep(60)"
COMMAND = [sys.executable, "-c", WORDS]
PROGRAM = Program(NAME, COMMAND, priority=7)


@pytest.fixture
def home(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "logs").mkdir()
    note = {"options": PROGRAM.holding(tmp_path / "run"), "command": COMMAND}
    note |= {"environment": {"SAID": "early"}}
    (tmp_path / "run" / NOTE).write_text(json.dumps(note))
    yield tmp_path
    end_all(tmp_path / "run")


@pytest.fixture
def early():
    found = EarlyStart()
    yield found
    found.give_up()


def environment(home):
    return {"AETHER_HOME": str(home)}


def test_what_was_noted_runs_and_is_known_by_its_lock(home, early):
    early.begin(["up"], environment(home))
    assert early.is_running(COMMAND)
    assert not early.is_running([*COMMAND, "another"])
    wait_for(lambda: NAME in living(home / "run"))
    program = living(home / "run")[NAME]
    assert (program.pid, program.priority) == (early.pid, 7)
    assert end_all(home / "run", keep=[early.pid]) == []
    assert early.is_running(COMMAND)


def test_what_is_given_up_is_gone_and_may_be_started_again(home, early):
    early.begin(["run"], environment(home))
    pid = early.pid
    early.give_up()
    assert is_gone(pid)
    assert living(home / "run") == {}
    early.begin(["run"], environment(home))
    assert early.is_running(COMMAND)


def test_only_one_runs(home, early):
    early.begin(["up"], environment(home))
    second = EarlyStart()
    second.begin(["up"], environment(home))
    assert not second.pid
    second.give_up()
    assert early.is_running(COMMAND)


@pytest.mark.parametrize(
    ("arguments", "note"),
    [
        (["up", "--help"], None),
        (["status"], None),
        ([], None),
        (["up"], "{"),
        (["up"], "[]"),
        (["up"], '{"options": {}, "command": []}'),
    ],
)
def test_nothing_is_started_for_anything_else(home, early, arguments, note):
    if note is not None:
        (home / "run" / NOTE).write_text(note)
    early.begin(arguments, environment(home))
    assert not early.pid
    assert living(home / "run") == {}


def test_nothing_is_started_where_nothing_was_installed(tmp_path, early):
    early.begin(["up"], environment(tmp_path))
    assert not early.pid
    assert list(tmp_path.iterdir()) == []


def test_command_that_cannot_be_run_ends_and_nothing_else_goes_on(home, early):
    note = json.loads((home / "run" / NOTE).read_text())
    note["command"] = [str(home / "missing")]
    (home / "run" / NOTE).write_text(json.dumps(note))
    early.begin(["up"], environment(home))
    wait_for(lambda: not early.is_running(note["command"]))
    assert living(home / "run") == {}


def test_holder_takes_on_what_was_started_early(home, early):
    early.begin(["up"], environment(home))
    supervisor = Supervisor(home / "run", home / "run", home / "logs")
    supervisor.configure([PROGRAM])
    supervisor.start({**os.environ, "SAID": "late"}, keep=[early.pid])
    pid = early.pid
    early.hand_over()
    try:
        wait_for(
            lambda: state_of(supervisor, NAME) == "running" and pid_of(supervisor, NAME) == pid
        )
        log = home / "logs" / f"{NAME}.log"
        wait_for(lambda: f"{home / 'run'} early" in log.read_text())
        # Nobody else was started beside it, and it ends with the stack.
        assert [one.pid for one in living(home / "run").values()] == [pid]
    finally:
        supervisor.stop()
    wait_for(lambda: is_gone(pid))

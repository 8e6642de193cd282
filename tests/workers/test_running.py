"""How every process begins, waits, and ends."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from temporalio.service import RPCError, RPCStatusCode

from activities.pauses import GrowingPause
from infra.runtime.settings import Settings
from workers import running
from workers.running import connected, until_it_works

ROOT = Path(__file__).parents[2]
AT_ONCE = GrowingPause(0.001, 0.001)
PROGRAM = """
import os, signal, sys
from infra.runtime.errors import PlatformError
from workers.running import run_process

async def run(settings, stop):
    if sys.argv[1] == "refuses":
        raise PlatformError("there is no broker")
    os.kill(os.getpid(), getattr(signal, sys.argv[1]))
    await stop.wait()
    print("stopped in order at", os.nice(0))

sys.exit(run_process("of a test", run, int(sys.argv[2])))
"""
PROCESSES = sorted(
    path
    for path in (ROOT / "workers").rglob("*.py")
    if "run_process(" in path.read_text() and path.name != "running.py"
)


def program(*words):
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_signal_lets_a_process_end_in_order(name):
    before = os.nice(0)
    done = program(name, "3")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"stopped in order at {min(19, before + 3)}" in done.stdout


def test_a_process_that_cannot_start_says_why_in_one_line():
    done = program("refuses", "0")
    assert (done.returncode, done.stderr) == (2, "there is no broker\n")


def test_no_process_writes_again_what_all_share():
    names = {path.relative_to(ROOT / "workers").as_posix() for path in PROCESSES}
    assert names == {
        *("backups/process.py", "events/process.py", "learning.py", "market.py"),
        *("notifications/process.py", "research/process.py", "trading.py"),
    }
    for path in PROCESSES:
        text = path.read_text()
        assert "add_signal_handler" not in text, path
        assert "connect_temporal" not in text, path


async def test_an_attempt_is_repeated_until_it_works():
    answers = iter([ConnectionError("not yet"), ConnectionError("not yet"), "there"])

    async def attempt():
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    found = await until_it_works(attempt, asyncio.Event(), (ConnectionError,), "fails", AT_ONCE)
    assert found == "there"
    assert next(answers, None) is None


async def test_nothing_is_attempted_after_a_stop_and_other_failures_are_passed_on():
    stop = asyncio.Event()

    async def attempt():
        stop.set()
        raise ConnectionError("not yet")

    assert await until_it_works(attempt, stop, (ConnectionError,), "fails", AT_ONCE) is None
    stop.clear()
    with pytest.raises(ConnectionError):
        await until_it_works(attempt, stop, (RPCError,), "fails", AT_ONCE)


async def test_a_client_is_returned_after_what_comes_first_has_been_done(monkeypatch):
    refused = RPCError("no namespace yet", RPCStatusCode.UNAVAILABLE, b"")
    connections = iter([RuntimeError("refused"), "first client", "second client"])
    done, failures = [], iter([refused, None])

    async def connect(_settings, _runtime):
        answer = next(connections)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def schedule(client):
        done.append(client)
        failure = next(failures)
        if failure:
            raise failure

    monkeypatch.setattr(running, "connect_temporal", connect)
    client = await connected(Settings(), asyncio.Event(), schedule, pause=AT_ONCE)
    assert client == "second client"
    assert done == ["first client", "second client"]

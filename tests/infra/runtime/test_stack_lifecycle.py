"""The whole stack: up, everything killed at once, up again with the same state, down."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import pytest

from infra.runtime.settings import Settings
from infra.runtime.stack import Stack

pytestmark = [pytest.mark.stack, pytest.mark.timeout(280)]
PORT_BASE = 21430
PROCESSES = {
    "postgres",
    "temporal",
    "exchange",
    "trading",
    "trading-standby",
    "market",
    "api",
    "keeper",
}


@pytest.fixture
def home():
    # Not pytest's own directory: each session closes that to other users, and where tests run as
    # root PostgreSQL is another user.
    with tempfile.TemporaryDirectory(prefix="aether-stack-", dir="/tmp") as directory:
        yield Path(directory) / "home"


@pytest.fixture
def environment(home):
    """A stack of its own, down again at the end whatever happened."""
    values = {name: value for name, value in os.environ.items() if name not in ("MARKET", "SPEED")}
    values |= {"AETHER_HOME": str(home), "AETHER_PORT_BASE": str(PORT_BASE)}
    yield values
    aether(values, "down")


def aether(environment, *words):
    return subprocess.run(
        [sys.executable, "-m", "cli.main", *words],
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def status(environment):
    return json.loads(aether(environment, "status", "--json").stdout)


def test_stack_comes_up_survives_the_death_of_all_and_goes_down(environment, home):
    up = aether(environment, "up")
    assert up.returncode == 0, up.stderr
    assert "Administrator token" in up.stderr
    first = status(environment)
    assert {process["name"] for process in first["processes"]} == PROCESSES
    assert {account["account"] for account in first["accounts"]} == {
        "company", "director-1", "director-2",
    }  # fmt: skip
    assert any("Vault" in words for words in first["lesser_forms"])

    kill_all(home)
    again = aether(environment, "up")
    assert again.returncode == 0, again.stderr
    assert "Administrator token" not in again.stderr
    second = status(environment)
    assert {p["name"] for p in second["processes"] if p["ready"]} == PROCESSES
    assert [a["account"] for a in second["accounts"]] == [a["account"] for a in first["accounts"]]

    refused = aether(environment | {"MARKET": "kraken"}, "up")
    assert refused.returncode == 2
    assert "belongs to the market generated" in refused.stderr

    assert aether(environment, "down").returncode == 0
    gone = aether(environment, "status")
    assert gone.returncode == 2
    assert gone.stderr.strip() == "error: the stack is not running: aether up"


def kill_all(home):
    """Kill keeper and supervisor first, so that neither brings the other back."""
    supervisor = Stack(Settings(home=home, port_base=PORT_BASE)).supervisor
    pids = {process.name: process.pid for process in supervisor.processes()}
    killed = [psutil.Process(pids.pop("keeper")), psutil.Process(supervisor.pid)]
    killed += [psutil.Process(pid) for pid in pids.values()]
    for process in killed:
        os.kill(process.pid, signal.SIGKILL)
    _, alive = psutil.wait_procs(killed, timeout=10)
    left = [p for p in alive if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]
    assert left == []

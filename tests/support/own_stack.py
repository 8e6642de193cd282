"""A whole embedded stack of one test, through the command line as a person would use it."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

COMMAND_SECONDS = 240


class OwnStack:
    """One installation under a temporary home."""

    def __init__(self, home: Path, port_base: int, **environment: str) -> None:
        kept = {n: v for n, v in os.environ.items() if n not in ("MARKET", "SPEED")}
        values = {"AETHER_HOME": str(home), "AETHER_PORT_BASE": str(port_base)}
        self.home = home
        self.port_base = port_base
        self.environment = kept | values | environment
        self.said_at_start = ""

    def aether(
        self, *words: str, typed: str = "", seconds: float = COMMAND_SECONDS
    ) -> subprocess.CompletedProcess[str]:
        """Run one command of the command line, with what it reads from its standard input.

        Raises:
            subprocess.TimeoutExpired: it has not ended in ``seconds``.
        """
        return subprocess.run(
            [sys.executable, "-m", "cli.entry", *words],
            env=self.environment,
            input=typed,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def json(self, *words: str) -> Any:
        """Run one command that prints JSON."""
        return json.loads(self.aether(*words, "--json").stdout)

    def control(self, path: str = "state") -> Any:
        """Ask the exchange simulator's control endpoint."""
        url = f"http://127.0.0.1:{self.port_base + 3}/control/{path}"
        return httpx.get(url, timeout=10).json()

    def trades(self, account: str) -> list[dict[str, Any]]:
        """Return an account's trades, newest first."""
        found: list[dict[str, Any]] = self.json("trade", "list", account, "--limit", "500")
        return found


@contextmanager
def own_home() -> Iterator[Path]:
    """Give a directory for a stack's state, gone afterwards."""
    # Not pytest's own directory: each session closes that to other users, and where tests run as
    # root PostgreSQL is another user.
    with tempfile.TemporaryDirectory(prefix="aether-stack-", dir="/tmp") as directory:
        yield Path(directory) / "home"


@contextmanager
def stack_in(home: Path, port_base: int, **environment: str) -> Iterator[OwnStack]:
    """Bring a stack up in a directory, and down again whatever happened."""
    stack = OwnStack(home, port_base, **environment)
    try:
        up = stack.aether("up")
        assert up.returncode == 0, up.stderr
        stack.said_at_start = up.stderr
        yield stack
    finally:
        stack.aether("down")


@contextmanager
def own_stack(port_base: int, **environment: str) -> Iterator[OwnStack]:
    """Bring a stack up in a directory of its own, and down again whatever happened."""
    with own_home() as home, stack_in(home, port_base, **environment) as stack:
        yield stack


def wait_until(condition: Any, what: str, seconds: float) -> Any:
    """Wait until a condition holds and return what it returned."""
    until = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < until, f"never: {what}"
        time.sleep(0.2)
    return found

"""The registry of models as the platform runs it: its own program over a database of its own."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from sqlalchemy.engine import make_url

from infra.runtime.database.connections import Role
from infra.runtime.settings import Settings
from tests.support.free_ports import free_block
from tests.support.postgres import PostgresServer

START_SECONDS = 600


def learning_environment(postgres: PostgresServer, database: str, home: Path) -> dict[str, str]:
    """Return what the processes of learning are told of a database and a home, on free ports."""
    url = make_url(postgres.url(Role.OWNER, database)).render_as_string(hide_password=False)
    return {
        **os.environ,
        "AETHER_HOME": str(home),
        "AETHER_PORT_BASE": str(free_block()),
        "AETHER_DATABASE_URL": url,
        "AETHER_LEARNING": "1",
    }


@contextmanager
def running(
    module: str, environment: dict[str, str], log: Path
) -> Iterator["subprocess.Popen[bytes]"]:
    """Start a program of the platform and ask it to end afterwards."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", module], env=environment, stdout=output, stderr=output
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=120)


@contextmanager
def running_registry(environment: dict[str, str], home: Path) -> Iterator[Settings]:
    """Start the registry's own program, wait until it answers, and yield its settings."""
    log = home / "registry.log"
    settings = Settings(home=home, port_base=int(environment["AETHER_PORT_BASE"]), learning=True)
    with running("infra.stack.model_registry", environment, log) as process:
        _wait_until_healthy(settings, process, log)
        yield settings


def _wait_until_healthy(settings: Settings, process: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            httpx.get(f"{settings.registry_url}/health", timeout=5, trust_env=False)
        except httpx.HTTPError:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.2)
        else:
            return

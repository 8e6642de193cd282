"""A real PostgreSQL for tests: one server per run, one database per module from a template."""

import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from infra.runtime.database.connections import Role
from infra.runtime.database.setup import create_database, migrate
from infra.stack import postgres_binaries

TEMPLATE = "aether_template"


class PostgresServer:
    """A server of its own in a temporary directory; durable settings are off unless asked for."""

    def __init__(self, home: Path, *, durable: bool = False) -> None:
        self.cluster = postgres_binaries.embedded_cluster(home)
        self.durable = durable
        self.process: subprocess.Popen[bytes] | None = None
        self._log = home / "postgres.log"

    def start(self) -> None:
        postgres_binaries.prepare(self.cluster)
        settings = {} if self.durable else {"fsync": "off", "full_page_writes": "off"}
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                postgres_binaries.command_line(self.cluster, **settings),
                stdout=log,
                stderr=log,
                cwd="/",
                **postgres_binaries.run_as(self.cluster),
            )
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + 30
        while True:
            try:
                psycopg.connect(self.cluster.url()).close()
            except psycopg.OperationalError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise RuntimeError(self._log.read_text()) from None
                time.sleep(0.02)
            else:
                return

    def kill(self) -> None:
        """Kill the server as a crash would, its children too, and wait until all are gone."""
        children = subprocess.run(
            ["ps", "--ppid", str(self.process.pid), "-o", "pid="],
            capture_output=True,
            text=True,
            check=False,
        ).stdout.split()
        self.process.kill()
        self.process.wait()
        for child in children:
            while Path(f"/proc/{child}/stat").exists():
                if Path(f"/proc/{child}/stat").read_text().split()[2] == "Z":
                    break
                time.sleep(0.01)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(30)

    def url(self, role: str, database: str) -> str:
        return self.cluster.url(role, database)

    def make_template(self) -> None:
        create_database(self.cluster.url(), TEMPLATE)
        migrate(self.url(Role.OWNER, TEMPLATE))

    def new_database(self) -> str:
        """Make a migrated, empty database and return its name."""
        name = f"aether_{uuid4().hex[:12]}"
        with psycopg.connect(self.cluster.url(), autocommit=True) as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {} STRATEGY FILE_COPY").format(
                    sql.Identifier(name), sql.Identifier(Role.OWNER), sql.Identifier(TEMPLATE)
                )
            )
        return name


@contextmanager
def running_postgres(*, durable: bool = False) -> Iterator[PostgresServer]:
    """Run a server with the migrated template for as long as the block lasts."""
    home = Path(tempfile.mkdtemp(prefix="aether-postgres-"))
    server = PostgresServer(home, durable=durable)
    try:
        server.start()
        server.make_template()
        yield server
    finally:
        server.stop()
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One server for the whole run."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="module")
def database_name(postgres: PostgresServer) -> str:
    """A fresh, migrated database for each test module."""
    return postgres.new_database()

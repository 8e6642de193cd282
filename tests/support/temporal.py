"""A real Temporal server for tests, tuned as the product starts it, and a small trading worker."""

import asyncio
import atexit
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import Client
from temporalio.service import RPCError, TLSConfig
from temporalio.worker import Worker

from activities.accounts.approvals import CarryOut
from activities.accounts.modes import ModeActivities
from activities.execution.timeouts import OrderTimeouts
from activities.governance.platform import PlatformActivities
from activities.ports.market import HedgeMarket
from infra.runtime.state_directory import StateDirectory
from infra.runtime.temporal.access import ensure_credentials, read_client_tls
from infra.runtime.temporal.workers import take_turns_whole, worker_options
from infra.stack.temporal_server import asks_for_credentials, find_or_provide, tuning
from models.contracts.names import TRADING_QUEUE
from models.trading.governance.subjects import Effect
from tests.support.fakes import FakeDirectory, FakeExchange, FakeJournal
from tests.support.free_ports import free_block
from tests.support.waiting.patience import eventually  # noqa: F401 - stories wait for what they tell
from workers.assembly import TRADING_WORKFLOWS, trading_activities

ROOT = Path(__file__).parents[2]
NAMESPACE = "tests"


def temporal_program() -> str:
    """Return the server that the product itself finds, downloads or builds."""
    return str(find_or_provide(StateDirectory(ROOT / ".aether"), print))


@contextmanager
def temporal_server(directory: Path) -> Iterator[str]:
    """Run the server and yield its address; its credentials are those of ``access()``."""
    port = free_block()
    program = Path(temporal_program())
    if asks_for_credentials(program):
        words = _own_words(program, port, directory)
    else:
        words = _official_words(program, port, directory)
        OPEN_SERVERS.add(f"127.0.0.1:{port}")
    log = directory / "temporal.log"
    with log.open("wb") as output:
        process = subprocess.Popen([*words, *tuning()], stdout=output, stderr=output)
    try:
        _wait_until_healthy(port, process, log)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=30)


OPEN_SERVERS: set[str] = set()


@cache
def credentials() -> Path:
    """Return the directory of the credentials that all servers of this test run ask for."""
    directory = Path(tempfile.mkdtemp(prefix="aether-tests-")) / "credentials"
    atexit.register(shutil.rmtree, directory.parent, ignore_errors=True)
    ensure_credentials(directory)
    return directory


def access(address: str) -> TLSConfig | None:
    """Return what a client of a test's server shows; None where it asks for nothing."""
    return None if address in OPEN_SERVERS else read_client_tls(credentials())


def _own_words(program: Path, port: int, directory: Path) -> list[str]:
    words = [str(program), "--port", str(port), "--namespace", NAMESPACE, "--log-level", "error"]
    words += ["--database", str(directory / "temporal.db"), "--synchronous", "OFF"]
    return [*words, "--credentials", str(credentials())]


def _official_words(program: Path, port: int, directory: Path) -> list[str]:
    words = [str(program), "server", "start-dev", "--ip", "127.0.0.1", "--port", str(port)]
    words += ["--headless", "--namespace", NAMESPACE, "--log-level", "error"]
    words += ["--db-filename", str(directory / "temporal.db")]
    words += ["--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=OFF"]
    return words


@pytest.fixture(scope="session")
def temporal_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One server for the whole run."""
    with temporal_server(tmp_path_factory.mktemp("temporal")) as address:
        yield address


def _wait_until_healthy(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + 30
    while True:
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"Temporal did not start: {log.read_text()}")
        with ThreadPoolExecutor(1) as beside, suppress(RuntimeError, RPCError):
            beside.submit(asyncio.run, _greet(port)).result()
            return
        time.sleep(0.05)


async def _greet(port: int) -> None:
    # A frontend that listens need not be healthy yet, and an unknown namespace comes later still.
    address = f"127.0.0.1:{port}"
    client = await Client.connect(address, namespace=NAMESPACE, tls=access(address) or False)
    await client.count_workflows()


@dataclass
class World:
    """Everything of one story: fakes of the ports and the real activities over them."""

    client: Client
    directory: FakeDirectory = field(default_factory=FakeDirectory)
    journal: FakeJournal = field(default_factory=FakeJournal)
    hedge_market: HedgeMarket | None = None
    queue: str = field(default_factory=lambda: f"{TRADING_QUEUE}-{uuid4().hex[:8]}")
    patience: OrderTimeouts = field(
        default_factory=lambda: OrderTimeouts(
            deadline=timedelta(milliseconds=400),
            delivery=timedelta(milliseconds=400),
            poll=timedelta(milliseconds=50),
        )
    )

    modes: ModeActivities | None = None
    effects: Mapping[Effect, CarryOut] | None = None
    platform: PlatformActivities | None = None

    def add_account(self, exchange: FakeExchange | None = None) -> str:
        account = f"account-{uuid4().hex[:8]}"
        self.directory.exchanges[account] = exchange or FakeExchange()
        return account

    def worker(self, **options: Any) -> Worker:
        chosen = worker_options(graceful_shutdown_timeout=timedelta(0), **options)
        worker = Worker(
            self.client,
            task_queue=self.queue,
            workflows=TRADING_WORKFLOWS,
            activities=trading_activities(
                self.directory,
                self.journal,
                self.client,
                self.patience,
                self.directory,
                modes=self.modes,
                hedge_market=self.hedge_market or self.journal,
                effects=self.effects,
                platform=self.platform,
            ),
            **chosen,
        )
        return take_turns_whole(worker)

    @asynccontextmanager
    async def running(self, **options: Any) -> AsyncIterator[Worker]:
        async with self.worker(**options) as worker:
            yield worker

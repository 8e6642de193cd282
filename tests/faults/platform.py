"""The stack under test: its API, its processes, and its own judge."""

import asyncio
import os
import signal
import threading
import time
from collections.abc import Collection, Coroutine
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar
from uuid import uuid4

import httpx
import psutil

from activities.accounts.verification import Finding, compare
from cli.bench.latency import UNBOUNDED
from cli.client import bearer_token
from cli.output.records import ExchangeReader, OwnReader
from infra.runtime.database.connections import Database, Role, database_url
from infra.runtime.secrets import local_secrets
from infra.runtime.settings import Settings
from infra.runtime.state_directory import StateDirectory
from infra.runtime.temporal.access import client_tls
from infra.runtime.temporal.client import connect
from infra.runtime.temporal.codec import PayloadKey
from infra.stack.embedded import Stack
from models.contracts.names import account_workflow_id
from models.trading.account.facts import LimitsChangeRequested, SettingsChangeRequested
from models.trading.answers import Answer
from models.trading.orders import Fill
from models.trading.risk.limits import AccountLimits
from tests.faults.exchange import LOOK_SECONDS, PATIENCE_SECONDS, FaultSuiteError
from tests.faults.log_disk import LogDisk
from tests.faults.scripts import ACCOUNTS, PAIRS
from tests.support.own_stack import OwnStack

ALL = "all"
HEALTHY_FEEDS = "aether_market_healthy_symbols_count"
STREAM_UP = "aether_private_stream_up"
ROOM_TO_READ = "aether_rate_read_headroom_ratio"
ENOUGH_ROOM = 0.75
ROOM_LOOK_SECONDS = 0.25
AGAIN_SECONDS = 0.2

T = TypeVar("T")

# One for all: a client of its own for each question costs more than what it asks.
_HTTP = httpx.Client(trust_env=False)


class Platform:
    """One running stack; ``log_disk`` is what its logs are on."""

    def __init__(self, stack: OwnStack, log_disk: LogDisk) -> None:
        self.log_disk = log_disk
        self.settings = Settings(home=stack.home, port_base=stack.port_base)
        self._stack = stack
        self._supervisor = Stack(self.settings).supervisor
        self._headers = {"Authorization": f"Bearer {bearer_token(self.settings)}"}
        self._client = httpx.Client(
            base_url=self.settings.api_url, timeout=10, trust_env=False, verify=False
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._judge = self._in_loop(_Judge.create(self.settings))

    def close(self) -> None:
        """Let go of the connections."""
        self._in_loop(self._judge.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._client.close()

    # --- the API

    def prices(self) -> dict[str, Decimal]:
        """Return the last prices the platform knows."""
        symbols = self.get("/status")["market"]["symbols"]
        return {row["symbol"]: Decimal(row["last"]) for row in symbols if row["last"]}

    def trade(self, account: str, number: int) -> dict[str, Any]:
        """Return one trade as the platform records it."""
        found: dict[str, Any] = self.get(f"/accounts/{account}/trades/{number}")
        return found

    def await_entries(self, accounts: Collection[str] = ACCOUNTS) -> None:
        """Wait until the accounts take entries and every pair has a price."""

        def ready() -> bool:
            rows = self.get("/accounts")
            halted = any(row["halts"] for row in rows if row["account"] in accounts)
            prices = self.prices()
            return not halted and set(PAIRS) <= prices.keys() and self._live_feeds() >= len(prices)

        until(ready, "the accounts take entries")

    def await_room_to_read(self, accounts: Collection[str] = ACCOUNTS) -> None:
        """Wait until three quarters of what the exchange lets each account ask is free.

        Faults follow one another here within seconds, each with questions that Kraken's counter of
        reads forgets in ten: what is to be shown is how an account stands one, not a hundred.
        """

        def has_room() -> bool:
            room = _metric(self.settings.trading_metrics_port, ROOM_TO_READ)
            enough = all(room.get(f'account="{name}"', 0.0) >= ENOUGH_ROOM for name in accounts)
            time.sleep(0.0 if enough else ROOM_LOOK_SECONDS)
            return enough

        until(has_room, "the accounts have room to ask")

    def await_streams(self, accounts: Collection[str] = ACCOUNTS) -> None:
        """Wait until each account's private stream is whole.

        Cloudflare bounds how often a machine may connect: after one long outage the limiter may
        leave an attempt every ten seconds for all accounts together.
        """

        def are_up() -> bool:
            up = _metric(self.settings.trading_metrics_port, STREAM_UP)
            return all(up.get(f'account="{name}"') == 1.0 for name in accounts)

        until(are_up, "the private streams are whole")

    def _live_feeds(self) -> int:
        """Return of how many pairs the market worker says that their feed is healthy."""
        found = _metric(self.settings.market_metrics_port, HEALTHY_FEEDS)
        return int(found.get("", 0))

    def get(self, path: str) -> Any:
        """Read, again and again while the API is away."""
        return self.repeat("GET", path)["body"]

    def repeat(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Send a request under one key until there is a definite answer, and return that."""
        headers = {**self._headers, "Idempotency-Key": uuid4().hex}
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                answer = self._client.request(method, f"/api/v1{path}", json=body, headers=headers)
                if answer.status_code < 500:
                    break
                failure = answer.text
            except httpx.TransportError as error:
                failure = repr(error)
            if time.monotonic() > end:
                raise FaultSuiteError(f"{method} {path}: {failure}")
            # While it starts, whoever asks takes the cores from it.
            time.sleep(AGAIN_SECONDS)
        return {"status": answer.status_code, "body": answer.json()}

    # --- its processes

    def kill(self, target: str) -> int:
        """Kill a process, or all of them, and return how many were killed: one at least.

        ``trading`` is the one of the two trading processes that is active.
        """
        # Of one that was killed itself the successor may not answer yet.
        until(lambda: self._supervisor.is_running, "the supervisor answers")
        killed = 0

        def kills() -> bool:
            nonlocal killed
            killed += sum(map(_kill, self._processes(target)))
            return killed > 0

        until(kills, f"there is a process to kill ({target})")
        return killed

    def start_again(self) -> None:
        """Start what was killed altogether, as a person would."""
        answer = self._stack.aether("up")
        if answer.returncode:
            raise FaultSuiteError(f"aether up: {answer.stderr}")

    def is_ready(self) -> bool:
        """Tell whether every process says that it is ready."""
        names = ("trading_metrics_port", "market_metrics_port", "api_port")
        urls = [f"http://127.0.0.1:{getattr(self.settings, name)}/readyz" for name in names]
        return self._supervisor.is_running and all(_answers(url) for url in urls)

    def is_owned(self) -> bool:
        """Tell whether the process that runs the accounts and trades says that it is ready."""
        return _answers(f"http://127.0.0.1:{self.settings.trading_metrics_port}/readyz")

    def _processes(self, target: str) -> list[int]:
        supervised = {process.name: process.pid for process in self._supervisor.processes()}
        supervised["supervisor"] = self._supervisor.pid or 0
        if target == ALL:
            return [pid for pid in supervised.values() if pid]
        if target.startswith("trading"):
            active = self._active_trading()
            if not active:
                return []  # Which of the two is which is not decided yet.
            pair = {supervised["trading"], supervised["trading-standby"]} - {0}
            return [active] if target == "trading" else list(pair - {active})
        return [supervised[target]] if supervised[target] else []

    def _active_trading(self) -> int:
        port = self.settings.trading_metrics_port
        for connection in psutil.net_connections("tcp4"):
            if connection.status != psutil.CONN_LISTEN or not connection.laddr:
                continue
            if connection.laddr.port == port and connection.pid:
                return connection.pid
        return 0

    # --- its judge

    def differences(self, account: str) -> list[Finding]:
        """Return what `aether verify` finds for an account at this moment."""
        return self._in_loop(self._judge.look(account))

    def own_fills(self, account: str) -> dict[str, Fill]:
        """Return every execution of an account that we have booked, by its id."""
        return self._in_loop(self._judge.own_fills(account))

    def raise_limits(self) -> None:
        """Let the accounts hold as many trades at once as the suite opens."""
        asyncio.run(_change_limits(self.settings))

    def _in_loop(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()


class _Judge:
    """Compares both records of an account; lives in one event loop."""

    def __init__(self, database: Database, exchange: ExchangeReader) -> None:
        self._database = database
        self._exchange = exchange
        self._own = OwnReader(database)
        self._minimums: Any = None

    @classmethod
    async def create(cls, settings: Settings) -> "_Judge":
        database = Database(database_url(settings, Role.APP), application="aether-faults")
        return cls(database, ExchangeReader(settings))

    async def look(self, account: str) -> list[Finding]:
        self._minimums = self._minimums or await self._exchange.minimums()
        theirs = await self._exchange.record(account)
        ours = await self._own.record(account)
        return compare(account, theirs, ours, self._minimums)

    async def own_fills(self, account: str) -> dict[str, Fill]:
        return dict((await self._own.record(account)).fills)

    async def close(self) -> None:
        await self._exchange.close()
        await self._database.close()


async def _change_limits(settings: Settings) -> None:
    keys = local_secrets(StateDirectory(settings.home).secrets).codec_keys()
    pairs = [PayloadKey(name, secret) for name, secret in reversed(keys.items())]
    client = await connect(
        settings.temporal_target, settings.temporal_namespace, pairs, tls=client_tls(settings)
    )
    limits = replace(AccountLimits(), open_trades_maximum=100, open_trades_per_pair=100)
    for account in ACCOUNTS:
        request = LimitsChangeRequested(str(uuid4()), "fault suite", limits, datetime.now(UTC))
        handle = client.get_workflow_handle(account_workflow_id(account))
        await handle.execute_update("change_limits", request, result_type=Answer)
        unbounded = SettingsChangeRequested(
            str(uuid4()), "fault suite", UNBOUNDED, "many trades", datetime.now(UTC), confirmed=True
        )
        answer = await handle.execute_update("change_settings", unbounded, result_type=Answer)
        if not answer.accepted:
            raise FaultSuiteError(f"{account} keeps its settings: {answer.detail}")


def _kill(pid: int) -> bool:
    """Kill a process; False where it has ended since it was listed."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def until(condition: Any, what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Wait until a condition holds.

    Raises:
        FaultSuiteError: it does not in time.
    """
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise FaultSuiteError(f"waited {seconds:.0f} s in vain until {what}")
        time.sleep(LOOK_SECONDS)


def _metric(port: int, name: str) -> dict[str, float]:
    """Return a process's metric by its labels, nothing while the process does not answer."""
    try:
        lines = _HTTP.get(f"http://127.0.0.1:{port}/metrics", timeout=2).text.splitlines()
    except httpx.TransportError:
        return {}
    found = [line.rsplit(maxsplit=1) for line in lines if line.startswith((name + " ", name + "{"))]
    return {words[len(name) :].strip("{}"): float(value) for words, value in found}


def _answers(url: str) -> bool:
    try:
        return _HTTP.get(url, timeout=2).is_success
    except httpx.TransportError:
        return False

"""Whether each process of the stack really serves: asked of itself, not of its supervisor."""

import asyncio
import json
import time
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.client import HTTPException

import psycopg

from infra.runtime.errors import StartError
from infra.runtime.http.port_settings import HEALTH_OFFSETS
from infra.runtime.settings import Settings
from infra.runtime.temporal import access as temporal_access
from infra.stack import temporal_server
from infra.stack.postgres_binaries import SUPERUSER, embedded_cluster
from infra.stack.programs.supervision import (
    CONFIGURATION_EXIT_STATUS,
    KEEPER,
    ProcessStatus,
    Supervisor,
)

CHECK_SECONDS = 2.0
POLL_SECONDS = 0.25
LIVES_OF_A_CRASH_LOOP = 4
LATE_SECONDS = 30
"""How long those that load last, and answer for nothing but themselves, may take to be ready."""
# Programs that are not ours: their exit status 2 means nothing special.
SERVERS = ("postgres", "temporal")

Check = Callable[[], str]


def checks(settings: Settings) -> dict[str, Check]:
    """Return for each process a check that answers in words why it is not ready, "" if it is."""
    return {
        "postgres": lambda: _postgres(settings),
        "temporal": lambda: _temporal(settings),
        "exchange": lambda: _get(f"{settings.exchange_url}/readyz"),
        "trading": lambda: _get(f"http://127.0.0.1:{settings.trading_metrics_port}/readyz"),
        "market": lambda: _get(f"http://127.0.0.1:{settings.market_metrics_port}/readyz"),
        "api": lambda: _get(f"{settings.api_url}/readyz"),
        "registry": lambda: _get(f"{settings.registry_url}/health"),
        **{name: partial(_get, _health_url(settings, name)) for name in HEALTH_OFFSETS},
    }


def _health_url(settings: Settings, process: str) -> str:
    return f"http://127.0.0.1:{settings.health_port(process)}/readyz"


def check_all(settings: Settings, processes: list[ProcessStatus]) -> dict[str, str]:
    """Return what every supervised process lacks, "" where it is ready.

    Those that load last are not asked in their first seconds: nobody waits for them at a start.
    """
    known = checks(settings)
    running = {process.name for process in processes if process.pid}
    late = {p.name for p in processes if p.name in HEALTH_OFFSETS and p.up_seconds < LATE_SECONDS}
    asked = [name for name in known if name in running - late]
    with ThreadPoolExecutor(max_workers=max(1, len(asked))) as pool:
        answers = dict(zip(asked, pool.map(lambda name: known[name](), asked), strict=True))
    return {
        process.name: answers.get(process.name, "" if process.pid else "not running")
        for process in processes
    }


def wait_until_ready(
    settings: Settings,
    supervisor: Supervisor,
    seconds: float,
    tell: Callable[[Mapping[str, str]], None],
) -> dict[str, str]:
    """Wait until every process that should run is ready; return what still lacks in the end.

    Raises:
        StartError: a process refused its configuration; its last words are in the message.
    """
    until = time.monotonic() + seconds
    ready: set[str] = set()
    lives: dict[str, set[int]] = defaultdict(set)
    while True:
        processes = [p for p in supervisor.processes() if p.state != "stopped"]
        for process in processes:
            lives[process.name].add(process.pid)
        _raise_if_refused(supervisor, processes)
        waiting = [p for p in processes if p.name not in ready and p.name != KEEPER]
        lacking = {name: why for name, why in check_all(settings, waiting).items() if why}
        ready |= {process.name for process in waiting} - set(lacking)
        tell(lacking)
        if not lacking or time.monotonic() > until:
            return {
                name: _with_last_words(supervisor, name, why, len(lives[name]))
                for name, why in lacking.items()
            }
        time.sleep(POLL_SECONDS)


def _with_last_words(supervisor: Supervisor, name: str, why: str, lives: int) -> str:
    if lives < LIVES_OF_A_CRASH_LOOP:
        return why
    return f"it keeps ending; its last words: {supervisor.last_words(name)}"


def _raise_if_refused(supervisor: Supervisor, processes: list[ProcessStatus]) -> None:
    for process in processes:
        refused = process.state == "exited" and process.exit_status == CONFIGURATION_EXIT_STATUS
        if refused and process.name not in SERVERS:
            words = supervisor.last_words(process.name)
            raise StartError(f"{process.name} refused to start: {words}")


def _postgres(settings: Settings) -> str:
    url = settings.database_url or embedded_cluster(settings.home).url(SUPERUSER)
    try:
        with psycopg.connect(url, connect_timeout=int(CHECK_SECONDS)) as connection:
            connection.execute("SELECT 1")
    except psycopg.Error as error:
        return str(error).strip() or type(error).__name__
    return ""


def _temporal(settings: Settings) -> str:
    if settings.temporal_address is None and not temporal_access.open_access(settings):
        return _get(f"{settings.temporal_ui_url}/healthz")
    if settings.temporal_address is None:
        return _open_temporal(settings)
    try:
        ready = asyncio.run(asyncio.wait_for(temporal_server.is_ready(settings), CHECK_SECONDS))
    except TimeoutError:
        return "no answer"
    return "" if ready else "not serving its namespace yet"


def _open_temporal(settings: Settings) -> str:
    """Ask an official program by HTTP, and set the retention of a new namespace.

    Temporal's client alone costs more to load than all that is asked here.
    """
    name = settings.temporal_namespace
    url = f"http://127.0.0.1:{settings.temporal_http_port}/api/v1/namespaces/{name}"
    wanted = {"workflowExecutionRetentionTtl": f"{temporal_server.RETENTION.total_seconds():.0f}s"}
    try:
        with urllib.request.urlopen(url, timeout=CHECK_SECONDS) as answer:
            config = json.load(answer)["config"]
        if wanted.items() <= config.items():
            return ""
        body = json.dumps({"namespace": name, "config": wanted}).encode()
        update = urllib.request.Request(f"{url}/update", body)  # noqa: S310 loopback
        update.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(update, timeout=CHECK_SECONDS) as answer:  # noqa: S310
            answer.read()
    except (OSError, HTTPException, ValueError, KeyError, TypeError, AttributeError):
        return "not serving its namespace yet"
    return "its namespace has just been set up"


def _get(url: str) -> str:
    try:
        with urllib.request.urlopen(url, timeout=CHECK_SECONDS) as answer:  # noqa: S310 loopback
            answer.read()
    except urllib.error.HTTPError as error:
        return _told(error.read()) or f"HTTP {error.code}"
    except (OSError, HTTPException) as error:
        return str(getattr(error, "reason", error))
    return ""


def _told(body: bytes) -> str:
    """Return what a readiness answer complains of."""
    try:
        document = json.loads(body)
        found = {name: why for name, why in document["checks"].items() if why != "ok"}
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""
    return "; ".join(f"{name}: {why}" for name, why in found.items())

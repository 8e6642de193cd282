"""The embedded Temporal server: finding its program, starting it tuned, preparing its namespace."""

import asyncio
import fcntl
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import yaml

from infra.runtime.cache_directory import cache_directory
from infra.runtime.errors import ProvisioningError
from infra.runtime.settings import Settings
from infra.runtime.state_directory import StateDirectory
from infra.runtime.temporal.access import client_tls, credentials_directory

BUILD = "1.29.1-1"
"""Names our program in the cache; its last number counts changes of how it is built."""
OWN_PROGRAM = "aether-temporal"
OFFICIAL_VERSION = "1.5.1"
OLDEST_SERVER = (1, 29)
MODULE_DIRECTORY = Path(__file__).parents[1] / "temporal"
PACKAGE = "./server"
RETENTION = timedelta(days=30)
DOWNLOAD_HOST = "temporal.download"
SEARCH_ATTRIBUTES = {
    "AccountId": "Keyword",
    "Pair": "Keyword",
    "Strategy": "Keyword",
    "Mode": "Keyword",
    "TradingState": "Keyword",
    "Halted": "Bool",
    "OpenedAt": "Datetime",
}

Progress = Callable[[str], None]


def find_or_provide(state: StateDirectory, tell: Progress) -> Path:
    """Return a usable server program; fetch or build one when none is there.

    Our own build comes first, for it alone asks for credentials: the one in the cache, else it is
    built where Go is there. Only then come official programs, which let everybody in.

    Raises:
        ProvisioningError: none can be had; the message lists what was tried.
    """
    chosen = os.environ.get("AETHER_TEMPORAL_CLI")
    if chosen:
        _require_new_enough(Path(chosen))
        return Path(chosen)
    for own in (state.binaries / OWN_PROGRAM, _cached()):
        if asks_for_credentials(own):
            return own
    build_failure = _provide_own(tell)
    if build_failure is None:
        return _cached()
    tell(f"Temporal's own program is used, which asks nobody for credentials ({build_failure})")
    candidates = [shutil.which("temporal"), state.binaries / "temporal", _cached_official()]
    for candidate in candidates:
        if candidate is None or not os.access(candidate, os.X_OK):
            continue
        if is_new_enough(Path(candidate)):
            return Path(candidate)
        tell(f"{candidate} is older than Temporal server {_dotted(OLDEST_SERVER)}: not used")
    return _provide_official(build_failure, tell)


def asks_for_credentials(program: Path) -> bool:
    """Tell whether a program is our build, which lets in only those who hold its credentials."""
    return os.access(program, os.X_OK) and _words_about(program).startswith(OWN_PROGRAM)


def server_version(program: Path) -> tuple[int, ...] | None:
    """Return the version of the server inside a Temporal program, None if it has none."""
    found = re.search(r"Server (\d+)\.(\d+)\.(\d+)", _words_about(program))
    return tuple(int(part) for part in found.groups()) if found else None


def _words_about(program: Path) -> str:
    try:
        answer = subprocess.run(  # noqa: S603 the program is the one to be checked
            [program, "--version"], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout


def is_new_enough(program: Path) -> bool:
    """Tell whether a program holds a server that Aether runs on."""
    version = server_version(program)
    return version is not None and version >= OLDEST_SERVER


def command_line(program: Path, settings: Settings, state: StateDirectory) -> list[str]:
    """Return the command that runs our server in the foreground, tuned and on loopback only."""
    words = [str(program), "--port", str(settings.temporal_port)]
    words += ["--ui-port", str(settings.temporal_ui_port)]
    words += ["--metrics-port", str(settings.temporal_metrics_port)]
    words += ["--namespace", settings.temporal_namespace]
    words += ["--retention", f"{RETENTION.total_seconds():.0f}s"]
    words += ["--database", str(state.temporal_database)]
    words += ["--credentials", str(credentials_directory(state))]
    words += ["--codec-endpoint", settings.codec_endpoint]
    return words + tuning()


def official_command_line(program: Path, settings: Settings, state: StateDirectory) -> list[str]:
    """Return the command that runs an official program likewise; it knows no credentials."""
    words = [str(program), "server", "start-dev", "--ip", "127.0.0.1", "--ui-ip", "127.0.0.1"]
    words += ["--port", str(settings.temporal_port), "--ui-port", str(settings.temporal_ui_port)]
    words += ["--http-port", str(settings.temporal_http_port)]
    words += ["--metrics-port", str(settings.temporal_metrics_port)]
    words += ["--namespace", settings.temporal_namespace]
    words += ["--db-filename", str(state.temporal_database)]
    words += ["--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=NORMAL"]
    words += ["--ui-codec-endpoint", settings.codec_endpoint]
    words += ["--log-format", "json", "--log-level", "warn"]
    return words + tuning()


def tuning() -> list[str]:
    """Return the words that both programs take: search attributes and dynamic settings."""
    words = []
    for name, kind in SEARCH_ATTRIBUTES.items():
        words += ["--search-attribute", f"{name}={kind}"]
    for name, value in dynamic_settings().items():
        words += ["--dynamic-config-value", f"{name}={json.dumps(value)}"]
    return words


def dynamic_settings() -> dict[str, object]:
    """Return the server's dynamic settings by name, from the file that production reads too."""
    content = yaml.safe_load((MODULE_DIRECTORY / "dynamic-settings.yaml").read_text())
    return {name: entries[0]["value"] for name, entries in content.items()}


async def is_ready(settings: Settings) -> bool:
    """Tell whether somebody else's server is healthy and the namespace is there."""
    from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
    from temporalio.service import ConnectConfig, RPCError, ServiceClient

    try:
        service = await ServiceClient.connect(
            ConnectConfig(target_host=settings.temporal_target, tls=client_tls(settings) or False)
        )
        if not await service.check_health(timeout=timedelta(seconds=2)):
            return False
        await service.workflow_service.describe_namespace(
            DescribeNamespaceRequest(namespace=settings.temporal_namespace)
        )
    except (RPCError, RuntimeError):
        return False
    return True


def _require_new_enough(program: Path) -> None:
    version = server_version(program)
    if version is None:
        raise ProvisioningError(f"AETHER_TEMPORAL_CLI={program} is not a Temporal program")
    if version < OLDEST_SERVER:
        raise ProvisioningError(
            f"AETHER_TEMPORAL_CLI={program} holds server {_dotted(version)}; "
            f"at least {_dotted(OLDEST_SERVER)} is needed"
        )


def _provide_own(tell: Progress) -> str | None:
    """Build our program once for all installations; return why it failed, None when it is there."""
    target = _cached()
    with _only_one(target.parent):
        return None if asks_for_credentials(target) else _build(target, tell)


def _provide_official(build_failure: str, tell: Progress) -> Path:
    target = _cached_official()
    with _only_one(target.parent):
        if is_new_enough(target):
            return target
        download_failure = _download(target, tell)
        if download_failure is None:
            return target
    raise ProvisioningError(
        f"no Temporal server: build with Go: {build_failure}; none in AETHER_TEMPORAL_CLI, on the "
        f"PATH or in the cache; download: {download_failure}. Install Go (https://go.dev/dl) or "
        "the Temporal CLI, or name one in AETHER_TEMPORAL_CLI"
    )


def _download(target: Path, tell: Progress) -> str | None:
    """Fetch with the SDK; return why it failed, None when it is in place."""
    try:
        socket.create_connection((DOWNLOAD_HOST, 443), timeout=3).close()
    except OSError as error:
        return f"{DOWNLOAD_HOST} cannot be reached ({error})"
    tell(f"Downloading the Temporal server {OFFICIAL_VERSION} (once) …")
    with tempfile.TemporaryDirectory(dir=target.parent) as directory:
        try:
            asyncio.run(asyncio.wait_for(_start_once(directory), timeout=300))
        except (RuntimeError, TimeoutError, OSError) as error:
            return str(error) or "it took more than five minutes"
        found = next((path for path in Path(directory).iterdir() if is_new_enough(path)), None)
        if found is None:
            return "what was downloaded holds no usable server"
        found.replace(target)
    return None


async def _start_once(directory: str) -> None:
    # The SDK has no way to fetch only: starting an environment puts the program in the directory.
    from temporalio.testing import WorkflowEnvironment

    environment = await WorkflowEnvironment.start_local(
        download_dest_dir=directory, dev_server_download_version=f"v{OFFICIAL_VERSION}"
    )
    await environment.shutdown()


def _build(target: Path, tell: Progress) -> str | None:
    """Build from the pinned module; return why it failed, None when it is in place."""
    compiler = shutil.which("go")
    if compiler is None:
        return "Go is not installed"
    with tempfile.TemporaryDirectory(dir=target.parent) as directory:
        built = Path(directory) / OWN_PROGRAM
        command = [compiler, "build", "-mod=readonly", "-o", str(built)]
        command += ["-ldflags", _set_at_link_time(), PACKAGE]
        with (Path(directory) / "log").open("w+") as log:
            process = subprocess.Popen(  # noqa: S603 fixed words, the compiler is the user's
                command,
                cwd=MODULE_DIRECTORY,
                env=os.environ | {"CGO_ENABLED": "0"},
                stdout=log,
                stderr=log,
            )
            _tell_while_running(process, tell)
            log.seek(0)
            words = log.read().strip().splitlines()
        if process.returncode != 0:
            return words[-1] if words else f"go ended with {process.returncode}"
        built.replace(target)
    return None


def _set_at_link_time() -> str:
    """Return the linker's flags for the values that are set in the program.

    Without a checksum of its own, the Go SDK inside the server digests the whole program at each
    start: 0.4 s of a core, out of one second that a start takes.
    """
    values = {
        "main.Version": BUILD,
        "go.temporal.io/sdk/internal.binaryChecksum": f"{OWN_PROGRAM}-{BUILD}",
    }
    return " ".join(f"-X {name}={value}" for name, value in values.items())


def _tell_while_running(process: subprocess.Popen[bytes], tell: Progress) -> None:
    began = time.monotonic()
    while True:
        seconds = int(time.monotonic() - began)
        tell(f"Building the Temporal server {BUILD} with Go, once: {seconds} s of about 180 …")
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            continue
        except BaseException:
            process.terminate()
            raise
        return


def _cached() -> Path:
    return cache_directory() / f"server-{BUILD}" / OWN_PROGRAM


def _cached_official() -> Path:
    return cache_directory() / f"temporal-{OFFICIAL_VERSION}-2" / "temporal"


@contextmanager
def _only_one(directory: Path) -> Iterator[None]:
    directory.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(str(part) for part in version)

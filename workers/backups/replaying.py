"""Replaying open histories with this build: ``python -m workers.backups.replaying HOME …``.

Tells whether this build would decide as was decided. Used on the copy of a backup: on the embedded
server's file, started on loopback for the purpose, with no worker beside it. Prints JSON.
"""

import asyncio
import contextlib
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.worker import Replayer

from infra.backup.errors import NotRestoredError
from infra.runtime.errors import PlatformError, PortInUseError
from infra.runtime.settings import Settings
from infra.runtime.state_directory import StateDirectory
from infra.runtime.temporal import access
from infra.runtime.temporal.workers import sandbox_runner
from infra.stack import ports, temporal_server
from workers.assembly import TRADING_WORKFLOWS
from workers.connection import connect_temporal

START_SECONDS = 60.0
STOP_SECONDS = 20.0
FIRST_PORT, LAST_PORT = 41_000, 59_000
PAGE = 50


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many histories were replayed, and what went wrong with which."""

    count: int
    failures: tuple[str, ...]


def replay_copy(home: Path, program: Path, until: datetime) -> Replayed:
    """Replay every history that was open at a moment, from a copy of an installation's state.

    Args:
        home: the copy, with Temporal's file and the secrets that open its payloads.
        program: the server's program.
        until: workflows that began later are none of the copy's.

    Raises:
        NotRestoredError: the server does not start on the file.
    """
    settings = _settings_of(home)
    state = StateDirectory(home)
    is_open = not temporal_server.asks_for_credentials(program)
    state.run.mkdir(parents=True, exist_ok=True)
    access.note_open(state, is_open=is_open)
    if not is_open:
        access.ensure_credentials(access.credentials_directory(state))
    with _serving(settings, state, program, is_open=is_open):
        return asyncio.run(_replay(settings, until))


async def _replay(settings: Settings, until: datetime) -> Replayed:
    client = await _connected(settings)
    replayer = Replayer(
        workflows=TRADING_WORKFLOWS,
        workflow_runner=sandbox_runner(),
        namespace=settings.temporal_namespace,
        data_converter=client.data_converter,
    )
    known = {one.__name__ for one in TRADING_WORKFLOWS}
    count, failures = 0, []
    query = f"ExecutionStatus = 'Running' AND StartTime <= '{until.isoformat()}'"
    async for execution in client.list_workflows(query, page_size=PAGE):
        if execution.workflow_type not in known:
            continue  # a worker of its own replays it: it decides nothing about orders
        handle = client.get_workflow_handle(execution.id, run_id=execution.run_id)
        result = await replayer.replay_workflow(
            await handle.fetch_history(), raise_on_replay_failure=False
        )
        count += 1
        if result.replay_failure is not None:
            failures.append(f"{execution.id}: {_words(result.replay_failure)}")
    return Replayed(count, tuple(failures))


async def _connected(settings: Settings) -> Client:
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            client = await connect_temporal(settings)
            async for _ in client.list_workflows("ExecutionStatus = 'Running'", limit=1):
                break
        except (RPCError, RuntimeError) as error:
            if time.monotonic() > until:
                raise NotRestoredError(f"Temporal does not answer: {error}") from None
            await asyncio.sleep(0.2)
        else:
            return client


@contextmanager
def _serving(
    settings: Settings, state: StateDirectory, program: Path, *, is_open: bool
) -> Iterator[None]:
    words = temporal_server.official_command_line if is_open else temporal_server.command_line
    log = state.home / "temporal-check.log"
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603  # the installation's own program, no shell
            words(program, settings, state),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
        )
    try:
        yield
        if process.poll() is not None:
            raise NotRestoredError("Temporal ended while histories were read")
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _settings_of(home: Path) -> Settings:
    drawn = random.SystemRandom()
    for _ in range(100):
        base = drawn.randrange(FIRST_PORT, LAST_PORT, 10)
        found = Settings(home=home, port_base=base).model_copy(
            update={"temporal_address": None, "temporal_credentials": None}
        )
        with contextlib.suppress(PortInUseError):
            ports.require_free(found)
            return found
    raise NotRestoredError("no free ports were found for the check of the histories")


def _words(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]


def main() -> int:
    """Replay what the arguments name; 2 with one line on standard error when it cannot be."""
    home, program, moment = sys.argv[1:]
    answer = _standard_output_alone()
    try:
        found = replay_copy(Path(home), Path(program), datetime.fromisoformat(moment))
    except PlatformError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    with os.fdopen(answer, "w") as output:
        output.write(json.dumps(asdict(found)) + "\n")
    return 0


def _standard_output_alone() -> int:
    """Return standard output, and let what else writes there write to standard error.

    Libraries and workflows log to standard output while they are replayed, and who reads the answer
    expects one JSON document.
    """
    answer = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return answer


if __name__ == "__main__":
    sys.exit(main())

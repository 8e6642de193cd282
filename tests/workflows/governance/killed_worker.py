"""A trading worker in a process of its own that stands still in the middle of one step for good.

Whoever has started it kills it there, as ``kill -9`` does: nothing is reported, nothing is cleaned
up. It runs the platform's own workflows and steps over a real record.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, Interceptor

from activities.adapters.postgres.governance.platform_record import PostgresPlatform
from activities.adapters.postgres.journal import PostgresJournal
from activities.governance.platform import PlatformActivities
from infra.runtime.database.connections import Database
from infra.runtime.temporal.access import read_client_tls
from infra.runtime.temporal.client import connect
from infra.runtime.temporal.codec import PayloadKey
from models.contracts.names import TRADING_QUEUE
from tests.support.temporal import NAMESPACE, ROOT, World

BEFORE, AFTER, NOWHERE = "before", "after", ""
START_SECONDS = 90.0


@dataclass(frozen=True)
class Post:
    """Where a worker works: Temporal, its credentials ("" for a server that asks for none), record.

    ``place`` is where it tells that it runs, and that it stands still.
    """

    address: str
    credentials: str
    key: str
    database: str
    place: str


class _Stuck(Interceptor):
    def __init__(self, step: str, moment: str, mark: Path) -> None:
        self.step, self.moment, self.mark = step, moment, mark

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 the SDK's name
        return _StuckSteps(next, self)

    async def stand_still(self, step: str, moment: str) -> None:
        if (step, moment) == (self.step, self.moment):
            self.mark.touch()
            await asyncio.Event().wait()


class _StuckSteps(ActivityInboundInterceptor):
    def __init__(self, inner: ActivityInboundInterceptor, stuck: _Stuck) -> None:
        super().__init__(inner)
        self._stuck = stuck

    async def execute_activity(self, input: Any) -> Any:  # noqa: A002 the SDK's name
        step = activity.info().activity_type
        await self._stuck.stand_still(step, BEFORE)
        found = await super().execute_activity(input)
        await self._stuck.stand_still(step, AFTER)
        return found


async def _run(post: Post, step: str, moment: str) -> None:
    place = Path(post.place)
    keys = [PayloadKey("tests", bytes.fromhex(post.key))]
    tls = read_client_tls(Path(post.credentials)) if post.credentials else None
    client = await connect(post.address, NAMESPACE, keys, tls=tls)
    database = Database(post.database)
    world = World(
        client,
        journal=PostgresJournal(database),
        queue=TRADING_QUEUE,
        platform=PlatformActivities(PostgresPlatform(database)),
    )
    async with world.running(interceptors=[_Stuck(step, moment, place / "stuck")]):
        (place / "runs").touch()
        await asyncio.Event().wait()


class WorkerProcess:
    """One such process, as whoever has started it sees it."""

    def __init__(self, post: Post, process: "subprocess.Popen[bytes]") -> None:
        self._place = Path(post.place)
        self._process = process

    def is_ready(self) -> bool:
        """Tell whether it works; a process that has ended by itself fails here."""
        assert self._process.poll() is None, (self._place / "log").read_text()
        return (self._place / "runs").exists()

    def stands_still(self) -> bool:
        """Tell whether it has come to its step."""
        assert self._process.poll() is None, (self._place / "log").read_text()
        return (self._place / "stuck").exists()

    def kill(self) -> None:
        """End it as ``kill -9`` does, and see it gone."""
        os.kill(self._process.pid, signal.SIGKILL)
        assert self._process.wait(20) == -signal.SIGKILL


@contextmanager
def worker_process(
    post: Post, step: str = NOWHERE, moment: str = BEFORE
) -> Iterator[WorkerProcess]:
    """Run a worker that stands still before or after a step; nowhere, if none is named."""
    Path(post.place).mkdir()
    words = [
        sys.executable,
        "-m",
        "tests.workflows.governance.killed_worker",
        json.dumps(asdict(post)),
        step,
        moment,
    ]
    with (Path(post.place) / "log").open("wb") as log:
        process = subprocess.Popen(words, stdout=log, stderr=log, cwd=ROOT)
    try:
        yield WorkerProcess(post, process)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(20)


if __name__ == "__main__":
    asyncio.run(_run(Post(**json.loads(sys.argv[1])), sys.argv[2], sys.argv[3]))

"""What a process that serves nothing else says of itself: ready, or why not, and when it worked.

It asks for what it needs again and again, whether or not there is work: a server that went away is
told before the next piece of work meets it.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from types import TracebackType
from typing import Any, Self

from sqlalchemy import text
from temporalio.client import Client
from temporalio.worker import (
    ActivityInboundInterceptor,
    ExecuteActivityInput,
    Interceptor,
    Worker,
)

from infra.runtime.database.connections import Database
from workers.health import Health, HealthServer
from workers.upkeep.process_figures import ProcessFigures

LOOK_SECONDS = 2.0
ANSWER_SECONDS = 2.0
BUSY_SECONDS = 15.0
"""A process that has not looked for so long gets to nothing: its loop is kept from running."""
STARTING = "starting"

Probe = Callable[[], Awaitable[None]]
"""Asks for what is needed; whatever it raises is why it is not there."""


class ProcessHealth:
    """Health of one process, served on its port for as long as a block lasts.

    Every part is named at the beginning and ``starting`` until somebody has asked for it.
    """

    def __init__(self, port: int, *parts: str, look_seconds: float = LOOK_SECONDS) -> None:
        self._look_seconds = look_seconds
        self._looked_at = time.monotonic()
        self._probes: dict[str, Probe] = {}
        self._worked_at: dict[str, float] = {}
        self._longest: dict[str, float] = {}
        self._looking: asyncio.Task[None] | None = None
        self._figures = ProcessFigures()
        self.health = Health(dict.fromkeys(parts, STARTING), when_asked=self._when_asked)
        self._server = HealthServer(port, self.health, registry=self._figures.registry)
        for part in (*parts, "process"):
            self._figures.ready.labels(part).set_function(partial(self._is_ready, part))

    async def __aenter__(self) -> Self:
        """Begin to answer and to look."""
        self._server.start()
        self._looking = asyncio.create_task(self._keep_looking())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Look and answer no more."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        # It ends within its own loop's turns; this one goes on meanwhile.
        await asyncio.to_thread(self._server.stop)

    def ask(self, part: str, probe: Probe) -> None:
        """Find out by this probe whether a part is in order, from now on."""
        self._probes[part] = probe

    def ask_database(self, database: Database, part: str = "database") -> None:
        """Have the part be the database, as the role that the process has."""

        async def probe() -> None:
            await database.call(text("SELECT 1"))

        self.ask(part, probe)

    def ask_temporal(self, client: Client) -> None:
        """Have ``temporal`` be the server that this client is connected with."""

        async def probe() -> None:
            await client.service_client.check_health()

        self.ask("temporal", probe)

    def ask_worker(self, worker: Worker, part: str = "worker") -> None:
        """Have the part be a worker that takes work from its queue."""

        async def probe() -> None:
            if not worker.is_running:
                raise RuntimeError("it takes no work")

        self.ask(part, probe)

    def worked(self, work: str) -> None:
        """Note that a piece of this work was done just now."""
        if work not in self._worked_at:
            self._worked_at[work] = time.monotonic()
            self._figures.work_age.labels(work).set_function(partial(self._age, work))
        self._worked_at[work] = time.monotonic()

    def expect(self, work: str, seconds: float) -> Callable[[], None]:
        """Have the process be ready only while this work is done so often; return what notes it."""
        self.health.checks[work] = STARTING
        self._longest[work] = seconds
        self._figures.ready.labels(work).set_function(partial(self._is_ready, work))

        def note() -> None:
            self.worked(work)
            self.health.checks[work] = "ok"

        return note

    def degrade(self, kind: str, why: str) -> None:
        """Name a degraded mode, or with "" none of this kind: ready all the same."""
        kept = [mode for mode in self.health.degraded_modes if not mode.startswith(f"{kind}: ")]
        self.health.degraded_modes = [*kept, f"{kind}: {why}"] if why else kept

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.gather(*(self._look(part) for part in [*self._probes]))
            self._looked_at = time.monotonic()
            await asyncio.sleep(self._look_seconds)

    async def _look(self, part: str) -> None:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._probes[part]()
        except TimeoutError:
            self.health.checks[part] = "no answer"
        except Exception as error:  # noqa: BLE001 whatever is wrong is the answer
            self.health.checks[part] = f"{type(error).__name__}: {error}"
        else:
            self.health.checks[part] = "ok"

    def _when_asked(self) -> Mapping[str, str]:
        """Return what time alone finds: work that is overdue, a process that gets to nothing."""
        found = {
            work: f"not done for {age:.0f} s, {seconds:.0f} are usual"
            for work, seconds in self._longest.items()
            if work in self._worked_at and (age := self._age(work)) > seconds
        }
        silent = time.monotonic() - self._looked_at
        busy = "ok" if silent <= BUSY_SECONDS else f"has not come to look for {silent:.0f} s"
        return found | {"process": busy}

    def _age(self, work: str) -> float:
        return time.monotonic() - self._worked_at[work]

    def _is_ready(self, part: str) -> float:
        return float(self.health.all_checks()[part] == "ok")


class StepsSeen(Interceptor):
    """Notes each step that a worker has carried out, for ``ProcessHealth.worked``."""

    def __init__(self, seen: Callable[[], None]) -> None:
        self._seen = seen

    def intercept_activity(
        self,
        next: ActivityInboundInterceptor,  # noqa: A002
    ) -> ActivityInboundInterceptor:
        """Return the interceptor of one worker's steps."""
        return _Seen(next, self._seen)


class _Seen(ActivityInboundInterceptor):
    def __init__(self, following: ActivityInboundInterceptor, seen: Callable[[], None]) -> None:
        super().__init__(following)
        self._told = seen

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002
        """Carry the step out, and note that it succeeded."""
        result = await super().execute_activity(input)
        self._told()
        return result

"""What Temporal itself needs on this machine, now: a bare chain from a signal to an activity.

Milliseconds follow the machine; multiples of this chain, measured in the same run, do not. It goes
over the same server with the same credentials and codec as the platform, and does nothing else.
"""

import asyncio
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from temporalio import activity, workflow
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from cli.bench.figures import MILLISECONDS
from infra.runtime.errors import PlatformError
from infra.runtime.secrets import installation_secrets
from infra.runtime.settings import Settings
from infra.runtime.temporal.access import client_tls
from infra.runtime.temporal.client import connect
from infra.runtime.temporal.codec import PayloadKey

if TYPE_CHECKING:
    from temporalio.client import Client

EVERY_SECONDS = 0.3
LINK_SECONDS = 10.0
START_SECONDS = 30.0
STEP = timedelta(seconds=10)


@activity.defn
async def tell_the_time() -> float:
    """Return the wall clock, in seconds: the end of the chain."""
    return time.time()


@workflow.defn(sandboxed=False)
class ChainWorkflow:
    """On each signal one activity; on an update the times so far, until the benchmark ends it."""

    def __init__(self) -> None:
        self._due = 0
        self._reached: list[float] = []

    @workflow.run
    async def run(self) -> None:
        """Run one activity for each signal."""
        while True:
            await workflow.wait_condition(lambda: self._due > len(self._reached))
            self._reached.append(
                await workflow.execute_activity(tell_the_time, start_to_close_timeout=STEP)
            )

    @workflow.signal
    def go(self) -> None:
        """Ask for one more activity."""
        self._due += 1

    @workflow.update
    async def reached(self, count: int) -> float:
        """Return when the activity of that number ran; waits for it."""
        await workflow.wait_condition(lambda: len(self._reached) >= count)
        return self._reached[count - 1]

    @workflow.update
    def echo(self) -> None:
        """Do nothing: what a request and its answer need."""


@dataclass(slots=True)
class Chain:
    """Milliseconds measured so far.

    Attributes:
        signal_to_activity: from the sending of a signal until the activity runs.
        update_round_trip: from the sending of an update until its answer has arrived.
    """

    signal_to_activity: list[float] = field(default_factory=list)
    update_round_trip: list[float] = field(default_factory=list)


@contextmanager
def chain_beside(settings: Settings) -> Iterator[Chain]:
    """Measure the chain again and again in a thread of its own, beside whatever is measured.

    Raises:
        PlatformError: its worker does not start.
    """
    chain, ready, stop = Chain(), threading.Event(), threading.Event()
    thread = threading.Thread(
        target=lambda: asyncio.run(_measure(settings, chain, ready, stop)), daemon=True
    )
    thread.start()
    try:
        if not ready.wait(START_SECONDS):
            raise PlatformError("the bare chain of signal and activity does not start")
        yield chain
    finally:
        stop.set()
        thread.join(START_SECONDS)


async def _measure(
    settings: Settings, chain: Chain, ready: threading.Event, stop: threading.Event
) -> None:
    keys = installation_secrets(settings).codec_keys()
    client = await connect(
        settings.temporal_target,
        settings.temporal_namespace,
        [PayloadKey(name, secret) for name, secret in keys.items()],
        tls=client_tls(settings),
    )
    await measure_chain(client, chain, ready, stop)


async def measure_chain(
    client: "Client", chain: Chain, ready: threading.Event, stop: threading.Event
) -> None:
    """Run the chain over a client until ``stop`` is set; ``ready`` is set after the first link."""
    queue = f"bench-chain-{uuid.uuid4()}"
    async with Worker(
        client,
        task_queue=queue,
        workflows=[ChainWorkflow],
        activities=[tell_the_time],
        workflow_runner=UnsandboxedWorkflowRunner(),
    ):
        await _links(client, queue, chain, ready, stop)


async def _links(
    client: "Client", queue: str, chain: Chain, ready: threading.Event, stop: threading.Event
) -> None:
    handle = await client.start_workflow(ChainWorkflow.run, id=queue, task_queue=queue)
    try:
        await handle.execute_update(ChainWorkflow.echo)
        count = 0
        while not stop.is_set():
            async with asyncio.timeout(LINK_SECONDS):
                begin = time.time()
                await handle.signal(ChainWorkflow.go)
                count += 1
                reached = await handle.execute_update(ChainWorkflow.reached, count)
                asked = time.time()
                await handle.execute_update(ChainWorkflow.echo)
                answered = time.time()
            if ready.is_set():  # the first one pays for connections
                chain.signal_to_activity.append((reached - begin) * MILLISECONDS)
                chain.update_round_trip.append((answered - asked) * MILLISECONDS)
            ready.set()
            await asyncio.sleep(EVERY_SECONDS)
    finally:
        await handle.terminate("the benchmark is over")

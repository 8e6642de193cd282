"""The feed benchmark: book updates per second on one core, parsed, applied, checksum verified.

Frames are gathered from the exchange simulator (all its pairs) and read from recordings of Kraken.
Each set is played over and over through the code that the market worker runs, first from memory,
then through a socket from a process that sends as fast as it can. Seconds are CPU seconds of this
process: what one core does when nobody disturbs it.
"""

import asyncio
import json
import multiprocessing
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.server import ServerConnection, serve
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.sync.client import connect

from activities.adapters.kraken.addresses import AllowedHosts
from activities.adapters.kraken.feed.state import FeedState
from activities.adapters.kraken.instruments import usd_spot_instruments
from activities.adapters.kraken.websocket import ConnectionLimiter, Socket
from cli.bench.figures import load_average, machine
from infra.runtime.errors import StartError
from models.trading.instruments import Instrument

BUDGET_PER_SECOND = 80_000
DEPTH = 10
MINUTES = 1
GENERATED_STEPS = 1_000
START_SECONDS = 60.0
QUIET_SECONDS = 1.0
AHEAD_BYTES = 2**20
BOOK = b'"channel":"book"'
UPDATE = b'"type":"update"'
LEVEL = b'"qty":'
RECORDED = "ws-v2/book_*.jsonl"

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Frames:
    """Book frames of one source, snapshots first, so that they can be played over and over."""

    source: str
    frames: Sequence[bytes]
    recorded: bool = False

    @property
    def updates(self) -> int:
        """Return how many of them are updates."""
        return sum(UPDATE in frame for frame in self.frames)

    @property
    def levels_per_update(self) -> float:
        """Return how many price levels an update changes on average."""
        levels = sum(frame.count(LEVEL) for frame in self.frames if UPDATE in frame)
        return round(levels / max(1, self.updates), 1)


def measure(seconds: float, recordings: Path | None, tell: Tell) -> dict[str, Any]:
    """Play generated frames, and recorded ones where there are any; return the report.

    Args:
        seconds: CPU seconds for each figure.
        recordings: directory of Kraken's recorded messages, None for none.
        tell: gets a line now and then.
    """
    before = load_average()
    with _simulator() as description:
        instruments = _instruments(description["rest"])
        tell("Gathering book updates from the simulator")
        sources = [_generated(description, instruments)]
    sources += _recorded(recordings)
    rows = []
    for source in sources:
        tell(f"Playing {source.updates} updates, {source.source}")
        rows.append(
            {
                "source": source.source,
                "recorded": source.recorded,
                "updates": source.updates,
                "levels_per_update": source.levels_per_update,
                **_from_memory(source, instruments, seconds),
                "socket": asyncio.run(_from_socket(source, instruments, seconds)),
            }
        )
    rates = [row["socket"]["updates_per_second"] for row in rows if row["recorded"]]
    return {
        "feeds": rows,
        "budget_per_second": BUDGET_PER_SECOND,
        # The simulator's updates change many times more levels than Kraken's.
        "met": min(rates) >= BUDGET_PER_SECOND if rates else None,
        "failures": sum(row["failures"] + row["socket"]["failures"] for row in rows),
        "machine": machine({"before": before, "after": load_average()}),
    }


# --- where frames come from


@contextmanager
def _simulator() -> Iterator[Mapping[str, Any]]:
    """Run an exchange of its own that moves on command, and give its addresses."""
    with tempfile.TemporaryDirectory(prefix="aether-bench-") as state:
        words = ["--market", "generated", "--speed", "lockstep", "--state", state]
        command = [sys.executable, "-m", "workers.exchange", *words, "--warmup-bars", "1"]
        process = subprocess.Popen(  # noqa: S603 - our own module, by this interpreter
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                raise StartError("the exchange simulator did not start")
            yield json.loads(line)
        finally:
            process.terminate()
            process.wait(START_SECONDS)
            if process.stdout is not None:
                process.stdout.close()


def _instruments(rest: str) -> dict[str, Instrument]:
    answer = httpx.get(f"{rest}/0/public/AssetPairs", timeout=START_SECONDS, trust_env=False)
    return usd_spot_instruments(answer.json()["result"])


def _generated(description: Mapping[str, Any], instruments: Mapping[str, Instrument]) -> Frames:
    book = {"channel": "book", "symbol": sorted(instruments), "depth": DEPTH, "snapshot": True}
    found: list[bytes] = []
    with connect(description["ws_public"], proxy=None, max_size=None) as socket:
        socket.send(json.dumps({"method": "subscribe", "params": book}))
        for _ in range(GENERATED_STEPS // 100):
            steps = {"steps": 100}
            httpx.post(f"{description['control']}/step", json=steps, timeout=START_SECONDS)
            found += _arrived(socket)
    return Frames("generated by the simulator", found)


def _arrived(socket: Any) -> Iterator[bytes]:
    """Yield book frames until the answer to a ping, before which came everything else."""
    socket.send(json.dumps({"method": "ping", "req_id": 1}))
    while b'"pong"' not in (frame := socket.recv(START_SECONDS, decode=False)):
        if BOOK in frame and b'"data"' in frame:
            yield bytes(frame)


def _recorded(recordings: Path | None) -> Iterator[Frames]:
    for path in sorted(recordings.glob(RECORDED)) if recordings else ():
        lines = path.read_bytes().splitlines()
        frames = [line for line in lines if BOOK in line and b'"data"' in line]
        yield Frames(f"recorded: {path.name}", frames, recorded=True)


# --- how they are played


def _state(instruments: Mapping[str, Instrument]) -> FeedState:
    state = FeedState(tuple(instruments), MINUTES, DEPTH)
    state.learn_instruments(instruments)
    return state


def _from_memory(
    source: Frames, instruments: Mapping[str, Instrument], seconds: float
) -> dict[str, Any]:
    state, laps, began = _state(instruments), 0, time.process_time()
    while (took := time.process_time() - began) < seconds:
        for frame in source.frames:
            state.take(frame)
        laps += 1
    return {
        "updates_per_second": round(laps * source.updates / took),
        "failures": state.checksum_failures + state.unreadable_frames,
    }


async def _from_socket(
    source: Frames, instruments: Mapping[str, Instrument], seconds: float
) -> dict[str, Any]:
    context = multiprocessing.get_context("spawn")
    port = context.SimpleQueue()
    sender = context.Process(target=_send_for_ever, args=(source.frames, port), daemon=True)
    sender.start()
    try:
        url = f"ws://127.0.0.1:{await asyncio.to_thread(port.get)}"
        socket = await Socket.open(url, AllowedHosts.loopback(), ConnectionLimiter())
        try:
            return await _receive(socket, _state(instruments), seconds)
        finally:
            await socket.close()
    finally:
        sender.terminate()
        sender.join()


async def _receive(socket: Socket, state: FeedState, seconds: float) -> dict[str, Any]:
    updates, began, wall = 0, time.process_time(), time.monotonic()
    while (took := time.process_time() - began) < seconds:
        for frame in await socket.frames(QUIET_SECONDS):
            state.take(frame)
            updates += UPDATE in frame
        for _ in state.best_prices():
            pass
    return {
        "updates_per_second": round(updates / took),
        "share_of_a_core": round(took / (time.monotonic() - wall), 2),
        "failures": state.checksum_failures + state.unreadable_frames,
    }


def _send_for_ever(frames: Sequence[bytes], port: Any) -> None:
    """Send the frames over and over to whoever connects, as fast as they are taken."""
    # Made once: the sender must not be what is measured.
    lap = b"".join(Frame(Opcode.TEXT, frame).serialize(mask=False) for frame in frames)

    async def send(connection: ServerConnection) -> None:
        while connection.state is State.OPEN:
            connection.transport.write(lap)
            # A transport announces no such event.
            while connection.transport.get_write_buffer_size() > AHEAD_BYTES:  # noqa: ASYNC110
                await asyncio.sleep(0)

    async def run() -> None:
        async with serve(send, "127.0.0.1", 0, compression=None, ping_interval=None) as server:
            port.put(next(iter(server.sockets)).getsockname()[1])
            await server.serve_forever()

    asyncio.run(run())

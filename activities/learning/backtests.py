"""The steps of a backtest that somebody asked for. The work is done by a process of its own.

That process may be killed at any moment: on cancellation, and when whoever started it is gone. What
it came to is kept whole or not at all, so a repeated step begins anew.
"""

import asyncio
import json
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.heartbeat import heartbeating
from activities.ports.backtests import BacktestProgress, BacktestRecord
from models.contracts.backtests import (
    EVIDENCE_FILE,
    PAGE_FILE,
    RESULTS_FILE,
    BacktestDone,
    BacktestRequest,
)
from models.trading.strategies.out_of_sample import OutOfSampleTrade

log = structlog.get_logger(__name__)

REFUSED = "BacktestRefused"
STDERR_KEPT = 600
LINE_LIMIT = 1 << 20


class BacktestActivities:
    """Run backtests by a command, one process for each and one at a time."""

    def __init__(
        self, record: BacktestRecord, command: Sequence[str], clock: Callable[[], datetime]
    ) -> None:
        """``command`` reads a request from its standard input and takes a directory as argument."""
        self._record = record
        self._command = tuple(command)
        self._clock = clock
        self._turn = asyncio.Lock()

    @activity.defn
    async def run_backtest(self, request: BacktestRequest) -> BacktestDone:
        """Run it to its end; ApplicationError (``BacktestRefused``) where it cannot be run."""
        # Those that wait beat too: a cancellation reaches them, and nobody takes them for dead.
        async with heartbeating(), self._turn:
            await self._progress(request.run_id, BacktestProgress("starting"))
            with tempfile.TemporaryDirectory(prefix="aether-backtest-") as place:
                directory = Path(place)
                await self._run(request, directory)
                documents = json.loads((directory / RESULTS_FILE).read_text())
                page = (directory / PAGE_FILE).read_text()
                proven = [_trade(row) for row in _rows(directory / EVIDENCE_FILE)]
            await self._record.finish(request.run_id, documents, page, proven, self._clock())
        return BacktestDone(request.run_id, "finished", results=len(documents))

    @activity.defn
    async def end_backtest(self, done: BacktestDone) -> None:
        """Write down that it ended without a result."""
        await self._record.end(done.run_id, done.outcome, done.reason, self._clock())

    async def _run(self, request: BacktestRequest, directory: Path) -> None:
        process = await asyncio.create_subprocess_exec(
            *self._command,
            str(directory),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=LINE_LIMIT,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        errors = asyncio.create_task(_tail(process.stderr))
        try:
            # Its input stays open: it ends itself when that is closed, for nobody waits then.
            process.stdin.write(json.dumps(asdict(request), default=str).encode() + b"\n")
            with suppress(BrokenPipeError, ConnectionResetError):
                await process.stdin.drain()
            refusal = await self._follow(request.run_id, process.stdout)
            status = await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
            process.stdin.close()
            words = await errors
        if refusal is not None:
            raise ApplicationError(refusal, type=REFUSED, non_retryable=True)
        if status != 0:
            log.error("backtest failed", run=request.run_id, status=status, errors=words)
            raise ApplicationError(f"its process ended with status {status}: {words}")

    async def _follow(self, run_id: str, output: asyncio.StreamReader) -> str | None:
        """Note progress until the process ends; return its refusal, None when there is none."""
        refusal: str | None = None
        async for line in output:
            said: dict[str, Any] = json.loads(line)
            if "refused" in said:
                refusal = str(said["refused"])
            else:
                await self._progress(run_id, BacktestProgress(**said))
        return refusal

    async def _progress(self, run_id: str, progress: BacktestProgress) -> None:
        await self._record.progress(run_id, progress, self._clock())


def _rows(file: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(file.read_text())
    return rows


def _trade(row: dict[str, Any]) -> OutOfSampleTrade:
    moments = {name: datetime.fromisoformat(row[name]) for name in ("opened_at", "closed_at")}
    return OutOfSampleTrade(
        **{**row, **moments, "move": Decimal(row["move"]), "net": Decimal(row["net"])}
    )


async def _tail(stream: asyncio.StreamReader) -> str:
    """Read to the end and return the last of it as one line."""
    kept = b""
    while piece := await stream.read(65536):
        kept = (kept + piece)[-STDERR_KEPT:]
    return " ".join(kept.decode(errors="replace").split())

"""What a running stack uses: memory and cores by process, database and Temporal work a second."""

import time
from dataclasses import dataclass
from typing import Any, Self

import httpx
import psutil
import psycopg

from infra.runtime.database.connections import DATABASE
from infra.runtime.settings import Settings
from infra.stack.embedded import Stack
from infra.stack.postgres_binaries import embedded_cluster

MEGABYTE = 2**20
WORK = ("service_requests", "persistence_requests")
"""Temporal's own counters: requests to its services, and of these to their storage."""
_STATISTICS = """
    SELECT xact_commit + xact_rollback, tup_inserted + tup_updated + tup_deleted,
           pg_database_size(datname), numbackends
    FROM pg_stat_database WHERE datname = current_database()
"""


@dataclass(frozen=True, slots=True)
class _Sample:
    at: float
    cores: dict[str, float]
    transactions: int
    rows: int
    work: dict[str, float]


class Meter:
    """Measures between ``begin`` and ``end``; holds one connection of its own meanwhile."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._supervisor = Stack(settings).supervisor
        self._database = psycopg.connect(
            embedded_cluster(settings.home).url(database=DATABASE), autocommit=True
        )
        self._begun: _Sample | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def begin(self) -> None:
        """Begin."""
        self._begun = self._sample()

    def end(self) -> dict[str, Any]:
        """Return what was used since: shares of a core, megabytes now, work a second."""
        before, now = self._begun, self._sample()
        assert before is not None
        seconds = now.at - before.at
        cores = {
            name: round((used - before.cores.get(name, 0.0)) / seconds, 3)
            for name, used in now.cores.items()
        }
        memory = {name: round(self._memory(name), 1) for name in now.cores}
        work = {name: round((now.work[name] - before.work[name]) / seconds, 1) for name in WORK}
        size, backends = self._statistics()[2:]
        return {
            "seconds": round(seconds, 1),
            "cores": round(sum(cores.values()), 3),
            "cores_by_process": cores,
            "memory_megabytes": round(sum(memory.values()), 1),
            "memory_by_process": memory,
            "database_transactions_a_second": round(
                (now.transactions - before.transactions) / seconds, 1
            ),
            "database_rows_written_a_second": round((now.rows - before.rows) / seconds, 1),
            "database_megabytes": round(size / MEGABYTE, 1),
            "database_connections": backends,
            "temporal_requests_a_second": work["service_requests"],
            "temporal_storage_requests_a_second": work["persistence_requests"],
            "temporal_megabytes": round(self._temporal_bytes() / MEGABYTE, 1),
        }

    def _sample(self) -> _Sample:
        transactions, rows, *_ = self._statistics()
        cores = {
            name: sum(sum(process.cpu_times()[:4]) for process in processes[:1])
            + sum(sum(process.cpu_times()[:2]) for process in processes[1:])
            for name, processes in self._processes().items()
        }
        return _Sample(time.monotonic(), cores, transactions, rows, self._work())

    def _statistics(self) -> tuple[int, int, int, int]:
        found = self._database.execute(_STATISTICS).fetchone()
        assert found is not None
        return found[0], found[1], found[2], found[3]

    def _processes(self) -> dict[str, list[psutil.Process]]:
        """Return each program's process, then the children that it has now.

        The fork server's are programs themselves and count as these alone.
        """
        programs = {one.pid: one.name for one in self._supervisor.processes() if one.pid}
        found = {}
        for pid, name in programs.items():
            process = psutil.Process(pid)
            children = process.children(recursive=True)
            found[name] = [process, *(child for child in children if child.pid not in programs)]
        return found

    def _memory(self, name: str) -> float:
        """Return what only this program's processes hold, shared pages by their share."""
        total = 0
        for process in self._processes().get(name, ()):
            try:
                total += process.memory_full_info().pss
            except psutil.NoSuchProcess:
                continue
        return total / MEGABYTE

    def _work(self) -> dict[str, float]:
        url = f"http://127.0.0.1:{self._settings.temporal_metrics_port}/metrics"
        sums = dict.fromkeys(WORK, 0.0)
        for line in httpx.get(url, timeout=10, trust_env=False).text.splitlines():
            name = line.partition("{")[0]
            if name in sums:
                sums[name] += float(line.rpartition(" ")[2])
        return sums

    def _temporal_bytes(self) -> int:
        directory = self._settings.home / "temporal"
        return sum(path.stat().st_size for path in directory.iterdir() if path.is_file())

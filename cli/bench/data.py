"""Rows per second of an import, judging and all, into a database of a server of its own."""

import math
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from infra.runtime.database.connections import Role
from infra.runtime.database.setup import create_database, migrate
from infra.stack import postgres_binaries

ROWS = 5_000_000
BUDGET = 200_000
MINUTE = 60
BEGIN = 1_388_534_400
"""2014-01-01: five million minutes end in 2023."""
SEED = 20_260_101
DECIMALS = 8

Tell = Callable[[str], None]


def measure(rows: int, tell: Tell) -> dict[str, Any]:
    """Return the report of one import of so many minute candles of Kraken's form."""
    from activities.adapters.history_files.sources import find_sources
    from activities.adapters.postgres.history.candle_load import PostgresHistory
    from activities.history.importing import import_source

    with tempfile.TemporaryDirectory(prefix="aether-bench-data-") as directory:
        tell(f"writing {rows:,} candles")
        path = write_archive(Path(directory) / "XBTUSD_1.csv", rows)
        with _server(Path(directory) / "server") as address:
            (source,) = find_sources(path)
            history = PostgresHistory.connect(address, lambda: datetime.now(UTC))
            began, busy = time.perf_counter(), time.process_time()
            done = import_source(
                source,
                history,
                lambda: int(time.time()),
                lambda one: tell(f"{one.rows:,} rows, {one.rows / one.seconds:,.0f}/s"),
            )
            seconds, busy = time.perf_counter() - began, time.process_time() - busy
            served = sum(
                processor_seconds(one.info.backend_pid)
                for one in (history.connection, history.reading)
            )
            held = history.reading.execute("SELECT count(*) FROM history_candles").fetchone()
            history.close()
    return {
        "rows": rows,
        "held": held[0] if held else 0,
        "seconds": round(seconds, 2),
        "rows_per_second": round(rows / seconds),
        "processor_seconds_of_importer": round(busy, 2),
        "processor_seconds_of_server": round(served, 2),
        "rows_per_second_of_two_free_cores": of_free_cores(rows, busy, served),
        "budget_rows_per_second": BUDGET,
        "met": rows / seconds >= BUDGET,
        "quarantined_rows": done.quarantined_rows,
        "load_average": os.getloadavg()[0],
        "cores": os.cpu_count(),
    }


def of_free_cores(rows: int, importer: float, server: float) -> int | None:
    """Return the rate where importer and server each have a core for themselves.

    They work beside each other, so that the one that needs more bounds it. This is what to compare
    between days: the time by the clock is also that of whatever else runs. None where the server's
    use is not known.
    """
    if math.isnan(server):
        return None
    return round(rows / max(importer, server))


def processor_seconds(pid: int) -> float:
    """Return what a process has used of the processors; not a number where nobody tells."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return float("nan")
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def write_archive(path: Path, rows: int) -> Path:
    """Write seeded minute candles without gaps, with as many digits as Kraken's own."""
    import numpy as np
    import pyarrow as pa
    from pyarrow import csv

    generator = np.random.default_rng(SEED)
    close = np.round(30_000 * np.exp(np.cumsum(generator.normal(0, 0.0003, rows))), 1)
    opening = np.concatenate([[30_000.0], close[:-1]])
    columns = {
        "time": BEGIN + MINUTE * np.arange(rows, dtype=np.int64),
        "open": opening,
        "high": np.round(np.maximum(opening, close) + 0.5, 1),
        "low": np.round(np.minimum(opening, close) * 0.9999, 1),
        "close": close,
        "volume": np.round(generator.uniform(0, 50, rows), DECIMALS),
        "trades": generator.integers(1, 400, rows),
    }
    csv.write_csv(pa.table(columns), path, csv.WriteOptions(include_header=False))
    return path


@contextmanager
def _server(home: Path) -> Iterator[str]:
    """Lend a fresh database of an embedded server as the platform starts it, durable."""
    home.mkdir(mode=0o700)
    home.parent.chmod(0o755)
    cluster = postgres_binaries.embedded_cluster(home)
    postgres_binaries.prepare(cluster)
    process = subprocess.Popen(  # noqa: S603
        postgres_binaries.command_line(cluster),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        **postgres_binaries.run_as(cluster),
    )
    try:
        _wait(cluster.url())
        create_database(cluster.url())
        migrate(cluster.url(Role.OWNER, "aether"))
        yield cluster.url(Role.MARKET, "aether")
    finally:
        process.terminate()
        process.wait(60)


def _wait(url: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return

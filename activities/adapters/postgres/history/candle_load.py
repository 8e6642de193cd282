"""Batches of history into the record by COPY, together with the note of what was done."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Self

import numpy as np
import psycopg
from psycopg import errors
from psycopg.types.json import Jsonb

from activities.ports.history import OpenImport, WrittenBatch
from infra.runtime.errors import PlatformError
from models.learning.history.batches import (
    PRICES,
    SAMPLE_ROWS,
    BatchVerdict,
    CandleBatch,
    Finding,
    SecondSource,
)

NAMES: Final = (*PRICES, "volume", "trades")
COLUMNS: Final = "series_id, start, open, high, low, close, volume, trades, available_at"
DIFFERS: Final = "differs"
OPTIONS: Final = "-c timezone=UTC -c statement_timeout=120s -c lock_timeout=10s"

_COPY = f"COPY {{}} ({COLUMNS}) FROM STDIN (FORMAT csv)"
_STAGING = "CREATE TEMPORARY TABLE staged_candles (LIKE history_candles) ON COMMIT DROP"
# What either side does not tell is no difference.
_DIFFERENT = """
    SELECT s.start, h.close, s.close FROM staged_candles s
    JOIN history_candles h USING (series_id, start)
    WHERE s.open <> h.open OR s.high <> h.high OR s.low <> h.low OR s.close <> h.close
       OR s.volume <> h.volume OR s.trades <> h.trades
    ORDER BY s.start
"""
_MERGE = f"""
    INSERT INTO history_candles ({COLUMNS}) SELECT {COLUMNS} FROM staged_candles
    ON CONFLICT (series_id, start) DO NOTHING
"""  # noqa: S608  # the columns are a constant of this module
_SERIES = """
    INSERT INTO history_series (venue, symbol, interval_minutes) VALUES (%s, %s, %s)
    ON CONFLICT DO NOTHING
"""
_IMPORT = """
    INSERT INTO history_imports (series_id, digest, label, batch_rows, started_at)
    VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
"""
_BATCH = """
    INSERT INTO history_batches (import_id, first_row, rows, quarantined, new_rows, gaps,
        absent_bars, last_start, findings, accepted_reason, written_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s, to_timestamp(%s), %s, %s, %s)
    ON CONFLICT (import_id, first_row) DO UPDATE SET rows = excluded.rows,
        quarantined = excluded.quarantined, new_rows = excluded.new_rows, gaps = excluded.gaps,
        absent_bars = excluded.absent_bars, last_start = excluded.last_start,
        findings = excluded.findings, accepted_reason = excluded.accepted_reason,
        written_at = excluded.written_at
"""
_ELSEWHERE = """
    SELECT s.venue, s.interval_minutes, extract(epoch FROM c.start)::bigint,
           c.close::float8, c.high::float8, c.low::float8
    FROM history_series s JOIN history_candles c USING (series_id)
    WHERE s.symbol = %(symbol)s AND s.venue <> %(venue)s
      AND c.start >= to_timestamp(%(first)s - 60 * s.interval_minutes)
      AND c.start <= to_timestamp(%(last)s - 60 * s.interval_minutes)
    ORDER BY s.venue, s.interval_minutes = %(minutes)s, c.start
"""


class ImportInUseError(PlatformError):
    """Another process is importing the same file into the same series."""


@dataclass(slots=True)
class PostgresHistory:
    """The record of history over two connections of its own; of the role ``aether_market``.

    ``reading`` serves the judging of a batch while ``connection`` writes the one before it. A
    commit waits for no disk: a batch and its note are lost together, and then imported again.
    """

    connection: psycopg.Connection[Any]
    reading: psycopg.Connection[Any]
    clock: Callable[[], datetime]

    @classmethod
    def connect(cls, url: str, clock: Callable[[], datetime]) -> Self:
        """Connect to an address as libpq reads it; raises psycopg.OperationalError."""
        return cls(_connected(url), _connected(url), clock)

    def close(self) -> None:
        """Close the connections, which ends the locks of the imports."""
        self.connection.close()
        self.reading.close()

    def begin(
        self, venue: str, symbol: str, interval_minutes: int, digest: str, label: str, rows: int
    ) -> OpenImport:
        """Open a file's import, or the one that was begun before.

        Raises ImportInUseError when another connection holds it.
        """
        key, run = (venue, symbol, interval_minutes), self.connection.execute
        run(_SERIES, key)
        found = run(
            "SELECT series_id FROM history_series WHERE (venue, symbol, interval_minutes) "
            "= (%s, %s, %s)",
            key,
        )
        series = int(_only(found)[0])
        run(_IMPORT, (series, digest, label, rows, self.clock()))
        import_id, batch_rows, finished = _only(
            run(
                "SELECT import_id, batch_rows, finished_at IS NOT NULL FROM history_imports "
                "WHERE series_id = %s AND digest = %s",
                (series, digest),
            )
        )
        locked = run("SELECT pg_try_advisory_lock(%s, %s)", (LOCK, import_id))
        if not _only(locked)[0]:
            raise ImportInUseError(f"{label} is being imported by another process")
        done = run(
            "SELECT first_row, rows, quarantined, new_rows, extract(epoch FROM last_start)::bigint "
            "FROM history_batches WHERE import_id = %s",
            (import_id,),
        )
        batches = {row[0]: WrittenBatch(*row[1:]) for row in done}
        return OpenImport(import_id, series, batch_rows, finished, batches)

    def second_sources(
        self, venue: str, symbol: str, interval_minutes: int, first: int, last: int
    ) -> tuple[SecondSource, ...]:
        """Return the pair's bars at other venues that end between two unix seconds.

        Of bars of several lengths that end together the one of the same length counts.
        """
        values = {
            "venue": venue,
            "symbol": symbol,
            "minutes": interval_minutes,
            "first": first,
            "last": last,
        }
        by_venue: dict[str, dict[int, tuple[float, float, float]]] = {}
        for name, minutes, start, close, high, low in self.reading.execute(_ELSEWHERE, values):
            same = minutes == interval_minutes
            nothing = float("nan")
            figures = (close, *((high, low) if same and high is not None else (nothing, nothing)))
            by_venue.setdefault(name, {})[start + 60 * minutes] = figures
        return tuple(_second(name, bars) for name, bars in sorted(by_venue.items()))

    def write(
        self, opened: OpenImport, batch: CandleBatch, verdict: BatchVerdict, *, accepted: str = ""
    ) -> WrittenBatch:
        """Keep a batch that passed, or quarantine it, and note which, in one transaction."""
        new = 0
        with self.connection.transaction():
            if verdict.passed and len(batch):
                new, different = self._keep(opened.series_id, batch)
                if different is not None:
                    verdict = replace(verdict, findings=(different,), gaps=0, absent_bars=0)
                    new = 0
            last = int(batch.start[-1]) if verdict.passed and len(batch) else None
            values = (
                opened.import_id,
                batch.first_row,
                len(batch),
                not verdict.passed,
                new,
                verdict.gaps,
                verdict.absent_bars,
                last,
                Jsonb([one.document() for one in verdict.findings]),
                accepted or None,
                self.clock(),
            )
            self.connection.execute(_BATCH, values)
        reasons = tuple(one.sample[0] for one in verdict.findings if one.sample)
        return WrittenBatch(len(batch), not verdict.passed, new, last, reasons)

    def finish(self, opened: OpenImport) -> None:
        """Note that the file was read to its end, and let go of it."""
        self.connection.execute(
            "UPDATE history_imports SET finished_at = %s WHERE import_id = %s",
            (self.clock(), opened.import_id),
        )
        self.connection.execute("SELECT pg_advisory_unlock(%s, %s)", (LOCK, opened.import_id))

    def _keep(self, series: int, batch: CandleBatch) -> tuple[int, Finding | None]:
        """Copy straight in; where rows are held already, through a table that finds differences."""
        lines = _lines(series, batch)
        try:
            with self.connection.transaction():
                self._copy("history_candles", lines)
        except errors.UniqueViolation:
            return self._merge(lines)
        return len(batch), None

    def _merge(self, lines: memoryview) -> tuple[int, Finding | None]:
        run = self.connection.execute
        with self._undone_where_different() as found:
            run(_STAGING)
            self._copy("staged_candles", lines)
            different = run(_DIFFERENT).fetchall()
            if different:
                sample = tuple(
                    f"{at:%Y-%m-%dT%H:%M:%SZ}: close {new} differs from {held} that is held"
                    if new != held
                    else f"{at:%Y-%m-%dT%H:%M:%SZ}: differs from what is held"
                    for at, held, new in different[:SAMPLE_ROWS]
                )
                found.append(Finding(DIFFERS, len(different), sample))
                raise psycopg.Rollback
            new = run(_MERGE).rowcount
            run("DROP TABLE staged_candles")
        return (0, found[0]) if found else (new, None)

    @contextmanager
    def _undone_where_different(self) -> Iterator[list[Finding]]:
        found: list[Finding] = []
        with self.connection.transaction():
            yield found

    def _copy(self, table: str, lines: memoryview) -> None:
        with self.connection.cursor().copy(_COPY.format(table)) as copy:
            for first in range(0, len(lines), BLOCK_BYTES):
                copy.write(lines[first : first + BLOCK_BYTES])


LOCK: Final = 47_071
"""Class of the advisory locks that imports hold."""
BLOCK_BYTES: Final = 1 << 18


def _connected(url: str) -> psycopg.Connection[Any]:
    return psycopg.connect(
        url,
        autocommit=True,
        options=f"{OPTIONS} -c synchronous_commit=off",
        application_name="aether-history",
        connect_timeout=5,
    )


def _lines(series: int, batch: CandleBatch) -> memoryview:
    """Return a batch as lines of CSV; Arrow writes them, faster than any loop here.

    Times are without a zone, which Arrow writes twenty times faster: the connection's is UTC.
    """
    import pyarrow as pa
    from pyarrow import csv

    held = set(batch.texts.column_names)
    nothing = pa.nulls(len(batch), pa.string())
    columns = {
        "series_id": pa.array(np.full(len(batch), series, dtype=np.int32)),
        "start": pa.array(batch.start).cast(pa.timestamp("s")),
        **{name: batch.texts.column(name) if name in held else nothing for name in NAMES},
        "available_at": pa.array(batch.available).cast(pa.timestamp("s")),
    }
    written = io.BytesIO()
    options = csv.WriteOptions(include_header=False, quoting_style="none")
    csv.write_csv(pa.table(columns), written, options)
    return written.getbuffer()


def _second(name: str, bars: dict[int, tuple[float, float, float]]) -> SecondSource:
    ends = np.array(sorted(bars), dtype=np.int64)
    figures = np.array([bars[int(end)] for end in ends], dtype=np.float64)
    return SecondSource(name, ends, figures[:, 0], figures[:, 1], figures[:, 2])


def _only(cursor: psycopg.Cursor[Any]) -> Any:
    row = cursor.fetchone()
    assert row is not None
    return row

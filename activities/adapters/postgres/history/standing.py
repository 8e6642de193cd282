"""What history is held: series with their gaps, imports, and batches in quarantine."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import psycopg

# Gaps are counted from the rows themselves: several files may close one another's.
_SERIES = """
    WITH stepped AS (
        SELECT c.series_id, c.start, c.volume IS NULL AS unknown_volume,
               extract(epoch FROM c.start - lag(c.start) OVER (
                   PARTITION BY c.series_id ORDER BY c.start))::bigint
               / (60 * s.interval_minutes) - 1 AS absent
        FROM history_candles c JOIN history_series s USING (series_id))
    SELECT s.venue, s.symbol, s.interval_minutes, count(*), min(t.start), max(t.start),
           count(*) FILTER (WHERE t.absent > 0), coalesce(sum(t.absent), 0)::bigint,
           coalesce(max(t.absent), 0), bool_or(t.unknown_volume)
    FROM stepped t JOIN history_series s USING (series_id)
    WHERE (%(symbol)s::text IS NULL OR s.symbol = %(symbol)s)
    GROUP BY s.series_id ORDER BY s.venue, s.symbol, s.interval_minutes
"""
_GAPS = """
    WITH stepped AS (
        SELECT c.series_id, lag(c.start) OVER (
                   PARTITION BY c.series_id ORDER BY c.start) AS before, c.start AS after
        FROM history_candles c JOIN history_series s USING (series_id)
        WHERE (%(symbol)s::text IS NULL OR s.symbol = %(symbol)s))
    SELECT s.venue, s.symbol, s.interval_minutes, t.before, t.after,
           extract(epoch FROM t.after - t.before)::bigint / (60 * s.interval_minutes) - 1
    FROM stepped t JOIN history_series s USING (series_id)
    WHERE t.after - t.before > make_interval(mins => s.interval_minutes)
    ORDER BY 6 DESC, 1, 2, 3, 4 LIMIT %(limit)s
"""
_QUARANTINE = """
    SELECT b.import_id, i.label, s.venue, s.symbol, s.interval_minutes, b.first_row, b.rows,
           b.findings, b.written_at
    FROM history_batches b JOIN history_imports i USING (import_id)
    JOIN history_series s USING (series_id)
    WHERE b.quarantined ORDER BY b.written_at DESC, b.first_row LIMIT %(limit)s
"""
_UNFINISHED = """
    SELECT i.label, s.venue, s.symbol, s.interval_minutes, coalesce(sum(b.rows), 0)::bigint,
           i.started_at
    FROM history_imports i JOIN history_series s USING (series_id)
    LEFT JOIN history_batches b USING (import_id)
    WHERE i.finished_at IS NULL GROUP BY i.import_id, s.series_id ORDER BY i.started_at
"""
_DOUBTS = """
    SELECT symbol, kind, detail, began_at, ended_at FROM market_quality_events
    ORDER BY ended_at IS NOT NULL, began_at DESC LIMIT %(limit)s
"""

_WORKS = """
    SELECT work, scheduled_since, finished_at, succeeded_at, failures, detail
    FROM market_data_work ORDER BY work
"""
_SENTIMENT = """
    SELECT DISTINCT ON (source) source, at, value, words, available_at FROM sentiment_values
    ORDER BY source, at DESC, available_at DESC
"""


@dataclass(frozen=True, slots=True)
class SeriesStanding:
    """One series: its rows and span (UTC, starts of bars), and the bars between that are absent."""

    venue: str
    symbol: str
    interval_minutes: int
    rows: int
    first: datetime
    last: datetime
    gaps: int
    absent_bars: int
    longest_gap_bars: int
    volume_unknown: bool


@dataclass(frozen=True, slots=True)
class Gap:
    """Bars that are absent between two that are held; nothing ever fills them in."""

    venue: str
    symbol: str
    interval_minutes: int
    before: datetime
    after: datetime
    absent_bars: int


@dataclass(frozen=True, slots=True)
class QuarantinedBatch:
    """A batch that is not part of the record, and why."""

    import_id: int
    label: str
    venue: str
    symbol: str
    interval_minutes: int
    first_row: int
    rows: int
    findings: list[dict[str, Any]]
    at: datetime


@dataclass(frozen=True, slots=True)
class UnfinishedImport:
    """An import that was not read to its end: the same command goes on with it."""

    label: str
    venue: str
    symbol: str
    interval_minutes: int
    rows: int
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Doubt:
    """What a second source found with the market's own prices; ``ended_at`` None: it stands."""

    symbol: str
    kind: str
    detail: str
    began_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Work:
    """What is brought from outside on a schedule, and how its last run went; None: none yet."""

    work: str
    scheduled_since: datetime
    finished_at: datetime | None
    succeeded_at: datetime | None
    failures: int
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Mood:
    """A source's newest value, from 0 to 100, of a moment; known here from ``available_at`` on."""

    source: str
    at: datetime
    value: Decimal
    words: str
    available_at: datetime


@dataclass(frozen=True, slots=True)
class HistoryStanding:
    """All of it."""

    series: list[SeriesStanding]
    gaps: list[Gap]
    quarantined: list[QuarantinedBatch]
    unfinished: list[UnfinishedImport]
    doubts: list[Doubt]
    works: list[Work]
    sentiment: list[Mood]


def history_standing(
    connection: psycopg.Connection[Any], symbol: str | None = None, limit: int = 20
) -> HistoryStanding:
    """Return what is held, with the longest gaps and newest quarantined batches up to a limit."""
    values = {"symbol": symbol, "limit": limit}
    return HistoryStanding(
        [SeriesStanding(*row) for row in connection.execute(_SERIES, values)],
        [Gap(*row) for row in connection.execute(_GAPS, values)],
        [QuarantinedBatch(*row) for row in connection.execute(_QUARANTINE, values)],
        [UnfinishedImport(*row) for row in connection.execute(_UNFINISHED)],
        [Doubt(*row) for row in connection.execute(_DOUBTS, values)],
        [Work(*row) for row in connection.execute(_WORKS)],
        [Mood(*row) for row in connection.execute(_SENTIMENT)],
    )

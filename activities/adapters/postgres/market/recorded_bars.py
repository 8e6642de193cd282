"""Candles of the database as arrays for a backtest. Read at once, by a process of its own."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
import psycopg

from activities.adapters.candle_files.reading import instrument_of
from models.contracts.backtests import HISTORY_PREFIX, RECORD_VENUE
from models.learning.backtest.bars import Bars, make_bars, remarks_on

_KINDS = """SELECT DISTINCT interval_minutes FROM candles
    WHERE symbol = %s AND %s %% interval_minutes = 0 ORDER BY 1"""
_ROWS = """SELECT (extract(epoch FROM start) / 60)::bigint, open::float8, high::float8,
        low::float8, close::float8, volume::float8
    FROM candles WHERE symbol = %s AND interval_minutes = %s
        AND (%s::timestamptz IS NULL OR start < %s) ORDER BY start"""
_SYMBOLS = "SELECT DISTINCT symbol FROM candles ORDER BY 1"
_SERIES = """SELECT symbol, interval_minutes FROM history_series
    WHERE venue = %(venue)s AND %(minutes)s %% interval_minutes = 0
        AND (%(symbols)s::text[] = '{}' OR symbol = ANY(%(symbols)s))
    ORDER BY symbol, interval_minutes"""
# What nobody knew at the end is no part of it. Batches in quarantine never were among these rows.
_KNOWN = """SELECT (extract(epoch FROM start) / 60)::bigint, open::float8, high::float8,
        low::float8, close::float8, volume::float8,
        available_at > start + make_interval(mins => %(minutes)s)
    FROM known_candles()
    WHERE venue = %(venue)s AND symbol = %(symbol)s AND interval_minutes = %(minutes)s
        AND (%(end)s::timestamptz IS NULL OR (start < %(end)s AND available_at <= %(end)s))
    ORDER BY start"""
NOT_TOLD, LATE = "without all of open, high, low and volume", "known only after their end"


def recorded_bars(
    url: str, symbols: Sequence[str], interval_minutes: int, end: datetime | None
) -> list[tuple[str, Bars]]:
    """Return the recorded bars that give bars of an interval, each with the venue ``record``.

    Args:
        url: address of the database, as a role that reads candles.
        symbols: pairs in v2 names; none: every pair.
        interval_minutes: recordings whose interval divides it are read.
        end: bars from then on are left out.

    Raises:
        psycopg.Error: the database does not answer.
        BarsError: a recorded bar is none.
    """
    found: list[tuple[str, Bars]] = []
    with _reading(url) as connection:
        chosen = symbols or [row[0] for row in connection.execute(_SYMBOLS)]
        for symbol in chosen:
            kinds = connection.execute(_KINDS, (symbol, interval_minutes)).fetchall()
            for (minutes,) in kinds:
                rows = connection.execute(_ROWS, (symbol, minutes, end, end)).fetchall()
                if rows:
                    found.append((RECORD_VENUE, _bars(RECORD_VENUE, symbol, minutes, rows)))
    return found


class KeptHistory:
    """The kept history of one venue, as it was known; what could not be used is told.

    A fill needs all of a bar, and a decision at its close a bar that was known then: others are
    left out, which a backtest sees as a gap.
    """

    def __init__(self, url: str, venue: str, symbols: Sequence[str], end: datetime | None) -> None:
        """``venue`` is ``history.VENUE``; bars not known at ``end`` are left out (None: now)."""
        self._url = url
        self._venue = venue
        self._symbols = list(symbols)
        self._end = end
        self._unused: dict[str, None] = {}

    @property
    def unused(self) -> tuple[str, ...]:
        """Return in words of which series nothing could be used, and why."""
        return tuple(self._unused)

    def __call__(self, interval_minutes: int) -> list[tuple[str, Bars]]:
        """Return the series that give bars of an interval.

        Raises:
            psycopg.Error: the database does not answer.
            BarsError: a kept bar is none.
        """
        found: list[tuple[str, Bars]] = []
        venue = self._venue.removeprefix(HISTORY_PREFIX)
        words = {"venue": venue, "end": self._end}
        series = {"minutes": interval_minutes, "symbols": self._symbols}
        with _reading(self._url) as connection:
            for symbol, minutes in connection.execute(_SERIES, words | series).fetchall():
                asked = words | {"symbol": symbol, "minutes": minutes}
                rows, remarks = _usable(connection.execute(_KNOWN, asked).fetchall())
                if rows:
                    said = (*remarks_on(venue), *remarks)
                    bars = _bars(self._venue, symbol, minutes, rows, said)
                    found.append((self._venue, bars))
                elif remarks:
                    name = f"{symbol} of {minutes} minutes"
                    self._unused[f"{name}: {', '.join(remarks)}"] = None
        return found


def _usable(rows: Sequence[tuple[Any, ...]]) -> tuple[list[tuple[float, ...]], tuple[str, ...]]:
    """Return the rows that a backtest can stand on, and what the others lack."""
    kept: list[tuple[float, ...]] = []
    lacking: Counter[str] = Counter()
    for *figures, late in rows:
        if None in figures:
            lacking[NOT_TOLD] += 1
        elif late:
            lacking[LATE] += 1
        else:
            kept.append(tuple(figures))
    return kept, tuple(f"{count} bars left out, {why}" for why, count in lacking.items())


def _reading(url: str) -> psycopg.Connection[Any]:
    connection = psycopg.connect(url, application_name="aether-backtest")
    connection.read_only = True
    connection.execute("SET statement_timeout = '10min'")
    return connection


def _bars(
    venue: str,
    symbol: str,
    interval_minutes: int,
    rows: Sequence[tuple[float, ...]],
    remarks: tuple[str, ...] = (),
) -> Bars:
    table = np.array(rows, dtype=np.float64).T
    instrument, assumed = instrument_of(symbol, table[4])
    return make_bars(
        instrument,
        interval_minutes,
        table[0].astype(np.int64),
        (table[1], table[2], table[3], table[4]),
        table[5],
        source=f"{venue}/{symbol}",
        assumed=assumed,
        remarks=remarks,
    )

"""The platform's own candles as arrays for a backtest. Read at once, by a process of its own."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import psycopg

from activities.adapters.candle_files.reading import instrument_of
from models.contracts.backtests import RECORD_VENUE
from models.learning.backtest.bars import Bars, make_bars

_KINDS = """SELECT DISTINCT interval_minutes FROM candles
    WHERE symbol = %s AND %s %% interval_minutes = 0 ORDER BY 1"""
_ROWS = """SELECT (extract(epoch FROM start) / 60)::bigint, open::float8, high::float8,
        low::float8, close::float8, volume::float8
    FROM candles WHERE symbol = %s AND interval_minutes = %s
        AND (%s::timestamptz IS NULL OR start < %s) ORDER BY start"""
_SYMBOLS = "SELECT DISTINCT symbol FROM candles ORDER BY 1"


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
    with psycopg.connect(url, application_name="aether-backtest") as connection:
        connection.execute("SET statement_timeout = '10min'")
        chosen = symbols or [row[0] for row in connection.execute(_SYMBOLS)]
        for symbol in chosen:
            kinds = connection.execute(_KINDS, (symbol, interval_minutes)).fetchall()
            for (minutes,) in kinds:
                rows = connection.execute(_ROWS, (symbol, minutes, end, end)).fetchall()
                if rows:
                    found.append((RECORD_VENUE, _bars(symbol, minutes, rows)))
    return found


def _bars(symbol: str, interval_minutes: int, rows: Sequence[tuple[float, ...]]) -> Bars:
    table = np.array(rows, dtype=np.float64).T
    instrument, assumed = instrument_of(symbol, table[4])
    return make_bars(
        instrument,
        interval_minutes,
        table[0].astype(np.int64),
        (table[1], table[2], table[3], table[4]),
        table[5],
        source=f"{RECORD_VENUE}/{symbol}",
        assumed=assumed,
    )

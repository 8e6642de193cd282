"""Bars into the database by COPY: straight in, or through a staging table where keys repeat."""

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import errors

from infra.runtime.database.connections import Database, cured_by_retry
from models.trading.market import Candle

COLUMNS = "symbol, interval_minutes, start, open, high, low, close, volume, trades"
CHUNK = 1_000
"""Bars per write: small enough that the server works while the next ones are written out."""

_COPY = f"COPY candles ({COLUMNS}) FROM STDIN"
_COPY_STAGING = f"COPY candle_staging ({COLUMNS}) FROM STDIN"
_STAGING = "CREATE TEMPORARY TABLE candle_staging (LIKE candles) ON COMMIT DROP"
# Of a key that the same batch holds twice, the last counts: ctid follows the order of the copy.
_MERGE = f"""
    INSERT INTO candles ({COLUMNS})
    SELECT DISTINCT ON (symbol, interval_minutes, start) {COLUMNS} FROM candle_staging
    ORDER BY symbol, interval_minutes, start, ctid DESC
    ON CONFLICT (symbol, interval_minutes, start) DO UPDATE SET
        open = excluded.open, high = excluded.high, low = excluded.low, close = excluded.close,
        volume = excluded.volume, trades = excluded.trades
"""  # noqa: S608  # the columns are a constant of this module
_INSERT = f"""
    INSERT INTO candles ({COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (symbol, interval_minutes, start) DO UPDATE SET
        open = excluded.open, high = excluded.high, low = excluded.low, close = excluded.close,
        volume = excluded.volume, trades = excluded.trades
"""  # noqa: S608  # as above


async def save_candles(database: Database, candles: Sequence[Candle]) -> int:
    """Write bars in one transaction, replacing equal keys; returns how many rows were written."""
    if not candles:
        return 0
    with cured_by_retry():
        async with database.driver_connection() as connection:
            if len(candles) == 1:
                await connection.execute(_INSERT, _values(candles[0]))
                return 1
            try:
                async with connection.transaction():
                    await _copy(connection, _COPY, candles)
            except errors.UniqueViolation:
                return await _merge(connection, candles)
            return len(candles)


async def _merge(
    connection: psycopg.AsyncConnection[tuple[Any, ...]], candles: Sequence[Candle]
) -> int:
    async with connection.transaction():
        await connection.execute(_STAGING)
        await _copy(connection, _COPY_STAGING, candles)
        return (await connection.execute(_MERGE)).rowcount


async def _copy(
    connection: psycopg.AsyncConnection[tuple[Any, ...]],
    statement: str,
    candles: Sequence[Candle],
) -> None:
    # Lines are written here: about twice as fast as one write_row per bar. Symbols hold no tab,
    # newline or backslash, which is checked rather than assumed.
    async with connection.cursor().copy(statement) as copy:
        for first in range(0, len(candles), CHUNK):
            lines = [_line(candle) for candle in candles[first : first + CHUNK]]
            await copy.write("".join(lines))


def _line(c: Candle) -> str:
    if "\t" in c.symbol or "\n" in c.symbol or "\\" in c.symbol:
        raise ValueError(f"symbol was {c.symbol!r}")
    # !s: Decimal's own format() is several times slower than its str().
    return (
        f"{c.symbol}\t{c.interval_minutes}\t{c.start!s}\t{c.open!s}\t{c.high!s}\t{c.low!s}"
        f"\t{c.close!s}\t{c.volume!s}\t{c.trades}\n"
    )


def _values(c: Candle) -> tuple[object, ...]:
    return (
        c.symbol,
        c.interval_minutes,
        c.start,
        c.open,
        c.high,
        c.low,
        c.close,
        c.volume,
        c.trades,
    )

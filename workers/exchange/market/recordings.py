"""Recorded candles, read strictly: what is wrong with a file is an error.

Kraken's own CSV archives are read as they are (``kraken_archive``). A Parquet file is named
``<BASE>-<QUOTE>_<interval>_<first day>-<last day>.parquet`` and has the columns ``ts`` (UTC, start
of the bar), ``open``, ``high``, ``low``, ``close`` and ``volume``.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from pyarrow import parquet

from models.simulation.markets.instruments import Universe, UnknownPairError
from models.simulation.markets.replay import candle_fault
from models.trading.market import Candle
from workers.exchange.market.kraken_archive import EXAMPLE, is_archive, read_archive
from workers.exchange.market.recording_error import RecordingError

__all__ = ["RecordingError", "load_recordings", "read_name"]

COLUMNS: Final = ("ts", "open", "high", "low", "close", "volume")
_NAME: Final = re.compile(
    r"(?P<base>[A-Z0-9]+)-(?P<quote>[A-Z0-9]+)_(?P<count>[1-9]\d*)(?P<unit>[mhd])_\d{8}-\d{8}"
)
_MINUTES: Final = {"m": 1, "h": 60, "d": 1440}


@dataclass(frozen=True, slots=True)
class RecordingName:
    """What a file's name says: the v2 symbol and the bar length in minutes."""

    symbol: str
    interval_minutes: int


def read_name(path: Path) -> RecordingName:
    """Return symbol and interval of a file's name; raises RecordingError."""
    found = _NAME.fullmatch(path.name.removesuffix(".parquet"))
    if found is None or path.suffix != ".parquet":
        example = "BTC-USD_15m_20240418-20250630.parquet"
        raise RecordingError(path, f"the name must be like {example} or {EXAMPLE}")
    minutes = int(found["count"]) * _MINUTES[found["unit"]]
    return RecordingName(f"{found['base']}/{found['quote']}", minutes)


def load_recordings(paths: Sequence[Path], universe: Universe) -> dict[str, list[Candle]]:
    """Return the candles of some files by symbol, oldest first.

    Files of one symbol must have the same interval and not overlap; a hole between them stays a
    hole in time.

    Raises:
        RecordingError: names the file, the row and what is wrong with it.
    """
    parts: dict[str, list[tuple[Path, list[Candle]]]] = {}
    for path in paths:
        candles = load_recording(path, universe)
        parts.setdefault(candles[0].symbol, []).append((path, candles))
    for files in parts.values():
        files.sort(key=lambda file: file[1][0].start)
        for (_, earlier), (path, later) in pairwise(files):
            _check_succession(path, earlier[-1], later[0])
    return {
        symbol: [candle for _, candles in files for candle in candles]
        for symbol, files in parts.items()
    }


def load_recording(path: Path, universe: Universe) -> list[Candle]:
    """Return the candles of one file; raises RecordingError."""
    if is_archive(path):
        return read_archive(path, universe)
    name = read_name(path)
    try:
        universe.by_symbol(name.symbol)
    except UnknownPairError:
        raise RecordingError(path, f"the exchange does not list {name.symbol}") from None
    columns = _read_columns(path)
    candles: list[Candle] = []
    previous: Candle | None = None
    for row, values in enumerate(zip(*columns, strict=True)):
        candle = _candle(path, row, name, values)
        fault = candle_fault(candle, previous, name.interval_minutes)
        if fault is not None:
            raise RecordingError(path, fault, row)
        candles.append(candle)
        previous = candle
    if not candles:
        raise RecordingError(path, "there are no rows")
    return candles


def _read_columns(path: Path) -> list[list[Any]]:
    if not path.is_file():
        raise RecordingError(path, "there is no such file")
    try:
        table = parquet.ParquetFile(path).read()
    except (pa.ArrowException, OSError) as error:
        raise RecordingError(path, f"not a readable Parquet file: {error}") from None
    if tuple(table.column_names) != COLUMNS:
        found = ", ".join(table.column_names)
        raise RecordingError(path, f"columns must be {', '.join(COLUMNS)}; found {found}")
    if not pa.types.is_timestamp(table.schema.field("ts").type):
        raise RecordingError(path, "column ts must be a timestamp")
    for column in COLUMNS[1:]:
        if not pa.types.is_floating(table.schema.field(column).type):
            raise RecordingError(path, f"column {column} must be floating point")
    return [table.column(column).to_pylist() for column in COLUMNS]


def _candle(path: Path, row: int, name: RecordingName, values: tuple[Any, ...]) -> Candle:
    start, *figures = values
    for column, value in zip(COLUMNS, values, strict=True):
        if value is None:
            raise RecordingError(path, f"{column} is missing", row)
    # repr is the shortest text of a float: the figure as it was written, without binary noise.
    opening, high, low, close, volume = (Decimal(repr(float(figure))) for figure in figures)
    at = _utc(path, row, start)
    if (at - datetime(1970, 1, 1, tzinfo=UTC)) % timedelta(minutes=name.interval_minutes):
        raise RecordingError(path, f"ts {at} is not the start of a bar", row)
    return Candle(name.symbol, name.interval_minutes, at, opening, high, low, close, volume)


def _utc(path: Path, row: int, start: Any) -> datetime:
    if not isinstance(start, datetime) or start.tzinfo is None:
        raise RecordingError(path, "ts has no time zone", row)
    return start.astimezone(UTC)


def _check_succession(path: Path, last: Candle, first: Candle) -> None:
    if first.interval_minutes != last.interval_minutes:
        reason = f"its bars are {first.interval_minutes} minutes, another file's of {first.symbol} "
        raise RecordingError(path, f"{reason}are {last.interval_minutes}")
    if first.start < last.start + timedelta(minutes=last.interval_minutes):
        raise RecordingError(path, f"it overlaps another file of {first.symbol}")

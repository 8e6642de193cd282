"""Read recorded candles of any directory into arrays; what is wrong with a file is an error.

Two forms are known by their names: ``<BASE>-<QUOTE>_<interval>_<first day>-<last day>.parquet``
with the columns ``ts`` (UTC, start of the bar), ``open``, ``high``, ``low``, ``close``, ``volume``;
and Kraken's archives, ``XBTUSD_15.csv``, without a header (time, open, high, low, close, volume,
trades). The venue is the folder that a file lies in.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from infra.runtime.errors import PlatformError
from models.learning.backtest.bars import Bars, BarsError, assumed_instrument, make_bars, remarks_on
from models.simulation.markets.instruments import UNIVERSE, UnknownPairError
from models.trading.instruments import Instrument

COLUMNS: Final = ("ts", "open", "high", "low", "close", "volume")
_PARQUET: Final = re.compile(
    r"(?P<base>[A-Z0-9]+)-(?P<quote>[A-Z0-9]+)_(?P<count>[1-9]\d*)(?P<unit>[mhd])_"
    r"(?P<first>\d{8})-(?P<last>\d{8})\.parquet"
)
_ARCHIVE: Final = re.compile(r"(?P<pair>[A-Za-z0-9.]+)_(?P<minutes>[1-9]\d{0,4})\.csv")
_MINUTES: Final = {"m": 1, "h": 60, "d": 1440}


class CandleFileError(PlatformError):
    """A file of candles that cannot be read; the message names it and the fault."""


@dataclass(frozen=True, slots=True)
class CandleFile:
    """What a file's name says: venue, pair in v2 names, and minutes of a bar."""

    path: Path
    venue: str
    symbol: str
    interval_minutes: int

    @property
    def label(self) -> str:
        """Return venue and file, for reports."""
        return f"{self.venue}/{self.path.name}"


def find_files(directory: Path) -> list[CandleFile]:
    """Return every file of candles below a directory, by name; other files are not looked at.

    Raises CandleFileError when there is no such directory.
    """
    if not directory.is_dir():
        raise CandleFileError(f"{directory} is not a directory")
    found = (describe(path) for path in sorted(directory.rglob("*")) if path.is_file())
    return [one for one in found if one is not None]


def describe(path: Path) -> CandleFile | None:
    """Return what a file's name says, None when it is none of candles."""
    venue = path.parent.name
    if named := _PARQUET.fullmatch(path.name):
        minutes = int(named["count"]) * _MINUTES[named["unit"]]
        return CandleFile(path, venue, f"{named['base']}/{named['quote']}", minutes)
    if archive := _ARCHIVE.fullmatch(path.name):
        try:
            symbol = UNIVERSE.pair(archive["pair"]).symbol
        except UnknownPairError:
            symbol = _split(archive["pair"])
        return CandleFile(path, venue, symbol, int(archive["minutes"]))
    return None


def _split(pair: str) -> str:
    """Return a pair that is not listed here with its quote told apart: the last three letters."""
    base = pair[:-3].removeprefix("X").replace("XBT", "BTC") if len(pair) > 6 else pair[:-3]
    return f"{base}/{pair[-3:]}"


def read_files(files: Iterable[CandleFile]) -> list[Bars]:
    """Return the bars of some files, one series each: two windows never become one series."""
    return [read_file(one) for one in files]


def read_file(file: CandleFile) -> Bars:
    """Return the bars of one file; raises CandleFileError."""
    columns = _parquet(file.path) if file.path.suffix == ".parquet" else _archive(file.path)
    minutes, prices, volume = columns
    if not len(minutes):
        raise CandleFileError(f"{file.path}: there are no rows")
    instrument, assumed = instrument_of(file.symbol, prices[3])
    try:
        return make_bars(
            instrument,
            file.interval_minutes,
            minutes,
            prices,
            volume,
            source=file.label,
            assumed=assumed,
            remarks=remarks_on(file.venue),
        )
    except BarsError as error:
        raise CandleFileError(f"{file.path}: {error}") from None


def instrument_of(symbol: str, closes: Any) -> tuple[Instrument, bool]:
    """Return a pair's precision and minimums, and whether they had to be assumed."""
    try:
        return UNIVERSE.by_symbol(symbol).instrument, False
    except UnknownPairError:
        return assumed_instrument(symbol, closes), True


def _parquet(path: Path) -> Any:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        table = parquet.ParquetFile(path).read(columns=list(COLUMNS))
    except (pa.ArrowException, OSError) as error:
        raise CandleFileError(f"{path}: not a readable Parquet file: {error}") from None
    missing = [name for name in COLUMNS if name not in table.column_names]
    if missing:
        raise CandleFileError(f"{path}: columns are missing: {', '.join(missing)}")
    if not pa.types.is_timestamp(table.schema.field("ts").type):
        raise CandleFileError(f"{path}: column ts must be a timestamp")
    micros = table.column("ts").cast(pa.timestamp("us", "UTC")).cast(pa.int64()).to_numpy()
    figures = [_floats(table, name) for name in COLUMNS[1:]]
    return _whole_minutes(path, micros, 60_000_000), tuple(figures[:4]), figures[4]


def _archive(path: Path) -> Any:
    import pyarrow as pa
    from pyarrow import csv

    names = ["time", *COLUMNS[1:], "trades"]
    types = {"time": pa.int64(), **{name: pa.float64() for name in COLUMNS[1:]}}
    try:
        table = csv.read_csv(
            path,
            read_options=csv.ReadOptions(column_names=names),
            convert_options=csv.ConvertOptions(column_types=types),
        )
    except (pa.ArrowException, OSError) as error:
        raise CandleFileError(f"{path}: not a readable archive: {error}") from None
    figures = [_floats(table, name) for name in COLUMNS[1:]]
    seconds = table.column("time").to_numpy()
    return _whole_minutes(path, seconds, 60), tuple(figures[:4]), figures[4]


def _floats(table: Any, name: str) -> Any:
    return np.asarray(table.column(name).to_numpy(), dtype=np.float64)


def _whole_minutes(path: Path, stamps: Any, unit: int) -> Any:
    if (stamps % unit).any():
        row = int(np.flatnonzero(stamps % unit)[0])
        raise CandleFileError(f"{path}, row {row}: the start is not a whole minute")
    return stamps // unit


def files_of(
    directory: Path, pairs: Sequence[str], venues: Sequence[str], end: datetime | None
) -> Callable[[int], list[tuple[str, Bars]]]:
    """Return what reads a directory's series of so many minutes, each with its venue."""

    def read(minutes: int) -> list[tuple[str, Bars]]:
        return [
            (one.venue, read_file(one).between(None, end))
            for one in find_files(directory)
            if _wanted(one, pairs, venues) and minutes % one.interval_minutes == 0
        ]

    return read


def _wanted(file: CandleFile, pairs: Sequence[str], venues: Sequence[str]) -> bool:
    return (not pairs or file.symbol in pairs) and (not venues or file.venue in venues)

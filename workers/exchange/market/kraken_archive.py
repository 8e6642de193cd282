"""Kraken's downloadable OHLCVT archives, read as they are: a CSV file, or a member of its zip.

A file is named ``XBTUSD_15.csv``: the pair's altname and the bar's minutes. It has no header; a row
is unix time, open, high, low, close, volume and trades, and a bar without trades has no row.
Source: Kraken support, "Downloadable historical OHLCVT data".
"""

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final, TextIO

from models.simulation.markets.instruments import Universe, UnknownPairError
from models.simulation.markets.replay import candle_fault
from models.trading.market import Candle
from workers.exchange.market.recording_error import RecordingError

COLUMNS: Final = ("time", "open", "high", "low", "close", "volume", "trades")
EXAMPLE: Final = "XBTUSD_15.csv"
_NAME: Final = re.compile(r"(?P<pair>[A-Za-z0-9.]+)_(?P<minutes>[1-9]\d{0,4})\.csv")
# Years 1970 to 2999: a time in milliseconds is a fault of the file, not of our calendar.
_LATEST: Final = 32_503_680_000


@dataclass(frozen=True, slots=True)
class ArchiveName:
    """What a file's name says: the v2 symbol and the bar length in minutes."""

    symbol: str
    interval_minutes: int


def is_archive(path: Path) -> bool:
    """Tell whether a path is meant as a file of Kraken's archives, or as a zip of them."""
    return path.suffix in (".csv", ".zip")


def read_archive(path: Path, universe: Universe) -> list[Candle]:
    """Return the candles of one file, oldest first; bars without a row are missing time.

    Raises:
        RecordingError: names the file, the line (from 1) and what is wrong with it.
    """
    if path.suffix == ".zip":
        raise RecordingError(path, f"name the file inside, like {path.name}/{EXAMPLE}")
    name = _read_name(path, universe)
    with _opened(path) as file:
        candles: list[Candle] = []
        rows = csv.reader(file)
        try:
            for row in rows:
                if row:
                    candles.append(_checked(path, rows.line_num, name, row, candles))
        except (csv.Error, UnicodeDecodeError, zipfile.BadZipFile, EOFError) as error:
            reason = f"not a readable CSV file: {error}"
            raise RecordingError(path, reason, rows.line_num + 1, "line") from None
    if not candles:
        raise RecordingError(path, "there are no rows")
    return candles


def _read_name(path: Path, universe: Universe) -> ArchiveName:
    found = _NAME.fullmatch(path.name)
    if found is None:
        raise RecordingError(path, f"the name must be like {EXAMPLE}")
    try:
        listing = universe.pair(found["pair"])
    except UnknownPairError:
        raise RecordingError(path, f"the exchange does not list {found['pair']}") from None
    return ArchiveName(listing.symbol, int(found["minutes"]))


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    """Open a CSV file, or a member named behind its zip (``archive.zip/XBTUSD_15.csv``)."""
    archive = next((parent for parent in path.parents if parent.suffix == ".zip"), None)
    if archive is None or not archive.is_file():
        if not path.is_file():
            raise RecordingError(path, "there is no such file")
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield file
        return
    member = path.relative_to(archive).as_posix()
    try:
        with zipfile.ZipFile(archive) as zipped, zipped.open(member) as raw:
            yield io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")
    except KeyError:
        raise RecordingError(path, f"there is no {member} in {archive.name}") from None
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise RecordingError(path, f"not a readable zip archive: {error}") from None


def _checked(
    path: Path, line: int, name: ArchiveName, row: list[str], before: list[Candle]
) -> Candle:
    candle = _candle(path, line, name, row)
    fault = candle_fault(candle, before[-1] if before else None, name.interval_minutes)
    if fault is not None:
        raise RecordingError(path, fault, line, "line")
    return candle


def _candle(path: Path, line: int, name: ArchiveName, row: list[str]) -> Candle:
    if len(row) != len(COLUMNS):
        reason = f"{len(row)} columns, must be {len(COLUMNS)}: {', '.join(COLUMNS)}"
        raise RecordingError(path, reason, line, "line")
    seconds = _whole(path, line, "time", row[0])
    if seconds > _LATEST:
        raise RecordingError(path, f"time {seconds} is not in seconds since 1970", line, "line")
    if seconds % (60 * name.interval_minutes):
        raise RecordingError(path, f"time {seconds} is not the start of a bar", line, "line")
    figures = zip(COLUMNS[1:6], row[1:6], strict=True)
    opening, high, low, close, volume = (_number(path, line, *figure) for figure in figures)
    at = datetime.fromtimestamp(seconds, UTC)
    trades = _whole(path, line, "trades", row[6])
    return Candle(name.symbol, name.interval_minutes, at, opening, high, low, close, volume, trades)


def _whole(path: Path, line: int, column: str, text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,15}", text):
        raise RecordingError(path, f"{column} was {text!r}, not a whole number", line, "line")
    return int(text)


def _number(path: Path, line: int, column: str, text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise RecordingError(path, f"{column} was {text!r}, not a number", line, "line") from None

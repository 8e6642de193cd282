"""Files that hold history, told by their names: which venue, pair and bars, and how to read them.

===============================  =================================================================
``XBTUSD_15.csv``, in a zip too  Kraken's downloadable archives: time, OHLC, volume, trades
``BTC-USD_1h_DAY-DAY.parquet``   ts, open, high, low, close, volume; the venue is the folder
``bitcoin_ohlc.json``            CoinGecko's answer of ``/coins/{id}/ohlc``
``bitcoin_market_chart.json``    CoinGecko's answer of ``/coins/{id}/market_chart``
``btc-usd-max.csv``              CoinGecko's export: snapped_at, price, market_cap, total_volume
``*.parquet`` with coingecko_id  a panel of daily closes, one series for each coin
===============================  =================================================================
"""

import hashlib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Final

from activities.adapters.candle_files.reading import describe
from activities.adapters.history_files import coingecko, kraken_csv, parquet_files
from infra.runtime.errors import PlatformError
from models.learning.history.batches import CandleBatch

CHUNK: Final = 1 << 20
COINGECKO: Final = "coingecko"
KRAKEN: Final = "kraken"


class HistoryFileError(PlatformError):
    """What was named holds no history, or cannot be read at all; the message names it."""


@dataclass(frozen=True, slots=True)
class HistorySource:
    """One series in a file.

    Attributes:
        path: the file.
        member: name inside a zip, or the coin of a panel; empty for a file of one series.
        form: which reader: ``archive``, ``parquet``, ``panel``, ``coingecko``.
        venue: whose market the figures are of.
        symbol: the pair in v2 names.
        interval_minutes: length of a bar; 0 until the file itself has told it.
    """

    path: Path
    member: str
    form: str
    venue: str
    symbol: str
    interval_minutes: int

    @property
    def label(self) -> str:
        """Return file and member as people name them."""
        return f"{self.path.name}/{self.member}" if self.member else self.path.name

    def digest(self) -> str:
        """Return the SHA-256 of the contents that are read, with the member's name."""
        found = hashlib.sha256(self.member.encode() + b"\0")
        with self.opened() as file:
            while block := file.read(CHUNK):
                found.update(block)
        return found.hexdigest()

    @contextmanager
    def opened(self) -> Iterator[IO[bytes]]:
        """Open the file, or the member of a zip."""
        if self.path.suffix.lower() != ".zip":
            with self.path.open("rb") as file:
                yield file
            return
        try:
            with zipfile.ZipFile(self.path) as zipped, zipped.open(self.member) as file:
                yield file
        except (zipfile.BadZipFile, KeyError, RuntimeError, NotImplementedError) as error:
            raise HistoryFileError(f"{self.label}: not readable: {error}") from None

    def batches(self, rows: int) -> Iterator[CandleBatch]:
        """Yield all rows of the series in order, so many at a time; raises HistoryFileError."""
        try:
            if self.form == "archive":
                with self.opened() as file:
                    yield from kraken_csv.batches(file, self.interval_minutes, rows)
            elif self.form == "parquet":
                yield from parquet_files.batches(self.path, self.interval_minutes, rows)
            elif self.form == "panel":
                yield from coingecko.panel_batches(self.path, self.member, rows)
            else:
                points = coingecko.read(self.path)
                yield from coingecko.batches(points, self.interval_minutes, rows)
        except (OSError, ValueError, zipfile.BadZipFile, EOFError) as error:
            raise HistoryFileError(f"{self.label}: not readable: {error}") from None


def find_sources(
    path: Path, *, venue: str = "", symbol: str = "", interval_minutes: int = 0
) -> list[HistorySource]:
    """Return every series below a path, by name; what is said here is believed, not the names.

    Raises HistoryFileError when there are none.
    """
    if not path.exists():
        raise HistoryFileError(f"{path}: there is no such file or directory")
    files = sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]
    found = [
        replace(
            one,
            venue=venue or one.venue,
            symbol=symbol or one.symbol,
            interval_minutes=interval_minutes or one.interval_minutes,
        )
        for file in files
        for one in _series_in(file)
    ]
    if not found:
        raise HistoryFileError(
            f"{path} holds no history by its names: XBTUSD_15.csv (or a zip of such), "
            "BTC-USD_1h_20240101-20240131.parquet, bitcoin_ohlc.json, bitcoin_market_chart.json, "
            "btc-usd-max.csv"
        )
    return found


def _series_in(file: Path) -> Iterator[HistorySource]:
    if file.suffix.lower() == ".zip":
        yield from _zipped(file)
    elif (named := describe(file)) is not None:
        form = "parquet" if file.suffix == ".parquet" else "archive"
        venue = named.venue if form == "parquet" else KRAKEN
        yield HistorySource(file, "", form, venue, named.symbol, named.interval_minutes)
    elif file.suffix == ".parquet":
        for coin, symbol in coingecko.panel_series(file):
            yield HistorySource(file, coin, "panel", COINGECKO, symbol, 1440)
    elif (pair := coingecko.pair_of(file.name)) is not None:
        minutes = coingecko.interval_of(file)
        yield HistorySource(file, "", COINGECKO, COINGECKO, pair, minutes)


def _zipped(file: Path) -> Iterator[HistorySource]:
    try:
        with zipfile.ZipFile(file) as zipped:
            names = sorted(one.filename for one in zipped.infolist() if not one.is_dir())
    except zipfile.BadZipFile as error:
        raise HistoryFileError(f"{file}: not a readable zip archive: {error}") from None
    for name in names:
        named = describe(Path(name))
        if named is not None and name.endswith(".csv"):
            yield HistorySource(file, name, "archive", KRAKEN, named.symbol, named.interval_minutes)

"""Days to learn from, of directories of recorded candles, with a hash of all that was read."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pyarrow import ArrowException, parquet

from activities.adapters.candle_files.reading import (
    CandleFile,
    CandleFileError,
    find_files,
    read_file,
)
from activities.ports.learning.snapshots import Snapshot, SnapshotError
from models.learning.backtest.bars import BarsError, resample
from models.learning.features.bars import Bars

Floats = npt.NDArray[np.float64]
Times = npt.NDArray[np.int64]
DAY = 86_400
DAY_MINUTES = 1_440
VENUES = ("kraken", "coinbase")
"""Where a pair's candles are taken from: the first that has days enough."""
COLUMNS = ("open", "high", "low", "close", "volume")
FEWEST_DAYS = 730
REFERENCE = "BTC/USD"


@dataclass(frozen=True, slots=True)
class _Days:
    """Days of one file: starts in seconds UTC, and figures of shape (columns, days)."""

    seconds: Times
    figures: Floats


def read_snapshot(*directories: Path) -> Snapshot:
    """Read the days of each pair against USD that has two years or more of them.

    Files lie in a folder of their venue, in the two forms of `reading`. Those of one pair and venue
    are joined over all directories. A day that no file of days has is made of finer bars, the
    longest of those that are there; days that nobody has are absent, never filled. BTC is the
    reference of every pair.

    Raises:
        SnapshotError: a directory or file cannot be read, or there are too few days of BTC; the
            message says how many there are.
    """
    digest = hashlib.sha256()
    found: dict[str, Bars] = {}
    most: dict[str, int] = {}
    for (pair, _), files in _by_pair_and_venue(directories):
        if pair in found:
            continue
        bars = _on_grid([_days(directory, one, digest) for directory, one in files])
        count = 0 if bars is None else int(np.isfinite(bars.close).sum())
        most[pair] = max(most.get(pair, 0), count)
        if bars is not None and count >= FEWEST_DAYS:
            found[pair] = bars
    if REFERENCE not in found:
        raise SnapshotError(_too_few(directories, most))
    reference = found[REFERENCE]
    histories = {pair: _with_reference(found[pair], reference) for pair in sorted(found)}
    return Snapshot(histories, digest.hexdigest())


def _by_pair_and_venue(
    directories: Sequence[Path],
) -> list[tuple[tuple[str, int], list[tuple[Path, CandleFile]]]]:
    """Return the files by pair and place of the venue; of each, the longest bars first."""
    found: dict[tuple[str, int], list[tuple[Path, CandleFile]]] = {}
    for directory in directories:
        try:
            files = find_files(directory)
        except CandleFileError as error:
            raise SnapshotError(str(error)) from error
        for one in files:
            divides = DAY_MINUTES % one.interval_minutes == 0
            if one.venue in VENUES and one.symbol.endswith("/USD") and divides:
                key = one.symbol, VENUES.index(one.venue)
                found.setdefault(key, []).append((directory, one))
    for each in found.values():
        each.sort(key=lambda placed: -placed[1].interval_minutes)
    return sorted(found.items())


def _too_few(directories: Sequence[Path], most: dict[str, int]) -> str:
    places = ", ".join(str(directory) for directory in directories) or "no directory"
    others = ", ".join(f"{pair} {count}" for pair, count in sorted(most.items()) if count)
    return (
        f"{places}: {most.get(REFERENCE, 0)} daily candles of BTC-USD, at least {FEWEST_DAYS} are "
        f"needed (days found: {others or 'none of any pair'})"
    )


def _days(directory: Path, file: CandleFile, digest: Any) -> _Days:
    try:
        content = file.path.read_bytes()
        digest.update(f"{file.path.relative_to(directory)}\0{len(content)}\0".encode() + content)
        if file.interval_minutes == DAY_MINUTES and file.path.suffix == ".parquet":
            return _recorded(file.path)
        bars = resample(read_file(file), DAY_MINUTES)
    except (ArrowException, OSError, CandleFileError, BarsError) as error:
        raise SnapshotError(f"{file.path} cannot be read: {error}") from error
    prices = np.array([bars.open, bars.high, bars.low, bars.close], dtype=np.float64) * bars.tick
    return _Days(bars.minutes * 60, np.vstack([prices, bars.volume]))


def _recorded(path: Path) -> _Days:
    table = parquet.read_table(path, columns=["ts", *COLUMNS])
    missing = {"ts", *COLUMNS} - set(table.column_names)
    if missing:
        raise SnapshotError(f"{path}: columns are missing: {', '.join(sorted(missing))}")
    stamps = table.column("ts").to_numpy().astype("datetime64[s]").astype(np.int64)
    if (stamps % DAY).any():
        raise SnapshotError(f"{path}: a daily candle does not begin at midnight UTC")
    figures = [np.asarray(table.column(name).to_numpy(), dtype=np.float64) for name in COLUMNS]
    return _Days(stamps, np.vstack(figures))


def _on_grid(parts: Sequence[_Days]) -> Bars | None:
    """Lay the days on an even grid, None without any; the first part that has one counts."""
    seconds, rows = np.unique(np.concatenate([one.seconds for one in parts]), return_index=True)
    if not seconds.size:
        return None
    figures = np.concatenate([one.figures for one in parts], axis=1)[:, rows]
    grid = np.arange(seconds[0], seconds[-1] + DAY, DAY)
    laid = np.full((len(COLUMNS), grid.size), np.nan)
    laid[:, (seconds - seconds[0]) // DAY] = figures
    unknown = np.full(grid.size, np.nan)
    prices = dict(zip(COLUMNS, laid, strict=True))
    return Bars(grid, DAY, **prices, bought=unknown, reference=unknown)


def _with_reference(bars: Bars, reference: Bars) -> Bars:
    position = (bars.time - reference.time[0]) // DAY
    inside = (position >= 0) & (position < len(reference))
    close = np.where(inside, reference.close[np.clip(position, 0, len(reference) - 1)], np.nan)
    return replace(bars, reference=close)

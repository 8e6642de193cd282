"""Daily candles from a directory of Parquet files, with a hash of all that was read."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
from pyarrow import Table, concat_tables, parquet

from activities.ports.learning.snapshots import Snapshot, SnapshotError
from models.learning.features.bars import Bars

DAY = 86_400
VENUES = ("kraken", "coinbase")
"""Where the pair's candles are taken from: the first that has any."""
COLUMNS = ("open", "high", "low", "close", "volume")
FEWEST_DAYS = 730


def read_snapshot(directory: Path) -> Snapshot:
    """Read ``VENUE/BASE-USD_1d_*.parquet`` of each pair with two years or more of days.

    Files of one pair are joined; days between them are absent, never filled. BTC is the reference
    of every pair.

    Raises:
        SnapshotError: no such files, or none of BTC.
    """
    digest = hashlib.sha256()
    found: dict[str, Bars] = {}
    for pair, files in sorted(_files(directory).items()):
        tables = []
        for file in files:
            content = file.read_bytes()
            digest.update(f"{file.relative_to(directory)}\0{len(content)}\0".encode() + content)
            tables.append(parquet.read_table(file, columns=["ts", *COLUMNS]))
        bars = _on_grid(concat_tables(tables, promote_options="permissive"))
        if int(np.isfinite(bars.close).sum()) >= FEWEST_DAYS:
            found[pair] = bars
    if "BTC/USD" not in found:
        message = f"{directory} holds no daily candles of BTC-USD over {FEWEST_DAYS} days"
        raise SnapshotError(message)
    reference = found["BTC/USD"]
    histories = {pair: _with_reference(bars, reference) for pair, bars in found.items()}
    return Snapshot(histories, digest.hexdigest())


def _files(directory: Path) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for venue in VENUES:
        here: dict[str, list[Path]] = {}
        for file in sorted((directory / venue).glob("*-USD_1d_*.parquet")):
            here.setdefault(file.name.partition("_")[0].replace("-", "/"), []).append(file)
        found = {**here, **found}
    return found


def _on_grid(table: Table) -> Bars:
    stamps = table.column("ts").to_numpy().astype("datetime64[s]").astype(np.int64)
    seconds, rows = np.unique(stamps, return_index=True)
    if (seconds % DAY).any():
        raise SnapshotError("a daily candle does not begin at midnight UTC")
    grid = np.arange(seconds[0], seconds[-1] + DAY, DAY)
    at = (seconds - seconds[0]) // DAY
    prices = {}
    for name in COLUMNS:
        values = np.full(grid.size, np.nan)
        values[at] = table.column(name).to_numpy()[rows]
        prices[name] = values
    unknown = np.full(grid.size, np.nan)
    return Bars(grid, DAY, **prices, bought=unknown, reference=unknown)


def _with_reference(bars: Bars, reference: Bars) -> Bars:
    position = (bars.time - reference.time[0]) // DAY
    inside = (position >= 0) & (position < len(reference))
    close = np.where(inside, reference.close[np.clip(position, 0, len(reference) - 1)], np.nan)
    return replace(bars, reference=close)

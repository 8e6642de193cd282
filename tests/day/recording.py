"""The recorded day: chosen from the candles by what they say, never altered."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from tests.support.recordings import RECORDINGS

FOLDER = RECORDINGS.parent / "data" / "coinbase"
NAME = "{}-USD_1h_20240418-20250630.parquet"
ASSETS = ("BTC", "ETH", "SOL")
BAR = timedelta(hours=1)
DAY = timedelta(days=1)
LEAD, LENGTH = timedelta(hours=12), timedelta(hours=20)
"""What is replayed before the day, for a history of prices, and how much of it."""

Bar = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Recording:
    """A day and its surroundings; ``paths`` are files of the recorded rows, as they are."""

    day: datetime
    fall: Decimal
    paths: tuple[Path, ...]
    bars: Mapping[str, Sequence[Bar]]

    def at(self, **since: float) -> datetime:
        """Return a moment by its distance from the beginning of the day."""
        return self.day + timedelta(**since)

    def close(self, asset: str, at: datetime) -> Decimal:
        """Return the price at which the last bar before a moment closed."""
        return _decimal(self._before(asset, at)["close"])

    def low(self, asset: str, at: datetime) -> Decimal:
        """Return the lowest price of the last bar before a moment."""
        return _decimal(self._before(asset, at)["low"])

    def _before(self, asset: str, at: datetime) -> Bar:
        return next(bar for bar in reversed(self.bars[asset]) if bar["ts"] + BAR <= at)


@contextmanager
def worst_day() -> Iterator[Recording]:
    """Give the UTC day on which Bitcoin fell furthest from its open, with all its pairs."""
    tables = {asset: pq.read_table(FOLDER / NAME.format(asset)) for asset in ASSETS}
    day, fall = _greatest_fall(tables["BTC"].select(["ts", "open", "low"]).to_pylist())
    folder = Path(mkdtemp(prefix="aether-day-"))
    try:
        paths, bars = [], {}
        for asset, table in tables.items():
            late, early = day + LENGTH, day - LEAD
            kept = pc.and_(
                pc.greater_equal(table["ts"], early),
                pc.less(table["ts"], late),
            )
            part = table.filter(kept)
            paths.append(folder / NAME.format(asset))
            pq.write_table(part, paths[-1])
            bars[asset] = part.to_pylist()
        yield Recording(day, fall, tuple(paths), bars)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _greatest_fall(bars: Sequence[Bar]) -> tuple[datetime, Decimal]:
    days: dict[datetime, tuple[float, float]] = {}
    for bar in bars:
        day = bar["ts"].astimezone(UTC).replace(hour=0, minute=0)
        opened, low = days.get(day, (bar["open"], bar["low"]))
        days[day] = (opened, min(low, bar["low"]))
    worst = min(days, key=lambda day: days[day][1] / days[day][0])
    opened, low = days[worst]
    return worst, 1 - _decimal(low) / _decimal(opened)


def _decimal(figure: float) -> Decimal:
    return Decimal(repr(float(figure)))

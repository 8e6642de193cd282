"""What a service answered, as a source of history like a file: same judging, same record."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from activities.adapters.history_files import coingecko
from activities.adapters.history_files.rows import batch_of, table_of
from models.learning.history.batches import CandleBatch

COLUMNS: Final = ("open", "high", "low", "close", "volume", "trades")


@dataclass(frozen=True, slots=True)
class AnsweredCandles:
    """Candles of one answer: unix second of the start, then the figures as the answer's texts."""

    label: str
    venue: str
    symbol: str
    interval_minutes: int
    rows: Sequence[tuple[int, tuple[str, ...]]]

    @property
    def end(self) -> int:
        """Return the unix second at which the newest bar ended by the venue's clock; 0 for none."""
        return max((start + self.interval_minutes * 60 for start, _ in self.rows), default=0)

    def digest(self) -> str:
        """Return the hash of the rows."""
        return hashlib.sha256(repr(list(self.rows)).encode()).hexdigest()

    def batches(self, rows: int) -> Iterator[CandleBatch]:
        """Yield all rows in order, so many at a time."""
        import pyarrow as pa

        for first in range(0, len(self.rows), rows):
            part = self.rows[first : first + rows]
            columns: dict[str, Any] = {
                name: pa.array([figures[place] for _, figures in part], pa.string())
                for place, name in enumerate(COLUMNS)
            }
            start = pa.array([at for at, _ in part], pa.int64())
            yield batch_of(first, start, table_of(columns), self.interval_minutes * 60)


@dataclass(frozen=True, slots=True)
class AnsweredPoints:
    """CoinGecko's candles or points of one answer."""

    label: str
    venue: str
    symbol: str
    interval_minutes: int
    points: list[coingecko.Row]

    @property
    def end(self) -> int:
        """Return the unix second of the newest point by the venue's clock; 0 for none."""
        return max((at for at, _ in self.points), default=0) // 1000

    def digest(self) -> str:
        """Return the hash of the points."""
        return hashlib.sha256(repr(self.points).encode()).hexdigest()

    def batches(self, rows: int) -> Iterator[CandleBatch]:
        """Yield all candles in order, so many at a time; none where none were answered."""
        if coingecko.ended(self.points, self.interval_minutes * 60):
            yield from coingecko.batches(self.points, self.interval_minutes, rows)

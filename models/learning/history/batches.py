"""A batch of candles as it was read, and what judging it found."""

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

PRICES: Final = ("open", "high", "low", "close")
SAMPLE_ROWS: Final = 5
"""Rows of a finding that are named; the count says how many there are."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault of a batch: its kind, how many rows have it, and the first of them in words."""

    kind: str
    rows: int
    sample: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """Return the finding as JSON-ready values."""
        return {"kind": self.kind, "rows": self.rows, "sample": list(self.sample)}


@dataclass(frozen=True, slots=True)
class CandleBatch:
    """Some consecutive rows of a file.

    Attributes:
        first_row: number of the first row in the file, from 0.
        start: unix seconds of each bar's start; int64.
        figures: open, high, low, close and volume by name as float64, for judging only; NaN where
            a text is no number. A column that the form does not have is absent.
        texts: the same columns as the file has them, a pyarrow Table; these are what is stored.
        available: unix seconds at which each bar was known; its end where a source says no other.
        faults: what was wrong already while reading.
    """

    first_row: int
    start: NDArray[np.int64]
    figures: dict[str, NDArray[np.float64]]
    texts: Any
    available: NDArray[np.int64]
    faults: tuple[Finding, ...] = ()

    def __len__(self) -> int:
        return len(self.start)


@dataclass(frozen=True, slots=True)
class SecondSource:
    """Closes and extremes of the same pair elsewhere, by the second at which each bar ended.

    ``high`` and ``low`` hold NaN where that source's bars are of another length.
    """

    name: str
    end: NDArray[np.int64]
    close: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class BatchContext:
    """What a batch is judged by beside itself.

    Attributes:
        interval_seconds: length of a bar.
        now: the present in unix seconds: a bar that has not ended is no history.
        last_start: start of the bar before the batch's first one in the same file, None at first.
        second: the same pair elsewhere, where it is held.
    """

    interval_seconds: int
    now: int
    last_start: int | None = None
    second: tuple[SecondSource, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class BatchVerdict:
    """What is wrong with a batch, and the bars that it lacks: absence is told, and no fault."""

    findings: tuple[Finding, ...]
    gaps: int
    absent_bars: int

    @property
    def passed(self) -> bool:
        """Tell whether the batch may become part of the record."""
        return not self.findings

"""Messages of the workflow that brings data from outside: history, sanctions, sentiment."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MARKET_DATA_QUEUE: Final = "market-data"
MARKET_DATA_WORKFLOW: Final = "MarketDataWorkflow"
MARKET_DATA_ID: Final = "market-data"
"""The beginning of the ids of schedules and runs."""
FAILURES_TOLD: Final = 20
"""A run names so many of what it could not bring; it counts all."""


class DataWork(StrEnum):
    """What a run brings."""

    HISTORY = "history"
    SANCTIONS = "sanctions"
    SENTIMENT = "sentiment"


def market_data_id(work: DataWork) -> str:
    """Return the id of a schedule, which its runs' ids begin with."""
    return f"{MARKET_DATA_ID}/{work.value}"


@dataclass(frozen=True, slots=True)
class SeriesToFill:
    """A pair's bars at one source; ``kind`` is one of the command's (candles or coingecko)."""

    symbol: str
    kind: str
    interval_minutes: int

    @property
    def place(self) -> str:
        """Return what orders the series of a run."""
        return f"{self.symbol} {self.kind} {self.interval_minutes:05d}"


@dataclass(frozen=True, slots=True)
class SeriesFilled:
    """What filling one series came to: rows that were not held before, batches in quarantine.

    ``skipped`` says why its source was not asked, which is no failure; empty: it was.
    """

    new_rows: int
    quarantined_batches: int
    skipped: str = ""


@dataclass(frozen=True, slots=True)
class SanctionsRead:
    """What a list says of the assets that the exchange lists.

    ``named`` are those that it names; ``is_news`` tells that they are others than the last time.
    """

    digest: str
    entries: int
    named: tuple[str, ...]
    is_news: bool


@dataclass(frozen=True, slots=True)
class SentimentRead:
    """How many values a source told, and how many of them were not held before."""

    values: int
    new_values: int


@dataclass(frozen=True, slots=True)
class MarketDataDone:
    """What a run brought, and what it could not.

    Attributes:
        work: a DataWork.
        series: how many series were filled.
        rows: rows, entries or values that are new.
        quarantined_batches: of history, with a fault.
        failures: how many parts of the work were given up.
        told: the first of them, in words.
        named: assets that a list of sanctions names.
        proposal: number of the proposal that came of it, for two people.
        skipped: the first of the series whose source was not asked, and why.
    """

    work: str
    series: int = 0
    rows: int = 0
    quarantined_batches: int = 0
    failures: int = 0
    told: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    proposal: int | None = None
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MarketDataRun:
    """One run; ``after`` and ``so_far`` are where it goes on in a new history."""

    work: str
    after: str = ""
    so_far: MarketDataDone | None = None

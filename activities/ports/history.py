"""Recorded history: series, imports of files, and how each batch of them was judged."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from models.learning.history.batches import BatchVerdict, CandleBatch, SecondSource


@dataclass(frozen=True, slots=True)
class WrittenBatch:
    """A batch that was dealt with; ``new_rows`` of its rows were not held before.

    ``reasons`` tell why it is in quarantine: the first row of each finding.
    """

    rows: int
    quarantined: bool
    new_rows: int
    last_start: int | None
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OpenImport:
    """One file's import into a series: what was dealt with before, by first row.

    ``batch_rows`` is the size that the import began with: batches keep their boundaries.
    """

    import_id: int
    series_id: int
    batch_rows: int
    finished: bool
    done: Mapping[int, WrittenBatch]

    @property
    def complete(self) -> bool:
        """Tell whether every row of the file is held."""
        return self.finished and not any(one.quarantined for one in self.done.values())


class HistoryRecord(Protocol):
    """Where history is kept. A batch and the note that it is done are one transaction."""

    def begin(
        self, venue: str, symbol: str, interval_minutes: int, digest: str, label: str, rows: int
    ) -> OpenImport:
        """Open a file's import, or the one that was begun before; raises when another holds it."""
        ...

    def second_sources(
        self, venue: str, symbol: str, interval_minutes: int, first: int, last: int
    ) -> tuple[SecondSource, ...]:
        """Return the pair's bars at other venues that end between two unix seconds."""
        ...

    def write(
        self,
        opened: OpenImport,
        batch: CandleBatch,
        verdict: BatchVerdict,
        *,
        accepted: str = "",
    ) -> WrittenBatch:
        """Keep a batch that passed, or quarantine it; rows that differ from held ones never pass.

        ``accepted`` is why people take a batch in that differs from another source.
        """
        ...

    def finish(self, opened: OpenImport) -> None:
        """Note that the file was read to its end."""
        ...

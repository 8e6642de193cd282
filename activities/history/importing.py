"""Import one series of a file: batch by batch, each judged first, each once, resumable anywhere."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final, Protocol

from activities.ports.history import HistoryRecord, OpenImport, WrittenBatch
from models.learning.history.batches import BatchContext, BatchVerdict, CandleBatch, SecondSource

BATCH_ROWS: Final = 100_000


class Source(Protocol):
    """One series in a file."""

    @property
    def label(self) -> str:
        """Return file and member as people name them."""
        ...

    @property
    def venue(self) -> str:
        """Return whose market the figures are of."""
        ...

    @property
    def symbol(self) -> str:
        """Return the pair."""
        ...

    @property
    def interval_minutes(self) -> int:
        """Return the length of a bar."""
        ...

    def digest(self) -> str:
        """Return the hash of the contents."""
        ...

    def batches(self, rows: int) -> Iterator[CandleBatch]:
        """Yield all rows in order."""
        ...


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import is, and how it ended.

    ``rows`` counts those that were looked at now, ``resumed_rows`` those of an earlier start;
    ``known_rows`` were held before. ``findings`` are those of quarantined batches in words.
    """

    label: str
    series: str
    rows: int = 0
    resumed_rows: int = 0
    new_rows: int = 0
    known_rows: int = 0
    quarantined_batches: int = 0
    quarantined_rows: int = 0
    gaps: int = 0
    absent_bars: int = 0
    seconds: float = 0.0
    already_complete: bool = False
    findings: tuple[str, ...] = ()


def import_source(
    source: Source,
    record: HistoryRecord,
    now: Callable[[], int],
    tell: Callable[[Progress], None] = lambda _: None,
    *,
    accepted: str = "",
    batch_rows: int = BATCH_ROWS,
) -> Progress:
    """Bring a series into the record; what is there already is left as it is.

    Args:
        source: the series.
        record: where it goes.
        now: the present in unix seconds.
        tell: is told after each batch.
        accepted: why batches that differ from another source are taken in; empty: they are not.
        batch_rows: rows of a batch where the import is new.
    """
    opened = record.begin(
        source.venue,
        source.symbol,
        source.interval_minutes,
        source.digest(),
        source.label,
        batch_rows,
    )
    progress = Progress(source.label, f"{source.venue} {source.symbol} {source.interval_minutes}m")
    if opened.complete:
        rows = sum(one.rows for one in opened.done.values())
        return replace(progress, resumed_rows=rows, already_complete=True)
    began = time.perf_counter()
    judge = _Judge(source, record, opened, now)
    with ThreadPoolExecutor(1, "history-reader") as reader:
        for batch, verdict in _ahead(judge.judged(), reader):
            known = opened.done.get(batch.first_row)
            if verdict is None:
                assert known is not None
                progress = replace(progress, resumed_rows=progress.resumed_rows + known.rows)
                continue
            taken = _waived(verdict) if accepted else verdict
            written = record.write(opened, batch, taken, accepted=accepted)
            progress = _with(progress, verdict, written, time.perf_counter() - began)
            tell(progress)
    record.finish(opened)
    return replace(progress, seconds=time.perf_counter() - began)


class _Judge:
    """Reads and judges the batches that are not held yet, one after the other."""

    def __init__(
        self,
        source: Source,
        record: HistoryRecord,
        opened: OpenImport,
        now: Callable[[], int],
    ) -> None:
        self._source = source
        self._record = record
        self._opened = opened
        self._now = now

    def judged(self) -> Iterator[tuple[CandleBatch, BatchVerdict | None]]:
        from models.learning.history.validation import judge_batch

        last: int | None = None
        for batch in self._source.batches(self._opened.batch_rows):
            known = self._opened.done.get(batch.first_row)
            if known is not None and not known.quarantined:
                last = known.last_start
                yield batch, None
                continue
            verdict = judge_batch(batch, self._context(batch, last))
            if verdict.passed and len(batch):
                last = int(batch.start[-1])
            yield batch, verdict

    def _context(self, batch: CandleBatch, last: int | None) -> BatchContext:
        source, seconds = self._source, self._source.interval_minutes * 60
        second: tuple[SecondSource, ...] = ()
        if len(batch) and not batch.faults:
            first, until = int(batch.start.min()) + seconds, int(batch.start.max()) + seconds
            second = self._record.second_sources(
                source.venue, source.symbol, source.interval_minutes, first, until
            )
        return BatchContext(seconds, self._now(), last, second)


def _ahead(
    judged: Iterator[tuple[CandleBatch, BatchVerdict | None]], reader: ThreadPoolExecutor
) -> Iterator[tuple[CandleBatch, BatchVerdict | None]]:
    """Yield batches while the next one is read and judged in the reader's thread."""
    following: Future[tuple[CandleBatch, BatchVerdict | None] | None]
    following = reader.submit(next, judged, None)
    while (found := following.result()) is not None:
        following = reader.submit(next, judged, None)
        yield found


def _waived(verdict: BatchVerdict) -> BatchVerdict:
    from models.learning.history.validation import OUTLIER

    return replace(verdict, findings=tuple(f for f in verdict.findings if f.kind != OUTLIER))


def _with(
    progress: Progress,
    verdict: BatchVerdict,
    written: WrittenBatch,
    seconds: float,
) -> Progress:
    quarantined = written.rows if written.quarantined else 0
    return replace(
        progress,
        rows=progress.rows + written.rows,
        new_rows=progress.new_rows + written.new_rows,
        known_rows=progress.known_rows + written.rows - written.new_rows - quarantined,
        quarantined_batches=progress.quarantined_batches + written.quarantined,
        quarantined_rows=progress.quarantined_rows + quarantined,
        gaps=progress.gaps + verdict.gaps,
        absent_bars=progress.absent_bars + verdict.absent_bars,
        seconds=seconds,
        findings=(*progress.findings, *written.reasons),
    )

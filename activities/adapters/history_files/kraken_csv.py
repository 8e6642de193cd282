"""Kraken's OHLCVT archives: no header; unix time, open, high, low, close, volume, trades.

Source: Kraken support, "Downloadable historical OHLCVT data". Figures stay the texts that the file
has: what is stored is exact to the last digit.
"""

from collections.abc import Iterator
from typing import IO, Any, Final

from activities.adapters.history_files.rows import batch_of, table_of
from models.learning.history.batches import SAMPLE_ROWS, CandleBatch, Finding

COLUMNS: Final = ("start", "open", "high", "low", "close", "volume", "trades")
BLOCK_BYTES: Final = 1 << 22
LONGEST_SAMPLE: Final = 80


def batches(file: IO[bytes], interval_minutes: int, rows: int) -> Iterator[CandleBatch]:
    """Yield the rows of one archive, so many at a time."""
    import pyarrow as pa
    from pyarrow import csv

    invalid: list[tuple[int, str]] = []

    def keep(row: Any) -> str:
        invalid.append((row.number - 1, f"{row.actual_columns} columns: {row.text}"))
        return "skip"

    texts = pa.string()
    try:
        reader = csv.open_csv(
            pa.PythonFile(file, mode="r"),
            # In one thread the numbers of rows that cannot be read are known.
            csv.ReadOptions(column_names=COLUMNS, use_threads=False, block_size=BLOCK_BYTES),
            csv.ParseOptions(invalid_row_handler=keep, quote_char=False),
            csv.ConvertOptions(column_types=dict.fromkeys(COLUMNS, texts)),
        )
    except pa.ArrowInvalid as error:
        if "Empty CSV" in str(error):
            raise ValueError("there are no rows") from None
        raise
    first, waiting = 0, []
    for block in _blocks(reader):
        waiting.append(block)
        while (held := sum(len(part) for part in waiting)) >= rows:
            table = pa.Table.from_batches(waiting)
            yield _batch(table.slice(0, rows), first, interval_minutes, invalid)
            first += rows
            waiting = table.slice(rows).to_batches() if held > rows else []
    if waiting:
        yield _batch(pa.Table.from_batches(waiting), first, interval_minutes, invalid)
        first += sum(len(part) for part in waiting)
    if invalid:
        rest = pa.Table.from_batches([], reader.schema)
        yield _batch(rest, first, interval_minutes, invalid)


def _blocks(reader: Any) -> Iterator[Any]:
    import pyarrow as pa

    try:
        yield from reader
    except pa.ArrowInvalid as error:
        raise ValueError(str(error)) from None


def _batch(
    table: Any, first: int, interval_minutes: int, invalid: list[tuple[int, str]]
) -> CandleBatch:
    # Rows that could not be read are not among the table's: every one before them moves it on.
    faults: tuple[Finding, ...] = ()
    here = [one for place, one in enumerate(invalid) if one[0] - place < first + max(1, len(table))]
    if here:
        sample = tuple(f"row {row}: {text[:LONGEST_SAMPLE]}" for row, text in here[:SAMPLE_ROWS])
        faults = (Finding("schema", len(here), sample),)
        del invalid[: len(here)]
    figures = table_of({name: table.column(name) for name in COLUMNS[1:]})
    start = table.column("start").combine_chunks()
    return batch_of(first, start, figures, interval_minutes * 60, faults=faults)

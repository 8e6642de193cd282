"""Candles in Parquet: ts (UTC, start of the bar), open, high, low, close, volume; trades if any."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from activities.adapters.history_files.rows import batch_of, table_of
from models.learning.history.batches import CandleBatch

COLUMNS: Final = ("open", "high", "low", "close", "volume")


def batches(path: Path, interval_minutes: int, rows: int) -> Iterator[CandleBatch]:
    """Yield the rows of a file, so many at a time."""
    import pyarrow as pa
    from pyarrow import compute, parquet

    try:
        with parquet.ParquetFile(path) as file:
            names = set(file.schema_arrow.names)
            missing = [name for name in ("ts", *COLUMNS) if name not in names]
            if missing:
                raise ValueError(f"columns are missing: {', '.join(missing)}")
            if not pa.types.is_timestamp(file.schema_arrow.field("ts").type):
                raise ValueError("column ts must be a timestamp")
            wanted = [*COLUMNS, *(["trades"] if "trades" in names else [])]
            first = 0
            for block in file.iter_batches(batch_size=rows, columns=["ts", *wanted]):
                stamps = compute.cast(block.column("ts"), pa.timestamp("us"))
                micros = compute.cast(stamps, pa.int64())
                # What lies between two seconds must not pass for a bar's start.
                start = compute.if_else(
                    compute.equal(
                        compute.multiply(compute.divide(micros, 1_000_000), 1_000_000), micros
                    ),
                    compute.divide(micros, 1_000_000),
                    -1,
                )
                texts = table_of({name: block.column(name) for name in wanted})
                yield batch_of(first, start, texts, interval_minutes * 60)
                first += len(block)
            if not first:
                raise ValueError("there are no rows")
    except pa.ArrowException as error:
        raise ValueError(str(error)) from None

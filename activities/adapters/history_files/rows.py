"""From columns to a batch: figures for judging, texts for the record, faults of reading."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.learning.history.batches import PRICES, SAMPLE_ROWS, CandleBatch, Finding

NUMBERS = (*PRICES, "volume")


def batch_of(
    first_row: int,
    start: Any,
    texts: Any,
    interval_seconds: int,
    *,
    available: NDArray[np.int64] | None = None,
    faults: tuple[Finding, ...] = (),
) -> CandleBatch:
    """Return a batch.

    Args:
        first_row: number of the first row in the file.
        start: a pyarrow array of whole numbers or texts, unix seconds of each bar's start.
        texts: a pyarrow Table of the figures that the form has, as numbers or texts.
        interval_seconds: length of a bar.
        available: unix seconds at which each bar was known; its end when not said.
        faults: what was found wrong before.
    """
    import pyarrow as pa
    from pyarrow import compute

    try:
        seconds = compute.cast(start, pa.int64()).to_numpy(zero_copy_only=False)
        if seconds.dtype != np.int64:
            raise pa.ArrowInvalid("a start is missing")
    except pa.ArrowInvalid:
        faults = (*faults, _unreadable(start, first_row))
        seconds = np.zeros(len(start), dtype=np.int64)
    if "trades" in texts.column_names:
        try:
            compute.cast(texts.column("trades"), pa.int32())
        except pa.ArrowInvalid as error:
            fault = Finding("schema", 1, (f"rows from {first_row}: trades: {error}",))
            faults = (*faults, fault)
    figures = {name: _floats(texts.column(name)) for name in NUMBERS if name in texts.column_names}
    ends = seconds + interval_seconds if available is None else available
    return CandleBatch(first_row, seconds, figures, texts, ends, faults)


def table_of(columns: Mapping[str, Any]) -> Any:
    """Return a pyarrow Table of columns by name."""
    import pyarrow as pa

    return pa.table(dict(columns))


def _floats(column: Any) -> NDArray[np.float64]:
    import pyarrow as pa
    from pyarrow import compute

    try:
        values = compute.cast(column, pa.float64())
    except pa.ArrowInvalid:
        import pandas as pd

        known = pd.to_numeric(pd.Series(column.to_pylist(), dtype=object), errors="coerce")
        return np.asarray(known, dtype=np.float64)
    return np.asarray(values.to_numpy(), dtype=np.float64)


def _unreadable(start: Any, first_row: int) -> Finding:
    bad = [
        (row, text)
        for row, text in enumerate(start.to_pylist())
        if text is None or not str(text).isascii() or not str(text).isdigit()
    ]
    sample = tuple(
        f"row {first_row + row}: start was {text!r}, not unix seconds"
        for row, text in bad[:SAMPLE_ROWS]
    )
    return Finding("schema", len(bad), sample or (f"rows from {first_row}: a start is too large",))

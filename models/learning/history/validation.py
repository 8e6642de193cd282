"""Judge a batch of candles by pandera: schema, ranges, order, duplicates, other sources; and gaps.

The frames are whole ones: lazy frames are checked by their schema alone. pandera takes seconds to
load, so only what imports candles imports this module.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import pandas as pd
import pandera.pandas as pa
from numpy.typing import NDArray
from pandera.errors import SchemaErrors

from models.learning.history.batches import (
    PRICES,
    SAMPLE_ROWS,
    BatchContext,
    BatchVerdict,
    CandleBatch,
    Finding,
    SecondSource,
)

FIRST_SECOND: Final = 1_230_768_000
"""2009-01-01: no coin had a price before."""
PRICE_LIMIT: Final = 1e9
VOLUME_LIMIT: Final = 1e15
CLOSE_TOLERANCE: Final = 0.10
"""Share by which closes of two sources may differ. Between Kraken and Coinbase 99 % of the 4 h
closes of 2024 and 2025 are within 0.11 %, the worst 1.4 %."""
EXTREME_TOLERANCE: Final = 0.50
"""The same of high and low, where a crash on one venue alone is real more often."""
OUTLIER: Final = "outlier"
"""Kind of a finding against another source: people may accept such a batch with a reason."""


def judge_batch(batch: CandleBatch, context: BatchContext) -> BatchVerdict:
    """Return what is wrong with a batch, and how many bars lie between its bars and are absent."""
    if batch.faults:
        # Rows that could not be read have no place in a frame.
        return BatchVerdict(batch.faults, 0, 0)
    frame = _frame(batch, context)
    findings: tuple[Finding, ...] = ()
    try:
        _schema(batch, context).validate(frame, lazy=True)
    except SchemaErrors as error:
        findings = tuple(_findings(error, batch))
    if findings:
        return BatchVerdict(findings, 0, 0)
    gaps, absent = gaps_between(batch.start, context.last_start, context.interval_seconds)
    return BatchVerdict((), gaps, absent)


def gaps_between(
    start: NDArray[np.int64], last_start: int | None, interval_seconds: int
) -> tuple[int, int]:
    """Return how many gaps increasing starts have, and how many bars are absent in them."""
    before = start[:1] - interval_seconds if last_start is None else np.array([last_start])
    steps = np.diff(np.concatenate([before, start])) // interval_seconds - 1
    return int((steps > 0).sum()), int(steps[steps > 0].sum())


def _frame(batch: CandleBatch, context: BatchContext) -> pd.DataFrame:
    before = batch.start[:1] - 1 if context.last_start is None else np.array([context.last_start])
    columns: dict[str, Any] = {"start": batch.start, **batch.figures}
    columns["step"] = np.diff(np.concatenate([before, batch.start]))
    for place, second in enumerate(context.second):
        columns |= _beside(batch, second, context.interval_seconds, str(place))
    return pd.DataFrame(columns, copy=False)


def _beside(
    batch: CandleBatch, second: SecondSource, seconds: int, place: str
) -> dict[str, NDArray[np.float64]]:
    """Return the other source's close, high and low at the end of each bar, NaN where it has none.

    Bars of any length that end at the same moment have the price of that moment as their close.
    """
    ends = batch.start + seconds
    at = np.clip(np.searchsorted(second.end, ends), 0, max(0, len(second.end) - 1))
    known = second.end[at] == ends if len(second.end) else np.zeros(len(ends), dtype=bool)

    def aligned(values: NDArray[np.float64]) -> NDArray[np.float64]:
        found = values[at] if len(values) else np.full(len(ends), np.nan)
        return np.where(known, found, np.nan)

    return {
        f"second_close_{place}": aligned(second.close),
        f"second_high_{place}": aligned(second.high),
        f"second_low_{place}": aligned(second.low),
    }


def _schema(batch: CandleBatch, context: BatchContext) -> pa.DataFrameSchema:
    seconds, latest = context.interval_seconds, context.now - context.interval_seconds
    columns = {
        "start": pa.Column(
            np.int64,
            [
                pa.Check.ge(FIRST_SECOND, name="range", error="before 2009"),
                pa.Check.le(latest, name="range", error="the bar has not ended"),
                pa.Check(lambda s: s % seconds == 0, name="schema", error="not a bar's start"),
            ],
        ),
        "step": pa.Column(
            np.int64,
            [
                pa.Check.ge(0, name="order", error="earlier than the row before"),
                pa.Check.ne(0, name="duplicate", error="the same start as the row before"),
            ],
        ),
    }
    for name in PRICES:
        if name in batch.figures:
            columns[name] = _number(PRICE_LIMIT, above_zero=True)
    if "volume" in batch.figures:
        columns["volume"] = _number(VOLUME_LIMIT, above_zero=False)
    return pa.DataFrameSchema(columns, checks=_across(batch, context))


def _number(limit: float, *, above_zero: bool) -> pa.Column:
    least = pa.Check.gt(0, name="range", error="not above 0")
    if not above_zero:
        least = pa.Check.ge(0, name="range", error="below 0")
    most = pa.Check.le(limit, name="range", error=f"above {limit:g}")
    return pa.Column(np.float64, [least, most], nullable=False)


def _across(batch: CandleBatch, context: BatchContext) -> list[pa.Check]:
    checks = []
    if all(name in batch.figures for name in PRICES):
        checks = [
            pa.Check(
                lambda f: f["high"] >= f[["open", "close", "low"]].max(axis=1),
                name="range",
                error="high is not the highest",
                ignore_na=False,
            ),
            pa.Check(
                lambda f: f["low"] <= f[["open", "close", "high"]].min(axis=1),
                name="range",
                error="low is not the lowest",
                ignore_na=False,
            ),
        ]
    for place, second in enumerate(context.second):
        checks.append(_near(second.name, f"second_close_{place}", "close", CLOSE_TOLERANCE))
        for name in ("high", "low"):
            if name in batch.figures:
                column = f"second_{name}_{place}"
                checks.append(_near(second.name, column, name, EXTREME_TOLERANCE))
    return checks


def _near(source: str, column: str, name: str, tolerance: float) -> pa.Check:
    def near(frame: pd.DataFrame) -> Any:
        share = (frame[name] / frame[column] - 1).abs()
        return share.isna() | (share <= tolerance)

    error = f"{name} differs from {source} by more than {tolerance:.0%}"
    return pa.Check(near, name=OUTLIER, error=error, ignore_na=False)


def _findings(error: SchemaErrors, batch: CandleBatch) -> Iterator[Finding]:
    for one in error.schema_errors:
        check, cases = one.check, one.failure_cases
        kind = getattr(check, "name", None) or "schema"
        reason = getattr(check, "error", None) or str(one.reason_code).lower()
        rows: list[int] = []
        if cases is not None and "index" in cases:
            rows = sorted({int(row) for row in cases["index"].dropna()})
        name = getattr(one.schema, "name", None)
        if kind == "not_nullable" or reason.endswith("series_contains_nulls"):
            kind, reason = "schema", "not a number"
        where = f"{name}: " if name and name != "step" else ""
        sample = tuple(_told(batch, row, where + reason) for row in rows[:SAMPLE_ROWS])
        yield Finding(kind, len(rows), sample or (where + reason,))


def _told(batch: CandleBatch, row: int, reason: str) -> str:
    at = datetime.fromtimestamp(int(np.clip(batch.start[row], 0, 32_503_680_000)), UTC)
    figures = ", ".join(
        f"{name} {batch.texts.column(name)[row].as_py()}"
        for name in (*PRICES, "volume")
        if name in batch.texts.column_names
    )
    return f"row {batch.first_row + row}, {at:%Y-%m-%dT%H:%M:%SZ}: {reason} ({figures})"

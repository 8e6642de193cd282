"""CoinGecko's history: answers of ``ohlc`` and ``market_chart``, its CSV export, a panel of closes.

A candle of ``ohlc`` is stamped with its close (kraken-protocol §17) and has no volume. A point of a
chart is the price of a moment: the close of the bar that ended then, whose other prices nobody
told. Its volume is that of 24 hours in USD over all venues, which is no bar's, and is left out. A
completed UTC day appears about 35 minutes late: that is when it became known.
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from activities.adapters.coingecko.prices import COIN_IDS
from activities.adapters.history_files.rows import batch_of, table_of
from models.learning.history.batches import CandleBatch

DAY_SECONDS: Final = 86_400
DAY_LATE_SECONDS: Final = 35 * 60
STAMP_TOLERANCE: Final = 0.05
"""Share of a bar by which a point may be off the end of its bar: hourly ones are some seconds."""
LARGEST_BYTES: Final = 256 << 20
_ANSWER: Final = re.compile(r"(?P<coin>[A-Za-z0-9-]+)_(ohlc|market_chart)[A-Za-z0-9_-]*\.json")
_EXPORT: Final = re.compile(r"(?P<base>[a-z0-9]+)-usd-max\.csv")
_BASES: Final = {coin: base for base, coin in COIN_IDS.items()}

Row = tuple[int, tuple[str | None, ...]]
"""Milliseconds of a bar's end, then open, high, low and close as texts; None is not told."""


def pair_of(name: str) -> str | None:
    """Return the pair that a file's name means, None when it is none of CoinGecko's."""
    if found := _EXPORT.fullmatch(name):
        return f"{found['base'].upper()}/USD"
    if found := _ANSWER.fullmatch(name):
        coin = found["coin"]
        base = _BASES.get(coin.lower(), coin.upper().removesuffix("-USD"))
        return f"{base}/USD"
    return None


def interval_of(path: Path) -> int:
    """Return the minutes between most neighbouring rows, 0 when that cannot be told."""
    try:
        ends = [at for at, _ in read(path)]
    except (OSError, ValueError):
        return 0
    steps = np.diff(np.array(ends, dtype=np.int64)) / 60_000
    return round(float(np.median(steps))) if len(steps) else 0


def read(path: Path) -> list[Row]:
    """Return the rows of an answer or an export; ValueError says what is wrong with it."""
    if path.stat().st_size > LARGEST_BYTES:
        raise ValueError(f"larger than {LARGEST_BYTES >> 20} MB")
    if path.suffix == ".csv":
        return [_exported(line) for line in path.read_text().splitlines()[1:] if line.strip()]
    # Figures keep the digits that the answer has.
    return rows_of(json.loads(path.read_text(), parse_float=str, parse_int=str))


def rows_of(answer: Any) -> list[Row]:
    """Return the rows of an answer of ``ohlc`` (a list) or ``market_chart`` (an object)."""
    if isinstance(answer, dict):
        points = answer.get("prices")
        if not isinstance(points, list):
            raise ValueError("the answer has no prices")  # noqa: TRY004
        return [(int(at), (None, None, None, _text(price))) for at, price in points]
    if not isinstance(answer, list):
        raise ValueError("neither candles nor a chart")  # noqa: TRY004
    return [
        (int(at), (_text(opening), _text(high), _text(low), _text(close)))
        for at, opening, high, low, close in answer
    ]


def ended(points: list[Row], seconds: int) -> list[Row]:
    """Return the points of bars that have ended: the last one of a chart may be the present."""
    is_present = bool(points) and points[-1][1][0] is None and _off(points[-1][0], seconds)
    return points[:-1] if is_present else points


def batches(points: list[Row], interval_minutes: int, rows: int) -> Iterator[CandleBatch]:
    """Yield candles of points, so many at a time.

    The last point of a chart is the present, no bar's end: it is no row of history.
    """
    import pyarrow as pa

    if interval_minutes < 1:
        raise ValueError("the length of a bar cannot be told: say --interval")
    seconds = interval_minutes * 60
    points = ended(points, seconds)
    if not points:
        raise ValueError("there are no rows")
    names = ("open", "high", "low", "close") if points[0][1][0] is not None else ("close",)
    for first in range(0, len(points), rows):
        part = points[first : first + rows]
        stamps = np.array([at for at, _ in part], dtype=np.int64)
        ends = _ends(stamps, seconds)
        columns = {
            name: pa.array([figures[place - len(names)] for _, figures in part], pa.string())
            for place, name in enumerate(names)
        }
        known = np.maximum(ends, -(-stamps // 1000))
        known += DAY_LATE_SECONDS if seconds >= DAY_SECONDS else 0
        start = pa.array(ends - seconds)
        yield batch_of(first, start, table_of(columns), seconds, available=known)


def panel_series(path: Path) -> list[tuple[str, str]]:
    """Return (coin's id, pair) of a panel of daily closes; none when it is no panel."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        if not {"ts", "coingecko_id", "symbol", "close"} <= set(parquet.read_schema(path).names):
            return []
        table = parquet.read_table(path, columns=["coingecko_id", "symbol"])
    except (pa.ArrowException, OSError):
        return []
    coins = dict(zip(*(table.column(name).to_pylist() for name in table.column_names), strict=True))
    # Tickers are not unique: a coin that is not the known one of its ticker goes by its id.
    return [(coin, f"{_ticker(coin, str(symbol))}/USD") for coin, symbol in sorted(coins.items())]


def panel_batches(path: Path, coin: str, rows: int) -> Iterator[CandleBatch]:
    """Yield one coin's closes: prices at 00:00 UTC, the close of the day before."""
    import pyarrow as pa
    from pyarrow import compute, parquet

    try:
        table = parquet.read_table(
            path, columns=["ts", "close"], filters=[("coingecko_id", "=", coin)]
        )
    except pa.ArrowException as error:
        raise ValueError(str(error)) from None
    millis = compute.cast(compute.cast(table.column("ts"), pa.timestamp("ms")), pa.int64())
    closes = compute.cast(table.column("close"), pa.string()).to_pylist()
    points: list[Row] = [
        (at, (None, None, None, close))
        for at, close in zip(millis.to_pylist(), closes, strict=True)
    ]
    yield from batches(points, 1440, rows)


def _ticker(coin: str, symbol: str) -> str:
    ticker = symbol.upper()
    return ticker if COIN_IDS.get(ticker) == coin else coin


def _exported(line: str) -> Row:
    at, _, rest = line.partition(",")
    moment = datetime.fromisoformat(at.removesuffix(" UTC")).replace(tzinfo=UTC)
    return int(moment.timestamp()) * 1000, (None, None, None, rest.partition(",")[0] or None)


def _ends(stamps: Any, seconds: int) -> Any:
    """Return the ends of bars that stamps mean; one that is off its grid stays, and is refused."""
    nearest = (stamps + 500 * seconds) // (1000 * seconds) * seconds
    off = np.abs(stamps / 1000 - nearest) > STAMP_TOLERANCE * seconds
    return np.where(off, stamps // 1000, nearest)


def _off(stamp: int, seconds: int) -> bool:
    return bool(_ends(np.array([stamp]), seconds)[0] % seconds)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)

"""Markets with a known truth: real ones whose answers are torn off, and made ones worth so much."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from pyarrow import Table, parquet

from models.learning.features.bars import Bars

DAY = 86_400
YEAR = 365
BLOCK_DAYS = 20
SHORTEST_SHIFT = 30
FILES = {
    "BTC": "kraken/BTC-USD_1d_20131006-20211231.parquet",
    "ETH": "kraken/ETH-USD_1d_20150807-20211231.parquet",
    "LTC": "kraken/LTC-USD_1d_20131024-20211231.parquet",
    "XRP": "kraken/XRP-USD_1d_20170518-20211231.parquet",
}


def recorded(data: Path) -> list[Bars]:
    """Read the recorded daily candles of each pair on its grid; absent days stay absent."""
    tables = {pair: parquet.read_table(data / name) for pair, name in FILES.items()}
    reference = _on_grid(tables["BTC"])
    return [_with_reference(_on_grid(table), reference) for table in tables.values()]


def _on_grid(table: Table) -> Bars:
    columns = {name: table.column(name).to_numpy() for name in table.column_names}
    seconds = columns["ts"].astype("datetime64[s]").astype(np.int64)
    grid = np.arange(seconds[0], seconds[-1] + DAY, DAY)
    at = (seconds - seconds[0]) // DAY

    def spread(name: str) -> np.ndarray:
        values = np.full(grid.size, np.nan)
        values[at] = columns[name]
        return values

    prices = {name: spread(name) for name in ("open", "high", "low", "close", "volume")}
    unknown = np.full(grid.size, np.nan)
    return Bars(grid, DAY, **prices, bought=unknown, reference=unknown)


def _with_reference(bars: Bars, reference: Bars) -> Bars:
    position = (bars.time - reference.time[0]) // DAY
    inside = (position >= 0) & (position < len(reference))
    close = np.where(inside, reference.close[np.clip(position, 0, len(reference) - 1)], np.nan)
    return replace(bars, reference=close)


def resampled(bars: Bars, rng: np.random.Generator) -> Bars:
    """Draw another history in blocks of its days: the same days, no order that could be learnt."""
    known = np.flatnonzero(np.isfinite(bars.close))[1:]
    known = known[np.isfinite(bars.close[known - 1])]
    size = len(bars) - 1
    starts = rng.integers(0, known.size, -(-size // BLOCK_DAYS))
    drawn = known[(starts[:, None] + np.arange(BLOCK_DAYS)).ravel()[:size] % known.size]
    steps = np.log(bars.close[drawn] / bars.close[drawn - 1])
    close = 100 * np.exp(np.concatenate([[0.0], np.cumsum(steps)]))
    before, after = close[:-1], close[1:]
    columns = {
        "open": np.concatenate([[100.0], before * (bars.open[drawn] / bars.close[drawn - 1])]),
        "high": np.concatenate([[100.0], after * bars.high[drawn] / bars.close[drawn]]),
        "low": np.concatenate([[100.0], after * bars.low[drawn] / bars.close[drawn]]),
        "close": close,
        "volume": np.concatenate([[bars.volume[known[0]]], bars.volume[drawn]]),
    }
    unknown = np.full(len(bars), np.nan)
    return Bars(bars.time, DAY, **columns, bought=unknown, reference=close)


@dataclass(frozen=True)
class Made:
    """How a market is made: a state that lasts, seen in the order flow, that moves the drift.

    `edge` is the drift of a day in the good state over that of a bad one (log return),
    `deviation` that of a day, `stay` the chance that the state stays.
    """

    edge: float
    deviation: float = 0.03
    stay: float = 0.95
    years: int = 8
    pairs: int = 2


def made(market: Made, rng: np.random.Generator) -> list[Bars]:
    """Make a history of each pair."""
    return [_made_pair(market, rng) for _ in range(market.pairs)]


def _made_pair(market: Made, rng: np.random.Generator) -> Bars:
    days = market.years * YEAR
    state = np.zeros(days)
    draws, fresh = rng.random(days), rng.random(days) < 0.5
    for day in range(1, days):
        state[day] = state[day - 1] if draws[day] < market.stay else float(fresh[day])
    earlier = np.concatenate([[0.0], state[:-1]])
    steps = rng.normal(0, market.deviation, days) + market.edge * (earlier - 0.5)
    close = 100 * np.exp(np.cumsum(steps))
    opened = np.concatenate([[100.0], close[:-1]])
    wick = np.abs(rng.normal(0, market.deviation / 3, (2, days)))
    bought = np.clip(0.45 + 0.1 * state + rng.normal(0, 0.05, days), 0, 1)
    return Bars(
        np.arange(days) * DAY,
        DAY,
        opened,
        np.maximum(opened, close) * np.exp(wick[0]),
        np.minimum(opened, close) * np.exp(-wick[1]),
        close,
        rng.gamma(2, 10, days),
        bought,
        close,
    )

"""Markets with a known truth: real ones whose answers are torn off, and made ones worth so much."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from activities.adapters.candle_files.snapshots import FEWEST_DAYS, read_snapshot
from activities.ports.learning.snapshots import SnapshotError
from models.learning.features.bars import Bars

DAY = 86_400
YEAR = 365
BLOCK_DAYS = 20
SHORTEST_SHIFT = 30
LONGEST_GAP = 30
LONG_ENOUGH = 4 * YEAR
"""Shorter pairs are only asked about where no longer one is there: they say little."""


def recorded(*directories: Path) -> list[Bars]:
    """Read the longest unbroken recording of each pair; absent days in it stay absent.

    Raises:
        SnapshotError: there is too little to ask about.
    """
    histories = [_unbroken(bars) for bars in read_snapshot(*directories).histories.values()]
    known = [int(np.isfinite(bars.close).sum()) for bars in histories]
    least = LONG_ENOUGH if max(known) >= LONG_ENOUGH else FEWEST_DAYS
    chosen = [bars for bars, days in zip(histories, known, strict=True) if days >= least]
    if not chosen:
        message = f"no pair has {FEWEST_DAYS} days without a gap of more than {LONGEST_GAP}"
        raise SnapshotError(message)
    return chosen


def _unbroken(bars: Bars) -> Bars:
    """Return the longest stretch of a history without a long gap."""
    known = np.flatnonzero(np.isfinite(bars.close))
    stretches = np.split(known, np.flatnonzero(np.diff(known) > LONGEST_GAP) + 1)
    longest = max(stretches, key=len)
    return bars.part(int(longest[0]), int(longest[-1]) + 1)


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

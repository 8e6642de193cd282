"""How often the hedge changes its mind on recorded candles, and what that costs.

Run with ``python -m bench.hedge_churn PATH…``: one Parquet file of 15-minute candles for each pair
(columns ``ts``, ``open``, ``high``, ``low``, ``close``). Equity is in all pairs in equal parts as
far as the hedge lets it, half of it at the start; a review takes place every hour, as in a running
account. Following and judging are the platform's own (``decide_hedge``); the trades are carried out
at the close, with the costs given. The first line reads the volatility of the newest 96 bars, the
second the smoothed one of a day, which the platform uses.
"""

import sys
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from math import sqrt

from pyarrow import parquet

from models.trading.hedge.target import (
    HedgeMove,
    HedgeReading,
    HedgeSettings,
    HedgeState,
    decide_hedge,
)
from models.trading.market import Candle
from models.trading.strategies.indicators import daily_volatility, realised_volatility

COST = Decimal("0.0085")
"""One way: the bottom tier's taker fee of 2026, with spread and slippage of five basis points."""
WINDOW = 720
ROUNDED = Decimal("1e-8")


@dataclass
class Run:
    """One account under one reading of volatility; money in USD."""

    settings: HedgeSettings
    state: HedgeState = field(default_factory=HedgeState)
    cash: Decimal = Decimal(50_000)
    held: Decimal = Decimal(50_000)
    best: Decimal = Decimal(100_000)
    changes: int = 0
    moves: int = 0
    turnover: Decimal = Decimal(0)
    cost: Decimal = Decimal(0)

    def grow(self, factor: float) -> None:
        """Let what is held move with the market."""
        self.held = (self.held * Decimal(repr(factor))).quantize(ROUNDED)
        self.best = max(self.best, self.cash + self.held)

    def review(self, volatility: float | None, at: datetime) -> None:
        """Look at the hedge and carry its move out at once."""
        equity = self.cash + self.held
        reading = HedgeReading(
            None if volatility is None else Decimal(repr(volatility)).quantize(ROUNDED),
            1 - equity / self.best,
            self.cash,
            self.held,
            COST,
        )
        decided = decide_hedge(self.settings, self.state, reading, at)
        self.changes += decided.state.target != self.state.target
        self.state = decided.state
        if decided.move is None:
            return
        value = min(decided.value, self.held if decided.move is HedgeMove.REDUCE else self.cash)
        paid = value * COST
        sign = 1 if decided.move is HedgeMove.REDUCE else -1
        self.held -= sign * value
        self.cash += sign * value - paid
        self.moves += 1
        self.turnover += value / equity
        self.cost += paid / equity


Reading = Callable[[Sequence[Candle]], float | None]


def by_bar(bars: Sequence[Candle]) -> float | None:
    """Return the plain deviation of the newest 96 bars, scaled by the square root of time."""
    found = realised_volatility(bars[-96:])
    return None if found is None else found * sqrt(96)


def read_candles(path: str) -> list[Candle]:
    """Read candles from a Parquet file."""
    rows = parquet.read_table(path).to_pylist()
    return [
        Candle(
            path,
            15,
            r["ts"],
            *(Decimal(repr(r[n])) for n in ("open", "high", "low", "close")),
            Decimal(0),
        )
        for r in rows
    ]


def play(series: list[list[Candle]], reading: Reading, settings: HedgeSettings) -> Run:
    """Play all pairs side by side, as far as every pair has a bar."""
    run = Run(settings)
    by_start = [{bar.start: bar for bar in bars} for bars in series]
    starts = sorted(set.intersection(*(set(bars) for bars in by_start)))
    windows: list[deque[Candle]] = [deque(maxlen=WINDOW) for _ in series]
    for start in starts:
        moved = []
        for window, bars in zip(windows, by_start, strict=True):
            if window:
                moved.append(float(bars[start].close / window[-1].close))
            window.append(bars[start])
        if moved:
            run.grow(sum(moved) / len(moved))
        if start.minute == 0 and len(windows[0]) >= 96:
            read = [reading(tuple(window)) for window in windows]
            known = [one for one in read if one is not None]
            mean = sum(known) / len(known) if known else None
            run.review(mean, start + timedelta(minutes=15))
    return run


def main() -> None:
    """Print target changes, moves, turnover and cost for both readings."""
    series = [read_candles(path) for path in sys.argv[1:]]
    settings = HedgeSettings(automatic=True)
    for name, reading in (("by bar", by_bar), ("smoothed", daily_volatility)):
        run = play(series, reading, settings)
        print(
            f"{name}: {run.changes} target changes, {run.moves} moves, turnover "
            f"{run.turnover:.1f} times equity, cost {run.cost:.2%}, "
            f"left {run.cash + run.held:.0f} USD"
        )


if __name__ == "__main__":
    main()

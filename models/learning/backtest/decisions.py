"""What a strategy wants at each close, as columns that the fast engine reads."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import Any

import numpy as np

from models.learning.backtest.bars import Bars, Floats, Integers
from models.trading.ideas import Idea
from models.trading.market import Candle, MarketSnapshot
from models.trading.strategies import Strategy

INSTALLATION = "00000000-0000-4000-8000-000000000000"
"""Ideas need an installation to be named after; a backtest belongs to none."""


@dataclass(frozen=True, slots=True, eq=False)
class Decisions:
    """One row per bar, decided at its close.

    Attributes:
        target: share of equity to be held; NaN: nothing is decided, 0: nothing shall be held.
        stop: where the stop rests, in ticks; every entry has one.
        take: take-profit in ticks, 0: none.
        trail: distance of a trailing stop in ticks, 0: none.
        limit: limit price of the entry in ticks, 0: at market.
        rebalances: whether ``target`` is followed while something is held; else only its 0 is.
    """

    target: Floats
    stop: Integers
    take: Integers
    trail: Integers
    limit: Integers
    rebalances: bool = False

    def slice(self, first: int, last: int) -> "Decisions":
        """Return the rows from ``first`` up to and without ``last``."""
        return Decisions(
            self.target[first:last],
            self.stop[first:last],
            self.take[first:last],
            self.trail[first:last],
            self.limit[first:last],
            self.rebalances,
        )


def no_decisions(count: int, *, rebalances: bool = False) -> Decisions:
    """Return rows in which nothing is decided."""
    stop, take, trail, limit = (np.zeros(count, dtype=np.int64) for _ in range(4))
    return Decisions(np.full(count, np.nan), stop, take, trail, limit, rebalances)


def decide_all(strategy: Strategy, bars: Bars, size: float = 1.0) -> Decisions:
    """Run a strategy over the bars of one pair; see ``decide_universe``."""
    return decide_universe(strategy, [bars], size)[0]


def decide_universe(
    strategy: Strategy, universe: Sequence[Bars], size: float = 1.0
) -> list[Decisions]:
    """Run a strategy over bars as the market worker does: each once, oldest first.

    Of bars that close together every one is taken in before anything is proposed. ``size`` is the
    share of equity of an idea that names no weight.
    """
    rows = [no_decisions(len(bars), rebalances=strategy.rebalances) for bars in universe]
    states: dict[str, Any] = {}
    for moment in _merged(universe):
        for place, _, candle in moment:
            key = "" if strategy.sees_universe else universe[place].symbol
            state = states[key] if key in states else strategy.start()
            states[key] = strategy.update(state, candle)
        for place, index, candle in moment:
            bars = universe[place]
            state = states["" if strategy.sees_universe else bars.symbol]
            idea = strategy.propose(state, at_close(candle), bars.instrument, INSTALLATION)
            if idea is not None:
                _write(rows[place], index, idea, bars, size)
    return rows


Step = tuple[int, int, Candle]


def _merged(universe: Sequence[Bars]) -> Iterator[list[Step]]:
    """Yield the bars of each moment: place in the universe, place in its bars, and the bar."""
    streams = [
        ((int(bars.minutes[index]), place, index, candle))
        for place, bars in enumerate(universe)
        for index, candle in enumerate(bars.candles())
    ]
    streams.sort(key=lambda step: step[:3])
    for _, group in groupby(streams, key=lambda step: step[0]):
        yield [step[1:] for step in group]


def at_close(candle: Candle) -> MarketSnapshot:
    """Return the market as it is seen at a close: no spread, the close is every price."""
    end = candle.start + timedelta(minutes=candle.interval_minutes)
    return MarketSnapshot(candle.symbol, candle.close, candle.close, candle.close, end)


def _write(rows: Decisions, index: int, idea: Idea, bars: Bars, size: float) -> None:
    tick = bars.instrument.price_increment
    weight = idea.target_weight
    rows.target[index] = size if weight is None else float(weight)
    rows.stop[index] = int(idea.stop_price / tick)
    rows.take[index] = int(idea.take_profit_price / tick) if idea.take_profit_price else 0
    rows.trail[index] = int(idea.trailing_distance / tick) if idea.trailing_distance else 0
    rows.limit[index] = int(idea.limit_price / tick) if idea.limit_price else 0

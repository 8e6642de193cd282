"""Bars and strategies that tests of the backtest are made of."""

from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np

from models.learning.backtest.bars import Bars, make_bars
from models.trading.ideas import Idea, StrategyStanding
from models.trading.identities import idea_id
from tests.models.trading.trading_builders import an_instrument

FIRST_MINUTE = 28_000_800
"""2023-03-28 00:00 UTC, the start of a day."""


def bars_of(
    rows, *, interval: int = 1440, volume: float = 1e6, minutes=None, instrument=None
) -> Bars:
    """Return bars of rows (open, high, low, close) in ticks of 0.1."""
    table = np.array(rows, dtype=np.float64)
    prices = tuple(table[:, column] * 0.1 for column in range(4))
    starts = np.arange(len(rows)) if minutes is None else np.array(minutes)
    volumes = np.full(len(rows), volume) if np.isscalar(volume) else np.array(volume)
    return make_bars(
        instrument or an_instrument(),
        interval,
        FIRST_MINUTE + starts * interval,
        prices,  # type: ignore[arg-type]
        volumes,
        source="made up",
    )


def wandering(seed: int, count: int, *, interval: int = 60, spread: int = 120, volume=50.0) -> Bars:
    """Return bars that wander around 10,000 ticks; some are absent."""
    draw = np.random.default_rng(seed)
    closes = np.maximum(2_000, 10_000 + np.cumsum(draw.integers(-spread, spread + 1, count)))
    opens = np.concatenate([[10_000], closes[:-1]]) + draw.integers(-20, 21, count)
    highs = np.maximum(opens, closes) + draw.integers(0, spread, count)
    lows = np.minimum(opens, closes) - draw.integers(0, spread, count)
    places = np.flatnonzero(draw.random(count) > 0.03)
    rows = np.column_stack([opens, highs, lows, closes])[places]
    volumes = draw.uniform(0.2, 2.0, len(places)) * volume
    return bars_of(rows, interval=interval, minutes=places, volume=volumes)


@dataclass(frozen=True)
class Scripted:
    """A strategy whose ideas are written down: by place of the bar, in ticks of 0.1."""

    ideas: dict[int, dict] = field(default_factory=dict)
    rebalances: bool = False
    name: str = "scripted"
    version: str = "1"
    standing: StrategyStanding = StrategyStanding.SHADOW
    interval_minutes: int | None = None
    warm_up_bars: int = 1
    sees_universe: bool = False

    def start(self):
        return -1, None

    def update(self, state, bar):
        return state[0] + 1, bar

    def propose(self, state, market, instrument, installation):
        place, bar = state
        wanted = self.ideas.get(place)
        if wanted is None:
            return None
        tick = instrument.price_increment

        def price(name):
            value = wanted.get(name)
            return None if not value else int(value) * tick

        length = timedelta(minutes=bar.interval_minutes)
        return Idea(
            idea_id=idea_id(installation, self.name, "1", bar.symbol, bar.start.isoformat()),
            strategy=self.name,
            strategy_version="1",
            symbol=bar.symbol,
            bar_start=bar.start,
            expires_at=bar.start + 2 * length,
            stop_price=price("stop"),
            take_profit_price=price("take"),
            trailing_distance=price("trail"),
            target_weight=wanted.get("weight"),
            limit_price=price("limit"),
        )

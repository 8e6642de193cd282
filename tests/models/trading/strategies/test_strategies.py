"""The baseline strategy and its indicators."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from models.trading.market import Candle
from models.trading.strategies import (
    StrategyRegistry,
    StrategyStanding,
    UnknownStrategyError,
    known,
)
from models.trading.strategies.indicators import (
    average_true_range,
    is_contiguous,
    realised_volatility,
)
from models.trading.strategies.running import Exponential
from tests.models.trading.trading_builders import INSTALLATION, START, a_market, an_instrument
from tests.support.demanded import absent

SHARED = Path(__file__).resolve().parents[5] / "shared"


TREND = known().by_name("trend")


def a_candle(index: int, close: float, spread: float = 100.0) -> Candle:
    middle = Decimal(repr(close))
    half = Decimal(repr(spread / 2))
    start = START + timedelta(minutes=15 * index)
    return Candle("BTC/USD", 15, start, middle, middle + half, middle - half, middle, Decimal(1))


def a_breakout() -> list[Candle]:
    """Rise with a wobble, rest, and break out on the last bar."""
    bars = TREND.warm_up_bars
    closes = [50000 + 5 * i + (40 if i % 2 else -40) for i in range(bars - 10)]
    closes += [closes[-1] - 100] * 9 + [closes[-1] + 200]
    return [a_candle(i, close) for i, close in enumerate(closes)]


def propose(window: list[Candle], strategy=TREND):
    state = strategy.start()
    for bar in window:
        state = strategy.update(state, bar)
    return proposed(strategy, state, window[-1])


def proposed(strategy, state, bar: Candle):
    market = a_market(bid=str(bar.close), ask=str(bar.close + 1))
    return strategy.propose(state, market, an_instrument(), INSTALLATION)


def test_breakout_gives_one_idea_with_exits_on_the_tick_around_the_price():
    window = a_breakout()
    idea = propose(window)
    assert idea is not None
    assert idea.take_profit_price is not None
    assert idea.stop_price < window[-1].close < idea.take_profit_price
    assert idea.stop_price % Decimal("0.1") == 0
    assert idea.expires_at == window[-1].start + timedelta(minutes=30)
    assert propose(window) == idea


def test_missing_bar_or_short_window_gives_no_idea():
    window = a_breakout()
    assert propose(window[1:]) is None
    gapped = [a_candle(-1, 50000.0), *window[:100], *window[101:]]
    assert len(gapped) == len(window)
    assert not is_contiguous(gapped)
    assert propose(gapped) is None


def test_no_breakout_gives_no_idea():
    assert propose([*a_breakout()[:-1], a_candle(239, 49000.0)]) is None


def test_indicators_agree_with_their_definitions():
    window = [a_candle(i, 100.0 + i, spread=2.0) for i in range(20)]
    assert average_true_range(window, 14) == pytest.approx(2.0)
    assert average_true_range(window[:14], 14) is None
    average = Exponential.average(3)
    for value in (1.0, 2.0, 3.0, 4.0):
        average = average.plus(value)
    assert average.value == pytest.approx(3.0)
    assert realised_volatility([a_candle(i, 100.0) for i in range(5)]) == 0.0


def test_unknown_strategy_is_a_typed_error():
    assert "trend" in known().names
    with pytest.raises(UnknownStrategyError, match="nonsense"):
        known().by_name("nonsense")
    with pytest.raises(ValueError, match="two strategies"):
        StrategyRegistry((TREND, TREND))


def test_shipped_are_the_two_daily_ones_and_the_demonstration_is_named_so():
    shipped = known().of(StrategyStanding.SHIPPED)
    assert [s.name for s in shipped] == ["volatility_managed", "donchian_ensemble"]
    assert all(s.interval_minutes == 1440 and s.rebalances for s in shipped)
    (shown,) = known().of(StrategyStanding.DEMONSTRATION)
    assert shown.name == "demonstration"


@pytest.mark.recordings
def test_recorded_quarter_gives_dozens_of_ideas():
    path = SHARED / "data/coinbase/BTC-USD_15m_20240418-20250630.parquet"
    if not path.exists():
        absent("the recorded candles are not beside this checkout")
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = parquet.read_table(path).slice(0, 8000).to_pylist()
    candles = [
        Candle(
            "BTC/USD",
            15,
            row["ts"],
            *(Decimal(repr(row[name])) for name in ("open", "high", "low", "close", "volume")),
        )
        for row in rows
    ]
    state, ideas = TREND.start(), []
    for candle in candles:
        state = TREND.update(state, candle)
        ideas.append(proposed(TREND, state, candle))
    assert sum(idea is not None for idea in ideas) >= 36

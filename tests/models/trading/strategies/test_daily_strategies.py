"""The shipped strategies against their rules, bar by bar."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from models.trading.hedge.target import HedgeSettings, exposure_share, target_share
from models.trading.market import Candle, MarketSnapshot
from models.trading.strategies import known
from models.trading.strategies.donchian import DonchianEnsemble
from models.trading.strategies.longer_bars import LongerBar, add_bar
from models.trading.strategies.momentum import CrossSectionalMomentum
from models.trading.strategies.volatility_managed import VolatilityManaged
from tests.models.trading.trading_builders import INSTALLATION, an_instrument

DAY = datetime(2024, 1, 1, tzinfo=UTC)


def a_day(index: int, close: float, symbol="BTC/USD", low=None, high=None) -> Candle:
    price = Decimal(repr(close))
    bottom = price if low is None else Decimal(repr(low))
    top = price if high is None else Decimal(repr(high))
    start = DAY + timedelta(days=index)
    return Candle(
        symbol, 1440, start, price, max(price, top), min(price, bottom), price, Decimal(9)
    )


def run(strategy, closes, first=0):
    state = strategy.start()
    for index, close in enumerate(closes):
        bar = close if isinstance(close, Candle) else a_day(first + index, close)
        state = strategy.update(state, bar)
    return state


def idea_of(strategy, state, symbol="BTC/USD", stale=False):
    last = state.last if hasattr(state, "last") else dict(state.pairs)[symbol].last
    market = MarketSnapshot(symbol, last.close, last.close, last.close, last.start, stale=stale)
    return strategy.propose(state, market, an_instrument(symbol), INSTALLATION)


SMALL = DonchianEnsemble(channels=(3, 5), volatility_days=4, volatility_target=100.0)
CALM = [100, 101, 100, 101, 100, 101]


def test_each_channel_buys_above_its_own_past_and_keeps_its_midpoint():
    state = run(SMALL, [*CALM, 102])
    assert state.stops == ((102 + 100) / 2, (102 + 100) / 2)
    idea = idea_of(SMALL, state)
    assert idea.target_weight == 1
    assert idea.stop_price == 101
    higher = SMALL.update(state, a_day(7, 110))
    assert higher.stops == ((110 + 101) / 2, (110 + 100) / 2)
    fallen = SMALL.update(higher, a_day(8, 105.2))
    assert fallen.stops == (0.0, 105.0)
    assert idea_of(SMALL, fallen).target_weight == Decimal("0.5")


def test_the_resting_stop_ends_every_channel_even_if_the_close_recovers():
    state = SMALL.update(run(SMALL, [*CALM, 102]), a_day(7, 110))
    hit = SMALL.update(state, a_day(8, 109, low=104.9))
    assert hit.stops == (0.0, 0.0)
    assert idea_of(SMALL, hit).target_weight == 0


def test_volatility_scales_the_weight_to_its_target():
    wild = [100, 110, 99, 111, 98, 112, 125]
    scaled = idea_of(replace(SMALL, volatility_target=0.25), run(SMALL, wild))
    full = idea_of(SMALL, run(SMALL, wild))
    assert full.target_weight == 1
    assert 0 < scaled.target_weight < Decimal("0.15")


def test_a_long_gap_forgets_and_a_short_one_does_not():
    bars = [a_day(n, c) for n, c in enumerate([*CALM, 102])]
    state = run(SMALL, bars)
    assert any(SMALL.update(state, a_day(9, 103)).stops)
    assert SMALL.update(state, a_day(20, 103)).closes == (103.0,)
    assert idea_of(SMALL, state, stale=True) is None


def test_take_profit_stays_where_the_first_channel_put_it_and_ends_all():
    state = run(SMALL, [*CALM, 102])
    later = SMALL.update(state, a_day(7, 103))
    assert later.aim == state.aim > 103
    assert SMALL.update(later, a_day(8, 104, high=state.aim + 1)).stops == (0.0, 0.0)


def test_volatility_managed_holds_what_the_hedges_own_formula_leaves():
    strategy = VolatilityManaged()
    closes = [100 * (1.03 if n % 2 else 1.0) for n in range(40)]
    idea = idea_of(strategy, run(strategy, closes))
    (reason,) = idea.reasons
    volatility = Decimal(repr(0.0300607))
    expected = 1 - target_share(HedgeSettings(), volatility, Decimal(0))
    assert idea.target_weight == pytest.approx(expected, abs=Decimal("0.01"))
    assert exposure_share(HedgeSettings(), volatility) == expected
    assert "daily volatility 3.0" in reason


def test_its_stop_follows_the_highest_close_and_begins_anew_when_reached():
    strategy = VolatilityManaged()
    state = run(strategy, [100 + n % 2 for n in range(40)])
    higher = strategy.update(state, a_day(40, 120))
    assert higher.stop > state.stop
    lower = strategy.update(higher, a_day(41, 115))
    assert lower.stop == higher.stop
    reached = strategy.update(lower, a_day(42, 116, low=50))
    assert reached.stop < lower.stop


def test_momentum_holds_the_best_third_on_mondays_only():
    strategy = CrossSectionalMomentum(lookback_days=7)
    pairs = {"BTC/USD": 1.01, "ETH/USD": 1.02, "SOL/USD": 0.99}
    state = strategy.start()
    for day in range(8):  # the first is a Monday, and so is the last
        for symbol, growth in pairs.items():
            state = strategy.update(state, a_day(day, 100 * growth**day, symbol))
    weights = {symbol: idea_of(strategy, state, symbol).target_weight for symbol in pairs}
    assert weights == {"BTC/USD": 1, "ETH/USD": 1, "SOL/USD": 0}
    for symbol, growth in pairs.items():
        state = strategy.update(state, a_day(8, 100 * growth**8, symbol))
    assert idea_of(strategy, state) is None


def test_longer_bars_close_with_their_last_part_and_a_cut_one_is_not_given_out():
    state, done = LongerBar(60), []
    start = DAY + timedelta(minutes=45)
    for quarter in range(10):
        price = Decimal(100 + quarter)
        bar = Candle("X/USD", 15, start + timedelta(minutes=15 * quarter), *[price] * 4, Decimal(1))
        state, closed = add_bar(state, bar)
        done += closed
    # Seen from 0:45 on: the hour from 0:00 is cut; 1:00 and 2:00 are whole.
    assert [(b.start.hour, b.open, b.close, b.volume) for b in done] == [
        (1, 101, 104, 4),
        (2, 105, 108, 4),
    ]


def test_longer_bar_whose_last_part_is_absent_closes_with_the_next():
    state, done = LongerBar(60), []
    for minute in (0, 15, 30, 60):
        price = Decimal(100 + minute)
        at = DAY + timedelta(minutes=minute)
        state, closed = add_bar(state, Candle("X/USD", 15, at, *[price] * 4, Decimal(1)))
        done += closed
    assert [(b.start, b.close) for b in done] == [(DAY, 130)]


@pytest.mark.parametrize("strategy", list(known()), ids=known().names)
def test_states_are_never_changed_in_place(strategy):
    state = strategy.start()
    interval = strategy.interval_minutes or 15
    bars = [
        replace(a_day(0, 100 + (n * 7) % 13), start=DAY + timedelta(minutes=interval * n))
        for n in range(60)
    ]
    bars = [replace(bar, interval_minutes=interval) for bar in bars]
    for bar in bars:
        before = repr(state)
        following = strategy.update(state, bar)
        assert repr(state) == before
        assert strategy.update(state, bar) == following
        state = following

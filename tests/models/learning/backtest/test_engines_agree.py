"""The fast engine makes the trades that decide() and the simulator's matching make."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from models.learning.backtest.bars import resample
from models.learning.backtest.decisions import decide_all
from models.learning.backtest.fast import run_fast
from models.learning.backtest.reference import run_reference
from models.learning.backtest.results import FillKind
from models.learning.backtest.rules import FillRules, Portfolio, flat_fees
from tests.models.learning.backtest.backtest_builders import Scripted, wandering

EASY = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    # A failing example is short enough as it is; making it smaller takes minutes.
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
LEAVING = (FillKind.STOP, FillKind.TRAILING_STOP)


def both(strategy, bars, rules, portfolio=None, finer=None):
    portfolio = portfolio or Portfolio()
    fast = run_fast(bars, decide_all(strategy, bars), rules, portfolio, finer)
    return fast, run_reference(strategy, bars, rules, portfolio, finer)


def in_order(result):
    """Return the fills; parts that one bar sells at one price have no order of their own."""
    return sorted(
        result.fills, key=lambda f: (f.bar, f.kind is not FillKind.ENTRY, -f.ticks, f.lots)
    )


def assert_same(fast, reference, *, lots_off=2):
    """Every fill: bar, reason and price are equal; quantity and fee up to a lot of rounding."""
    assert len(fast.fills) == len(reference.fills)
    for one, other in zip(in_order(fast), in_order(reference), strict=True):
        assert (one.bar, one.ticks, one.maker) == (other.bar, other.ticks, other.maker)
        assert one.kind is other.kind or {one.kind, other.kind} == set(LEAVING)
        assert abs(one.lots - other.lots) <= max(lots_off, one.lots * 1e-9)
        assert one.fee == pytest.approx(other.fee, abs=2e-4, rel=1e-6)
    np.testing.assert_allclose(fast.equity, reference.equity, rtol=1e-7)
    assert fast.counts.ambiguous == reference.counts.ambiguous
    assert fast.counts.lapsed == reference.counts.lapsed
    assert fast.counts.bars_held == reference.counts.bars_held
    assert fast.counts.regret == pytest.approx(reference.counts.regret, rel=1e-6, abs=0.01)


@st.composite
def entries(draw, bars):
    """Return ideas with exits around the close of their bars, some with a limit, some to leave."""
    ideas = {}
    for place in draw(st.lists(st.integers(0, len(bars) - 2), unique=True, max_size=12)):
        close = int(bars.close[place])
        if draw(st.booleans()) and draw(st.booleans()):
            ideas[place] = {"stop": close - 50, "weight": Decimal(0)}
            continue
        ideas[place] = {
            "stop": close - draw(st.integers(20, 900)),
            "take": draw(st.one_of(st.none(), st.integers(20, 900).map(lambda d, c=close: c + d))),
            "trail": draw(st.one_of(st.none(), st.integers(5, 400))),
            "limit": draw(st.one_of(st.none(), st.integers(0, 150).map(lambda d, c=close: c - d))),
        }
        if ideas[place]["limit"] is not None:
            ideas[place]["stop"] = min(ideas[place]["stop"], ideas[place]["limit"] - 10)
    return ideas


@given(st.data(), st.integers(0, 10_000), st.booleans(), st.sampled_from([0.0, 0.0005, 0.003]))
@EASY
def test_entries_with_exits_trade_by_trade(data, seed, target_first, slippage):
    bars = wandering(seed, 80)
    strategy = Scripted(data.draw(entries(bars)))
    rules = FillRules(slippage_share=slippage, latency_seconds=600, target_first=target_first)
    assert_same(*both(strategy, bars, rules))


@given(st.data(), st.integers(0, 10_000))
@EASY
def test_finer_bars_resolve_the_same_in_both(data, seed):
    finer = wandering(seed, 480, interval=15, spread=60, volume=20.0)
    bars = resample(finer, 120)
    if len(bars) < 20:
        return
    strategy = Scripted(data.draw(entries(bars)))
    assert_same(*both(strategy, bars, FillRules(), finer=finer))


def test_an_entry_that_the_open_carries_below_its_own_stop_is_stopped_out_in_both():
    finer = wandering(293, 480, interval=15, spread=60, volume=20.0)
    strategy = Scripted({44: {"stop": 10414, "trail": 203, "limit": 10433}})
    fast, reference = both(strategy, resample(finer, 120), FillRules(), finer=finer)
    assert_same(fast, reference)
    assert [f.kind for f in reference.fills] == [FillKind.ENTRY, FillKind.STOP]
    assert reference.counts.bars_held == 1


@given(st.data(), st.integers(0, 10_000))
@EASY
def test_target_weights_fill_by_fill(data, seed):
    bars = wandering(seed, 60, volume=400.0)
    ideas = {}
    for place in range(0, len(bars) - 1, data.draw(st.integers(1, 3))):
        weight = Decimal(data.draw(st.integers(0, 20))) / 20
        stop = int(bars.close[place]) - data.draw(st.integers(150, 1500))
        ideas[place] = {"stop": stop, "weight": weight}
    strategy = Scripted(ideas, rebalances=True)
    rules = FillRules(fees=flat_fees("0.0025", "0.0040"))
    fast, reference = both(strategy, bars, rules)
    assert_same(fast, reference, lots_off=5)


def test_a_tier_is_reached_by_the_strategys_own_volume():
    bars = wandering(5, 80)
    ideas = {n: {"stop": int(bars.close[n]) - 3000, "take": None} for n in range(0, 70, 4)}
    ideas |= {n + 2: {"stop": 1, "weight": Decimal(0)} for n in range(0, 70, 4)}
    fast, reference = both(Scripted(ideas), bars, FillRules(), Portfolio(capital=2000.0))
    assert_same(fast, reference)
    shares = {round(f.fee / (f.ticks * f.lots * 1e-9), 4) for f in fast.fills}
    assert {0.008, 0.006} <= shares


def test_rules_differ_where_they_should():
    bars = wandering(7, 80)
    ideas = {10: {"stop": int(bars.close[10]) - 40, "take": int(bars.close[10]) + 40}}
    strategy = Scripted(ideas)
    dear = run_fast(bars, decide_all(strategy, bars), FillRules(slippage_share=0.01))
    cheap = run_fast(bars, decide_all(strategy, bars), replace(FillRules(), slippage_share=0.0))
    assert dear.equity[-1] < cheap.equity[-1]

"""The comparison of two runs sees what differs and names it."""

from dataclasses import replace
from decimal import Decimal

from models.learning.backtest.decisions import decide_all
from models.learning.backtest.fast import run_fast
from models.learning.backtest.parity import compare
from models.learning.backtest.reference import run_reference
from models.learning.backtest.rules import FillRules, Portfolio
from models.learning.backtest.series import Series, judged_from
from models.learning.backtest.study import try_strategy
from models.trading.strategies import known
from tests.models.learning.backtest.backtest_builders import Scripted, wandering


def test_engines_agree_on_a_shipped_strategy_with_the_real_fee_schedule():
    bars = wandering(21, 700, interval=1440, volume=3e4, spread=250)
    for name in ("donchian_ensemble", "volatility_managed"):
        strategy = known().by_name(name)
        found = compare(run_fast(bars, decide_all(strategy, bars)), run_reference(strategy, bars))
        assert found.moments > 3
        assert found.agree, found.differences[:3]
        assert abs(found.gap) < 1e-3


def test_what_differs_is_named():
    bars = wandering(7, 80, volume=1e6)
    ideas = {n: {"stop": int(bars.close[n]) - 2500} for n in (5, 30)}
    ideas[20] = {"stop": 1, "weight": Decimal(0)}
    whole = run_fast(bars, decide_all(Scripted(ideas), bars))
    assert compare(whole, whole).agree
    del ideas[30]
    less = run_fast(bars, decide_all(Scripted(ideas), bars))
    (difference, *_) = compare(whole, less).differences
    assert (difference.bar, difference.side) == (31, "bought")
    smaller = run_fast(
        bars, decide_all(Scripted(ideas), bars), FillRules(), Portfolio(reserve_share=0.2)
    )
    assert compare(less, smaller).differences[0].reason.startswith("quantity")
    slipped = run_fast(bars, decide_all(Scripted(ideas), bars), FillRules(slippage_share=0.004))
    prices = compare(less, replace(slipped, fills=slipped.fills)).differences
    assert any("price" in one.reason for one in prices)


def test_what_came_before_warms_both_engines_up_alike():
    bars = wandering(21, 500, interval=1440, volume=3e4, spread=250)
    strategy = known().by_name("donchian_ensemble")
    (series,) = judged_from([Series("v", bars)], bars.start(300))
    assert (len(series.bars), len(series.before)) == (len(bars) - 300, 300)
    cold = try_strategy(strategy, [Series("v", series.bars)], FillRules(), Portfolio())
    warm = try_strategy(strategy, [series], FillRules(), Portfolio(), by_reference=True)
    assert warm.parity[0].agree
    first = warm.results[0].fills[0].bar
    assert first < 150
    assert not cold.results[0].fills or cold.results[0].fills[0].bar > 150

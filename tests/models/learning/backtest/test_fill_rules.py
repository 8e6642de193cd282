"""Each fill rule on one bar that calls for it."""

from decimal import Decimal

import numpy as np
import pytest

from models.learning.backtest.decisions import decide_all
from models.learning.backtest.fast import both_bounds, run_fast
from models.learning.backtest.results import FillKind
from models.learning.backtest.rules import FillRules, Portfolio, flat_fees
from tests.models.learning.backtest.backtest_builders import Scripted, bars_of

FREE = FillRules(slippage_share=0.0, latency_seconds=0.0, fees=flat_fees("0.001", "0.002"))


def play(rows, idea, rules=FREE, **options):
    finer = options.pop("finer", None)
    bars = bars_of(rows, **options)
    strategy = Scripted({0: idea})
    return run_fast(bars, decide_all(strategy, bars), rules, Portfolio(), finer)


def exits(result):
    return [(f.bar, f.kind, f.ticks) for f in result.fills if f.kind is not FillKind.ENTRY]


FIRST = (1000, 1010, 990, 1000)


def test_entry_fills_at_the_next_open_with_slippage_and_latency_against_it():
    idea = {"stop": 900}
    plain = play([FIRST, (1005, 1100, 1000, 1050)], idea)
    assert [(f.bar, f.ticks) for f in plain.fills] == [(1, 1005)]
    # A tenth of the bar passes: a tenth of the way to the high; then one percent, rounded up.
    slow = FillRules(slippage_share=0.01, latency_seconds=8640, fees=FREE.fees)
    (fill,) = play([FIRST, (1005, 1105, 1000, 1050)], idea, slow).fills
    assert fill.ticks == np.ceil((1005 + 10) * 1.01)


def test_limit_needs_one_tick_through_and_pays_the_maker():
    idea = {"stop": 900, "limit": 990}
    assert play([FIRST, (1000, 1010, 990, 1000)], idea).fills == ()
    (fill,) = play([FIRST, (1000, 1010, 989, 1000)], idea).fills
    assert (fill.ticks, fill.maker) == (990, True)
    assert fill.fee == pytest.approx(fill.lots * fill.ticks * 1e-9 * 0.001, abs=1e-5)


def test_limit_takes_at_most_one_percent_of_the_volume_and_the_rest_is_regretted():
    idea = {"stop": 900, "limit": 990}
    result = play([FIRST, (1000, 1010, 980, 1000)], idea, volume=100.0)
    (fill,) = result.fills
    assert fill.lots == 10**8
    assert result.counts.lapsed == 1
    assert result.counts.regret > 0


def test_stop_fills_at_the_lower_of_open_and_stop_less_slippage():
    idea = {"stop": 950}
    inside = play([FIRST, (1000, 1010, 990, 1000), (990, 1000, 940, 960)], idea)
    assert exits(inside) == [(2, FillKind.STOP, 950)]
    slipped = FillRules(slippage_share=0.01, latency_seconds=0.0, fees=FREE.fees)
    gapped = play([FIRST, (1000, 1010, 990, 1000), (920, 930, 900, 910)], idea, slipped)
    assert exits(gapped) == [(2, FillKind.STOP, 910)]


def test_both_reached_is_ambiguous_and_the_stop_counts():
    rows = [FIRST, (1000, 1010, 990, 1000), (1000, 1060, 940, 1000)]
    bars = bars_of(rows)
    decisions = decide_all(Scripted({0: {"stop": 950, "take": 1050}}), bars)
    low, high = both_bounds(bars, decisions, FREE, Portfolio())
    assert (exits(low), exits(high)) == (
        [(2, FillKind.STOP, 950)],
        [(2, FillKind.TAKE_PROFIT, 1050)],
    )
    assert low.counts.ambiguous == 1
    assert low.counts.ambiguous_share == 0.5
    assert low.equity[-1] < high.equity[-1]


def test_finer_bars_say_which_came_first():
    rows = [FIRST, (1000, 1010, 990, 1000), (1000, 1060, 940, 1000)]
    quarters = [(1000, 1060, 1000, 1055), (1055, 1055, 940, 950), (950, 1000, 950, 1000)]
    finer = bars_of(quarters, interval=480, minutes=[6, 7, 8])
    result = play(rows, {"stop": 950, "take": 1050}, finer=finer)
    assert exits(result) == [(2, FillKind.TAKE_PROFIT, 1050)]
    assert result.counts.ambiguous == 0


def test_absent_bar_lapses_an_entry_and_makes_an_exit_wait():
    idea = {"stop": 900}
    lapsed = play([FIRST, (1005, 1010, 1000, 1005)], idea, minutes=[0, 2])
    assert (lapsed.fills, lapsed.counts.lapsed) == ((), 1)
    bars = bars_of([FIRST] * 3 + [(1005, 1010, 1000, 1005)], minutes=[0, 1, 2, 5])
    strategy = Scripted({0: idea, 2: {"stop": 900, "weight": Decimal(0)}})
    waited = run_fast(bars, decide_all(strategy, bars), FREE)
    assert exits(waited) == [(3, FillKind.EXIT, 1005)]


def test_trailing_stop_follows_and_fires_where_the_close_has_come_back():
    idea = {"stop": 950, "trail": 50}
    rows = [FIRST, (1000, 1010, 990, 1000), (1070, 1100, 1060, 1090), (1090, 1095, 1040, 1045)]
    assert exits(play(rows, idea)) == [(3, FillKind.TRAILING_STOP, 1050)]
    back = [FIRST, (1000, 1010, 990, 1000), (1000, 1100, 1000, 1010)]
    assert exits(play(back, idea)) == [(2, FillKind.TRAILING_STOP, 1050)]


def test_entry_without_a_stop_below_the_price_is_not_made():
    assert play([FIRST, FIRST], {"stop": 1000}).fills == ()
    assert play([FIRST, FIRST], {"stop": 900, "take": 1000}).fills == ()

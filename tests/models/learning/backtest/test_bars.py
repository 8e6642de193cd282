"""Bars are checked, never repaired; longer ones are made of shorter ones, windows never joined."""

import numpy as np
import pytest

from models.learning.backtest.bars import BarsError, assumed_instrument, make_bars, resample
from models.learning.backtest.series import Series, series_of, windows
from tests.models.learning.backtest.backtest_builders import FIRST_MINUTE, bars_of, wandering
from tests.models.trading.trading_builders import an_instrument

ROW = (1000, 1010, 990, 1005)


def made(minutes, rows, volume=None):
    table = np.array(rows, dtype=float)
    prices = tuple(table[:, n] for n in range(4))
    volumes = np.ones(len(rows)) if volume is None else np.array(volume, dtype=float)
    return make_bars(an_instrument(), 60, np.array(minutes), prices, volumes)


@pytest.mark.parametrize(
    ("minutes", "rows", "volume", "reason"),
    [
        ([0, 60], [ROW, (1000, float("nan"), 990, 1005)], None, "row 1: a figure is missing"),
        ([0, 60], [ROW, (1000, 1010, 0, 1005)], None, "not positive"),
        ([0, 60], [ROW, ROW], [1, -1], "volume is negative"),
        ([0, 61], [ROW, ROW], None, "not that of a bar"),
        ([60, 60], [ROW, ROW], None, "there twice"),
        ([60, 0], [ROW, ROW], None, "out of order"),
        ([0, 60], [ROW, (1000, 1001, 990, 1005)], None, "inside the bar"),
    ],
)
def test_faulty_bars_are_refused_with_their_row(minutes, rows, volume, reason):
    with pytest.raises(BarsError, match=reason):
        made(minutes, rows, volume)


def test_longer_bars_keep_open_high_low_close_and_volume_and_leave_out_cut_ends():
    minutes = [*range(22, 24), *range(24, 48), 49, *range(72, 75)]
    rows = [(1000 + n, 1010 + n, 990 - n, 1005 + n) for n in range(len(minutes))]
    days = resample(bars_of(rows, interval=60, minutes=minutes, volume=2.0), 1440)
    assert [(int(m) - FIRST_MINUTE) // 1440 for m in days.minutes] == [1, 2]
    assert (days.open[0], days.close[0]) == (1002, 1005 + 25)
    assert (days.high[0], days.low[0], days.volume[0]) == (1010 + 25, 990 - 25, 48.0)
    assert days.volume[1] == 2.0
    with pytest.raises(BarsError):
        resample(days, 1000)


def test_series_prefers_what_was_recorded_and_resolves_with_what_is_finer():
    hours = wandering(3, 24 * 60, interval=60)
    days = resample(hours, 1440)
    (one,) = series_of([("v", hours), ("v", days)], 1440)
    assert one.bars is days
    assert one.finer is hours
    later = wandering(4, 24 * 30, interval=60)
    shifted = bars_of(
        np.column_stack([later.open, later.high, later.low, later.close]),
        interval=60,
        minutes=np.arange(len(later)) + 24 * 400,
    )
    both = series_of([("v", days), ("v", hours), ("v", shifted)], 1440)
    assert [len(group) for group in windows(both)] == [1, 1]
    assert both[1].finer is shifted


def test_pairs_of_one_window_make_one_portfolio():
    one, other = wandering(1, 400), wandering(2, 400)
    groups = windows([Series("v", one), Series("v", other), Series("w", one)])
    assert [len(group) for group in groups] == [2, 1]


def test_figures_of_an_unknown_pair_are_assumed_from_its_prices():
    found = assumed_instrument("BONK/USD", np.array([0.00001234, 0.0000131]))
    assert found.price_precision == 8
    assert float(found.quantity_minimum) * 0.0000127 < 6

"""Figures of reports against vectors worked out by hand."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.reporting.costs import SettledTrade, costs_by_pair, spread_paid
from models.reporting.performance import (
    DayResult,
    Measured,
    benchmarks,
    change_of,
    change_of_holding,
    compounded,
    deepest_fall,
    deviation,
    held_before,
    risk_of,
)
from models.trading.capital.flows import NavPoint, time_weighted_return

START = datetime(2026, 1, 1, tzinfo=UTC)


def points(*values, flows=None):
    flows = flows or {}
    return [
        NavPoint(START + timedelta(hours=place), Decimal(value), Decimal(flows.get(place, 0)))
        for place, value in enumerate(values)
    ]


def day(number, share, profit="0"):
    return DayResult(date(2026, 1, number), Decimal(share), Decimal(profit))


def test_days_compound():
    assert compounded([Decimal("0.1"), Decimal("-0.1")]) == Decimal("-0.01")
    assert compounded([]) == 0


def test_deviation_is_that_of_a_sample():
    # 2, 4, 4, 4, 5, 5, 7, 9: mean 5, squares 32, 32 / 7.
    found = deviation([Decimal(n) for n in (2, 4, 4, 4, 5, 5, 7, 9)])
    assert found == (Decimal(32) / 7).sqrt()
    assert deviation([Decimal(1)]) is None


def test_risk_of_three_days():
    found = risk_of([day(1, "0.01"), day(2, "-0.02"), day(3, "0.01")])
    assert found.daily_volatility == pytest.approx(Decimal("0.0173205"), abs=Decimal("1e-7"))
    assert found.yearly_volatility == pytest.approx(Decimal("0.330908"), abs=Decimal("1e-6"))
    assert (found.worst.day.day, found.best.day.day, found.losing_days) == (2, 1, 1)
    none = risk_of([])
    assert (none.daily_volatility, none.worst, none.days) == (None, None, 0)


def test_deepest_fall_is_from_a_best_to_a_later_low():
    found = deepest_fall(points(100, 120, 90, 110, 130, 104))
    assert found.share == Decimal("0.25")
    assert (found.best_at, found.lowest_at) == (
        START + timedelta(hours=1),
        START + timedelta(hours=2),
    )


def test_capital_taken_out_is_no_fall():
    found = deepest_fall(points(100, 50, 55, flows={1: -50}))
    assert found.share == 0
    assert time_weighted_return(points(100, 50, 55, flows={1: -50})) == Decimal("0.1")


def test_nothing_known_is_none():
    assert deepest_fall([]) is None
    assert change_of(None, Decimal(1)) is None
    assert change_of(Decimal(0), Decimal(1)) is None
    assert change_of(Decimal(50), Decimal(60)) == Decimal("0.2")


@given(st.lists(st.integers(50, 200), min_size=1, max_size=30))
def test_fall_is_between_nothing_and_everything(values):
    found = deepest_fall(points(*values))
    assert 0 <= found.share < 1
    assert found.best_at <= found.lowest_at
    lowest = min(
        Decimal(low) / Decimal(best) for place, best in enumerate(values) for low in values[place:]
    )
    assert found.share == pytest.approx(1 - lowest, abs=Decimal("1e-20"))


def test_costs_by_pair():
    trades = [
        SettledTrade("BTC/USD", Decimal(30), Decimal(5), Decimal(1), Decimal(2000)),
        SettledTrade("BTC/USD", Decimal(-10), Decimal(5), Decimal(-2), Decimal(2000)),
        SettledTrade("ADA/USD", Decimal(4), Decimal(1), Decimal(0), Decimal(100)),
    ]
    everything, ada, btc = costs_by_pair(trades)
    assert (everything.symbol, everything.trades, everything.profit) == ("all", 3, Decimal(24))
    assert everything.won_share == Decimal("0.6666666667")
    assert (btc.profit_factor, btc.mean, btc.fees) == (Decimal(3), Decimal(10), Decimal(10))
    assert btc.cost_share == Decimal("0.00225")
    assert ada.profit_factor is None


def test_spread_is_paid_by_what_was_taken():
    assert spread_paid(Decimal("0.002"), Decimal(100), Decimal(3)) == Decimal("0.3")
    assert spread_paid(None, Decimal(100), Decimal(0)) == 0
    assert spread_paid(None, Decimal(100), Decimal(3)) is None
    assert spread_paid(Decimal("0.002"), Decimal(100), None) is None


def test_spread_of_which_a_part_is_unknown_is_no_sum():
    one = SettledTrade("A/USD", *[Decimal(1)] * 4, spread=Decimal(2))
    other = SettledTrade("A/USD", *[Decimal(1)] * 4)
    both = costs_by_pair([one, other])[0]
    assert (both.spread, both.spread_unknown) == (None, 1)
    assert costs_by_pair([one, one])[0].spread == 4


def test_what_was_held_before_is_what_is_held_less_what_came_in():
    balances = {"USD": Decimal(5), "BTC": Decimal(3)}
    moved = {"BTC": Decimal(2), "ETH": Decimal(-4)}
    assert held_before(balances, moved) == {"BTC": Decimal(1), "ETH": Decimal(4)}
    assert held_before(balances, {"BTC": Decimal(4)}) is None


def test_holding_is_what_was_there_at_the_prices_of_both_ends():
    held = {"BTC": Decimal(1)}
    first, last = {"BTC": Decimal(100)}, {"BTC": Decimal(150)}
    assert change_of_holding(Decimal(100), held, first, last) == Decimal("0.25")
    assert change_of_holding(Decimal(100), {}, {}, {}) == 0
    assert change_of_holding(Decimal(100), held, first, {}) is None
    assert change_of_holding(Decimal(100), None, first, last) is None
    assert change_of_holding(Decimal(0), {}, {}, {}) is None


def test_holding_is_unknown_where_it_was_other_money_or_another_moment():
    at, later = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)
    points = [NavPoint(at, Decimal(100)), NavPoint(later, Decimal(120))]
    mark = Measured(at, Decimal(100), Decimal(100))
    prices = ({"BTC": Decimal(100)}, {"BTC": Decimal(110)})
    found = benchmarks(points, [], mark, {}, prices)
    assert (found.bitcoin, found.holding) == (Decimal("0.1"), Decimal(0))
    begun = [NavPoint(later, Decimal(120))]
    assert benchmarks(points, begun, mark, {}, prices).holding is None
    elsewhen = Measured(later, Decimal(120), Decimal(120))
    assert benchmarks(points, [], elsewhen, {}, prices).holding is None
    assert benchmarks([], [], mark, {}, prices).bitcoin is None


def test_costs_of_nothing_are_unknown():
    (nothing,) = costs_by_pair([])
    assert (nothing.trades, nothing.won_share, nothing.cost_share) == (0, None, None)

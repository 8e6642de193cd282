"""Figures of reports against vectors worked out by hand."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.reporting.costs import EndedTrade, costs_by_pair
from models.reporting.performance import (
    DayResult,
    change_of,
    compounded,
    deepest_fall,
    deviation,
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
        EndedTrade("BTC/USD", Decimal(30), Decimal(5), Decimal(1), Decimal(2000)),
        EndedTrade("BTC/USD", Decimal(-10), Decimal(5), Decimal(-2), Decimal(2000)),
        EndedTrade("ADA/USD", Decimal(4), Decimal(1), Decimal(0), Decimal(100)),
    ]
    everything, ada, btc = costs_by_pair(trades)
    assert (everything.symbol, everything.trades, everything.profit) == ("all", 3, Decimal(24))
    assert everything.won_share == Decimal(2) / 3
    assert (btc.profit_factor, btc.mean, btc.fees) == (Decimal(3), Decimal(10), Decimal(10))
    assert btc.cost_share == Decimal("0.00225")
    assert ada.profit_factor is None


def test_costs_of_nothing_are_unknown():
    (nothing,) = costs_by_pair([])
    assert (nothing.trades, nothing.won_share, nothing.cost_share) == (0, None, None)

"""Sizes, fees and rounding never err against the account."""

from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from models.trading.exits.distances import Exits, round_exits
from models.trading.risk.limits import FeeRates
from models.trading.universe.fees import BOTTOM_TIER, SCHEDULES, fee_of, schedule_on
from tests.models.trading.trading_builders import an_instrument

PRICE = st.decimals(min_value="1", max_value="100000", places=2)
SHARE = st.decimals(min_value="0.0001", max_value="0.5", places=4)


@given(PRICE, PRICE, PRICE)
def test_rounded_exits_lie_on_the_tick_and_never_risk_more(
    stop: Decimal, target: Decimal, distance: Decimal
) -> None:
    instrument = an_instrument()
    rounded = round_exits(instrument, Exits(stop, target, distance))
    assert rounded.stop_price >= stop
    assert rounded.take_profit_price is not None
    assert rounded.take_profit_price <= target
    assert rounded.trailing_distance is not None
    assert rounded.trailing_distance >= instrument.price_increment
    for price in (rounded.stop_price, rounded.take_profit_price, rounded.trailing_distance):
        assert price % instrument.price_increment == 0


@given(st.decimals(min_value="0", max_value="1e9", places=2))
def test_more_volume_never_costs_more(volume: Decimal) -> None:
    for schedule in SCHEDULES:
        lower, higher = schedule.rates(volume), schedule.rates(volume + 1000)
        assert higher.maker <= lower.maker <= lower.taker
        assert higher.taker <= lower.taker


def test_schedules_take_effect_on_their_day_and_the_bottom_tier_is_the_dearest() -> None:
    assert schedule_on(date(2026, 7, 8)).rates(Decimal(0)).taker == Decimal("0.004")
    assert schedule_on(date(2026, 7, 9)).rates(Decimal(0)).taker == Decimal("0.008")
    assert schedule_on(date(2020, 1, 1)) is SCHEDULES[0]
    assert FeeRates(Decimal("0.004"), Decimal("0.008")) == BOTTOM_TIER
    latest = SCHEDULES[-1]
    assert latest.rates(Decimal(9999)).taker == Decimal("0.006")
    assert latest.rates(Decimal(10000)).taker == Decimal("0.0038")
    assert latest.rates(Decimal(10**9)).taker == Decimal("0.0005")


@given(PRICE, SHARE)
def test_fee_is_rounded_half_up_at_the_given_precision(cost: Decimal, rate: Decimal) -> None:
    fee = fee_of(cost, rate, 5)
    assert abs(fee - cost * rate) <= Decimal("0.000005")
    assert fee.as_tuple().exponent == -5

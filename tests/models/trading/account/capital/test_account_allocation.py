"""What a strategy may use of an account's capital, from what it has earned, at the next entry."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from statistics import mean, stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.trading.account.capital.allocation import (
    allocation_of,
    exposure_of,
    headroom_of_strategy,
    note_closed,
)
from models.trading.account.rules import rules_in_force
from models.trading.account.settings.in_force import SettingsInForce
from models.trading.capital.allocation import AllocationMethod, AllocationPolicy
from models.trading.capital.strategy_results import StrategyResults, note_trade, roll_to
from tests.models.trading.account.test_account_mode import a_trade
from tests.models.trading.trading_builders import START, an_account

DAY = date(2026, 1, 5)
TWO = ("calm", "trend")
EQUAL = AllocationPolicy(method=AllocationMethod.EQUAL_RISK, trades_minimum=1)


def of(results, day, *profits):
    for profit in profits:
        results = note_trade(results, Decimal(profit), Decimal(1000), day)
    return results


@given(
    st.lists(st.lists(st.integers(-500, 500), max_size=3), min_size=2, max_size=12).filter(
        lambda days: bool(days[0])
    )
)
def test_sums_are_those_of_the_daily_returns(days):
    results = StrategyResults()
    for number, profits in enumerate(days):
        results = of(results, DAY + timedelta(days=number), *profits)
    results = roll_to(results, DAY + timedelta(days=len(days)))
    returns = [sum(profits) / 1000 for profits in days]
    assert results.days == len(days)
    assert results.trades == sum(len(profits) for profits in days)
    assert float(results.volatility) == pytest.approx(stdev(returns), abs=1e-6)
    if results.volatility > 0:
        expected = mean(returns) / stdev(returns)
        assert float(results.score) == pytest.approx(expected, abs=1e-4)


def test_running_day_does_not_count_yet_and_a_late_trade_counts_for_it():
    results = of(StrategyResults(), DAY, 10)
    assert (results.days, results.volatility, results.score) == (0, None, None)
    later = of(results, DAY + timedelta(days=1), 20)
    late = note_trade(later, Decimal(5), Decimal(1000), DAY)
    assert late.day == DAY + timedelta(days=1)
    assert late.day_return == Decimal("0.025")


def test_without_fixed_shares_or_for_requests_nothing_is_split():
    account = an_account(strategies=TWO)
    assert headroom_of_strategy(account, "trend", AllocationPolicy(), {}) is None
    assert headroom_of_strategy(account, "", EQUAL, {}) is None


def test_fixed_share_bounds_the_strategys_own_trades_only():
    account = an_account(strategies=TWO, prices={"BTC/USD": Decimal(100)})
    mine = replace(a_trade("50"), strategy="trend", reserved_cash=Decimal(1000))
    other = replace(a_trade("70"), number=2, strategy="calm")
    account = replace(account, trades={1: mine, 2: other})
    assert exposure_of(account, "trend") == 6000
    room = headroom_of_strategy(account, "trend", AllocationPolicy(), {"trend": Decimal("0.1")})
    assert room.used == 6000
    assert room.limit == Decimal("0.1") * (100000 + 120 * 100)
    assert not room.check(Decimal(6000)).passed
    unknown = headroom_of_strategy(account, "calm", AllocationPolicy(), {"trend": Decimal("0.1")})
    assert unknown.left == 0


def test_change_of_results_counts_from_the_next_entry_on():
    account = an_account(strategies=TWO, prices={"BTC/USD": Decimal(100)}, market_time=START)
    shares = [allocation_of(account, EQUAL, {}).shares]
    for number, (calm, wild) in enumerate([(10, 400), (-10, -400), (10, 400), (5, -200)]):
        account = replace(account, market_time=START + timedelta(days=number))
        for strategy, profit in (("calm", calm), ("trend", wild)):
            closed = replace(a_trade(), strategy=strategy, cash_flow=Decimal(profit))
            account = note_closed(account, closed)
    account = replace(account, market_time=START + timedelta(days=9))
    shares.append(allocation_of(account, EQUAL, {}).shares)
    assert shares[0]["calm"] == shares[0]["trend"]
    assert shares[1]["calm"] > 10 * shares[1]["trend"]
    assert headroom_of_strategy(account, "trend", EQUAL, {}).limit < 10000


def test_trade_that_nobody_proposed_belongs_to_no_strategy():
    account = an_account(market_time=START)
    assert note_closed(account, replace(a_trade(), cash_flow=Decimal(5))).results == {}


def test_equal_risk_settles_where_each_strategys_own_risk_says() -> None:
    """Daily returns of 1 % and 4 % deviation on own capital: .80 and .20 in the end.

    Over the account's equity the same strategies settle at .667 and .333.
    """
    values = '{"allocation.method":"equal_risk","allocation.trades_minimum":1}'
    account = an_account(
        "100000",
        strategies=TWO,
        prices={"BTC/USD": Decimal(100)},
        settings=SettingsInForce(0, values),
    )
    swings = {"calm": Decimal("0.01"), "trend": Decimal("0.04")}
    for day in range(60):
        now = START + timedelta(days=day)
        rules = rules_in_force(account)
        shares = allocation_of(account, rules.allocation, rules.fixed_shares).shares
        for name, swing in swings.items():
            earned = Decimal(100000) * shares[name] * swing * (1 if day % 2 else -1)
            closed = replace(a_trade("0"), strategy=name, cash_flow=earned)
            account = note_closed(replace(account, market_time=now), closed)
    rules = rules_in_force(account)
    shares = allocation_of(account, rules.allocation, rules.fixed_shares).shares
    assert shares["calm"] == pytest.approx(Decimal("0.80"), abs=Decimal("0.01"))
    assert shares["trend"] == pytest.approx(Decimal("0.20"), abs=Decimal("0.01"))

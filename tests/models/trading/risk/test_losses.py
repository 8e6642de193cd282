"""Losses by week, month, day's peak and strategy, and the risk that is open: levels and clocks."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from models.trading.account.capital.facts import DayBoundaryPassed, PricesMarked
from models.trading.account.decisions import decide
from models.trading.account.facts import RecordAccount, WithdrawEntries
from models.trading.account.state import AccountState, HaltKind
from models.trading.risk.loss_limits import Levels, LossLimits
from models.trading.risk.losses import (
    LossClock,
    begin_losses,
    judge_losses,
    loss_factor,
    mark_losses,
    note_closed_trade,
    roll_losses,
    shrink,
    strategy_share,
)
from models.trading.risk.open_risk import check_open_risk, open_risk
from models.trading.risk.standing import limits_of
from models.trading.trade.state import TradePhase, TradeSummary
from models.trading.trading_day import DayBoundary
from tests.models.trading.trading_builders import START, an_account

LIMITS = LossLimits()
ONE = Decimal(1)
MONDAY = date(2026, 1, 5)


def a_summary(number: int = 1, **changes: object) -> TradeSummary:
    made = TradeSummary(
        number=number,
        symbol="BTC/USD",
        phase=TradePhase.OPEN,
        bought=Decimal(1),
        sold=Decimal(0),
        cash_flow=Decimal(-50_000),
        fees=Decimal(0),
        reserved_cash=Decimal(0),
        stop_price=Decimal(48_000),
        entry_order_id="O1",
        entry_client_order_id="c",
        entry_open=False,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def test_losses_that_were_never_measured_allow_nothing() -> None:
    (check,) = judge_losses(None, LIMITS, ONE)
    assert (check.passed, check.code) == (False, "loss-unknown")
    assert loss_factor(None, LIMITS, ONE, Decimal("0.25")) == 0


def test_a_hard_level_stands_until_its_own_clock_begins_anew() -> None:
    record = begin_losses(MONDAY, ONE, Decimal(100_000))
    down = mark_losses(record, LIMITS, Decimal("0.91"), Decimal(91_000), {}, START)
    assert down.clocks == (LossClock.DAY_PEAK, LossClock.WEEK)
    back = mark_losses(down.record, LIMITS, ONE, Decimal(100_000), {}, START).record
    refused = {c.code for c in judge_losses(back, LIMITS, ONE) if not c.passed}
    assert refused == {"day-peak-loss", "week-loss"}
    tuesday, clocks = roll_losses(back, MONDAY + timedelta(days=1), ONE, {})
    assert clocks == (LossClock.DAY_PEAK,)
    assert {c.code for c in judge_losses(tuesday, LIMITS, ONE) if not c.passed} == {"week-loss"}
    monday, clocks = roll_losses(tuesday, MONDAY + timedelta(days=7), ONE, {})
    assert clocks == (LossClock.DAY_PEAK, LossClock.WEEK)
    assert all(check.passed for check in judge_losses(monday, LIMITS, ONE))


def test_a_month_of_small_losses_is_stopped_by_the_month_alone() -> None:
    growth, record = ONE, begin_losses(date(2026, 1, 1), ONE, Decimal(100_000))
    reached: list[LossClock] = []
    for day in range(28):
        growth *= Decimal("0.9925")
        marked = mark_losses(record, LIMITS, growth, growth * 100_000, {}, START)
        reached += marked.clocks
        record, _ = roll_losses(marked.record, date(2026, 1, 2) + timedelta(days=day), growth, {})
    assert reached == [LossClock.MONTH]
    february, clocks = roll_losses(record, date(2026, 2, 1), growth, {})
    assert LossClock.MONTH in clocks
    assert all(check.passed for check in judge_losses(february, LIMITS, growth))


def test_what_was_gained_in_the_day_and_given_back_counts_from_the_best() -> None:
    record = begin_losses(MONDAY, ONE, Decimal(100_000))
    best = mark_losses(record, LIMITS, Decimal("1.10"), Decimal(110_000), {}, START).record
    assert best.day_peak.share(Decimal("1.045")) == Decimal("0.05")
    marked = mark_losses(best, LIMITS, Decimal("1.034"), Decimal(103_400), {}, START)
    assert marked.clocks == (LossClock.DAY_PEAK,), "up since the opening, 6 % from the best"


def test_only_the_strategy_that_loses_is_held_back_and_what_it_lost_before_the_week_is_not() -> (
    None
):
    record = begin_losses(MONDAY, ONE, Decimal(100_000))
    record, _ = roll_losses(record, MONDAY + timedelta(days=7), ONE, {"trend": Decimal(-5_000)})
    same = mark_losses(record, LIMITS, ONE, Decimal(100_000), {"trend": Decimal(-5_000)}, START)
    assert strategy_share(same.record, "trend") == 0
    closed = note_closed_trade(same.record, "trend", Decimal(-11_000))
    lost = mark_losses(closed, LIMITS, ONE, Decimal(100_000), {}, START)
    assert lost.strategies == ("trend",)
    assert strategy_share(lost.record, "trend") == Decimal("0.06")
    assert not all(c.passed for c in judge_losses(lost.record, LIMITS, ONE, "trend"))
    assert all(c.passed for c in judge_losses(lost.record, LIMITS, ONE, "other"))
    assert loss_factor(lost.record, LIMITS, ONE, Decimal("0.25"), "other") == 1


@pytest.mark.parametrize(
    ("figure", "factor"),
    [("0.04", "1"), ("0.06", "0.625"), ("0.0799", "0.2518"), ("0.08", "0"), ("0.2", "0")],
)
def test_entries_shrink_on_a_line_between_the_levels(figure: str, factor: str) -> None:
    levels = Levels(Decimal("0.04"), Decimal("0.08"))
    assert shrink(Decimal(figure), levels, Decimal("0.25")) == Decimal(factor)


def test_open_risk_is_what_the_stops_leave_and_unknown_without_a_price() -> None:
    held = a_summary()
    entering = a_summary(
        2, bought=Decimal(0), reserved_cash=Decimal(5_000), stop_price=Decimal(45_000)
    )
    prices = {"BTC/USD": Decimal(50_000)}
    assert open_risk([held, entering], prices) == 2_000 + 500
    assert open_risk([held], {}) is None
    assert open_risk([], {}) == 0
    levels = Levels(Decimal("0.04"), Decimal("0.06"))
    assert check_open_risk(Decimal(5_500), Decimal(500), Decimal(100_000), levels).passed
    assert not check_open_risk(Decimal(5_500), Decimal(501), Decimal(100_000), levels).passed
    assert not check_open_risk(None, Decimal(0), Decimal(100_000), levels).passed


def holding(**changes: object) -> AccountState:
    balances = {"USD": Decimal(50_000), "BTC": Decimal(1)}
    state = an_account(balances=balances, drawdown=None, **changes)
    return decide(state, prices_at(50_000, 0)).state


def prices_at(price: int, seconds: float) -> PricesMarked:
    at = START + timedelta(seconds=seconds)
    return PricesMarked({"BTC/USD": Decimal(price)}, at, at)


def a_boundary(day: date, price: int) -> DayBoundaryPassed:
    at = START.replace(year=day.year, month=day.month, day=day.day, hour=0, minute=0, second=0)
    passed = DayBoundary(at, day - timedelta(days=1), day)
    return DayBoundaryPassed(passed, {"BTC/USD": Decimal(price)}, {}, at)


def test_an_account_halts_for_its_week_and_takes_entries_again_on_monday() -> None:
    state = holding()
    decision = decide(state, prices_at(33_000, 60))
    kinds = {halt.kind for halt in decision.state.halts}
    assert {HaltKind.WEEK_LOSS, HaltKind.MONTH_LOSS, HaltKind.DAY_PEAK_LOSS} <= kinds
    audited = [c.action for c in decision.commands if isinstance(c, RecordAccount)]
    assert audited.count("loss_limit_reached") == 3
    assert sum(isinstance(c, WithdrawEntries) for c in decision.commands) <= 1
    state, day = decision.state, START.date()
    while day.weekday() != 6:
        day += timedelta(days=1)
        state = decide(state, a_boundary(day, 33_000)).state
        kinds = {halt.kind for halt in state.halts}
        assert HaltKind.WEEK_LOSS in kinds
        assert HaltKind.DAY_PEAK_LOSS not in kinds
    reset = decide(state, a_boundary(day + timedelta(days=1), 33_000))
    kinds = {halt.kind for halt in reset.state.halts}
    assert HaltKind.WEEK_LOSS not in kinds
    assert HaltKind.MONTH_LOSS in kinds
    audited = [c.action for c in reset.commands if isinstance(c, RecordAccount)]
    assert "loss_limit_reset" in audited


def test_every_limit_is_told_with_how_near_the_account_is_to_it() -> None:
    state = decide(holding(), prices_at(48_000, 60)).state
    found = {limit.name: limit for limit in limits_of(state, state.drawdown)}
    assert set(found) == {"day", "total", "day_peak", "week", "month", "open_risk"}
    assert found["week"].share == Decimal("0.02")
    assert found["week"].used == Decimal("0.25")
    assert not found["week"].refuses
    unknown = limits_of(an_account(drawdown=None), None)
    assert all(limit.refuses for limit in unknown)

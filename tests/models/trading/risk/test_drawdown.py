"""Drawdown measures trading and not transfers, halts once, and is lifted by what may lift it."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from models.trading.capital.days import DayFigures, close_day
from models.trading.risk.drawdown import (
    Breach,
    DrawdownState,
    lift_total,
    mark,
    note_flow,
    rebase,
    size_factor,
    start,
)
from models.trading.risk.drawdown_limits import DrawdownLimits, PositionsOnHalt
from tests.models.trading.trading_builders import START

DAY = date(2026, 1, 5)
LIMITS = DrawdownLimits()
MONEY = st.decimals(min_value="100", max_value="1000000", places=2)
CHANGE = st.decimals(min_value="-0.3", max_value="0.3", places=4)
TINY = Decimal("1e-20")


def opened(equity: str = "1000") -> DrawdownState:
    return start(Decimal(equity), DAY, START)


def test_entries_shrink_from_the_soft_level_and_stop_at_the_hard_one() -> None:
    at = {
        equity: mark(opened(), LIMITS, Decimal(equity), START)
        for equity in ("1010", "980", "965", "951", "950")
    }
    assert [at[e].size_factor for e in at] == [
        Decimal(1),
        Decimal(1),
        Decimal("0.625"),
        Decimal("0.275"),
        Decimal(0),
    ]
    assert at["951"].verdict.allowed
    assert at["951"].breaches == ()
    assert at["950"].breaches == (Breach.DAILY,)
    assert [c.code for c in at["950"].verdict.failures] == ["daily-drawdown"]
    assert at["950"].verdict.failures[0].figure == Decimal("0.05")
    assert not at["950"].close_positions


def test_a_halt_stays_when_the_market_recovers_and_is_told_once() -> None:
    limits = replace(LIMITS, positions=PositionsOnHalt.CLOSE)
    down = mark(opened(), limits, Decimal(940), START)
    assert down.close_positions
    again = mark(down.state, limits, Decimal(930), START + timedelta(minutes=1))
    assert again.breaches == ()
    assert not again.close_positions
    up = mark(again.state, limits, Decimal(1200), START + timedelta(minutes=2))
    assert not up.verdict.allowed
    assert up.size_factor == 0
    assert up.state.daily_halted_at == START


def test_closing_the_day_lifts_the_daily_halt_only() -> None:
    down = mark(opened(), LIMITS, Decimal(790), START).state
    assert down.daily_halted_at is not None
    assert down.total_halted_at is not None
    closed = close_day(
        down, DayFigures(Decimal(800), Decimal(-150), Decimal(7)), START + timedelta(days=1), DAY
    )
    assert closed.halt_lifted
    record = closed.record
    assert record is not None
    assert (record.profit, record.profit_share) == (Decimal(-200), Decimal("-0.2"))
    assert (record.realised, record.unrealised) == (Decimal(-150), Decimal(-50))
    assert record.fees == 7
    assert record.worst_share == Decimal("0.21")
    assert record.halted
    assert closed.state.daily_halted_at is None
    assert closed.state.total_halted_at == START
    assert closed.state.opening_equity == 800
    assert not mark(closed.state, LIMITS, Decimal(800), START).verdict.allowed
    lifted = lift_total(closed.state)
    assert mark(lifted, LIMITS, Decimal(800), START).verdict.allowed
    assert mark(lifted, LIMITS, Decimal(640), START).breaches == (Breach.DAILY, Breach.TOTAL)


def test_a_day_is_closed_once() -> None:
    boundary = START + timedelta(days=1)
    closed = close_day(opened(), DayFigures(Decimal(990)), boundary, date(2026, 1, 6))
    again = close_day(closed.state, DayFigures(Decimal(500)), boundary, date(2026, 1, 6))
    assert again.record is None
    assert again.state == closed.state
    assert closed.record is not None
    assert closed.record.unrealised is None


def test_the_whole_capital_may_leave_and_come_back_without_losing_the_loss() -> None:
    down = mark(opened(), LIMITS, Decimal(900), START).state
    out = note_flow(down, Decimal(-900), Decimal(900))
    assert out.total_share == Decimal("0.1")
    assert mark(out, LIMITS, Decimal(0), START).state.total_share == Decimal("0.1")
    back = note_flow(out, Decimal(5000), Decimal(0))
    assert back.total_share == Decimal("0.1")
    assert mark(back, LIMITS, Decimal(4500), START).state.total_share == Decimal("0.19")


def test_an_empty_account_is_not_down_and_new_baselines_keep_halts() -> None:
    empty = mark(opened("0"), LIMITS, Decimal(0), START)
    assert empty.verdict.allowed
    funded = note_flow(empty.state, Decimal(100), Decimal(0))
    assert mark(funded, LIMITS, Decimal(97), START).state.daily_share == Decimal("0.03")
    halted = mark(opened(), LIMITS, Decimal(500), START).state
    fresh = rebase(halted, Decimal(500), START)
    assert fresh.daily_share == fresh.total_share == 0
    assert fresh.daily_halted_at == fresh.total_halted_at == START


def test_the_day_counts_what_was_brought_in_and_not_as_profit() -> None:
    state = note_flow(opened(), Decimal(500), Decimal(1010))
    state = note_flow(state, Decimal(-200), Decimal(1530))
    assert (state.flows, state.equity) == (Decimal(300), Decimal(1330))
    record = close_day(state, DayFigures(Decimal(1330)), START + timedelta(days=1), DAY).record
    assert record is not None
    assert (record.flows, record.profit) == (Decimal(300), Decimal(30))
    assert record.profit_share > Decimal("0.02")


def test_the_total_level_halts_at_the_level_itself() -> None:
    limits = replace(LIMITS, hard_share=Decimal("0.9"))
    assert mark(opened(), limits, Decimal("800.01"), START).verdict.allowed
    at_level = mark(opened(), limits, Decimal(800), START)
    assert at_level.breaches == (Breach.TOTAL,)
    assert [check.code for check in at_level.verdict.failures] == ["total-drawdown"]
    recovered = mark(at_level.state, limits, Decimal(1000), START).verdict
    assert recovered.reason.endswith("the halt stands")


def test_an_account_that_lost_everything_is_measured_again_from_new_capital() -> None:
    gone = mark(opened(), LIMITS, Decimal(0), START).state
    funded = lift_total(note_flow(gone, Decimal(1000), Decimal(0)))
    day = close_day(funded, DayFigures(Decimal(1000)), START + timedelta(days=1), DAY).state
    down = mark(day, LIMITS, Decimal(700), START)
    assert down.breaches == (Breach.DAILY, Breach.TOTAL)
    assert down.state.daily_share == Decimal("0.3")


@given(MONEY, st.lists(st.tuples(CHANGE, st.decimals("-0.9", "3", places=3)), max_size=12))
def test_flows_change_neither_drawdown_nor_what_follows_from_it(
    equity: Decimal, steps: list[tuple[Decimal, Decimal]]
) -> None:
    plain = moved = start(equity, DAY, START)
    for change, flow_share in steps:
        plain = mark(plain, LIMITS, plain.equity * (1 + change), START).state
        moved = mark(moved, LIMITS, moved.equity * (1 + change), START).state
        if moved.equity > 1000:
            moved = note_flow(moved, moved.equity * flow_share, moved.equity)
        if moved.link_equity < 100 or plain.equity < 10:
            return
        assert abs(plain.daily_share - moved.daily_share) < TINY
        assert abs(plain.total_share - moved.total_share) < TINY


@given(MONEY, st.lists(CHANGE, min_size=1, max_size=40))
def test_closing_at_the_hard_level_loses_at_most_that_level_and_one_gap(
    equity: Decimal, gaps: list[Decimal]
) -> None:
    limits = replace(LIMITS, positions=PositionsOnHalt.CLOSE)
    state, invested = start(equity, DAY, START), Decimal(1)
    for gap in gaps:
        marked = mark(state, limits, state.equity * (1 + invested * gap), START)
        state = marked.state
        if marked.close_positions:
            invested = Decimal(0)
    worst_gap = -min(Decimal(0), *gaps)
    # One gap is a share of what is left when it comes, which may be above the day's opening.
    best = max(Decimal(1), state.peak_growth)
    assert state.daily_share <= limits.hard_share + worst_gap * best + TINY
    assert 0 <= state.daily_share <= 1


@given(
    st.decimals("0", "0.2", places=4),
    st.decimals("0", "0.2", places=4),
    st.decimals("0", "1", places=2),
    st.lists(st.decimals("0", "0.3", places=5), min_size=2, max_size=8),
)
def test_the_size_factor_never_grows_with_the_loss(
    soft: Decimal, hard: Decimal, smallest: Decimal, losses: list[Decimal]
) -> None:
    limits = DrawdownLimits(soft, hard, Decimal(1), smallest)
    factors = [
        size_factor(replace(opened(), equity=1000 * (1 - lost)), limits) for lost in sorted(losses)
    ]
    assert factors == sorted(factors, reverse=True)
    assert all(0 <= factor <= 1 for factor in factors)


@given(MONEY, st.lists(CHANGE, max_size=6), st.decimals("-50", "5000", places=2))
def test_daily_profits_add_up_to_equity_less_flows(
    equity: Decimal, changes: list[Decimal], flow: Decimal
) -> None:
    state, profits = start(equity, DAY, START), Decimal(0)
    for number, change in enumerate(changes, 1):
        state = note_flow(state, flow, state.equity) if state.equity + flow > 100 else state
        figures = DayFigures((state.equity * (1 + change)).quantize(Decimal("0.01")))
        flows = state.flows
        closed = close_day(state, figures, START + timedelta(days=number), DAY)
        assert closed.record is not None
        profits += closed.record.profit + flows
        state = closed.state
    assert equity + profits == state.equity


@given(MONEY, st.lists(st.tuples(CHANGE, st.integers(-400, 4000)), max_size=6))
def test_a_closed_day_came_to_what_was_shown_last(
    equity: Decimal, steps: list[tuple[Decimal, int]]
) -> None:
    state = start(equity, DAY, START)
    for change, flow in steps:
        state = mark(state, LIMITS, state.equity * (1 + change), START).state
        if state.equity + flow > 1:
            state = note_flow(state, Decimal(flow), state.equity)
    closed = close_day(state, DayFigures(state.equity), START + timedelta(days=1), DAY)
    assert closed.record is not None
    assert closed.record.profit_share == state.day_return
    assert closed.record.worst_share == state.worst_share
    assert closed.state.day_return == 0


def test_a_deposit_is_no_return_of_the_day() -> None:
    up = mark(opened(), LIMITS, Decimal(1100), START).state
    assert up.day_return == Decimal("0.1")
    assert note_flow(up, Decimal(5000), Decimal(1100)).day_return == Decimal("0.1")

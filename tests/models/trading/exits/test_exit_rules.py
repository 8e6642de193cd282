"""Exits come when they are due, the stop never falls, and worse protection is recognised."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from models.trading.exits.changes import is_worse_protection, judge_change, judge_rules
from models.trading.exits.rules import (
    ExitCause,
    ExitMoment,
    ExitPositionState,
    ExitRules,
    MoveStop,
    PartialTake,
    SellAll,
    SellPart,
    decide_exits,
)
from tests.models.trading.trading_builders import START, an_instrument

INSTRUMENT = an_instrument()
RULES = ExitRules(Decimal(95), Decimal(120))
POSITION = ExitPositionState(
    INSTRUMENT, Decimal(100), Decimal(2), Decimal(2), START, Decimal(95), Decimal(100)
)


def at(price: str | Decimal, hours: int = 0, true_range: str | None = None) -> ExitMoment:
    known = Decimal(true_range) if true_range else None
    return ExitMoment(Decimal(price), START + timedelta(hours=hours), known)


def test_stop_target_and_time_close_everything_once() -> None:
    timed = replace(RULES, hold_maximum=timedelta(hours=5))
    for rules, moment, cause in (
        (RULES, at("95"), ExitCause.STOP),
        (RULES, at("120"), ExitCause.TAKE_PROFIT),
        (timed, at("101", 5), ExitCause.TIME),
        (timed, at("90", 5), ExitCause.STOP),
    ):
        decision = decide_exits(rules, POSITION, moment)
        assert decision.actions == (SellAll(cause),)
        assert decide_exits(rules, decision.position, moment).actions == ()
    assert decide_exits(timed, POSITION, at("101", 4)).actions == ()


def test_the_stop_trails_by_share_in_steps_of_a_fifth() -> None:
    rules = replace(RULES, trailing_share=Decimal("0.05"))
    assert decide_exits(rules, POSITION, at("101")).actions == ()
    risen = decide_exits(rules, POSITION, at("102"))
    assert risen.actions == (MoveStop(Decimal("96.9"), ExitCause.TRAILING),)
    back = decide_exits(rules, risen.position, at("98"))
    assert back.actions == ()
    assert decide_exits(rules, back.position, at("96.9")).actions == (SellAll(ExitCause.STOP),)


def test_the_stop_trails_by_true_range_and_never_falls_when_it_widens() -> None:
    rules = replace(RULES, trailing_multiple=Decimal(2))
    assert decide_exits(rules, POSITION, at("110")).actions == ()
    near = decide_exits(rules, POSITION, at("110", true_range="1"))
    assert near.actions == (MoveStop(Decimal(108), ExitCause.TRAILING),)
    wide = decide_exits(rules, near.position, at("111", true_range="9"))
    assert wide.actions == ()
    both = replace(rules, trailing_share=Decimal("0.01"))
    assert decide_exits(
        both, POSITION, at("110", true_range="1")
    ).position.stop_price == 108 + Decimal("0.9")


def test_the_stop_goes_to_the_entry_once_the_gain_allows() -> None:
    rules = replace(RULES, break_even_gain=Decimal("0.03"), break_even_offset=Decimal("0.01"))
    assert decide_exits(rules, POSITION, at("102.9")).actions == ()
    even = decide_exits(rules, POSITION, at("103"))
    assert even.actions == (MoveStop(Decimal(101), ExitCause.BREAK_EVEN),)
    assert decide_exits(rules, even.position, at("104")).actions == ()


def test_the_higher_of_two_stops_holds() -> None:
    rules = replace(RULES, trailing_share=Decimal("0.05"), break_even_gain=Decimal("0.01"))
    assert decide_exits(rules, POSITION, at("103")).actions == (
        MoveStop(Decimal(100), ExitCause.BREAK_EVEN),
    )
    assert decide_exits(rules, POSITION, at("110")).actions == (
        MoveStop(Decimal("104.5"), ExitCause.TRAILING),
    )


def test_parts_are_sold_once_each_and_no_dust_is_left() -> None:
    halves = (
        PartialTake(Decimal("0.02"), Decimal("0.25")),
        PartialTake(Decimal("0.05"), Decimal("0.5")),
    )
    rules = replace(RULES, partials=halves)
    first = decide_exits(rules, POSITION, at("102"))
    assert first.actions == (SellPart(Decimal("0.5")),)
    assert decide_exits(rules, first.position, at("103")).actions == ()
    held = replace(first.position, held=Decimal("1.5"))
    assert decide_exits(rules, held, at("105")).actions == (SellPart(Decimal(1)),)
    assert decide_exits(rules, POSITION, at("106")).actions == (SellPart(Decimal("1.5")),)
    everything = replace(rules, partials=(PartialTake(Decimal("0.02"), Decimal(1)),))
    assert decide_exits(everything, POSITION, at("102")).actions == (SellAll(ExitCause.PARTIAL),)


def test_rules_that_cannot_work_are_refused() -> None:
    assert judge_rules(RULES, INSTRUMENT, Decimal(100)).allowed
    trailing = replace(RULES, take_profit_price=None, trailing_share=Decimal("0.05"))
    assert judge_rules(trailing, INSTRUMENT, Decimal(100)).allowed
    for broken, code in (
        (replace(RULES, stop_price=Decimal(100)), "stop-on-wrong-side"),
        (replace(RULES, take_profit_price=None), "take-profit-on-wrong-side"),
        (replace(RULES, trailing_share=Decimal(0)), "invalid-exits"),
        (replace(RULES, hold_maximum=timedelta(0)), "invalid-exits"),
        (replace(RULES, partials=(PartialTake(Decimal("0.1"), Decimal(1)),) * 2), "invalid-exits"),
    ):
        verdict = judge_rules(broken, INSTRUMENT, Decimal(100))
        assert [check.code for check in verdict.failures] == [code]


def test_each_worse_protection_is_named() -> None:
    full = ExitRules(
        Decimal(95), Decimal(120), Decimal("0.05"), Decimal(3), timedelta(hours=9), Decimal("0.03")
    )
    worse = ExitRules(Decimal(94), None, Decimal("0.06"), None, timedelta(hours=10), None)
    verdict = judge_change(full, worse)
    assert [check.code for check in verdict.failures] == ["worse-protection"] * 6
    assert [check.reason for check in verdict.failures] == [
        "the stop is lower: 95 to 94",
        "the take-profit is gone: 120 to None",
        "trailing distance is larger: 0.05 to 0.06",
        "trailing multiple is gone: 3 to None",
        "break-even gain is gone: 0.03 to None",
        "time until closing is larger: 32400 to 36000",
    ]
    assert not is_worse_protection(full, replace(full, stop_price=Decimal(96)))
    assert not is_worse_protection(worse, full)
    assert is_worse_protection(replace(full, break_even_offset=Decimal("0.01")), full)


SHARE = st.one_of(st.none(), st.decimals("0.001", "0.5", places=3))
PRICES = st.lists(st.decimals("50", "200", places=1), min_size=1, max_size=25)
RULE_SETS = st.builds(
    ExitRules,
    st.decimals("60", "99", places=1),
    st.one_of(st.none(), st.decimals("101", "200", places=1)),
    SHARE,
    st.one_of(st.none(), st.decimals("0.5", "5", places=1)),
    st.one_of(st.none(), st.integers(1, 30).map(lambda hours: timedelta(hours=hours))),
    SHARE,
    st.decimals("0", "0.05", places=3),
    st.lists(
        st.builds(
            PartialTake, st.decimals("0.01", "0.5", places=2), st.decimals("0.05", "0.33", places=2)
        ),
        max_size=3,
    ).map(lambda parts: tuple(sorted(parts, key=lambda p: p.gain_share))),
)


@given(RULE_SETS, PRICES, st.one_of(st.none(), st.decimals("0.1", "20", places=1)))
def test_the_stop_never_falls_and_no_more_is_sold_than_is_held(
    rules: ExitRules, prices: list[Decimal], true_range: Decimal | None
) -> None:
    position = replace(POSITION, stop_price=rules.stop_price)
    for hour, price in enumerate(prices):
        before = position
        moment = ExitMoment(price, START + timedelta(hours=hour), true_range)
        decision = decide_exits(rules, position, moment)
        position = decision.position
        assert before.stop_price <= position.stop_price
        for action in decision.actions:
            if isinstance(action, MoveStop):
                assert action.price < price
                assert action.price == position.stop_price > before.stop_price
                assert action.price % INSTRUMENT.price_increment == 0
            if isinstance(action, SellPart):
                assert 0 < action.quantity < position.held
                position = replace(position, held=position.held - action.quantity)
        if price <= before.stop_price or (
            rules.take_profit_price is not None and price >= rules.take_profit_price
        ):
            assert position.closing
        if position.closing:
            assert decision.actions == () or isinstance(decision.actions[0], SellAll)
    assert position.held >= 0


@given(RULE_SETS, RULE_SETS, RULE_SETS)
def test_protection_that_is_no_worse_twice_is_no_worse_at_all(
    first: ExitRules, second: ExitRules, third: ExitRules
) -> None:
    assert not is_worse_protection(first, first)
    if not is_worse_protection(first, second) and not is_worse_protection(second, third):
        assert not is_worse_protection(first, third)
    assert is_worse_protection(first, replace(first, stop_price=first.stop_price - 1))

"""Returns do not see transfers, flows count once, and what is missing is said."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from models.trading.capital.flows import (
    CapitalFlow,
    FlowSource,
    LedgerLine,
    NavBaseline,
    NavPoint,
    judge_flow_by_hand,
    merge_points,
    profit_since,
    recognise_flows,
    time_weighted_return,
)
from tests.models.trading.trading_builders import START

FLOW = CapitalFlow(
    "f-1", "USD", Decimal(-500), Decimal(-500), START, FlowSource.BY_HAND, "Dora", "rent"
)


def line(number: int, kind: str, amount: str, fee: str = "0", asset: str = "USD") -> LedgerLine:
    at = START + timedelta(minutes=number)
    return LedgerLine(f"L{number}", kind, asset, Decimal(amount), Decimal(fee), at)


def test_flows_are_recognised_from_the_ledger_once_and_fees_are_part_of_them() -> None:
    lines = [
        line(3, "withdrawal", "-0.1", "0.001", "BTC"),
        line(1, "deposit", "1000", "5"),
        line(2, "trade", "-300", "1"),
        line(4, "staking", "0.01", "0", "ETH"),
        line(5, "deposit", "2", "0", "XYZ"),
        line(1, "deposit", "1000", "5"),
    ]
    found = recognise_flows(lines, {"L9"}, {"L3": Decimal(50_000)})
    assert [(f.flow_id, f.amount, f.value) for f in found.flows] == [
        ("L1", Decimal(995), Decimal(995)),
        ("L3", Decimal("-0.101"), Decimal(-5050)),
        ("L4", Decimal("0.01"), Decimal(0)),
    ]
    assert [one.ledger_id for one in found.unpriced] == ["L5"]
    assert recognise_flows(lines, {"L1", "L3", "L4", "L5"}, {}).flows == ()


def test_only_simulated_capital_is_moved_by_hand_and_not_below_zero() -> None:
    assert judge_flow_by_hand(FLOW, Decimal(500), simulated=True).allowed
    for verdict, code in (
        (judge_flow_by_hand(FLOW, Decimal(500), simulated=False), "not-simulated"),
        (judge_flow_by_hand(FLOW, Decimal(499), simulated=True), "insufficient-balance"),
        (
            judge_flow_by_hand(replace(FLOW, amount=Decimal(0)), Decimal(0), simulated=True),
            "invalid-flow",
        ),
        (
            judge_flow_by_hand(replace(FLOW, author=""), Decimal(500), simulated=True),
            "invalid-flow",
        ),
    ):
        assert [check.code for check in verdict.failures] == [code]


def test_profit_since_a_baseline_leaves_out_what_was_brought_in() -> None:
    baseline = NavBaseline(START, Decimal(1000), "change of mode")
    later = replace(FLOW, at=START + timedelta(hours=1), value=Decimal(500))
    assert profit_since(baseline, Decimal(1600), [FLOW, later]) == 100


def test_an_account_that_joins_is_no_gain_of_the_whole() -> None:
    at = [START + timedelta(hours=n) for n in range(4)]
    first = [NavPoint(at[0], Decimal(1000)), NavPoint(at[2], Decimal(1100))]
    second = [NavPoint(at[1], Decimal(9000)), NavPoint(at[3], Decimal(8000), Decimal(-1000))]
    merged = merge_points([first, second])
    assert [p.value for p in merged] == [1000, 10_000, 10_100, 9100]
    assert time_weighted_return(merged) == Decimal("0.01")


CHANGES = st.lists(st.decimals("-0.5", "0.5", places=3), min_size=1, max_size=12)


@given(CHANGES, st.integers(0, 11), st.decimals("-900", "100000", places=2))
def test_the_return_is_the_same_with_and_without_a_deposit(
    changes: list[Decimal], place: int, flow: Decimal
) -> None:
    plain = moved = Decimal(1000)
    first, second = [NavPoint(START, plain)], [NavPoint(START, moved)]
    for number, change in enumerate(changes, 1):
        at = START + timedelta(hours=number)
        plain, moved = plain * (1 + change), moved * (1 + change)
        if number == place and moved + flow > 100:
            moved += flow
            second.append(NavPoint(at, moved, flow))
        else:
            second.append(NavPoint(at, moved))
        first.append(NavPoint(at, plain))
        if min(plain, moved) < 2:
            return
    assert abs(time_weighted_return(first) - time_weighted_return(second)) < Decimal("1e-20")
    expected = Decimal(1)
    for change in changes:
        expected *= 1 + change
    assert abs(time_weighted_return(first) - (expected - 1)) < Decimal("1e-20")

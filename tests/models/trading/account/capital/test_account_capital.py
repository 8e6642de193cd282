"""Capital that comes and goes: counted once, never as profit, and the return does not see it."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.trading.account.capital.facts import (
    CapitalMoved,
    CapitalRefused,
    CapitalRequested,
    MoveCapital,
    PricesMarked,
    RecordFlows,
)
from models.trading.account.decision import AccountDecision
from models.trading.account.decisions import decide
from models.trading.account.equity import equity_now
from models.trading.account.facts import ExchangeLost, ExchangeReady, RecordAccount
from models.trading.account.state import AccountState
from models.trading.capital.flows import (
    CapitalFlow,
    FlowSource,
    LedgerLine,
    NavPoint,
    time_weighted_return,
)
from models.trading.risk.limits import Mode
from tests.models.trading.trading_builders import START, an_account

PLACES = Decimal("1e-15")


def at(seconds: float) -> object:
    return START + timedelta(seconds=seconds)


def a_flow(
    amount: object, asset: str = "USD", seconds: float = 30, **changes: object
) -> CapitalFlow:
    amount = Decimal(str(amount))
    value = amount if asset == "USD" else amount * 50000
    flow = CapitalFlow(
        f"L{seconds}/{asset}",
        asset,
        amount,
        value,
        at(seconds),
        FlowSource.LEDGER,
        "exchange",  # type: ignore[arg-type]
    )
    return replace(flow, **changes)  # type: ignore[arg-type]


def a_look(state: AccountState, *flows: CapitalFlow, **totals: str) -> ExchangeReady:
    held = {name: Decimal(total) for name, total in totals.items()} or dict(state.balances)
    return ExchangeReady(
        held, state.instruments, state.fees, START + timedelta(minutes=5), True, flows
    )


def a_wish(amount: str, asset: str = "USD", **changes: object) -> CapitalRequested:
    wish = CapitalRequested("c-1", "director", asset, Decimal(amount), "more", START)
    return replace(wish, **changes)  # type: ignore[arg-type]


def noted(decision: AccountDecision) -> list[tuple[str, Decimal | None]]:
    commands = (c for c in decision.commands if isinstance(c, RecordFlows))
    return [(one.flow.flow_id, one.value_after) for c in commands for one in c.flows]


def test_deposit_moves_balance_and_baseline_in_one_turn_and_is_no_profit() -> None:
    state = an_account()
    decision = decide(state, a_look(state, a_flow(5000), USD="105000"))
    seen = decision.state
    assert seen.balances["USD"] == 105000
    assert seen.drawdown is not None
    assert (seen.drawdown.flows, seen.drawdown.growth) == (5000, 1)
    assert noted(decision) == [("L30/USD", 105000)]
    again = decide(seen, a_look(seen, a_flow(5000), USD="105000"))
    assert again.state.balances["USD"] == 105000
    assert noted(again) == []


def test_what_was_there_before_anything_was_measured_is_only_written_down() -> None:
    state = an_account()
    opening = a_flow(100000, at=START - timedelta(days=1))
    decision = decide(state, a_look(state, opening))
    assert decision.state.balances == state.balances
    assert decision.state.drawdown == state.drawdown
    assert noted(decision) == [(opening.flow_id, None)]


def test_coins_brought_in_are_worth_what_they_were_when_they_came() -> None:
    state = an_account()
    decision = decide(state, a_look(state, a_flow(1, "BTC"), USD="100000", BTC="1"))
    assert equity_now(decision.state) == 150000
    assert decision.state.drawdown is not None
    assert decision.state.drawdown.growth == 1


def test_reward_is_profit_and_moves_the_balance_without_being_brought_in() -> None:
    state = an_account(
        balances={"USD": Decimal(50_000), "BTC": Decimal(1)}, prices={"BTC/USD": Decimal(50_000)}
    )
    reward = replace(a_flow(0, "BTC"), flow_id="L-reward", amount=Decimal("0.01"), value=Decimal(0))
    decision = decide(state, a_look(state, reward, USD="50000", BTC="1.01"))
    seen = decision.state
    assert seen.balances["BTC"] == Decimal("1.01")
    assert seen.unexplained == {}
    assert equity_now(seen) == 100_500
    assert seen.prices["BTC/USD"] == 50_000
    assert seen.drawdown is not None
    assert seen.drawdown.flows == 0
    assert noted(decision) == [("L-reward", Decimal(100_500))]


def test_income_in_an_asset_without_a_price_sets_no_price_of_nothing() -> None:
    state = an_account()
    airdrop = replace(a_flow(0, "JUNK"), flow_id="L-drop", amount=Decimal(9), value=Decimal(0))
    seen = decide(state, a_look(state, airdrop, USD="100000", JUNK="9")).state
    assert seen.balances["JUNK"] == 9
    assert "JUNK/USD" not in seen.prices
    assert equity_now(seen) == 100_000


def test_difference_that_no_flow_explains_is_taken_over_at_the_second_look() -> None:
    state = an_account()
    first = decide(state, a_look(state, USD="99990")).state
    assert first.balances == state.balances
    second = decide(first, a_look(first, USD="99990"))
    assert second.state.balances == {"USD": Decimal(99990)}
    assert second.state.drawdown is not None
    assert second.state.drawdown.flows == 0
    # A deposit that was in the totals before the ledger told of it is counted once, as a flow.
    doubted = decide(state, a_look(state, USD="105000")).state
    told = decide(doubted, a_look(doubted, a_flow(5000), USD="105000")).state
    assert (told.balances["USD"], told.drawdown.flows) == (105000, 5000)  # type: ignore[union-attr]


def test_rounded_totals_never_replace_the_exact_ones() -> None:
    exact = {"USD": Decimal("100000.00004321")}
    state = an_account(balances=exact)
    for _ in range(3):
        decision = decide(state, a_look(state, USD="100000.0000"))
        state = decision.state
        assert state.balances == exact
        assert not [c for c in decision.commands if isinstance(c, RecordAccount) and c.action]


@pytest.mark.parametrize(
    ("changes", "wish", "code"),
    [
        ({"mode": Mode.LIVE}, a_wish("10"), "not-simulated"),
        ({}, a_wish("0"), "invalid-flow"),
        ({}, a_wish("NaN"), "invalid-flow"),
        ({}, a_wish("10", by=" "), "invalid-flow"),
        ({}, a_wish("-100000.01"), "insufficient-balance"),
        ({}, a_wish("1", "EUR"), "unknown-pair"),
        ({}, a_wish("1", "BTC"), "no-market-data"),
    ],
)
def test_wish_that_cannot_be_booked_is_refused_by_code(
    changes: dict[str, object], wish: CapitalRequested, code: str
) -> None:
    decision = decide(an_account(**changes), wish)
    assert decision.answer is not None
    assert decision.answer.code == code
    assert decision.commands == ()


def test_wish_is_booked_by_the_exchange_first_and_counted_once() -> None:
    state = an_account()
    asked = decide(state, a_wish("2500"))
    assert [c for c in asked.commands if isinstance(c, MoveCapital)] == [
        MoveCapital(a_wish("2500"))
    ]
    assert asked.state.balances == state.balances
    line = LedgerLine("L9", "deposit", "USD", Decimal(2500), Decimal(0), at(60))  # type: ignore[arg-type]
    moved = decide(asked.state, CapitalMoved(line, "director", "more", START))
    assert moved.state.balances["USD"] == 102500
    (command,) = [c for c in moved.commands if isinstance(c, RecordFlows)]
    assert command.flows[0].flow.author == "director"
    ledger = a_flow(2500, seconds=60, flow_id="L9")
    assert decide(moved.state, a_look(moved.state, ledger)).state.balances["USD"] == 102500
    # The other way round the ledger was first: only the author is learned.
    read = decide(asked.state, a_look(asked.state, ledger, USD="102500")).state
    late = decide(read, CapitalMoved(line, "director", "more", START))
    assert late.state.balances["USD"] == 102500
    assert noted(late) == [("L9", None)]


def test_refusal_of_the_exchange_changes_nothing_and_is_written_down() -> None:
    state = an_account()
    decision = decide(state, CapitalRefused("c-1", "director", "EFunding:No", START))
    assert decision.state == state
    assert [c.action for c in decision.commands if isinstance(c, RecordAccount)] == [
        "capital_refused"
    ]


def test_nothing_is_booked_while_the_exchange_is_lost() -> None:
    lost = decide(an_account(), ExchangeLost("down", START)).state
    answer = decide(lost, a_wish("5")).answer
    assert answer is not None
    assert answer.code == "no-exchange"


STEPS = st.lists(st.decimals(Decimal("-0.3"), Decimal("0.3"), places=3), min_size=2, max_size=25)


@settings(max_examples=80, deadline=None)
@given(STEPS, st.integers(0, 24), st.decimals(Decimal("-0.9"), Decimal(4), places=2))
def test_return_is_the_same_with_and_without_a_flow(
    steps: list[Decimal], place: int, share: Decimal
) -> None:
    """A share of everything is brought in (or taken out): the same portfolio, only larger."""
    plain, points = _lived(steps, None, share)
    moved, moved_points = _lived(steps, place % len(steps), share)
    assert plain.drawdown is not None
    assert moved.drawdown is not None
    assert abs(plain.drawdown.growth - moved.drawdown.growth) < PLACES
    assert abs(plain.drawdown.daily_share - moved.drawdown.daily_share) < PLACES
    returned = time_weighted_return(points)
    assert abs(returned - time_weighted_return(moved_points)) < PLACES
    assert abs(returned - (plain.drawdown.growth - 1)) < PLACES


def _lived(
    steps: list[Decimal], place: int | None, share: Decimal
) -> tuple[AccountState, list[NavPoint]]:
    state = an_account(balances={"USD": Decimal(40000), "BTC": Decimal(1)}, drawdown=None)
    price = Decimal(50000)
    state = decide(state, _price(price, 0)).state
    points = [NavPoint(START, equity_now(state) or Decimal(0))]
    for number, step in enumerate(steps):
        seconds = number * 60 + 60
        price *= 1 + step
        state = decide(state, _price(price, seconds)).state
        points.append(NavPoint(at(seconds), equity_now(state) or Decimal(0)))  # type: ignore[arg-type]
        if number == place and share:
            for asset, value in (("USD", Decimal(1)), ("BTC", price)):
                amount = state.balances[asset] * share
                flow = a_flow(amount, asset, seconds + 1, value=amount * value)
                told = a_look(state, flow)
                decision = decide(state, replace(told, balances={}, at=START))
                state = decision.state
                ((_, after),) = noted(decision)
                assert after is not None
                points.append(NavPoint(at(seconds + 1), after, flow.value))  # type: ignore[arg-type]
    return state, points


def _price(price: Decimal, seconds: int) -> PricesMarked:
    moment = START + timedelta(seconds=seconds)
    return PricesMarked({"BTC/USD": price}, moment, moment)

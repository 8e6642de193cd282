"""The hedge rises with volatility and drawdown, never oscillates, and knows what it earned."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from models.trading.hedge import (
    HedgeMove,
    HedgeReading,
    HedgeSettings,
    HedgeState,
    decide_hedge,
    hedge_room,
    target_share,
)
from models.trading.hedge_book import (
    HedgeBook,
    HedgeFill,
    note_fill,
    performance,
    split_reduction,
    split_restoration,
)
from models.trading.hedge_override import HedgeOverride, judge_override
from models.trading.orders import Side
from tests.models.trading.trading_builders import START

SETTINGS = HedgeSettings()
CALM = HedgeReading(Decimal("0.02"), Decimal(0), Decimal(1000), Decimal(9000), Decimal("0.01"))
VOLATILITY = st.decimals("0", "0.2", places=3)
DRAWDOWN = st.decimals("0", "0.5", places=3)
VALUE = st.decimals("0", "100000", places=2)


def test_the_target_follows_the_documented_function() -> None:
    for volatility, drawdown, share in (
        ("0.02", "0", "0.10"),
        ("0.05", "0", "0.50"),
        ("0.08", "0", "0.90"),
        ("0.02", "0.125", "0.50"),
        ("0.05", "0.125", "0.70"),
        ("0.5", "0.9", "0.90"),
    ):
        assert target_share(SETTINGS, Decimal(volatility), Decimal(drawdown)) == Decimal(share)


def test_without_a_known_volatility_nothing_moves() -> None:
    blind = replace(CALM, volatility=None)
    first = decide_hedge(SETTINGS, HedgeState(), blind, START)
    assert (first.move, first.state.target, first.target) == (None, None, CALM.actual)
    later = decide_hedge(SETTINGS, HedgeState(Decimal("0.9")), blind, START)
    assert (later.move, later.target) == (None, Decimal("0.9"))
    assert [check.code for check in later.verdict.failures] == ["no-market-data"]


def test_small_changes_of_the_market_do_not_move_the_target() -> None:
    first = decide_hedge(SETTINGS, HedgeState(), CALM, START)
    assert (first.target, first.move) == (Decimal("0.10"), None)
    nearly = replace(CALM, volatility=Decimal("0.0237"))
    assert decide_hedge(SETTINGS, first.state, nearly, START).target == Decimal("0.10")
    wild = replace(CALM, volatility=Decimal("0.05"))
    moved = decide_hedge(SETTINGS, first.state, wild, START)
    assert (moved.target, moved.move, moved.value) == (
        Decimal("0.50"),
        HedgeMove.REDUCE,
        Decimal(4000),
    )


def test_a_trade_must_be_large_and_worth_its_cost() -> None:
    small = replace(CALM, cash=Decimal(50), volatile=Decimal(350), volatility=Decimal("0.03"))
    refused = decide_hedge(SETTINGS, HedgeState(), small, START)
    assert [check.code for check in refused.verdict.failures] == ["hedge-too-small"]
    least = replace(CALM, cash=Decimal(0), volatile=Decimal(500), volatility=Decimal("0.02"))
    assert decide_hedge(SETTINGS, HedgeState(), least, START).value == SETTINGS.trade_minimum
    dear = replace(CALM, volatility=Decimal("0.05"), cost_share=Decimal("0.06"))
    refused = decide_hedge(SETTINGS, HedgeState(), dear, START)
    assert [check.code for check in refused.verdict.failures] == ["not-worth-costs"]
    assert refused.move is None
    assert refused.value == 0


def test_an_override_holds_until_it_expires_or_is_cleared() -> None:
    until = START + timedelta(hours=1)
    override = HedgeOverride(Decimal("0.75"), "Dora", "election night", START, until)
    assert judge_override(override).allowed
    state = HedgeState(Decimal("0.10"), override)
    held = decide_hedge(SETTINGS, state, CALM, START)
    assert (held.target, held.value, held.state.override) == (Decimal("0.75"), 6500, override)
    over = decide_hedge(SETTINGS, held.state, CALM, until)
    assert (over.target, over.state.override) == (Decimal("0.10"), None)
    lasting = replace(override, expires_at=None)
    assert not lasting.is_over(START + timedelta(days=1000))
    for broken in (
        replace(override, share=Decimal("1.1")),
        replace(override, author=" "),
        replace(override, reason=""),
        replace(override, expires_at=START),
    ):
        assert [c.code for c in judge_override(broken).failures] == ["invalid-override"]


def test_entries_have_the_room_that_the_hedge_leaves() -> None:
    room = hedge_room(Decimal("0.6"), Decimal(10_000), Decimal(3500))
    assert (room.left, room.check(Decimal(600)).code) == (500, "hedge-exceeded")


@given(VOLATILITY, DRAWDOWN, st.decimals("0", "0.1", places=3), DRAWDOWN)
def test_more_volatility_or_drawdown_never_asks_for_less(
    volatility: Decimal, drawdown: Decimal, more: Decimal, deeper: Decimal
) -> None:
    share = target_share(SETTINGS, volatility, drawdown)
    assert SETTINGS.least <= share <= SETTINGS.most
    assert share <= target_share(SETTINGS, volatility + more, drawdown + deeper) <= SETTINGS.most


@given(
    st.one_of(st.none(), VOLATILITY),
    DRAWDOWN,
    VALUE,
    VALUE,
    st.decimals("0", "0.02", places=4),
    st.one_of(st.none(), st.decimals("0", "1", places=3)),
    st.one_of(st.none(), st.decimals("0.1", "0.9", places=3)),
)
def test_the_hedge_never_oscillates_on_constant_input(
    volatility: Decimal | None,
    drawdown: Decimal,
    cash: Decimal,
    volatile: Decimal,
    cost: Decimal,
    set_by_hand: Decimal | None,
    before: Decimal | None,
) -> None:
    override = HedgeOverride(set_by_hand, "Dora", "x", START) if set_by_hand is not None else None
    state, reading = (
        HedgeState(before, override),
        HedgeReading(volatility, drawdown, cash, volatile, cost),
    )
    moves, targets = [], []
    for _ in range(6):
        decision = decide_hedge(SETTINGS, state, reading, START)
        state = decision.state
        targets.append(decision.target)
        if decision.move is None:
            continue
        moves.append(decision.move)
        paid = decision.value * cost
        if decision.move is HedgeMove.REDUCE:
            assert decision.value <= reading.volatile
            reading = replace(
                reading,
                cash=reading.cash + decision.value - paid,
                volatile=reading.volatile - decision.value,
            )
        else:
            reading = replace(
                reading,
                cash=reading.cash - decision.value,
                volatile=reading.volatile + decision.value - paid,
            )
    assert len(moves) <= 1
    assert len(set(targets)) == 1


def test_performance_is_that_against_not_having_hedged() -> None:
    book = note_fill(
        HedgeBook(), HedgeFill("BTC", Side.SELL, Decimal(1), Decimal(50_000), Decimal(100))
    )
    fallen = performance(book, {"BTC": Decimal(40_000)})
    assert (fallen.profit, fallen.lacking_value) == (Decimal(9900), Decimal(40_000))
    assert performance(book, {"BTC": Decimal(60_000)}).profit == -10_100
    unknown = performance(book, {})
    assert (unknown.profit, unknown.unpriced) == (None, ("BTC",))
    back = note_fill(book, HedgeFill("BTC", Side.BUY, Decimal(1), Decimal(40_000), Decimal(80)))
    assert performance(back, {}).profit == 9820
    assert (back.lacking, back.fees, back.turnover) == ({}, 180, 90_000)


FILLS = st.lists(
    st.tuples(
        st.sampled_from(("BTC", "ETH")),
        st.sampled_from(Side),
        st.decimals("0.01", "5", places=2),
        st.decimals("1", "1000", places=2),
        st.decimals("0", "5", places=2),
    ),
    max_size=10,
)


@given(FILLS, st.decimals("1", "1000", places=2), st.decimals("1", "1000", places=2))
def test_the_profit_is_the_difference_of_the_two_accounts(
    fills: list[tuple[str, Side, Decimal, Decimal, Decimal]], bitcoin: Decimal, ether: Decimal
) -> None:
    prices = {"BTC": bitcoin, "ETH": ether}
    book, cash, held = HedgeBook(), Decimal(0), {"BTC": Decimal(0), "ETH": Decimal(0)}
    for asset, side, quantity, price, fee in fills:
        book = note_fill(book, HedgeFill(asset, side, quantity, quantity * price, fee))
        sign = 1 if side is Side.SELL else -1
        cash += sign * quantity * price - fee
        held[asset] -= sign * quantity
    hedged = cash + sum((held[asset] * prices[asset] for asset in held), Decimal(0))
    assert performance(book, prices).profit == hedged


@given(VALUE, st.dictionaries(st.sampled_from(("A", "B", "C", "D")), VALUE))
def test_no_more_is_sold_or_bought_than_asked_for_or_there(
    value: Decimal, holdings: dict[str, Decimal]
) -> None:
    parts = split_reduction(value, holdings)
    assert all(0 < part <= holdings[asset] for asset, part in parts.items())
    total = sum(parts.values(), Decimal(0))
    assert total <= value
    assert total >= min(value, sum(holdings.values(), Decimal(0))) - Decimal("0.05")
    book = HedgeBook({"A": Decimal(2), "B": Decimal(-1)})
    bought = split_restoration(value, book, {"A": Decimal(10), "B": Decimal(10)})
    assert set(bought) <= {"A"}
    assert split_restoration(value, book, {}) == {}
    assert sum(bought.values(), Decimal(0)) <= min(value, Decimal(20))

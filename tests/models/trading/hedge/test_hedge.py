"""The hedge rises with volatility and drawdown, never oscillates, and knows what it earned."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from models.trading.hedge.book import (
    HedgeBook,
    HedgeClaim,
    claim_bought_back,
    claim_sold,
    end_claim,
    performance,
    split_reduction,
    split_restoration,
)
from models.trading.hedge.override import HedgeOverride, judge_override
from models.trading.hedge.target import (
    HedgeMove,
    HedgeReading,
    HedgeSettings,
    HedgeState,
    decide_hedge,
    hedge_headroom,
    target_share,
)
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
    headroom = hedge_headroom(Decimal("0.6"), Decimal(10_000), Decimal(3500))
    assert (headroom.left, headroom.check(Decimal(600)).code) == (500, "hedge-exceeded")


@given(VOLATILITY, DRAWDOWN, st.decimals("0", "0.1", places=3), DRAWDOWN)
def test_more_volatility_or_drawdown_never_asks_for_less(
    volatility: Decimal, drawdown: Decimal, more: Decimal, deeper: Decimal
) -> None:
    share = target_share(SETTINGS, volatility, drawdown)
    assert SETTINGS.ratio_minimum <= share <= SETTINGS.ratio_maximum
    assert (
        share
        <= target_share(SETTINGS, volatility + more, drawdown + deeper)
        <= SETTINGS.ratio_maximum
    )


def test_all_that_is_held_is_sold_to_the_last_digit_and_no_more() -> None:
    # 47.78 / 134.02 has no end: the share times the value once came to 1e-26 above what is held.
    override = HedgeOverride(Decimal(1), "Dora", "x", START)
    reading = HedgeReading(None, Decimal(0), Decimal("47.78"), Decimal("86.24"), Decimal(0))
    decision = decide_hedge(SETTINGS, HedgeState(None, override), reading, START)
    assert (decision.move, decision.value) == (HedgeMove.REDUCE, Decimal("86.24"))


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


def test_unknown_volatility_lowers_nothing_and_a_drawdown_still_raises_the_target() -> None:
    blind = replace(CALM, volatility=None, drawdown=Decimal("0.25"))
    fallen = decide_hedge(SETTINGS, HedgeState(Decimal("0.10")), blind, START)
    assert (fallen.target, fallen.move, fallen.value) == (
        Decimal("0.90"),
        HedgeMove.REDUCE,
        Decimal(8000),
    )
    first = decide_hedge(SETTINGS, HedgeState(), blind, START)
    assert (first.target, first.move) == (Decimal("0.90"), HedgeMove.REDUCE)
    recovered = decide_hedge(SETTINGS, fallen.state, replace(blind, drawdown=Decimal(0)), START)
    assert recovered.state.target == Decimal("0.90")
    hedged = replace(blind, drawdown=Decimal(0), cash=Decimal(9500), volatile=Decimal(500))
    restoring = decide_hedge(SETTINGS, HedgeState(Decimal("0.50")), hedged, START)
    assert (restoring.move, restoring.value) == (None, 0)
    assert restoring.verdict.failures[0].code == "no-market-data"
    nothing = decide_hedge(SETTINGS, HedgeState(), replace(CALM, volatility=None), START)
    assert (nothing.state.target, nothing.move) == (None, None)


def _sold(book: HedgeBook, trade: int, quantity: Decimal, cost: Decimal, fee: Decimal) -> HedgeBook:
    booked = claim_sold(book, trade, "BTC", quantity)
    return replace(booked, cash=booked.cash + cost - fee)


def _bought(book: HedgeBook, quantity: Decimal, cost: Decimal, fee: Decimal) -> HedgeBook:
    booked = claim_bought_back(book, "BTC", quantity)
    return replace(booked, cash=booked.cash - cost - fee)


def test_performance_is_that_against_not_having_hedged() -> None:
    book = _sold(HedgeBook(), 1, Decimal(1), Decimal(50_000), Decimal(100))
    fallen = performance(book, {"BTC": Decimal(40_000)})
    assert (fallen.profit, fallen.lacking_value) == (Decimal(9900), Decimal(40_000))
    assert performance(book, {"BTC": Decimal(60_000)}).profit == -10_100
    unknown = performance(book, {})
    assert (unknown.profit, unknown.unpriced) == (None, ("BTC",))
    back = _bought(book, Decimal(1), Decimal(40_000), Decimal(80))
    assert performance(back, {}).profit == 9820
    assert back.lacking == {}


def test_claim_ends_with_its_trade_at_the_price_of_the_trades_own_end() -> None:
    # 0.4 of 1 BTC sold at 50,000; the rest is stopped out at 46,000, fee 0.4 % each time. Not
    # hedged, the 0.4 would have brought 0.4 * 46,000 * 0.996 = 18,326.40.
    book = _sold(HedgeBook(), 7, Decimal("0.4"), Decimal(20_000), Decimal(80))
    ended = end_claim(book, 7, Decimal(46_000) * Decimal("0.996"))
    assert ended.claims == {}
    for price in ("20000", "46000", "90000"):
        later = performance(ended, {"BTC": Decimal(price)})
        assert later.profit == Decimal("1593.60")
    assert split_restoration(Decimal(50_000), ended, {"BTC": Decimal(46_000)}) == {}


def test_what_is_bought_back_takes_from_the_oldest_claims_in_that_asset() -> None:
    book = claim_sold(claim_sold(HedgeBook(), 2, "BTC", Decimal(1)), 5, "BTC", Decimal(2))
    book = claim_sold(book, 3, "ETH", Decimal(4))
    left = claim_bought_back(book, "BTC", Decimal("1.5"))
    assert left.claims == {
        3: HedgeClaim("ETH", Decimal(4)),
        5: HedgeClaim("BTC", Decimal("1.5")),
    }
    assert claim_bought_back(left, "BTC", Decimal(9)).lacking == {"ETH": Decimal(4)}


STEPS = st.lists(
    st.tuples(
        st.sampled_from(("sell", "buy", "close")),
        st.integers(1, 3),
        st.decimals("0.01", "1", places=2),
        st.decimals("1", "1000", places=2),
    ),
    max_size=12,
)


@given(STEPS, st.decimals("1", "1000", places=2))
def test_the_profit_is_the_difference_of_the_two_accounts(
    steps: list[tuple[str, int, Decimal, Decimal]], last: Decimal
) -> None:
    """Two accounts hold three trades; one is hedged, and both close each trade at its price."""
    book, fee = HedgeBook(), Decimal("0.004")
    cash, extra, open_trades = Decimal(0), Decimal(0), {1, 2, 3}
    for kind, trade, quantity, price in steps:
        if kind == "sell" and trade in open_trades:
            book = _sold(book, trade, quantity, quantity * price, quantity * price * fee)
            cash += quantity * price * (1 - fee)
            extra -= quantity
        elif kind == "buy":
            part = min(quantity, book.lacking.get("BTC", Decimal(0)))
            book = _bought(book, part, part * price, part * price * fee)
            cash -= part * price * (1 + fee)
            extra += part
        elif kind == "close" and trade in open_trades:
            open_trades.remove(trade)
            claim = book.claims.get(trade, HedgeClaim("BTC", Decimal(0))).quantity
            book = end_claim(book, trade, price * (1 - fee))
            cash -= claim * price * (1 - fee)  # what the other account got for these units
            extra += claim
    assert performance(book, {"BTC": last}).profit == cash + extra * last
    assert all(trade in open_trades for trade in book.claims)


@given(VALUE, st.dictionaries(st.sampled_from(("A", "B", "C", "D")), VALUE))
def test_no_more_is_sold_or_bought_than_asked_for_or_there(
    value: Decimal, holdings: dict[str, Decimal]
) -> None:
    parts = split_reduction(value, holdings)
    assert all(0 < part <= holdings[asset] for asset, part in parts.items())
    total = sum(parts.values(), Decimal(0))
    assert total <= value
    assert total >= min(value, sum(holdings.values(), Decimal(0))) - Decimal("0.05")
    book = HedgeBook({1: HedgeClaim("A", Decimal(2)), 2: HedgeClaim("C", Decimal(1))})
    bought = split_restoration(value, book, {"A": Decimal(10), "B": Decimal(10)})
    assert set(bought) <= {"A"}
    assert split_restoration(value, book, {}) == {}
    assert sum(bought.values(), Decimal(0)) <= min(value, Decimal(20))

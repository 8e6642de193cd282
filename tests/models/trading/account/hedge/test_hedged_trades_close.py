"""A trade that the hedge made smaller closes: its claim ends, and nothing of it is bought back."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from models.trading.account.decisions import AccountDecision, decide
from models.trading.account.equity import equity_last_known
from models.trading.account.facts import EnterTrade, TradeProgressed
from models.trading.account.hedge.facts import RecordHedge, SellParts
from models.trading.account.state import AccountState
from models.trading.hedge.book import performance
from models.trading.risk.drawdown import start
from models.trading.trade.facts import ExitReason
from tests.models.trading.account.hedge.hedge_builders import (
    FEE,
    PRICE,
    a_review,
    a_trade,
    command,
    fill,
    invested,
    sell,
)
from tests.models.trading.trading_builders import START

WILD, CALM = "0.08", "0.02"
STOP = Decimal(45000)


def close(
    state: AccountState, number: int, price: Decimal = STOP, reason: ExitReason | None = None
) -> AccountState:
    """Let a trade sell what it still holds, and tell the account that it has closed."""
    known = state.trades[number]
    rest = known.bought - known.sold
    closed = replace(
        known,
        sold=known.bought,
        cash_flow=known.cash_flow + rest * price * (1 - FEE),
        fees=known.fees + rest * price * FEE,
        exit_price=price if rest else None,
        exit_reason=reason or ExitReason.STOP_LOSS,
    )
    return decide(state, TradeProgressed(closed, closed=True, at=START)).state


def hedged(*trades, **options) -> AccountState:
    """Return an account whose hedge has just sold parts of its trades at 50,000."""
    wild = decide(invested(*trades, **options), a_review(1, WILD))
    sales = command(wild, SellParts)
    assert isinstance(sales, SellParts)
    return sell(wild.state, sales.targets)


def calm(state: AccountState, price: Decimal, number: int = 9) -> AccountDecision:
    """Review the hedge of an account that has lost nothing in a calm market."""
    unhurt = start(equity_last_known(state), START.date(), START)
    state = replace(state, drawdown=unhurt, measured_since=START)
    return decide(state, a_review(number, CALM, price, 60))


def bought_back(state: AccountState, price: Decimal) -> object:
    """Return what a hedge buys that may hold nearly all again."""
    return command(calm(state, price), EnterTrade)


@pytest.mark.parametrize("reason", [r for r in ExitReason if r is not ExitReason.HEDGE])
def test_nothing_is_bought_back_of_a_trade_that_has_closed(reason):
    state = hedged(a_trade(1, "1"))
    claimed = state.hedge_book.claims[1].quantity
    assert claimed > 0
    assert bought_back(state, STOP) is not None
    closed = close(state, 1, STOP, reason)
    assert closed.hedge_book.claims == {}
    assert closed.hedge_book.lacking == {}
    assert closed.hedge_sales == {}
    assert bought_back(closed, STOP) is None


def test_the_profit_is_what_the_hedged_account_has_more_than_one_that_was_not():
    state = invested(a_trade(1, "1"))
    plain = close(state, 1)
    after = hedged(a_trade(1, "1"))
    sold = after.hedge_book.claims[1].quantity
    after = close(after, 1)
    # All of it at 45,000 or, of what the hedge sold, at 50,000: 5,000 for each, less 0.4 percent.
    gained = sold * 5000 * (1 - FEE)
    assert after.balances["USD"] - plain.balances["USD"] == gained
    for later in ("20000", "45000", "90000"):
        assert performance(after.hedge_book, {"BTC": Decimal(later)}).profit == gained
    reviewed = command(decide(after, a_review(2, WILD, STOP, 60)), RecordHedge)
    assert isinstance(reviewed, RecordHedge)
    assert reviewed.record.profit == gained
    assert reviewed.record.lacking == {}


def test_the_claim_of_another_trade_stays_and_only_that_is_bought_back():
    state = hedged(a_trade(1, "1"), a_trade(2, "1"), cash="120000")
    left = state.hedge_book.claims[2].quantity
    closed = close(state, 1)
    assert closed.hedge_book.lacking == {"BTC": left}
    entry = bought_back(closed, STOP)
    assert isinstance(entry, EnterTrade)
    assert entry.plan.entry.quantity <= left


def test_a_trade_that_closes_while_its_part_is_being_sold_is_not_waited_for():
    wild = decide(invested(a_trade(1, "1"), a_trade(2, "1")), a_review(1, WILD))
    assert set(wild.state.hedge_sales) == {1, 2}
    closed = close(wild.state, 1)
    assert set(closed.hedge_sales) == {2}
    # However little of it could be sold.
    lost = TradeProgressed(wild.state.trades[2], closed=True, at=START)
    assert decide(closed, lost).state.hedge_sales == {}
    assert closed.hedge_book.claims == {}
    assert closed.hedge_book.cash == 0


def test_a_trade_that_the_hedge_sold_to_the_last_unit_was_neither_won_nor_lost_by_it():
    state = invested(a_trade(1, "1"))
    state = sell(state, {1: Decimal("0.25")}, PRICE)
    state = sell(state, {1: Decimal(1)}, PRICE)
    assert state.hedge_book.claims[1].quantity == 1
    closed = close(state, 1, STOP, ExitReason.HEDGE)
    assert closed.hedge_book.claims == {}
    assert closed.hedge_book.cash == 0
    assert closed.hedge_book.fees == PRICE * FEE


def test_the_fee_of_the_end_is_that_of_the_pair_and_the_dearest_where_none_is_known():
    state = replace(hedged(a_trade(1, "1")), fees={})
    sold, before = state.hedge_book.claims[1].quantity, state.hedge_book.cash
    assert close(state, 1).hedge_book.cash == before - sold * STOP * (1 - Decimal("0.008"))


PRICES = st.integers(20, 90).map(lambda thousands: Decimal(thousands * 1000))
STEPS = st.lists(
    st.tuples(st.sampled_from(("sell", "back", "close")), st.integers(1, 3), PRICES), max_size=12
)


@settings(max_examples=150, deadline=None)
@given(STEPS, PRICES)
def test_hedged_and_not_hedged_accounts_differ_by_the_profit_however_trades_end(steps, last):
    """Each trade of both ends at the same price; what was bought back ends with all others."""
    held = invested(*(a_trade(number, "1") for number in (1, 2, 3)), cash="300000")
    state = plain = calm(held, PRICE).state  # by now its losses are measured
    backs = 0
    for step, (kind, number, price) in enumerate(steps, 10):
        known = state.trades.get(number)
        if kind == "sell" and known is not None and known.bought - known.sold > Decimal("0.2"):
            state = sell(state, {number: known.sold + Decimal("0.2")}, price)
        elif kind == "close" and known is not None and not backs:
            state, plain = close(state, number, price), close(plain, number, price)
        elif kind == "back" and state.hedge_book.lacking:
            decision = calm(state, price, step)
            state, entry = decision.state, command(decision, EnterTrade)
            if isinstance(entry, EnterTrade):
                backs += 1
                state = fill(state, entry, price)
    event(f"bought back {min(backs, 2)} times")
    for number in list(state.trades):
        state = close(state, number, last)
    for number in list(plain.trades):
        plain = close(plain, number, last)
    assert state.hedge_book.claims == {}
    gained = state.balances["USD"] - plain.balances["USD"]
    assert abs(performance(state.hedge_book, {}).profit - gained) < Decimal("1e-15")

"""Dust: what could not be sold is sold with the next trade of its pair, and never anything else."""

from dataclasses import replace
from decimal import Decimal

import pytest

from models.trading.account.decisions import decide as decide_account
from models.trading.account.facts import EnterTrade, OpenRequested, TradeProgressed
from models.trading.account.state import AccountState
from models.trading.orders import OrderStatus, OrderType, Side
from models.trading.risk.dust import dust_to_carry, with_dust_moved
from models.trading.risk.limits import ProtectionMode
from models.trading.trade.decisions import begin, decide
from models.trading.trade.facts import (
    CloseRequested,
    ExitPosition,
    ExitReason,
    FillReported,
    OrderAcknowledged,
    OrderEnded,
    PlaceOrder,
)
from models.trading.trade.figures import figures, summarise
from models.trading.trade.state import TradePhase
from tests.models.trading.trading_builders import START, a_fill, a_market, a_plan, an_account

ZERO = Decimal(0)


def an_account_with(dust: str, held: str, **changes: object) -> AccountState:
    made = an_account(**changes)
    balances = {**made.balances, "BTC": Decimal(held)}
    return replace(made, balances=balances, dust={"BTC": Decimal(dust)})


def test_dust_is_taken_within_what_is_held_and_below_what_could_be_sold_alone() -> None:
    account = an_account_with("0.00003", "5")
    instrument = replace(
        next(iter(account.instruments.values())), quantity_minimum=Decimal("0.0001")
    )
    separate = ProtectionMode.SEPARATE
    assert dust_to_carry(account, instrument, separate) == Decimal("0.00003")
    assert dust_to_carry(account, instrument, ProtectionMode.ATTACHED) == ZERO
    gone = replace(account, balances={"BTC": Decimal("0.00001")})
    assert dust_to_carry(gone, instrument, separate) == Decimal("0.00001")
    much = replace(account, dust={"BTC": Decimal(3)})
    assert dust_to_carry(much, instrument, separate) == Decimal("0.00009999")
    assert dust_to_carry(replace(account, dust={}), instrument, separate) == ZERO, (
        "what people brought in is never sold"
    )


def test_an_account_gives_its_dust_to_the_next_trade_once() -> None:
    account = an_account_with("0.00003", "0.1", protection=ProtectionMode.SEPARATE)
    request = OpenRequested(
        request_id="r",
        by="somebody",
        symbol="BTC/USD",
        order_type=OrderType.MARKET,
        stop_price=Decimal(49_000),
        market=a_market(),
        at=START,
    )
    decision = decide_account(account, request)
    assert decision.answer is not None
    assert decision.answer.accepted, decision.answer
    (entered,) = [c for c in decision.commands if isinstance(c, EnterTrade)]
    assert entered.plan.carried == Decimal("0.00003")
    assert decision.state.dust == {}
    unfilled = replace(
        decision.state.trades[entered.plan.number],
        phase=TradePhase.SETTLED,
        entry_open=False,
        reserved_cash=ZERO,
        dust=entered.plan.carried,
    )
    closed = decide_account(decision.state, TradeProgressed(unfilled, closed=True, at=START))
    assert closed.state.dust == {"BTC": Decimal("0.00003")}, "nothing was bought: it is there again"
    assert closed.state.balances["BTC"] == Decimal("0.1")


@pytest.mark.parametrize("sold_by", ["stop", "exit"])
def test_the_exit_sells_the_dust_and_its_stop_covers_it(sold_by: str) -> None:
    plan = replace(a_plan(protection=ProtectionMode.SEPARATE), carried=Decimal("0.5"))
    entry, bought = plan.entry, plan.entry.quantity
    state = begin(plan).state
    assert state.held == ZERO, "before the first execution the dust is the account's"
    state = decide(state, OrderAcknowledged(entry.client_order_id, "E", START)).state
    filled = decide(state, FillReported(a_fill("f", "E", Side.BUY, bought), entry.client_order_id))
    (stop,) = [c.order for c in filled.commands if isinstance(c, PlaceOrder)]
    assert stop.quantity == bought + Decimal("0.5")
    state = decide(filled.state, OrderAcknowledged(stop.client_order_id, "S", START)).state
    assert state.is_covered
    if sold_by == "stop":
        sold = a_fill("s", "S", Side.SELL, stop.quantity, str(plan.stop_price))
        state = decide(state, FillReported(sold, stop.client_order_id)).state
    else:
        closing = decide(state, CloseRequested(ExitReason.REQUESTED, "somebody", START))
        (command,) = [c for c in closing.commands if isinstance(c, ExitPosition)]
        assert command.exit.quantity == stop.quantity
        ended = OrderEnded("S", OrderStatus.CANCELED, ZERO, None, START, stop.client_order_id)
        state = decide(closing.state, ended).state
        name = command.exit.client_order_id
        state = decide(state, OrderAcknowledged(name, "X", START)).state
        sold = a_fill("s", "X", Side.SELL, stop.quantity)
        state = decide(state, FillReported(sold, name)).state
    assert state.phase is TradePhase.SETTLED
    assert state.held == ZERO
    summary = summarise(state)
    assert summary.dust == ZERO
    assert summary.bought - summary.sold == Decimal("-0.5"), "the account's balance gives it"
    assert figures(state).unsold == ZERO


def test_what_is_left_is_noted_by_asset_and_never_below_zero() -> None:
    account = with_dust_moved(an_account(), "BTC", Decimal("0.2"))
    account = with_dust_moved(account, "BTC", Decimal("0.1"))
    assert account.dust == {"BTC": Decimal("0.3")}
    assert with_dust_moved(account, "BTC", Decimal(-9)).dust == {}

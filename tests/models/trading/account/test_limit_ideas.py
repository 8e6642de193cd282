"""An idea with a limit enters as a limit order that is withdrawn when the idea expires."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from models.trading.account.decisions import decide as decide_account
from models.trading.account.facts import EnterTrade, IdeaArrived
from models.trading.orders import OrderStatus, OrderType, Side
from models.trading.trade.decisions import begin, decide
from models.trading.trade.facts import (
    CancelOrder,
    ExitReason,
    FillReported,
    OrderAcknowledged,
    OrderEnded,
    PriceCrossed,
    WatchKind,
)
from models.trading.trade.state import TradePhase
from tests.models.trading.account.test_target_weight import MARKET, an_idea, an_owner, of
from tests.models.trading.trading_builders import START, a_fill

UNTIL = START + timedelta(hours=2)
ZERO = Decimal(0)


def entered():
    idea = an_idea("0.5", target_weight=None, limit_price=Decimal(99), expires_at=UNTIL)
    (command,) = of(decide_account(an_owner(), IdeaArrived(idea, MARKET, START)), EnterTrade)
    return command.plan


def acknowledged(plan):
    state = begin(plan).state
    return decide(state, OrderAcknowledged(plan.entry.client_order_id, "O1", START)).state


def test_entry_waits_at_its_limit_for_as_long_as_the_idea_is_good():
    plan = entered()
    assert (plan.entry.order_type, plan.entry.limit_price) == (OrderType.LIMIT, Decimal(99))
    assert plan.entry_until == UNTIL
    (watch,) = acknowledged(plan).watches
    assert (watch.kind, watch.due_at) == (WatchKind.TIME, UNTIL)


def test_entry_that_has_not_filled_is_withdrawn_and_the_trade_over():
    plan = entered()
    state = acknowledged(plan)
    watch = state.watches[0]
    early = decide(state, PriceCrossed(watch.watch_id, watch.kind, ZERO, START))
    assert not of(early, CancelOrder)
    due = decide(state, PriceCrossed(watch.watch_id, watch.kind, ZERO, UNTIL))
    (cancel,) = of(due, CancelOrder)
    assert cancel.order_id == "O1"
    assert due.state.watches == ()
    over = decide(
        due.state,
        OrderEnded("O1", OrderStatus.CANCELED, ZERO, None, UNTIL, plan.entry.client_order_id),
    ).state
    assert (over.phase, over.exit_reason) == (TradePhase.SETTLED, ExitReason.ENTRY_NOT_FILLED)


def test_what_was_filled_stays_protected_and_only_the_rest_is_withdrawn():
    plan = entered()
    state = acknowledged(plan)
    part = a_fill("E1", "O1", Side.BUY, Decimal(10), Decimal(99))
    state = decide(state, FillReported(part, plan.entry.client_order_id)).state
    watch = next(w for w in state.watches if w.kind is WatchKind.TIME)
    due = decide(state, PriceCrossed(watch.watch_id, watch.kind, ZERO, UNTIL))
    assert of(due, CancelOrder)
    assert due.state.held == 10
    assert due.state.live_stops
    assert not due.state.exit_wanted


def test_entries_at_market_wait_for_no_moment():
    idea = replace(an_idea("0.5", target_weight=None), expires_at=UNTIL)
    (command,) = of(decide_account(an_owner(), IdeaArrived(idea, MARKET, START)), EnterTrade)
    assert command.plan.entry_until is None
    assert acknowledged(command.plan).watches == ()

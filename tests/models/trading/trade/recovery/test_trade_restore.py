"""A trade brought up to date from the record: what was sent meanwhile keeps its name."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from models.trading.identities import client_order_id, userref
from models.trading.orders import Fill, Leg, OrderSpec, OrderStatus, OrderType, Side
from models.trading.trade.decisions import begin, decide
from models.trading.trade.draft import TradeDraft
from models.trading.trade.facts import PlaceOrder, ReportToAccount, ResolveOrderStatus, ReviewDue
from models.trading.trade.recovery.restore import (
    FALLBACK_STOP_SHARE,
    RecordedIntent,
    brought_up_to_date,
    fallback_plan,
    take_up,
)
from models.trading.trade.state import TradePhase
from tests.support.fakes import BITCOIN

AT = datetime(2026, 3, 1, tzinfo=UTC)
INSTALLATION = "8a4b7a26-5f25-4a2c-9d6e-0d9f5b0f3c11"
PRICE = Decimal(50000)
SIZE = Decimal("0.01")


def name_of(leg, attempt):
    return client_order_id(INSTALLATION, "company", 3, leg, attempt)


def a_spec(leg, attempt=1, **changed):
    name = name_of(leg, attempt)
    selling = leg is not Leg.ENTRY
    spec = OrderSpec(
        account="company",
        trade=3,
        leg=leg,
        client_order_id=name,
        userref=userref(name),
        symbol=BITCOIN.symbol,
        side=Side.SELL if selling else Side.BUY,
        order_type=OrderType.STOP_LOSS if leg is Leg.STOP else OrderType.MARKET,
        quantity=SIZE,
        trigger_price=PRICE * 9 / 10 if leg is Leg.STOP else None,
    )
    return replace(spec, **changed)


def an_intent(leg, attempt=1, status=OrderStatus.OPEN, order_id=None, filled=Decimal(0)):
    spec = a_spec(leg, attempt)
    return RecordedIntent(
        spec=spec,
        status=status,
        order_id=order_id,
        parent_order_id=None,
        quantity=spec.quantity,
        trigger_price=spec.trigger_price,
        filled_quantity=filled,
        reason=None,
        at=AT,
    )


def a_fill(order_id, side=Side.BUY):
    cost = SIZE * PRICE
    return Fill(
        f"E-{order_id}", order_id, BITCOIN.symbol, side, SIZE, PRICE, cost, cost / 400, AT, False
    )


@pytest.fixture
def plan():
    return fallback_plan(INSTALLATION, BITCOIN, an_intent(Leg.ENTRY), PRICE, None)


BOUGHT = an_intent(Leg.ENTRY, status=OrderStatus.CLOSED, order_id="OE", filled=SIZE)


def reviewed(state):
    return decide(state, ReviewDue(AT))


def test_fill_and_stop_that_the_state_does_not_know_are_not_sent_again(plan):
    stop = an_intent(Leg.STOP, order_id="OS")
    state = brought_up_to_date(begin(plan).state, [BOUGHT, stop], [a_fill("OE")])
    assert (state.held, state.protected_quantity) == (SIZE, SIZE)
    assert not [c for c in reviewed(state).commands if isinstance(c, PlaceOrder)]


def test_bought_and_bare_gets_a_stop_under_the_next_free_id(plan):
    lost = an_intent(Leg.STOP, status=OrderStatus.CANCELED, order_id="OS")
    state = brought_up_to_date(begin(plan).state, [BOUGHT, lost], [a_fill("OE")])
    (placed,) = [c for c in reviewed(state).commands if isinstance(c, PlaceOrder)]
    assert placed.order.client_order_id == name_of(Leg.STOP, 2)


def test_intent_that_was_stored_is_sent_under_its_own_id(plan):
    stored = an_intent(Leg.STOP, status=OrderStatus.INTENDED)
    state = brought_up_to_date(begin(plan).state, [BOUGHT, stored], [a_fill("OE")])
    (placed,) = [c for c in reviewed(state).commands if isinstance(c, PlaceOrder)]
    assert placed.order == stored.spec


def test_ids_of_attempts_that_left_no_trace_are_not_given_anew(plan):
    third = an_intent(Leg.STOP, 3, status=OrderStatus.CANCELED, order_id="OS3")
    state = brought_up_to_date(begin(plan).state, [BOUGHT, third], [a_fill("OE")])
    assert TradeDraft(state).new_order_ids(Leg.STOP)[0] == name_of(Leg.STOP, 4)


def test_sold_meanwhile_is_settled_by_the_first_review(plan):
    sold = an_intent(Leg.STOP, status=OrderStatus.CLOSED, order_id="OS", filled=SIZE)
    fills = [a_fill("OE"), a_fill("OS", Side.SELL)]
    state = reviewed(brought_up_to_date(begin(plan).state, [BOUGHT, sold], fills)).state
    assert state.phase is TradePhase.SETTLED
    assert ReportToAccount(closed=True) in take_up(state).commands


def test_exit_under_way_goes_on_as_an_exit(plan):
    leaving = an_intent(Leg.EXIT, status=OrderStatus.OPEN, order_id="OX")
    state = brought_up_to_date(begin(plan).state, [BOUGHT, leaving], [a_fill("OE")])
    assert state.exit_wanted
    commands = reviewed(state).commands
    assert not [c for c in commands if isinstance(c, PlaceOrder)]
    assert ResolveOrderStatus(("OX",)) in take_up(state).commands


def test_execution_that_the_exchange_counts_and_nobody_told_is_waited_for(plan):
    state = reviewed(brought_up_to_date(begin(plan).state, [BOUGHT], [])).state
    assert state.phase is TradePhase.ENTERING
    assert state.awaits_fills


def test_the_same_record_twice_changes_nothing_more(plan):
    orders, fills = [BOUGHT, an_intent(Leg.STOP, order_id="OS")], [a_fill("OE")]
    once = brought_up_to_date(begin(plan).state, orders, fills)
    assert brought_up_to_date(once, orders, fills) == once


@pytest.mark.parametrize(
    ("known", "stop"), [(Decimal(48000), Decimal(48000)), (None, PRICE * (1 - FALLBACK_STOP_SHARE))]
)
def test_lost_plan_is_made_by_what_is_known_else_by_rule(known, stop):
    made = fallback_plan(INSTALLATION, BITCOIN, an_intent(Leg.ENTRY), PRICE, known)
    assert made.stop_price == stop
    assert made.take_profit_price is None

"""Every execution against the price at which it was decided, exits included."""

from dataclasses import replace
from decimal import Decimal

import pytest

from models.trading.orders import Fill, Leg, OrderStatus, Side
from models.trading.trade.decisions import begin, decide
from models.trading.trade.facts import (
    CloseRequested,
    ExitPosition,
    ExitReason,
    FillReported,
    OrderAcknowledged,
    OrderEnded,
)
from models.trading.trade.slippage import measure_fill, slippages, total
from tests.models.trading.trading_builders import START, a_fill, a_plan


def a_sale(price: str, quantity: str = "2") -> Fill:
    return a_fill("sale", "X", Side.SELL, quantity, price)


@pytest.mark.parametrize(
    ("side", "price", "usd", "points"),
    [
        (Side.BUY, "101", "2", "100.00"),
        (Side.BUY, "99", "-2", "-100.00"),
        (Side.SELL, "99.5", "1.0", "50.00"),
        (Side.SELL, "100.25", "-0.50", "-25.00"),
    ],
)
def test_positive_is_worse_on_either_side(side: Side, price: str, usd: str, points: str) -> None:
    fill = replace(a_sale(price), side=side)
    found = measure_fill(fill, Decimal(100), Leg.EXIT)
    assert (found.usd, found.basis_points) == (Decimal(usd), Decimal(points))


@pytest.mark.parametrize("price", [None, Decimal(0), Decimal("NaN")])
def test_without_a_decision_price_nothing_is_measured_and_that_is_counted(
    price: Decimal | None,
) -> None:
    found = measure_fill(a_sale("99"), price, Leg.EXIT)
    assert (found.usd, found.basis_points, found.decision_price) == (None, None, None)
    summed = total([found])
    assert (summed.usd, summed.basis_points, summed.unmeasured) == (0, None, 1)


def test_an_exit_that_somebody_asks_for_is_measured_from_the_price_of_that_moment() -> None:
    plan = a_plan()
    entry = replace(plan.entry, decision_price=plan.reference_price)
    state = begin(replace(plan, entry=entry)).state
    state = decide(state, OrderAcknowledged(entry.client_order_id, "E", START)).state
    price = plan.reference_price + 1
    bought = a_fill("bought", "E", Side.BUY, str(entry.quantity), str(price))
    state = decide(state, FillReported(bought, entry.client_order_id)).state
    asked = plan.reference_price + 5
    decision = decide(state, CloseRequested(ExitReason.REQUESTED, "somebody", START, asked))
    for stop in decision.state.live_stops:
        name = stop.spec.client_order_id
        decision = decide(decision.state, OrderAcknowledged(name, "S", START))
    sent = [c for c in decision.commands if isinstance(c, ExitPosition)]
    assert sent, decision.commands
    assert sent[0].exit.decision_price == asked, "recorded with the intent, before it is sent"
    state = decision.state
    state = decide(state, OrderEnded("S", OrderStatus.CANCELED, Decimal(0), None, START)).state
    name = sent[0].exit.client_order_id
    sold = a_fill("sold", "X", Side.SELL, str(entry.quantity), str(asked - 2))
    state = decide(state, FillReported(sold, name)).state
    measured = slippages(state)
    assert [one.leg for one in measured] == [Leg.ENTRY, Leg.EXIT]
    assert [one.usd for one in measured] == [entry.quantity, 2 * entry.quantity]
    assert total(measured).usd == 3 * entry.quantity
    assert total(measured).unmeasured == 0

"""Ten lost replies in a row on one order: at the exchange it exists at most once."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.execution.orders import OrderActivities
from activities.execution.timeouts import OrderTimeouts
from models.contracts.orders import OrderPlaced, OrderStatusRequest, SubmitOrder
from models.trading.orders import ConditionalClose, Leg, OrderSpec, OrderStatus, OrderType, Side
from tests.support.kraken_rows import an_order

READS = ["OpenOrders", "ClosedOrders", "QueryOrders", "TradesHistory"]
LOSSES = 10
MATCHES = {
    "before": [("lost_before", ["AddOrder", *READS], LOSSES)],
    "after": [("lost_after", ["AddOrder", *READS], LOSSES)],
    "mixed, accepted": [
        ("lost_after", ["AddOrder"], 1),
        ("lost_before", READS, 4),
        ("lost_after", READS, 5),
    ],
    "mixed, not accepted": [
        ("lost_before", ["AddOrder"], 1),
        ("lost_after", READS, 5),
        ("lost_before", READS, 4),
    ],
}


def clock() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def activities(directory, journal, reads_are_fresh) -> OrderActivities:
    # Kraken's deadline is what it must be; the settle window only has to outlast it.
    patience = OrderTimeouts(delivery=timedelta(seconds=0.3), poll=timedelta(milliseconds=50))
    return OrderActivities(directory, journal, clock, patience)


async def place(activities: OrderActivities, order: OrderSpec) -> OrderPlaced:
    """Place an order as the workflow's retries do: the same request until it has an answer."""
    request = SubmitOrder(order, clock())
    for _ in range(40):
        try:
            return await ActivityEnvironment().run(activities.place_order, request)
        except ApplicationError as failure:
            if failure.type not in ("UnknownOutcome", "ExchangeUnavailable", "RateLimited"):
                raise
    raise AssertionError("no answer after forty attempts")


async def lose(simulator, name: str) -> None:
    for kind, methods, times in MATCHES[name]:
        await simulator.fault(kind, {"method": methods, "account": "company"}, count=times)


async def lost(simulator) -> int:
    rules = (await simulator.control("faults"))[1]["rules"]
    return sum(int(rule["hits"]) for rule in rules)


async def at_the_exchange(simulator) -> list[dict[str, object]]:
    orders = (await simulator.record())["orders"]
    return [order for order in orders if order["parent_order_id"] is None]


@pytest.mark.parametrize("attached", [False, True], ids=["separate stop", "attached stop"])
@pytest.mark.parametrize("name", sorted(MATCHES))
async def test_an_entry_is_placed_at_most_once_and_both_sides_agree(
    simulator, activities, journal, name, attached
):
    close = ConditionalClose(OrderType.STOP_LOSS, Decimal(20000)) if attached else None
    entry = an_order(order_type=OrderType.MARKET, limit_price=None, close=close)
    await lose(simulator, name)
    placed = await place(activities, entry)
    assert await lost(simulator) == LOSSES
    orders = await at_the_exchange(simulator)
    (stored,) = await journal.orders("company", only_open=False)
    if "not" in name or name == "before":
        assert orders == []
        assert placed.refused is not None
        assert stored.status is OrderStatus.NOT_PLACED
    else:
        (order,) = orders
        assert placed.acknowledged is not None
        assert placed.acknowledged.order_id == order["order_id"] == stored.order_id
        assert placed.ended is not None
        assert placed.ended.filled_quantity == entry.quantity
        # Else it would pass for one that ended unfilled, and nobody would ask for its executions.
        assert journal.reports[str(order["order_id"])].filled_quantity == entry.quantity
    assert stored.sends == 1


@pytest.mark.parametrize("name", sorted(MATCHES))
async def test_a_stop_is_sent_again_until_it_stands_exactly_once(
    simulator, activities, journal, name
):
    await simulator.buy("0.01")
    stop = an_order(
        leg=Leg.STOP,
        side=Side.SELL,
        order_type=OrderType.STOP_LOSS,
        limit_price=None,
        trigger_price=Decimal(20000),
    )
    await lose(simulator, name)
    placed = await place(activities, stop)
    assert await lost(simulator) == LOSSES
    (standing,) = [one for one in await at_the_exchange(simulator) if one["side"] == "sell"]
    assert placed.acknowledged is not None
    assert placed.acknowledged.order_id == standing["order_id"]
    assert len(await journal.orders("company", only_open=False)) == 1


async def test_children_of_an_attached_stop_are_told_one_by_one_with_their_figures(
    simulator, activities, journal
):
    close = ConditionalClose(OrderType.STOP_LOSS, Decimal("20000.5"))
    entry = an_order(
        order_type=OrderType.MARKET, limit_price=None, close=close, quantity=Decimal(1)
    )
    await simulator.fault("lost_after", {"method": ["AddOrder"]}, count=1)
    placed = await place(activities, entry)
    assert placed.acknowledged is not None
    parent = placed.acknowledged.order_id
    asked = OrderStatusRequest("company", entry.trade, (parent,), children=True)
    answer = await ActivityEnvironment().run(activities.resolve_order_status, asked)
    truth = await simulator.record()
    fills = [one for one in truth["fills"] if one["order_id"] == parent]
    assert len(fills) > 1  # a purchase of this size walks the book
    assert [child.parent_order_id for child in answer.children] == [parent] * len(fills)
    assert sorted(child.quantity for child in answer.children) == sorted(
        Decimal(one["quantity"]) for one in fills
    )
    assert {child.trigger_price for child in answer.children} == {Decimal("20000.5")}
    assert {fact.fill.execution_id for fact in answer.fills} == {
        one["execution_id"] for one in fills
    }
    assert [(end.order_id, end.status) for end in answer.ended] == [(parent, OrderStatus.CLOSED)]
    # Complete in the record now: the exchange need not be asked, not even when it is away.
    await simulator.fault("lost_before", {"plane": "rest"}, count=None)
    recorded = await journal.recorded_orders("company", [parent])
    assert len(recorded) == 1 + len(fills)
    assert all(one.is_complete for one in recorded if one.report.parent_order_id is None)


async def test_asking_for_orders_that_are_complete_asks_nobody(simulator, activities, journal):
    entry = an_order(order_type=OrderType.MARKET, limit_price=None)
    placed = await place(activities, entry)
    assert placed.acknowledged is not None
    asked = OrderStatusRequest(
        "company", entry.trade, (placed.acknowledged.order_id,), children=False
    )
    first = await ActivityEnvironment().run(activities.resolve_order_status, asked)
    await simulator.fault("lost_before", {"plane": "rest"}, count=None)
    assert await ActivityEnvironment().run(activities.resolve_order_status, asked) == first
    unknown = OrderStatusRequest("company", 9, ("OAAAAA-AAAAA-AAAAAA",), children=False)
    with pytest.raises(ApplicationError) as failure:
        await ActivityEnvironment().run(activities.resolve_order_status, unknown)
    assert failure.value.type == "ExchangeUnavailable"
    await simulator.control("faults", method="DELETE")
    answer = await ActivityEnvironment().run(activities.resolve_order_status, unknown)
    assert (answer.children, answer.fills, answer.ended) == ((), (), ())


async def bought(activities: OrderActivities, quantity: Decimal) -> OrderStatusRequest:
    """Buy at the market, and return the question about it."""
    entry = an_order(order_type=OrderType.MARKET, limit_price=None, quantity=quantity)
    placed = await place(activities, entry)
    assert placed.acknowledged is not None
    return OrderStatusRequest(
        "company", entry.trade, (placed.acknowledged.order_id,), children=False
    )


async def test_executions_are_asked_for_by_their_ids_however_long_the_history(
    simulator, activities, journal
):
    asked = await bought(activities, Decimal(1))
    # The history of a busy account is many pages, each of which costs what protection may need.
    refusal = {"error": "EAPI:Rate limit exceeded"}
    await simulator.fault("error", {"method": "TradesHistory"}, count=None, params=refusal)
    answer = await ActivityEnvironment().run(activities.resolve_order_status, asked)
    truth = (await simulator.record())["fills"]
    assert len(truth) > 1
    assert {fact.fill.execution_id for fact in answer.fills} == {
        one["execution_id"] for one in truth
    }


async def test_executions_unknown_by_their_ids_are_found_in_the_history(
    simulator, activities, journal
):
    quantity = Decimal("0.02")
    asked = await bought(activities, quantity)
    refusal = {"error": "EOrder:Invalid order"}
    await simulator.fault("error", {"method": "QueryTrades"}, count=None, params=refusal)
    answer = await ActivityEnvironment().run(activities.resolve_order_status, asked)
    assert sum(fact.fill.quantity for fact in answer.fills) == quantity

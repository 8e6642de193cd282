"""A question for orders comes to its end although each attempt at it is cut short."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.execution.orders import OrderActivities
from models.contracts.orders import OrdersAnswered, OrderStatusRequest, SubmitOrder
from models.trading.orders import ConditionalClose, OrderType
from tests.support.kraken_rows import an_order

SLOW_SECONDS, ATTEMPT_SECONDS = 0.2, 0.3
READS = ("QueryOrders", "OpenOrders", "ClosedOrders", "QueryTrades")


def clock() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def activities(directory, journal) -> OrderActivities:
    return OrderActivities(directory, journal, clock)


@pytest.fixture
async def question(activities) -> OrderStatusRequest:
    """Buy with an attached stop: its child has to be looked for."""
    close = ConditionalClose(OrderType.STOP_LOSS, Decimal("20000.5"))
    entry = an_order(order_type=OrderType.MARKET, limit_price=None, close=close)
    placed = await ActivityEnvironment().run(
        activities.place_order, SubmitOrder(entry, datetime.now(UTC))
    )
    return OrderStatusRequest(
        "company", entry.trade, (placed.acknowledged.order_id,), children=True
    )


async def ask(activities: OrderActivities, question: OrderStatusRequest) -> OrdersAnswered:
    return await ActivityEnvironment().run(activities.resolve_order_status, question)


async def test_attempts_that_are_cut_short_ask_for_each_page_once(simulator, activities, question):
    for method in READS:
        slow = {"seconds": SLOW_SECONDS}
        await simulator.fault("delay", {"method": method}, count=None, params=slow)
    answered, attempts = None, 0
    while answered is None and attempts < 10:
        attempts += 1
        with suppress(TimeoutError):
            async with asyncio.timeout(ATTEMPT_SECONDS):
                answered = await ask(activities, question)
    assert answered is not None
    assert attempts > 1  # else nothing was cut short
    assert [child.trigger_price for child in answered.children] == [Decimal("20000.5")]
    assert answered.fills
    rules = (await simulator.control("faults"))[1]["rules"]
    assert [rule["hits"] for rule in rules] == [1] * len(READS)


async def test_a_question_that_failed_is_asked_anew(simulator, activities, question):
    await simulator.fault("lost_before", {"method": "QueryOrders"}, count=1)
    with pytest.raises(ApplicationError) as failure:
        await ask(activities, question)
    assert failure.value.type == "ExchangeUnavailable"
    assert (await ask(activities, question)).fills

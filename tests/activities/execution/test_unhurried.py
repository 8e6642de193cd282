"""In a lockstep market no trade depends on how busy the machine is."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.testing import ActivityEnvironment

from activities.execution.orders import OrderActivities
from activities.execution.timeouts import LOCKSTEP_TIMEOUTS, OrderTimeouts
from models.contracts.orders import SubmitOrder
from models.trading.orders import OrderType
from tests.support.fakes import FakeJournal
from tests.support.kraken_rows import an_order

STALL_SECONDS = 0.8
"""Longer than a deadline of 2.5 s leaves, for Kraken wants one at least 2 s ahead."""


class StalledJournal(FakeJournal):
    """Answers so late that the stamp of the sending is old by then."""

    async def store_intent(self, *arguments):
        stored = await super().store_intent(*arguments)
        await asyncio.sleep(STALL_SECONDS)
        return stored

    async def mark_sent(self, *arguments):
        count = await super().mark_sent(*arguments)
        await asyncio.sleep(STALL_SECONDS)
        return count


@pytest.mark.parametrize(
    ("patience", "is_bought"), [(OrderTimeouts(), False), (LOCKSTEP_TIMEOUTS, True)]
)
async def test_only_in_lockstep_an_entry_outlasts_a_machine_that_stood_still(
    directory, patience, is_bought
):
    activities = OrderActivities(directory, StalledJournal(), lambda: datetime.now(UTC), patience)
    order = an_order(order_type=OrderType.MARKET, limit_price=None)
    intended_at = datetime.now(UTC) - timedelta(seconds=is_bought * 20)
    request = SubmitOrder(order, intended_at)
    placed = await ActivityEnvironment().run(activities.place_order, request)
    assert (placed.acknowledged is not None) is is_bought, placed

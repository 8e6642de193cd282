"""Moving the limit of an entry that rests, when the exchange refuses or keeps silent."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.execution.entry_amends import EntryAmendActivities
from activities.ports.exchange_errors import (
    ExchangeError,
    ExchangeUnavailableError,
    OrderRejectedError,
    RateLimitedError,
    UnknownOutcomeError,
)
from models.contracts.orders import EntryAmendment, EntryToAmend
from models.trading.orders import OrderStatus
from models.trading.trade.entry_facts import AmendEntry
from tests.support.fakes import FakeDirectory, FakeExchange, FakeJournal
from tests.support.kraken_rows import an_order

LOW, HIGHER, ACROSS = Decimal(40000), Decimal(41000), Decimal(60000)


class Troubled(FakeExchange):
    """Fails the next amend: before it is executed, or after."""

    before: ExchangeError | None = None
    after: ExchangeError | None = None

    async def reprice(self, order_id: str, limit_price: Decimal, *, post_only: bool) -> None:
        if self.before is not None:
            error, self.before = self.before, None
            raise error
        await super().reprice(order_id, limit_price, post_only=post_only)
        if self.after is not None:
            error, self.after = self.after, None
            raise error


@pytest.fixture
def exchange() -> Troubled:
    return Troubled()


@pytest.fixture
def activities(exchange: Troubled) -> EntryAmendActivities:
    directory = FakeDirectory()
    directory.exchanges["company"] = exchange
    return EntryAmendActivities(directory, FakeJournal(), now)


def now() -> datetime:
    return datetime.now(UTC)


async def amend(
    activities: EntryAmendActivities, order_id: str, limit: Decimal, *, post_only: bool = True
) -> EntryAmendment:
    request = EntryToAmend("company", AmendEntry(order_id, limit, post_only))
    return await ActivityEnvironment().run(activities.amend_entry, request)


async def a_resting_entry(exchange: Troubled) -> str:
    return await exchange.submit(an_order(limit_price=LOW, post_only=True), None)


async def test_the_limit_moves_and_the_order_stays_the_same(exchange, activities):
    order_id = await a_resting_entry(exchange)
    answer = await amend(activities, order_id, HIGHER)
    assert answer.amended is not None
    assert answer.amended.limit_price == exchange.orders[order_id].limit_price == HIGHER
    assert list(exchange.orders) == [order_id]


async def test_a_lost_answer_is_asked_about_and_a_lost_request_tried_again(exchange, activities):
    order_id = await a_resting_entry(exchange)
    exchange.after = UnknownOutcomeError("reset")
    assert (await amend(activities, order_id, HIGHER)).amended is not None
    exchange.before = UnknownOutcomeError("reset")
    with pytest.raises(ApplicationError) as failed:
        await amend(activities, order_id, HIGHER + 1)
    assert failed.value.type == "UnknownOutcome"
    assert (await amend(activities, order_id, HIGHER + 1)).amended is not None


@pytest.mark.parametrize(
    "error",
    [
        OrderRejectedError("EOrder:Post only order", "EOrder:Post only order"),
        ExchangeUnavailableError("EService:Busy"),
        RateLimitedError("EOrder:Rate limit exceeded"),
    ],
)
async def test_a_refused_amend_leaves_the_entry_where_it_rests(exchange, activities, error):
    order_id = await a_resting_entry(exchange)
    exchange.before = error
    answer = await amend(activities, order_id, HIGHER)
    assert answer.refused is not None
    assert not answer.refused.order_is_gone
    assert exchange.orders[order_id].limit_price == LOW


async def test_an_entry_that_has_ended_meanwhile_is_named_as_gone(exchange, activities):
    order_id = await a_resting_entry(exchange)
    await amend(activities, order_id, ACROSS, post_only=False)
    assert exchange.orders[order_id].status is OrderStatus.CLOSED
    answer = await amend(activities, order_id, ACROSS)
    assert answer.refused is not None
    assert answer.refused.order_is_gone


async def test_a_stopped_account_moves_no_entry(exchange):
    directory = FakeDirectory()
    directory.exchanges["company"] = exchange
    halted = FakeJournal(halted={"company"})
    order_id = await a_resting_entry(exchange)
    for stopped, reason in (
        (EntryAmendActivities(directory, FakeJournal(), now, lambda _: True), "emergency stop"),
        (EntryAmendActivities(directory, halted, now), "kill switch engaged"),
    ):
        answer = await amend(stopped, order_id, ACROSS, post_only=False)
        assert answer.refused is not None
        assert answer.refused.reason == reason
    assert exchange.repriced == []

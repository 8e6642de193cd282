"""Which executions of settled trades the record finds to be nobody's: PostgreSQL and the fake."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from models.trading.orders import Leg, OrderStatus, OrderType, Side
from models.trading.trade.state import TradeOrder, TradePhase, TradeState
from tests.models.trading.trading_builders import a_plan
from tests.support.fakes import FakeJournal
from tests.support.record_builders import NOW, a_fill, an_exchange_id, an_order

SECOND = timedelta(seconds=1)


class Records:
    """The same story in both records."""

    def __init__(self, journal) -> None:
        self.journal, self.fake = journal, FakeJournal()
        self.saves = 0

    async def order(self, account="company", **changes):
        order, order_id = an_order(account=account, **changes), an_exchange_id()
        for one in (self.journal, self.fake):
            await one.store_intent(order, NOW, NOW)
            name = order.client_order_id
            await one.mark_order(account, name, OrderStatus.OPEN, order_id, NOW)
        return order, order_id

    async def fills(self, *fills, account="company"):
        for one in (self.journal, self.fake):
            await one.record_fills(account, list(fills))
        return list(fills)

    async def trade(self, entry, fills, phase=TradePhase.SETTLED):
        plan = replace(a_plan(), account=entry.account, number=entry.trade, entry=entry)
        known = TradeOrder(entry, OrderStatus.CLOSED, entry.quantity)
        state = TradeState(plan, phase, plan.stop_price, None, (known,), tuple(fills))
        self.saves += 1
        for one in (self.journal, self.fake):
            await one.save_trade(state, None, NOW + self.saves * SECOND)

    async def unowned(self, account="company") -> set[str]:
        """Return what both find of this story, which is the same."""
        found = {fill.execution_id for fill in await self.journal.unowned_fills(account)}
        of_this_story = found & self.fake.fills.keys()
        expected = await self.fake.unowned_fills(account)
        assert of_this_story == {fill.execution_id for fill in expected}
        return of_this_story


@pytest.fixture
def records(journal):
    return Records(journal)


async def bought_and_sold(records, phase=TradePhase.SETTLED, account="company"):
    """A trade that has bought 0.04 in two and sold it; return its entry and its fills."""
    entry, entry_id = await records.order(account)
    _, stop_id = await records.order(
        account,
        trade=entry.trade,
        leg=Leg.STOP,
        side=Side.SELL,
        order_type=OrderType.STOP_LOSS,
        limit_price=None,
        trigger_price=Decimal(45000),
    )
    fills = await records.fills(
        a_fill(entry_id, quantity=Decimal("0.01")),
        a_fill(entry_id, quantity=Decimal("0.03")),
        a_fill(stop_id, side=Side.SELL),
        account=account,
    )
    await records.trade(entry, fills, phase)
    return entry, entry_id, stop_id, fills


async def test_a_trade_that_settled_with_all_that_is_recorded_has_none(records):
    await bought_and_sold(records)
    assert await records.unowned() == set()


@pytest.mark.parametrize("side", list(Side))
async def test_more_bought_or_sold_than_it_settled_with_names_its_executions(records, side):
    entry, entry_id, stop_id, fills = await bought_and_sold(records)
    order_id = entry_id if side is Side.BUY else stop_id
    more = await records.fills(a_fill(order_id, side=side, quantity=Decimal("0.00000001")))
    assert await records.unowned() == {fill.execution_id for fill in (*fills, *more)}
    # Told to it once more, it settles with them.
    await records.trade(entry, [*fills, *more])
    assert await records.unowned() == set()


async def test_a_buy_and_a_sale_unheard_do_not_cancel_each_other_out(records):
    _, entry_id, stop_id, fills = await bought_and_sold(records)
    more = await records.fills(a_fill(entry_id), a_fill(stop_id, side=Side.SELL))
    assert await records.unowned() == {fill.execution_id for fill in (*fills, *more)}


@pytest.mark.parametrize("side", list(Side))
async def test_a_trade_that_settled_with_what_is_not_recorded_is_told_the_rest_again(records, side):
    entry, order_id = await records.order()
    kept, lost = (
        a_fill(order_id, side=side),
        a_fill(order_id, side=Side.SELL if side is Side.BUY else Side.BUY),
    )
    await records.fills(kept)
    await records.trade(entry, [kept, lost])
    assert await records.unowned() == {kept.execution_id}


async def test_a_trade_that_settled_without_an_execution_owns_none_of_a_late_one(records):
    entry, order_id = await records.order()
    await records.trade(entry, [])
    (late,) = await records.fills(a_fill(order_id))
    assert await records.unowned() == {late.execution_id}


@pytest.mark.parametrize("phase", [p for p in TradePhase if p is not TradePhase.SETTLED])
async def test_a_trade_that_runs_is_told_by_other_ways(records, phase):
    _, entry_id, _, _ = await bought_and_sold(records, phase)
    await records.fills(a_fill(entry_id))
    assert await records.unowned() == set()


async def test_each_account_sees_its_own_and_no_trade_of_the_same_number_elsewhere(records):
    entry, entry_id, _, fills = await bought_and_sold(records, account="director-1")
    theirs, their_id = await records.order("company", trade=entry.trade)
    await records.trade(theirs, await records.fills(a_fill(their_id)))
    more = await records.fills(a_fill(entry_id), account="director-1")
    expected = {fill.execution_id for fill in (*fills, *more)}
    assert await records.unowned("director-1") == expected
    assert await records.unowned("company") == set()

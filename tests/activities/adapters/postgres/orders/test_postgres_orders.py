"""Intents, reports and executions: nothing lost, nothing twice, nothing backwards."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import select

from activities.adapters.postgres.journal import PostgresJournal
from activities.ports.journal import IntentDiffersError, UnknownOrderError
from infra.runtime.database.connections import Database, Role
from models.tables import OrderRow
from models.trading.orders import ConditionalClose, Leg, OrderStatus, OrderType
from tests.support.lifting import lift_in_record
from tests.support.record_builders import NOW, a_fill, a_report, an_exchange_id, an_order

FINAL_ON_EXCHANGE = (OrderStatus.CLOSED, OrderStatus.CANCELED, OrderStatus.EXPIRED)


async def stored(journal, order):
    orders = await journal.orders(order.account, only_open=False)
    (found,) = [o for o in orders if o.spec.client_order_id == order.client_order_id]
    return found


async def test_intent_stored_twice_is_new_once_and_reads_back_exactly(journal):
    close = ConditionalClose(OrderType.STOP_LOSS, Decimal("48000.10"))
    order = an_order(close=close)
    first = await journal.store_intent(order, NOW)
    again = await journal.store_intent(order, NOW + timedelta(seconds=1))
    assert (first.is_new, first.halted, first.order.sends) == (True, False, 0)
    assert not again.is_new
    assert again.order == first.order == await stored(journal, order)
    assert again.order.spec == order


async def test_intent_with_the_same_id_and_another_content_is_refused(journal):
    order = an_order()
    await journal.store_intent(order, NOW)
    with pytest.raises(IntentDiffersError):
        await journal.store_intent(replace(order, quantity=Decimal("0.2")), NOW)


async def test_intent_raced_by_many_is_new_for_one(journal):
    order = an_order()
    answers = await asyncio.gather(*(journal.store_intent(order, NOW, NOW) for _ in range(8)))
    assert sum(answer.is_new for answer in answers) == 1
    assert (await stored(journal, order)).sends == 1


async def test_sends_are_counted(journal):
    order = an_order()
    await journal.store_intent(order, NOW)
    counts = await asyncio.gather(
        *(journal.mark_sent("company", order.client_order_id, NOW) for _ in range(3))
    )
    assert sorted(counts) == [1, 2, 3]


async def test_order_never_intended_is_refused(journal):
    with pytest.raises(UnknownOrderError):
        await journal.mark_sent("company", "unknown", NOW)
    with pytest.raises(UnknownOrderError):
        await journal.mark_order("company", "unknown", OrderStatus.OPEN, "O1", NOW)


async def test_order_of_another_account_cannot_be_marked(journal):
    order = an_order()
    await journal.store_intent(order, NOW)
    with pytest.raises(UnknownOrderError):
        await journal.mark_sent("director-1", order.client_order_id, NOW)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(list(OrderStatus)), min_size=1, max_size=6))
async def test_order_final_on_the_exchange_stays_so_whatever_is_marked(journal, statuses):
    order = an_order()
    await journal.store_intent(order, NOW)
    final = None
    for status in statuses:
        await journal.mark_order("company", order.client_order_id, status, None, NOW)
        now = (await stored(journal, order)).status
        if final is not None:
            assert now in FINAL_ON_EXCHANGE
        final = now if now in FINAL_ON_EXCHANGE else None


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(5)))
async def test_reports_in_any_order_end_in_the_newest_figures(journal, arrival):
    order, order_id = an_order(), an_exchange_id()
    await journal.store_intent(order, NOW)
    reports = [
        a_report(order, order_id, filled_quantity=Decimal(k) / 40, cost=Decimal(1250) * k)
        for k in range(4)
    ]
    reports.append(replace(reports[3], status=OrderStatus.CLOSED, closed_at=NOW))
    for index in arrival:
        await journal.record_reports("company", [reports[index]])
    found = await stored(journal, order)
    assert (found.status, found.order_id) == (OrderStatus.CLOSED, order_id)
    assert order not in [o.spec for o in await journal.orders("company", only_open=True)]


async def test_order_taken_for_absent_is_corrected_by_the_exchanges_word(journal):
    order, order_id = an_order(), an_exchange_id()
    await journal.store_intent(order, NOW)
    await journal.mark_order("company", order.client_order_id, OrderStatus.NOT_PLACED, None, NOW)
    await journal.record_reports("company", [a_report(order, order_id)])
    assert (await stored(journal, order)).status is OrderStatus.OPEN


async def test_second_order_for_one_intent_does_not_hide_behind_the_first(journal):
    order, order_id = an_order(), an_exchange_id()
    await journal.store_intent(order, NOW)
    await journal.mark_order("company", order.client_order_id, OrderStatus.OPEN, order_id, NOW)
    await journal.record_reports("company", [a_report(order, an_exchange_id())])
    assert (await stored(journal, order)).order_id == order_id


async def test_entry_with_conditional_close_is_found_by_its_userref(journal):
    order, order_id = an_order(), an_exchange_id()
    await journal.store_intent(order, NOW)
    owner = await journal.owner_of_order("company", order_id, None, None, order.userref)
    assert owner == (order.trade, order.client_order_id)
    await journal.record_reports("company", [a_report(order, order_id, client_order_id=None)])
    assert (await stored(journal, order)).order_id == order_id
    owner = await journal.owner_of_order("company", order_id, None, None)
    assert owner == (order.trade, order.client_order_id)


async def test_child_of_a_conditional_close_belongs_to_its_parents_trade(journal):
    order, parent_id, child_id = an_order(), an_exchange_id(), an_exchange_id()
    await journal.store_intent(order, NOW)
    await journal.mark_order("company", order.client_order_id, OrderStatus.OPEN, parent_id, NOW)
    assert await journal.owner_of_order("company", child_id, None, parent_id) == (
        order.trade,
        None,
    )
    child = a_report(
        order,
        child_id,
        client_order_id=None,
        parent_order_id=parent_id,
        order_type=OrderType.STOP_LOSS,
        trigger_price=Decimal(48000),
    )
    await journal.record_reports("company", [child, child])
    owner = await journal.owner_of_order("company", child_id, None, None)
    assert owner == (order.trade, None)
    orders = await journal.orders("company", only_open=True)
    (row,) = [o for o in orders if o.order_id == child_id]
    assert (row.spec.leg, row.spec.trade, row.status) == (Leg.STOP, order.trade, OrderStatus.OPEN)
    assert row.spec.trigger_price == Decimal(48000)


async def test_order_of_nobody_has_no_owner_and_is_left_out(journal):
    before = await journal.orders("director-1", only_open=False)
    await journal.record_reports("director-1", [a_report(an_order(), an_exchange_id())])
    assert await journal.orders("director-1", only_open=False) == before
    assert await journal.owner_of_order("director-1", "OUNKNOWN", None, None) is None


async def test_fill_is_recorded_once_and_told_once(journal):
    order, order_id = an_order(account="director-1"), an_exchange_id()
    await journal.store_intent(order, NOW)
    await journal.mark_order("director-1", order.client_order_id, OrderStatus.OPEN, order_id, NOW)
    fills = [a_fill(order_id), a_fill(order_id, exchange_time=NOW + timedelta(seconds=1))]
    ids = [fill.execution_id for fill in fills]
    new = await asyncio.gather(*(journal.record_fills("director-1", fills) for _ in range(4)))
    assert sorted(x for part in new for x in part) == sorted(ids)
    assert await journal.undelivered_fills("director-1") == fills
    await journal.mark_delivered("director-1", ids[:1])
    assert await journal.undelivered_fills("director-1") == fills[1:]
    await journal.mark_delivered("director-1", ids)
    assert await journal.undelivered_fills("director-1") == []
    assert await journal.known_executions("director-1") == set(ids)
    assert await journal.undelivered_fills("company") == []


async def test_order_that_shows_more_executed_than_is_recorded_is_named(journal, database):
    order, order_id = an_order(account="director-1"), an_exchange_id()
    await journal.store_intent(order, NOW)
    await journal.mark_order("director-1", order.client_order_id, OrderStatus.OPEN, order_id, NOW)
    half = a_fill(order_id).quantity
    figures = {"filled_quantity": 2 * half, "status": OrderStatus.CLOSED, "closed_at": NOW}
    await journal.record_reports("director-1", [a_report(order, order_id, **figures)])
    async with database.account_scope("director-1") as session:
        query = select(OrderRow).where(OrderRow.order_id == order_id)
        row = (await session.exec(query)).one()
        row.ended_at = datetime.now(UTC) - timedelta(hours=2)  # and nobody ran since
        session.add(row)
    for _ in range(2):
        assert order_id in await journal.orders_lacking_executions("director-1")
        assert order_id not in await journal.orders_lacking_executions("company")
        await journal.record_fills("director-1", [a_fill(order_id)])
    assert order_id not in await journal.orders_lacking_executions("director-1")


async def test_fill_before_its_order_is_known_joins_the_trade_later(journal, database):
    order, order_id = an_order(), an_exchange_id()
    await journal.store_intent(order, NOW)
    fill = a_fill(order_id)
    await journal.record_fills("company", [fill])
    await journal.mark_order("company", order.client_order_id, OrderStatus.OPEN, order_id, NOW)
    async with database.account_scope("company") as session:
        from models.tables import FillRow

        row = await session.get_one(FillRow, ("company", fill.execution_id))
    assert row.trade == order.trade


@pytest.fixture
async def asked(postgres, database_name):
    """A journal that may ask for a lift without a token: the owner's."""
    owner = Database(postgres.url(Role.OWNER, database_name))
    yield PostgresJournal(owner)
    await owner.close()


async def test_kill_switch_halts_entries_but_not_protection(journal, postgres, database_name):
    number = await journal.next_kill_switch_number()
    engage = {"flatten": False, "reason": "test", "by": "somebody", "at": NOW}
    await journal.engage_kill_switch(number, ["company"], **engage)
    await journal.engage_kill_switch(number, ["company"], **engage)
    entry, stop = an_order(), an_order(leg=Leg.STOP)
    halted = await journal.store_intent(entry, NOW, NOW)
    assert (halted.halted, halted.order.sends) == (True, 0)
    assert not (await journal.store_intent(stop, NOW, NOW)).halted
    assert not (await journal.store_intent(an_order(account="director-1"), NOW)).halted
    assert await journal.entries_halted("company", "BTC/USD")
    assert not await journal.entries_halted("director-1", "BTC/USD")
    await journal.acknowledge_kill_switch(number, "company", NOW)
    await journal.acknowledge_kill_switch(number, "director-1", NOW)
    (row,) = await journal.kill_switches(only_engaged=True)
    assert row.acknowledged == {"company": NOW.isoformat()}
    assert not await journal.lift_kill_switch(number, "user/two", NOW)
    assert await journal.entries_halted("company", "BTC/USD")
    assert lift_in_record(postgres.url("postgres", database_name), number) == "user/two"
    assert await journal.lift_kill_switch(number, "user/three", NOW), "it is lifted already"
    assert not await journal.entries_halted("company", "BTC/USD")
    assert not (await journal.store_intent(an_order(), NOW)).halted
    await journal.engage_kill_switch(number, ["company"], **engage)
    assert await journal.kill_switches(only_engaged=True) == []


async def test_intent_raced_by_the_kill_switch_is_found_or_sees_it(
    journal, postgres, database_name
):
    """When engaging returns, an intent that may be sent is already among the orders."""
    for _ in range(10):
        number = await journal.next_kill_switch_number()
        orders = [an_order() for _ in range(4)]

        async def engage(number: int = number) -> set[str]:
            await journal.engage_kill_switch(
                number, ["company"], flatten=False, reason="race", by="somebody", at=NOW
            )
            return {o.spec.client_order_id for o in await journal.orders("company", only_open=True)}

        stores = [journal.store_intent(order, NOW, NOW) for order in orders]
        *answers, found = await asyncio.gather(*stores[:2], *stores[2:], engage())
        sendable = {a.order.spec.client_order_id for a in answers if not a.halted}
        assert sendable <= found
        lift_in_record(postgres.url("postgres", database_name), number)


async def test_who_holds_or_may_buy_of_a_pair_is_named_by_trade(journal):
    account, symbol = "director-1", "LTC/USD"
    bought, resting, refused = (
        an_order(account=account, symbol=symbol, trade=number) for number in (1, 2, 3)
    )
    for order in (bought, resting, refused):
        await journal.store_intent(order, NOW, NOW)
    order_id = an_exchange_id()
    closed, name = OrderStatus.CLOSED, bought.client_order_id
    await journal.mark_order(account, name, closed, order_id, NOW)
    rejected, name = OrderStatus.REJECTED, refused.client_order_id
    await journal.mark_order(account, name, rejected, None, NOW)
    fill = replace(a_fill(order_id), symbol=symbol)
    await journal.record_fills(account, [fill])
    assert await journal.holdings_of_trades(account, symbol) == {1: fill.quantity, 2: Decimal(0)}
    # An execution that nobody knows of yet counts as another's.
    stray = replace(a_fill(an_exchange_id()), symbol=symbol)
    await journal.record_fills(account, [stray])
    assert (await journal.holdings_of_trades(account, symbol))[0] == stray.quantity
    assert await journal.holdings_of_trades("company", symbol) == {}


async def test_what_was_sent_and_ended_unfilled_is_asked_about_for_a_while(journal):
    account, now = "director-1", datetime.now(UTC)
    names: dict[OrderStatus, str] = {}
    for status in (OrderStatus.NOT_PLACED, OrderStatus.CANCELED, OrderStatus.REJECTED):
        order = an_order(account=account)
        names[status] = order.client_order_id
        await journal.store_intent(order, now, now)
        order_id = an_exchange_id() if status is OrderStatus.CANCELED else None
        await journal.mark_order(account, order.client_order_id, status, order_id, now)
    unsent = an_order(account=account)
    await journal.store_intent(unsent, now)
    await journal.mark_order(account, unsent.client_order_id, OrderStatus.NOT_PLACED, None, now)

    async def asked_about(seconds: float) -> set[str]:
        since = now - timedelta(seconds=seconds)
        ended = await journal.orders_ended_unfilled(account, since)
        return {one.spec.client_order_id for one in ended}

    wanted = {names[OrderStatus.NOT_PLACED], names[OrderStatus.CANCELED]}
    assert await asked_about(60) & {*names.values(), unsent.client_order_id} == wanted
    assert await asked_about(-60) == set()

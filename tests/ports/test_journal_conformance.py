"""What every ``Journal`` must do: the record in PostgreSQL, and the fake of the tests of steps."""

import inspect
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count

import pytest
import pytest_asyncio

from activities.adapters.postgres.installation import create_account, installation_id
from activities.adapters.postgres.journal import PostgresJournal
from activities.ports.journal import IntentDiffersError, Journal, UnknownOrderError
from infra.runtime.database.connections import Database, Role
from models.trading.account.capital.facts import FlowNoted
from models.trading.account.state import AccountState
from models.trading.capital.flows import CapitalFlow, FlowSource
from models.trading.orders import ConditionalClose, Leg, OrderStatus, OrderType
from tests.support.fakes import FakeJournal
from tests.support.lifting import approve_in_record
from tests.support.postgres import PostgresServer
from tests.support.record_builders import NOW, a_fill, a_report, an_exchange_id, an_order

SYMBOL, ASKS, APPROVES = "BTC/USD", "user/one", "user/two"
MINUTE = timedelta(minutes=1)
pairs = (f"P{number}/USD" for number in count())  # one of each test's own: they share the record


@dataclass
class Held:
    """A journal, and how two people say that a kill switch of it may be lifted."""

    journal: Journal
    approve_lift: Callable[[int], None]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def recorded(postgres: PostgresServer, database_name: str) -> AsyncIterator[Held]:
    database = Database(postgres.url(Role.APP, database_name))
    installation = await installation_id(database)
    for account in ("company", "director-1"):
        state = AccountState(account=account, installation=installation, strategies=("trend",))
        await create_account(database, state, "director", datetime.now(UTC))

    def approve_lift(number: int) -> None:
        approve_in_record(postgres.url("postgres", database_name), number, ASKS, APPROVES)

    yield Held(PostgresJournal(database), approve_lift)
    await database.close()


@pytest.fixture(params=["fake", "postgres"])
def held(request: pytest.FixtureRequest) -> Held:
    if request.param == "postgres":
        return request.getfixturevalue("recorded")

    fake = FakeJournal()
    return Held(fake, fake.approved.add)


@pytest.fixture
def journal(held: Held) -> Journal:
    return held.journal


async def stored(journal, order):
    found = await journal.orders(order.account, only_open=False)
    (one,) = [o for o in found if o.spec.client_order_id == order.client_order_id]
    return one


async def resting(journal, **changes):
    """Store an order that rests at the exchange; return it and its exchange id."""
    order, order_id = an_order(**changes), an_exchange_id()
    await journal.store_intent(order, NOW, NOW)
    name = order.client_order_id
    await journal.mark_order(order.account, name, OrderStatus.OPEN, order_id, NOW)
    return order, order_id


@pytest.mark.parametrize("made", [FakeJournal, PostgresJournal])
def test_it_has_every_method_of_the_port_with_the_same_arguments(made):
    differing = []
    for name, wanted in inspect.getmembers(Journal, inspect.isfunction):
        if name.startswith("_"):
            continue
        found = getattr(made, name, None)
        if found is None or [*inspect.signature(found).parameters] != [
            *inspect.signature(wanted).parameters
        ]:
            differing.append(name)
    assert differing == []


async def test_an_intent_is_new_once_and_reads_back_as_it_was(journal):
    order = an_order(close=ConditionalClose(OrderType.STOP_LOSS, Decimal("48000.10")))
    first = await journal.store_intent(order, NOW)
    again = await journal.store_intent(order, NOW + MINUTE, NOW + MINUTE)
    assert (first.is_new, again.is_new, again.order.sends) == (True, False, 0)
    assert first.order == again.order == await stored(journal, order)
    assert again.order.spec == order


async def test_an_id_is_never_used_for_another_intent(journal):
    order = an_order()
    await journal.store_intent(order, NOW)
    with pytest.raises(IntentDiffersError):
        await journal.store_intent(replace(order, quantity=Decimal("0.2")), NOW)


async def test_an_intent_that_is_sent_at_once_counts_as_sent(journal):
    order = an_order()
    found = (await journal.store_intent(order, NOW, NOW + MINUTE)).order
    assert (found.sends, found.sent_at) == (1, NOW + MINUTE)
    assert await journal.mark_sent("company", order.client_order_id, NOW + 2 * MINUTE) == 2
    assert (await stored(journal, order)).sent_at == NOW + 2 * MINUTE


@pytest.mark.parametrize("account", ["company", "director-1"])
async def test_what_the_account_never_intended_cannot_be_marked(journal, account):
    name = "unknown"
    if account == "director-1":
        order = an_order()
        await journal.store_intent(order, NOW)
        name = order.client_order_id
    with pytest.raises(UnknownOrderError):
        await journal.mark_sent(account, name, NOW)
    with pytest.raises(UnknownOrderError):
        await journal.mark_order(account, name, OrderStatus.OPEN, "O1", NOW)


@pytest.mark.parametrize("before", list(OrderStatus))
@pytest.mark.parametrize("after", list(OrderStatus))
async def test_what_is_known_of_an_order_never_goes_back(journal, before, after):
    order = an_order()
    await journal.store_intent(order, NOW)
    for status in (before, after):
        await journal.mark_order("company", order.client_order_id, status, None, NOW)
    ranks = {"intended": 0, "unknown": 1, "pending": 2, "open": 3, "rejected": 4, "not_placed": 4}
    kept = after if ranks.get(after.value, 5) >= ranks.get(before.value, 5) else before
    assert (await stored(journal, order)).status is kept


async def test_what_was_taken_for_absent_is_corrected_by_the_exchange(journal):
    order, order_id = an_order(), an_exchange_id()
    await journal.store_intent(order, NOW)
    name = order.client_order_id
    await journal.mark_order("company", name, OrderStatus.NOT_PLACED, None, NOW)
    await journal.record_reports("company", [a_report(order, order_id)])
    found = await stored(journal, order)
    assert (found.status, found.order_id) == (OrderStatus.OPEN, order_id)


async def test_a_late_report_changes_nothing(journal):
    order, order_id = await resting(journal)
    half = a_report(order, order_id, filled_quantity=Decimal("0.05"))
    ended = replace(half, status=OrderStatus.CANCELED, closed_at=NOW)
    for report in (ended, half, a_report(order, order_id)):
        await journal.record_reports("company", [report])
    assert (await stored(journal, order)).status is OrderStatus.CANCELED
    ((recorded),) = await journal.recorded_orders("company", [order_id])
    assert recorded.report.filled_quantity == Decimal("0.05")


async def test_a_second_order_for_one_intent_does_not_take_its_place(journal):
    order, order_id = await resting(journal)
    other = an_exchange_id()
    await journal.record_reports("company", [a_report(order, other)])
    assert (await stored(journal, order)).order_id == order_id
    assert await journal.recorded_orders("company", [other]) == []


async def test_an_entry_with_a_close_is_found_by_its_userref(journal):
    order, order_id = an_order(), an_exchange_id()
    await journal.store_intent(order, NOW)
    owner = (order.trade, order.client_order_id)
    assert await journal.owner_of_order("company", order_id, None, None, order.userref) == owner
    await journal.record_reports("company", [a_report(order, order_id, client_order_id=None)])
    assert (await stored(journal, order)).order_id == order_id
    assert await journal.owner_of_order("company", order_id, None, None) == owner
    # Once it has its exchange id, another order with this userref is not it.
    assert await journal.owner_of_order("company", "O", None, None, order.userref) is None


async def test_the_child_of_a_close_belongs_to_its_parents_trade(journal):
    order, parent = await resting(journal)
    child_id = an_exchange_id()
    assert await journal.owner_of_order("company", child_id, None, parent) == (order.trade, None)
    trigger = Decimal(48000)
    child = a_report(
        order,
        child_id,
        client_order_id=None,
        parent_order_id=parent,
        order_type=OrderType.STOP_LOSS,
        trigger_price=trigger,
    )
    await journal.record_reports("company", [child, child])
    assert await journal.owner_of_order("company", child_id, None, None) == (order.trade, None)
    open_ones = await journal.orders("company", only_open=True)
    (row,) = [one for one in open_ones if one.order_id == child_id]
    assert (row.spec.leg, row.spec.trade, row.spec.trigger_price, row.status) == (
        Leg.STOP,
        order.trade,
        trigger,
        OrderStatus.OPEN,
    )
    recorded = await journal.recorded_orders("company", [parent])
    assert [one.report.order_id for one in recorded if one.report.parent_order_id] == [child_id]


async def test_orders_of_nobody_are_left_out(journal):
    stranger = an_exchange_id()
    await journal.record_reports("company", [a_report(an_order(), stranger)])
    assert await journal.recorded_orders("company", [stranger]) == []
    assert await journal.owner_of_order("company", stranger, None, None) is None
    assert stranger not in await journal.orders_lacking_executions("company")


async def test_an_account_sees_its_own_orders_only(journal):
    order, order_id = await resting(journal)
    assert await journal.owner_of_order("director-1", order_id, None, None) is None
    assert await journal.owner_of_order("director-1", "O", order.client_order_id, None) is None
    assert await journal.recorded_orders("director-1", [order_id]) == []


async def test_an_execution_is_recorded_once_and_told_once_oldest_first(journal):
    _, order_id = await resting(journal, account="director-1")
    later = a_fill(order_id, exchange_time=NOW + MINUTE)
    older = a_fill(order_id)
    ids = [older.execution_id, later.execution_id]

    async def undelivered():
        return [f for f in await journal.undelivered_fills("director-1") if f.order_id == order_id]

    assert sorted(await journal.record_fills("director-1", [later, older])) == sorted(ids)
    assert await journal.record_fills("director-1", [older]) == []
    assert await undelivered() == [older, later]
    await journal.mark_delivered("company", ids)
    assert await undelivered() == [older, later]
    await journal.mark_delivered("director-1", ids[:1])
    assert await undelivered() == [later]
    assert set(ids) <= await journal.known_executions("director-1")
    assert not set(ids) & await journal.known_executions("company")


async def test_orders_that_show_more_than_is_recorded_are_named_to_their_account(journal):
    order, order_id = await resting(journal)
    half = a_fill(order_id).quantity
    figures = {"filled_quantity": 2 * half, "status": OrderStatus.CLOSED, "closed_at": NOW}
    await journal.record_reports("company", [a_report(order, order_id, **figures)])
    for _ in range(2):
        assert order_id in await journal.orders_lacking_executions("company")
        assert order_id not in await journal.orders_lacking_executions("director-1")
        await journal.record_fills("company", [a_fill(order_id)])
    assert order_id not in await journal.orders_lacking_executions("company")


async def test_an_order_that_is_executed_in_full_is_named_until_it_has_ended(journal):
    order, order_id = await resting(journal)
    await journal.record_reports("company", [a_report(order, order_id)])
    await journal.record_fills("company", [a_fill(order_id, quantity=order.quantity)])
    assert order_id in await journal.orders_lacking_executions("company")
    ended = {"filled_quantity": order.quantity, "status": OrderStatus.CLOSED}
    await journal.record_reports("company", [a_report(order, order_id, **ended)])
    assert order_id not in await journal.orders_lacking_executions("company")


async def test_who_holds_or_may_buy_of_a_pair_is_named_by_trade(journal):
    symbol = next(pairs)
    bought, order_id = await resting(journal, symbol=symbol)
    waiting, _ = await resting(journal, symbol=symbol)
    refused = an_order(symbol=symbol)
    await journal.store_intent(refused, NOW)
    name = refused.client_order_id
    await journal.mark_order("company", name, OrderStatus.REJECTED, None, NOW)
    name = bought.client_order_id
    await journal.mark_order("company", name, OrderStatus.CLOSED, None, NOW)
    fill = a_fill(order_id, symbol=symbol)
    stray = a_fill(an_exchange_id(), symbol=symbol)
    await journal.record_fills("company", [fill, stray])
    assert await journal.holdings_of_trades("company", symbol) == {
        bought.trade: fill.quantity,
        waiting.trade: Decimal(0),
        0: stray.quantity,
    }
    assert await journal.holdings_of_trades("director-1", symbol) == {}


async def test_executions_recorded_before_their_order_join_its_trade(journal):
    symbol = next(pairs)
    order, order_id = an_order(symbol=symbol), an_exchange_id()
    await journal.store_intent(order, NOW)
    fill = a_fill(order_id, symbol=symbol)
    await journal.record_fills("company", [fill])
    assert await journal.holdings_of_trades("company", symbol) == {
        0: fill.quantity,
        order.trade: Decimal(0),
    }
    name = order.client_order_id
    await journal.mark_order("company", name, OrderStatus.OPEN, order_id, NOW)
    assert await journal.holdings_of_trades("company", symbol) == {order.trade: fill.quantity}


async def test_what_was_sent_and_ended_unfilled_is_named_newest_first(journal):
    since, names = datetime.now(UTC) + timedelta(days=1), {}
    ends = (OrderStatus.NOT_PLACED, OrderStatus.CANCELED, OrderStatus.REJECTED)
    for number, status in enumerate(ends):
        order = an_order()
        names[status] = order.client_order_id
        await journal.store_intent(order, NOW, NOW)
        at = since + number * MINUTE
        await journal.mark_order("company", order.client_order_id, status, None, at)
    unsent = an_order()
    await journal.store_intent(unsent, NOW)
    name = unsent.client_order_id
    await journal.mark_order("company", name, OrderStatus.NOT_PLACED, None, since)

    found = await journal.orders_ended_unfilled("company", since)

    wanted = [names[OrderStatus.CANCELED], names[OrderStatus.NOT_PLACED]]
    assert [one.spec.client_order_id for one in found] == wanted
    assert await journal.orders_ended_unfilled("company", since + timedelta(days=1)) == []


async def test_the_newest_execution_before_a_time_is_by_when_it_was_recorded(journal):
    fill = a_fill(an_exchange_id(), exchange_time=NOW + timedelta(days=3000))
    await journal.record_fills("director-1", [fill])
    later = datetime.now(UTC) + MINUTE
    assert await journal.newest_execution_before("director-1", later) == fill.exchange_time
    assert await journal.newest_execution_before("director-1", NOW) is None


async def test_a_kill_switch_holds_entries_of_its_accounts_and_never_protection(held):
    journal = held.journal
    first = await journal.next_kill_switch_number()
    second = await journal.next_kill_switch_number()
    assert second > first
    engage = {"flatten": False, "reason": "tried", "by": "somebody", "at": NOW}
    for _ in range(2):
        await journal.engage_kill_switch(first, ["company"], **engage)
    await journal.engage_kill_switch(second, ["company", "director-1"], **engage)

    halted = await journal.store_intent(an_order(), NOW, NOW)
    assert (halted.halted, halted.order.sends) == (True, 0)
    for leg in (Leg.STOP, Leg.EXIT):
        assert not (await journal.store_intent(an_order(leg=leg), NOW, NOW)).halted

    assert not await journal.lift_kill_switch(second, APPROVES, NOW), "nobody asked for it"
    assert not await journal.is_lifted(second)
    held.approve_lift(second)
    for _ in range(2):
        assert await journal.lift_kill_switch(second, APPROVES, NOW)
    assert await journal.is_lifted(second)
    assert await journal.entries_halted("company", SYMBOL), "the first one still holds it"
    assert not await journal.entries_halted("director-1", SYMBOL)
    held.approve_lift(first)
    assert await journal.lift_kill_switch(first, APPROVES, NOW)
    assert not await journal.entries_halted("company", SYMBOL)
    await journal.engage_kill_switch(first, ["company"], **engage)
    assert not await journal.entries_halted("company", SYMBOL), "a lifted one is not raised again"


async def test_a_kill_switch_of_a_pair_holds_no_other_pair(held):
    journal = held.journal
    number = await journal.next_kill_switch_number()
    engage = {"flatten": False, "reason": "tried", "by": "somebody", "at": NOW}
    await journal.engage_kill_switch(number, ["company"], symbols=[SYMBOL], **engage)
    assert (await journal.store_intent(an_order(symbol=SYMBOL), NOW, NOW)).halted
    assert not (await journal.store_intent(an_order(symbol="ETH/USD"), NOW, NOW)).halted
    assert not (await journal.store_intent(an_order(symbol=SYMBOL, leg=Leg.EXIT), NOW)).halted
    assert await journal.entries_halted("company", SYMBOL)
    assert not await journal.entries_halted("company", "ETH/USD")
    held.approve_lift(number)
    assert await journal.lift_kill_switch(number, APPROVES, NOW)
    assert not await journal.entries_halted("company", SYMBOL)


async def test_the_checkpoint_and_the_ledgers_mark_never_go_back(journal):
    later = NOW + timedelta(days=1)
    for advance, read in (
        (journal.advance_checkpoint, journal.checkpoint),
        (journal.advance_ledger, journal.ledger_read_until),
    ):
        for at in (later, NOW):
            await advance("company", at)
        assert await read("company") == later
        assert await read("director-1") is None


async def test_a_flow_counts_once_and_who_moved_it_by_hand_is_its_author(journal):
    name = an_exchange_id()
    told = CapitalFlow(name, "USD", Decimal(5), Decimal(5), NOW, FlowSource.LEDGER, "exchange")
    moved = replace(told, source=FlowSource.BY_HAND, author="somebody")
    for flow in (told, moved, told):
        await journal.save_flows("company", [FlowNoted(flow)])
    assert name in await journal.known_flows("company")
    assert name not in await journal.known_flows("director-1")

"""What a comparison concludes while the exchange's reads lag behind what it has acknowledged."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from temporalio.testing import ActivityEnvironment

from activities.accounts import reconciliation
from activities.accounts.reconciliation import (
    UNOWNED_ORDERS,
    UNOWNED_POSITIONS,
    ReconciliationActivities,
)
from models.contracts.workflows import AccountToReconcile
from models.trading.account.decisions import decide
from models.trading.account.facts import ExchangeReady
from models.trading.account.state import AccountState, HaltKind
from models.trading.orders import OrderReport, OrderSpec, OrderStatus, Side
from models.trading.trade.state import TradeOrder, TradePhase, TradeState
from tests.models.trading.trading_builders import a_plan, an_account
from tests.support.fakes import FakeDirectory, FakeExchange, FakeJournal
from tests.support.market_fakes import FakeMessenger
from tests.support.record_builders import NOW, a_fill, an_exchange_id, an_order

SECOND = timedelta(seconds=1)
MISSING = "orders_missing_at_exchange"


class Lagging(FakeExchange):
    """An exchange whose reads show orders and executions as they were some time ago.

    ``lag_of_looks`` holds what the next looks lag by; the last of them stays. ``hidden`` orders are
    shown by no read, ``unlisted`` ones to who asks for them by name.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.clock = lambda: self.now
        self.lag_of_looks = [timedelta()]
        self.hidden: set[str] = set()
        self.unlisted: set[str] = set()
        self._history: list[tuple[datetime, dict[str, OrderReport]]] = [
            (NOW - timedelta(days=1), {})
        ]

    def keep(self) -> None:
        """Have later reads able to show what stands now."""
        self._history.append((self.now, dict(self.orders)))

    def _shown(self) -> dict[str, OrderReport]:
        until = self.now - self.lag_of_looks[0]
        shown = [orders for at, orders in self._history if at <= until][-1]
        return {name: order for name, order in shown.items() if name not in self.hidden}

    async def open_orders(self) -> list[OrderReport]:
        shown = [order for order in self._shown().values() if not order.status.is_final]
        return [order for order in shown if order.order_id not in self.unlisted]

    async def query(self, order_ids):
        shown = self._shown()
        return {name: shown[name] for name in order_ids if name in shown}

    async def fills(self, since):
        # The last question of a look that shows orders: what follows may come from elsewhere.
        if len(self.lag_of_looks) > 1:
            self.lag_of_looks.pop(0)
        return await super().fills(since)


class NoTradeRuns(FakeMessenger):
    """Reaches the account alone."""

    async def signal_trade(self, account, trade, facts) -> bool:
        del account, trade, facts
        return False


@dataclass
class Company:
    exchange: Lagging = field(default_factory=Lagging)
    journal: FakeJournal = field(default_factory=FakeJournal)
    messenger: NoTradeRuns = field(default_factory=NoTradeRuns)
    state: AccountState = field(default_factory=an_account)

    async def place(self, **changes: object) -> str:
        """Place an order far from the market; the exchange acknowledges it now."""
        order = an_order(limit_price=self.exchange.price - 1000, **changes)
        return await self.place_this(order)

    async def place_this(self, order: OrderSpec) -> str:
        now = self.exchange.now
        await self.journal.store_intent(order, now, now)
        order_id = await self.exchange.submit(order, None)
        name = order.client_order_id
        await self.journal.mark_order("company", name, OrderStatus.OPEN, order_id, now)
        self.exchange.keep()
        return order_id

    async def cancel(self, order_id: str) -> None:
        """Cancel an order, which the stream tells at once."""
        await self.exchange.cancel(order_id)
        self.exchange.keep()
        await self.journal.record_reports("company", [self.exchange.orders[order_id]])

    async def look(self):
        """Compare, and let the account hear of it."""
        directory = FakeDirectory()
        directory.exchanges["company"] = self.exchange
        activities = ReconciliationActivities(
            directory, self.journal, self.messenger, lambda: self.exchange.now, self.journal
        )
        self.messenger.told.clear()
        request = AccountToReconcile("company", ())
        found = await ActivityEnvironment().run(activities.reconcile, request)
        ready = [fact for _, _, fact in self.messenger.told if isinstance(fact, ExchangeReady)][-1]
        self.state = decide(self.state, ready).state
        return found.differences, ready.orders_consistent

    @property
    def halted(self) -> bool:
        return any(halt.kind is HaltKind.INCONSISTENT for halt in self.state.halts)


@pytest.fixture
def company(monkeypatch) -> Company:
    monkeypatch.setattr(reconciliation, "CONFIRMATION_SECONDS", 0.0)
    return Company()


async def test_halts_neither_come_nor_go_while_reads_lag_ten_seconds(company):
    company.exchange.lag_of_looks = [10 * SECOND]
    told, ids = [], {}
    for second in range(32):
        company.exchange.now = NOW + second * SECOND
        if second in (2, 6, 12):
            ids[second] = await company.place()
        if second == 9:
            await company.cancel(ids[2])
        differences, consistent = await company.look()
        assert differences == {}
        assert not company.halted
        told.append(consistent)
    # From an order's acknowledgement until it is shown nothing can be told.
    knows = [second for second, consistent in enumerate(told) if consistent]
    assert knows == [0, 1, *range(22, 32)]
    assert False not in told


async def test_a_halt_stands_while_nothing_can_be_told_and_ends_with_its_difference(company):
    lost = await company.place()
    company.exchange.now += SECOND
    later = await company.place()
    company.exchange.hidden = {lost}
    assert await company.look() == ({MISSING: [lost]}, False)
    assert company.halted
    company.exchange.lag_of_looks = [10 * SECOND]
    assert await company.look() == ({}, None)
    assert company.halted
    company.exchange.hidden = set()
    assert await company.look() == ({}, None)
    assert company.halted
    company.exchange.now += 10 * SECOND
    assert await company.look() == ({}, True)
    assert not company.halted
    assert {
        order.order_id for order in await company.journal.orders("company", only_open=True)
    } == {
        lost,
        later,
    }


async def test_only_an_order_acknowledged_later_proves_that_another_is_missing(company):
    older = await company.place()
    company.exchange.now += SECOND
    lost = await company.place()
    at_the_same_time = await company.place()
    company.exchange.hidden = {lost}
    assert await company.look() == ({}, None)
    company.exchange.now += SECOND
    later = await company.place()
    # The oldest of those that are shown proves nothing, the newest does.
    assert await company.look() == ({MISSING: [lost]}, False)
    company.exchange.hidden = {lost, later}
    assert await company.look() == ({}, None)
    assert {older, at_the_same_time} < company.exchange.orders.keys()


async def test_an_order_that_only_a_question_by_name_shows_tells_how_new_the_reads_are(company):
    lost = await company.place()
    company.exchange.now += SECOND
    company.exchange.unlisted = {await company.place()}
    company.exchange.hidden = {lost}
    assert await company.look() == ({MISSING: [lost]}, False)


async def test_a_difference_that_the_second_look_cannot_tell_of_is_none_and_no_agreement(company):
    """Two reads may be answered by two machines, of which one lags."""
    stray = await company.place()
    company.exchange.now += 60 * SECOND
    await company.place()
    company.exchange.hidden = {stray}
    company.exchange.lag_of_looks = [timedelta(), 30 * SECOND]
    assert await company.look() == ({}, None)
    assert not company.halted


def a_settled_trade(company: Company, entry: OrderSpec, **changes: object) -> TradeState:
    plan = replace(a_plan(), number=entry.trade, entry=entry)
    known = TradeOrder(entry, OrderStatus.NOT_PLACED, entry.quantity)
    settled = TradeState(
        plan=plan,
        phase=TradePhase.SETTLED,
        stop_price=plan.stop_price,
        take_profit_price=None,
        orders=(known,),
    )
    settled = replace(settled, **changes)
    company.journal.trades["company", entry.trade] = settled
    return settled


async def test_a_live_order_of_a_settled_trade_is_a_difference_and_opens_it_again(company):
    order = an_order(limit_price=company.exchange.price - 1000)
    settled = a_settled_trade(company, order)
    order_id = await company.place_this(order)
    assert await company.look() == ({UNOWNED_ORDERS: [order_id]}, False)
    assert company.halted
    assert company.messenger.reopened[0][0] == settled


async def test_an_order_whose_end_was_told_is_shown_by_reads_that_are_too_old(company):
    order = an_order(limit_price=company.exchange.price - 1000)
    a_settled_trade(company, order)
    order_id = await company.place_this(order)
    company.exchange.now += SECOND
    await company.cancel(order_id)
    company.exchange.lag_of_looks = [SECOND]
    assert await company.look() == ({}, None)
    assert company.messenger.reopened == []
    company.exchange.lag_of_looks = [timedelta()]
    assert await company.look() == ({}, True)


async def test_executions_beyond_what_a_trade_settled_with_are_a_difference_and_open_it(company):
    order, order_id = an_order(), an_exchange_id()
    await company.journal.store_intent(order, NOW, NOW)
    await company.journal.mark_order(
        "company", order.client_order_id, OrderStatus.CLOSED, order_id, NOW
    )
    fills = [a_fill(order_id), a_fill(order_id, side=Side.SELL)]
    settled = a_settled_trade(company, order, fills=tuple(fills))
    await company.journal.record_fills("company", fills)
    assert await company.look() == ({}, True)
    more = a_fill(order_id)
    await company.journal.record_fills("company", [more])
    # Told once, as to a trade that runs: nothing but this comparison tells it again.
    await company.journal.mark_delivered("company", [more.execution_id])
    differences, consistent = await company.look()
    assert consistent is False
    assert more.execution_id in differences[UNOWNED_POSITIONS]
    assert company.halted
    told = [fact.fill for state, facts in company.messenger.reopened for fact in facts]
    assert more in told
    assert {state.plan.number for state, _ in company.messenger.reopened} == {settled.plan.number}

"""What the exchange tells and the record cannot hold is kept aside; the rest is written."""

from dataclasses import replace
from decimal import Decimal
from uuid import uuid4

import psycopg
import pytest
from temporalio.testing import ActivityEnvironment

from activities.accounts.stream import StreamFollower
from activities.adapters.postgres.installation import create_account
from activities.adapters.postgres.journal import PostgresJournal
from activities.adapters.postgres.orders import guarded_journal
from activities.adapters.postgres.orders.guarded_journal import GuardedJournal
from activities.adapters.postgres.orders.quarantine import PostgresQuarantine
from activities.execution.orders import OrderActivities
from activities.execution.timeouts import OrderTimeouts
from activities.ports.journal import Discrepancies, IntentRefusedError
from models.contracts.orders import PositionToExit, SellPartialExit, SubmitOrder
from models.contracts.workflows import AccountToFollow
from models.trading.account.state import AccountState
from models.trading.orders import Leg, OrderStatus, OrderType, Side
from models.trading.refusals.kinds import STOPS_STAY
from models.trading.trade.facts import AmendStop, ExitPosition, SellPart
from tests.support.fakes import FakeDirectory, FakeExchange, wall_clock
from tests.support.market_fakes import FakeMessenger
from tests.support.record_builders import NOW, a_fill, a_report, an_exchange_id, an_order

NUL = "half \x00 a reason"


@pytest.fixture(autouse=True)
def quick(monkeypatch) -> None:
    monkeypatch.setattr(guarded_journal, "AGAIN_SECONDS", 0.001)


@pytest.fixture
def guarded(database) -> GuardedJournal:
    return GuardedJournal(database)


@pytest.fixture
async def account(database) -> str:
    name = f"account-{uuid4().hex[:8]}"
    await create_account(database, AccountState(name, "installation"), "company", NOW)
    return name


async def kept(database, account: str) -> list[str]:
    rows = await PostgresQuarantine(database).standing()
    return sorted(row.step for row in rows if row.account_id == account)


async def an_open_order(journal, account: str, **changes: object):
    order, order_id = an_order(account=account, **changes), an_exchange_id()
    await journal.store_intent(order, NOW, NOW)
    await journal.mark_order(account, order.client_order_id, OrderStatus.OPEN, order_id, NOW)
    return order, order_id


async def test_execution_that_the_record_refuses_keeps_no_other_from_it(database, guarded, account):
    _, order_id = await an_open_order(guarded, account)
    bad, good = replace(a_fill(order_id), symbol="BTC\x00/USD"), a_fill(order_id)
    with pytest.raises(psycopg.Error):
        await PostgresJournal(database).record_fills(account, [bad, good])
    assert await guarded.record_fills(account, [bad, good]) == [good.execution_id]
    assert await guarded.known_executions(account) == {good.execution_id}
    assert await kept(database, account) == ["record_fills"]
    # Told again, as each new connection does: it is kept once.
    assert await guarded.record_fills(account, [bad, good]) == []
    assert await kept(database, account) == ["record_fills"]


async def test_report_that_the_record_refuses_keeps_no_other_from_it(database, guarded, account):
    order, order_id = await an_open_order(guarded, account)
    other, other_id = await an_open_order(guarded, account)
    bad = replace(a_report(order, order_id), reason=NUL)
    good = a_report(other, other_id, status=OrderStatus.CANCELED)
    await guarded.record_reports(account, [bad, good])
    (row,) = await guarded.recorded_orders(account, [other_id])
    assert row.report.status is OrderStatus.CANCELED
    assert await kept(database, account) == ["record_reports"]


async def test_comparison_that_the_record_refuses_ends(database, guarded, account):
    found = Discrepancies({"unknown_orders": [NUL]}, {})
    await guarded.record_reconciliation(account, found, NOW)
    assert await kept(database, account) == ["record_reconciliation"]


async def test_words_of_the_exchange_never_hold_up_an_order(guarded, account):
    order, _ = await an_open_order(guarded, account)
    name = order.client_order_id
    await guarded.mark_order(account, name, OrderStatus.CANCELED, None, NOW, NUL)
    (stored,) = await guarded.orders(account, only_open=False)
    assert stored.status is OrderStatus.CANCELED


async def test_order_whose_intent_cannot_be_recorded_is_refused_and_not_sent(
    database, guarded, account
):
    exchange, directory = FakeExchange(), FakeDirectory()
    directory.exchanges[account] = exchange
    activities = OrderActivities(directory, guarded, wall_clock, OrderTimeouts())
    sale = an_order(
        account=account, leg=Leg.EXIT, side=Side.SELL, order_type=OrderType.MARKET,
        limit_price=None, symbol=f"BTC{chr(0)}/USD",
    )  # fmt: skip
    with pytest.raises(IntentRefusedError):
        await guarded.store_intent(sale, NOW, NOW)
    run = ActivityEnvironment().run
    placed = await run(activities.place_order, SubmitOrder(sale, wall_clock()))
    assert placed.refused is not None
    assert placed.refused.status is OrderStatus.NOT_PLACED
    leaving = PositionToExit(ExitPosition(("O-STOP",), Decimal(0), sale), wall_clock())
    done = await run(activities.exit_position, leaving)
    assert done.placed.refused is not None
    assert done.placed.refused.reason.endswith(STOPS_STAY)
    assert done.stops == ()
    part = replace(sale, leg=Leg.PART)
    amend = AmendStop("O-STOP", None, Decimal(1), Decimal(1))
    sold = await run(activities.sell_part, SellPartialExit(SellPart(amend, part), wall_clock()))
    assert sold.stop.refused is not None
    assert sold.placed.refused is not None
    assert exchange.submits == []
    assert set(await kept(database, account)) == {"store_intent"}


async def test_stream_goes_on_after_an_execution_that_the_record_refuses(
    database, guarded, account
):
    following = StreamFollower(
        AccountToFollow(account, ()), FakeDirectory(), guarded, FakeMessenger(), wall_clock
    )
    _, order_id = await an_open_order(guarded, account)
    bad = replace(a_fill(order_id), symbol="BTC\x00/USD")
    await following.delivery.take_fills([bad])
    good = a_fill(order_id)
    await following.delivery.take_fills([good])
    assert await guarded.known_executions(account) == {good.execution_id}

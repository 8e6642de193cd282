"""Another instance of the platform on the same exchange key is met, named, and ends entries."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from temporalio.testing import ActivityEnvironment

from activities.accounts import reconciliation
from activities.accounts.delivery import ORPHAN_SECONDS, StreamDelivery
from activities.accounts.reconciliation import ReconciliationActivities
from activities.ports.exchange import ExecutionReport
from models.contracts.workflows import AccountToReconcile
from models.trading.account.facts import ForeignInstanceMet
from models.trading.foreign_orders import looks_like_ours
from models.trading.identities import client_order_id, userref
from models.trading.orders import Leg, OrderStatus
from tests.support.fakes import FakeDirectory, FakeExchange, FakeJournal, wall_clock
from tests.support.kraken_rows import an_order
from tests.support.market_fakes import FakeMessenger
from tests.support.record_builders import NOW, a_report, an_exchange_id

THEIRS = client_order_id(str(uuid4()), "company", 7, Leg.ENTRY, 1)


def a_foreign_report(**changes: object):
    order = an_order(client_order_id=THEIRS)
    return replace(a_report(order, an_exchange_id()), **changes)


@pytest.mark.parametrize(
    ("changes", "ours"),
    [
        ({}, True),
        ({"client_order_id": None, "userref": userref(THEIRS)}, True),
        ({"client_order_id": None, "userref": 42}, False),
        ({"client_order_id": None, "userref": None}, False),
        ({"client_order_id": str(uuid4()), "userref": None}, False),
        ({"client_order_id": "by-hand", "userref": None}, False),
        ({"parent_order_id": "O-PARENT"}, False),
    ],
)
def test_form_of_the_platforms_orders(changes: dict[str, object], ours: bool) -> None:
    assert looks_like_ours(a_foreign_report(**changes)) is ours


async def met(report, *, snapshot: bool = False) -> tuple[list[object], FakeJournal]:
    """Have the stream tell of an order that nobody owns, and let its time pass."""
    journal, messenger, now = FakeJournal(), FakeMessenger(), wall_clock()
    times = [now]
    delivery = StreamDelivery("company", journal, messenger, lambda: times[0])
    await delivery.take(ExecutionReport("new", report, None, snapshot, 1, NOW))
    times[0] = now + timedelta(seconds=ORPHAN_SECONDS + 1)
    await delivery.retry_pending()
    return [fact for _, _, fact in messenger.told], journal


async def test_order_of_another_instance_on_the_stream_halts() -> None:
    report = a_foreign_report(status=OrderStatus.CLOSED)
    (fact,), journal = await met(report)
    assert isinstance(fact, ForeignInstanceMet)
    assert fact.order_id == report.order_id
    ((_, found),) = journal.reconciliations
    assert found.differences["foreign_instance"] == [report.order_id]


async def test_order_placed_by_hand_is_recorded_and_halts_nothing() -> None:
    facts, journal = await met(a_foreign_report(client_order_id=None, userref=None))
    assert facts == []
    assert "foreign_instance" not in journal.reconciliations[0][1].differences


async def test_executions_from_before_this_installation_halt_nothing() -> None:
    facts, _ = await met(a_foreign_report(status=OrderStatus.CLOSED), snapshot=True)
    assert facts == []


@pytest.mark.parametrize("copied", [False, True], ids=["another installation", "a copy of this"])
async def test_resting_order_of_another_instance_is_found_by_comparison(
    monkeypatch, copied: bool
) -> None:
    monkeypatch.setattr(reconciliation, "CONFIRMATION_SECONDS", 0.0)
    exchange, journal, messenger = FakeExchange(), FakeJournal(), FakeMessenger()
    order = an_order(client_order_id=THEIRS, limit_price=exchange.price - 1000)
    if copied:
        await journal.store_intent(order, wall_clock(), wall_clock())
        ours = await exchange.submit(order, None)
        await journal.mark_order("company", THEIRS, OrderStatus.OPEN, ours, wall_clock())
        theirs = exchange._accept(order)
    else:
        theirs = await exchange.submit(order, None)
    directory = FakeDirectory()
    directory.exchanges["company"] = exchange
    activities = ReconciliationActivities(directory, journal, messenger, wall_clock, journal)
    found = await ActivityEnvironment().run(activities.reconcile, AccountToReconcile("company", ()))
    assert found.differences["foreign_instance"] == [theirs]
    told = [fact for _, _, fact in messenger.told]
    assert [one.order_id for one in told if isinstance(one, ForeignInstanceMet)] == [theirs]

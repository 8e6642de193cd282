"""Comparing the record with the exchange where Kraken moves coins between wallets by itself."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from temporalio.testing import ActivityEnvironment

from activities.accounts import reconciliation
from activities.accounts.reconciliation import ReconciliationActivities
from activities.ports.exchange import Balance, LedgerEntry
from models.contracts.workflows import AccountToReconcile
from models.trading.account.facts import ExchangeReady
from tests.support.fakes import FakeDirectory, FakeExchange, FakeJournal, wall_clock

ZERO = Decimal(0)
ROW = LedgerEntry("L0", "R", "earn", "BTC", ZERO, ZERO, ZERO, datetime.min.replace(tzinfo=UTC))


class Wallets(FakeExchange):
    """An exchange that tells totals by wallet, as Kraken does."""

    by_wallet: dict[str, dict[str, Decimal]]

    async def balances(self) -> dict[str, Balance]:
        return {a: Balance(sum(w.values(), ZERO), ZERO, w) for a, w in self.by_wallet.items()}


@dataclass
class Told:
    """What the account was told."""

    facts: list[ExchangeReady] = field(default_factory=list)

    async def signal_account(self, account, facts):
        self.facts += facts
        return True


@dataclass
class Company:
    exchange: Wallets = field(default_factory=Wallets)
    journal: FakeJournal = field(default_factory=FakeJournal)
    told: Told = field(default_factory=Told)

    def book(self, name, kind, subtype, wallet, amount, balance):
        at = self.exchange.clock() + timedelta(seconds=len(self.exchange.bookings))
        asset = wallet.removesuffix(".F")
        row = replace(ROW, ledger_id=name, kind=kind, subtype=subtype, asset=asset, wallet=wallet)
        figures = {"amount": Decimal(amount), "balance": Decimal(balance), "exchange_time": at}
        self.exchange.bookings.append(replace(row, **figures))

    async def reconcile(self):
        directory = FakeDirectory()
        directory.exchanges["company"] = self.exchange
        activities = ReconciliationActivities(
            directory, self.journal, self.told, wall_clock, self.journal
        )
        found = await ActivityEnvironment().run(
            activities.reconcile, AccountToReconcile("company", ())
        )
        return found, self.told.facts[-1]


@pytest.fixture
def company(monkeypatch):
    monkeypatch.setattr(reconciliation, "CONFIRMATION_SECONDS", 0.0)
    company = Company()
    began = company.exchange.clock() - timedelta(hours=1)
    company.journal.checkpoints["company"] = began
    company.journal.ledgers_read["company"] = began
    company.journal.asset_prices["BTC"] = Decimal(64000)
    return company


async def test_auto_earn_moves_coins_and_the_account_stays_consistent(company):
    company.exchange.by_wallet = {"BTC": {"BTC.F": Decimal("0.05")}}
    company.book("L1", "earn", "autoallocation", "BTC", "-0.05", "0")
    company.book("L2", "earn", "autoallocation", "BTC.F", "0.05", "0.05")
    found, ready = await company.reconcile()
    assert found.differences == {}
    assert ready.orders_consistent
    assert ready.balances == {"BTC": Decimal("0.05")}
    assert ready.flows == ()


async def test_wallets_are_compared_one_by_one(company):
    """A booking of one wallet says nothing of what another held before."""
    company.exchange.by_wallet = {"BTC": {"BTC": Decimal(1), "BTC.F": Decimal(2)}}
    company.book("L1", "deposit", "", "BTC", "1", "1")
    found, _ = await company.reconcile()
    assert found.differences == {}
    company.exchange.by_wallet = {"BTC": {"BTC": Decimal(2), "BTC.F": Decimal(1)}}
    found, ready = await company.reconcile()
    assert found.differences == {"balances": ["BTC"]}
    assert not ready.orders_consistent


async def test_reward_is_income_and_no_capital(company):
    company.exchange.by_wallet = {"BTC": {"BTC.F": Decimal("0.001")}}
    company.book("L1", "earn", "reward", "BTC.F", "0.001", "0.001")
    found, ready = await company.reconcile()
    assert found.differences == {}
    (flow,) = ready.flows
    assert (flow.asset, flow.amount, flow.value, flow.note) == (
        "BTC",
        Decimal("0.001"),
        ZERO,
        "earn/reward",
    )


async def test_staking_takes_out_what_orders_can_no_longer_spend(company):
    company.exchange.by_wallet = {"BTC": {"BTC": ZERO}, "BTC.S": {"BTC.S": Decimal(1)}}
    company.book("L1", "transfer", "spottostaking", "BTC", "-1", "0")
    company.book("L2", "transfer", "stakingfromspot", "BTC.S", "1", "1")
    found, ready = await company.reconcile()
    assert found.differences == {}
    assert [(f.asset, f.amount, f.value) for f in ready.flows] == [
        ("BTC", Decimal(-1), Decimal(-64000)),
        ("BTC.S", Decimal(1), ZERO),
    ]


async def test_unknown_type_is_a_finding_until_it_is_recorded_and_never_adopted_in_silence(company):
    company.exchange.by_wallet = {"BTC": {"BTC": Decimal(1)}}
    company.book("L1", "leprechaun", "gold", "BTC", "1", "1")
    found, ready = await company.reconcile()
    assert found.differences == {"unknown_ledger_entries": ["L1 (leprechaun/gold)"]}
    assert not ready.orders_consistent
    (flow,) = ready.flows
    assert (flow.value, flow.note) == (Decimal(64000), "leprechaun/gold")
    assert company.journal.reconciliations[-1][1].differences == found.differences

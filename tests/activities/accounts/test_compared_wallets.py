"""Wallets that no order spends, as Kraken itself spells them, through a whole comparison."""

import base64
import secrets
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from temporalio.testing import ActivityEnvironment

from activities.accounts import reconciliation
from activities.accounts.reconciliation import ReconciliationActivities
from activities.adapters.kraken.addresses import ExchangeAddresses
from activities.adapters.kraken.directory import KrakenDirectory
from activities.ports.secrets import Credentials
from models.contracts.workflows import AccountToReconcile
from models.trading.account.facts import ExchangeReady
from tests.support.fakes import FakeJournal, wall_clock
from tests.support.free_ports import free_block
from tests.support.kraken_rows import ASSETS, PAIRS
from tests.support.market_fakes import FakeMessenger
from tests.support.scripted_exchange import ScriptedExchange, result

PORTS = free_block()
BEGAN = datetime(2026, 3, 1, tzinfo=UTC)
NAMES = {**ASSETS, "KFEE": {"altname": "FEE"}, "DOT": {"altname": "DOT"}}
SPELLINGS = [
    ("XBT.M", "BTC.M"),
    ("XBT.B", "BTC.B"),
    ("XBT.T", "BTC.T"),
    ("XBT.S", "BTC.S"),
    ("DOT.P", "DOT.P"),
    ("DOT28.S", "DOT28.S"),
    ("KFEE", "FEE"),
]
"""Kraken's spelling, and ours: none of them counts as what orders spend."""


class Keys:
    async def exchange_credentials(self, *_) -> Credentials:
        secret = base64.b64encode(secrets.token_bytes(64)).decode()
        return Credentials(secrets.token_hex(8), secret)


class Kraken(ScriptedExchange):
    """An account with balances and a ledger of its wallets, in Kraken's spellings."""

    balances: dict[str, str]
    rows: dict[str, dict[str, object]]

    def begin(self) -> None:
        self.balances, self.rows = {"XXBT": "1.0", "ZUSD": "1000"}, {}
        standing = {"open": {}, "closed": {}, "trades": {}, "count": 0}
        self.standing["AssetPairs"] = result(PAIRS)
        self.standing["Assets"] = result(NAMES)
        for method in ("OpenOrders", "ClosedOrders", "TradesHistory"):
            self.standing[method] = result(standing)
        self.tell()

    def book(self, kind: str, subtype: str, spelling: str, amount: str, balance: str) -> None:
        name = f"L{len(self.rows)}"
        row = {"refid": f"R{name}", "type": kind, "subtype": subtype, "asset": spelling, "fee": "0"}
        at = BEGAN.timestamp() + 60 + len(self.rows)
        self.rows = {name: {**row, "amount": amount, "balance": balance, "time": at}, **self.rows}
        self.tell()

    def tell(self) -> None:
        held = {name: {"balance": total} for name, total in self.balances.items()}
        self.standing["BalanceEx"] = result(held)
        self.standing["Ledgers"] = result({"ledger": self.rows, "count": len(self.rows)})


@pytest.fixture
async def kraken(monkeypatch):
    monkeypatch.setattr(reconciliation, "CONFIRMATION_SECONDS", 0.0)
    server = Kraken(PORTS)
    server.begin()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def compare(kraken, tmp_path):
    """Return what compares once, and tells the differences and what the account was told."""
    addresses = ExchangeAddresses(kraken.url, kraken.ws_url, kraken.ws_url)
    directory = KrakenDirectory(Keys(), addresses, tmp_path)
    journal, messenger = FakeJournal(), FakeMessenger()
    journal.checkpoints["company"] = journal.ledgers_read["company"] = BEGAN
    journal.asset_prices["BTC"] = Decimal(64000)
    activities = ReconciliationActivities(directory, journal, messenger, wall_clock, journal)

    async def free(*_) -> None:
        """Reads of one comparison after the other have room."""

    (await directory.exchange("company")).budget.admit_read = free

    async def once():
        request = AccountToReconcile("company", ("BTC/USD",))
        found = await ActivityEnvironment().run(activities.reconcile, request)
        told = [fact for _, _, fact in messenger.told if isinstance(fact, ExchangeReady)]
        return found.differences, told[-1]

    yield once
    await directory.close()


@pytest.mark.parametrize(("spelling", "ours"), SPELLINGS)
async def test_what_lies_in_another_wallet_is_compared_and_no_order_spends_it(
    kraken, compare, spelling, ours
):
    kraken.balances[spelling] = "0.25"
    kraken.book("earn", "reward", spelling, "0.25", "0.25")
    differences, ready = await compare()
    assert differences == {}
    assert ready.orders_consistent
    assert ready.balances == {"BTC": Decimal("1.0"), "USD": Decimal(1000), ours: Decimal("0.25")}
    (flow,) = ready.flows
    assert (flow.asset, flow.amount, flow.value) == (ours, Decimal("0.25"), 0)


@pytest.mark.parametrize(("spelling", "ours"), SPELLINGS)
async def test_what_is_missing_in_another_wallet_is_a_difference_of_that_one(
    kraken, compare, spelling, ours
):
    kraken.balances[spelling] = "0.2"
    kraken.book("earn", "reward", spelling, "0.25", "0.25")
    differences, ready = await compare()
    assert differences == {"balances": [ours]}
    assert ready.orders_consistent is False
    del kraken.balances[spelling]
    kraken.tell()
    assert (await compare())[0] == {"balances": [ours]}


@pytest.mark.parametrize("suffix", ["M", "B", "S", "T"])
async def test_moved_into_another_wallet_the_base_asset_has_less_to_spend(kraken, compare, suffix):
    kraken.balances |= {"XXBT": "0.6", f"XBT.{suffix}": "0.4"}
    kraken.book("earn", "allocation", "XXBT", "-0.4", "0.6")
    kraken.book("earn", "allocation", f"XBT.{suffix}", "0.4", "0.4")
    differences, ready = await compare()
    assert differences == {}
    assert ready.balances["BTC"] == Decimal("0.6")
    assert ready.balances[f"BTC.{suffix}"] == Decimal("0.4")
    assert {flow.asset for flow in ready.flows} == {"BTC", f"BTC.{suffix}"}


async def test_fee_credits_that_pay_for_a_trade_are_no_difference(kraken, compare):
    kraken.balances["KFEE"] = "90"
    kraken.book("transfer", "", "KFEE", "100", "100")
    kraken.book("adjustment", "", "KFEE", "-10", "90")
    differences, ready = await compare()
    assert differences == {}
    assert ready.balances["FEE"] == 90
    assert all(flow.value == 0 for flow in ready.flows)
    assert BEGAN + timedelta(seconds=60) <= min(flow.at for flow in ready.flows)

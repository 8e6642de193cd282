"""What an account holds, as its stops cover it, put through shocks and written down once."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from temporalio.testing import ActivityEnvironment

from activities.adapters.postgres.market.rules_record import PostgresMarketRules
from activities.adapters.postgres.market.stress_record import PostgresStressRecord
from activities.market.stress import StressActivities
from models.contracts.stress import StressRequest
from models.tables import StressRow
from models.trading.market import MarketSnapshot
from models.trading.risk.stress_scenarios import HISTORICAL, Shock
from models.trading.settings.catalogue import SettingScope
from models.trading.settings.reading import account_rules, platform_rules
from models.trading.settings.versions import default_version

NOW = datetime(2026, 5, 1, tzinfo=UTC)
HALF = Shock("half", "half", "test", {"BTC": Decimal("-0.5")}, Decimal(0))


@pytest.fixture
def activities(database):
    async def rules(account):
        return account_rules(default_version(account, SettingScope.ACCOUNT))

    async def platform():
        return platform_rules(default_version("platform", SettingScope.PLATFORM), frozenset())

    stored = PostgresMarketRules(database)
    record = PostgresStressRecord(database)
    return StressActivities(record, stored, stored, rules, platform, lambda: NOW)


async def test_run_shows_losses_and_limits_and_is_written_once(
    activities, database, journal, record
):
    price = Decimal(50000)
    balances = {"USD": Decimal(50000), "BTC": Decimal(1), "ZZZ": Decimal(5)}
    await journal.save_balances("company", balances, NOW)
    await record.save_snapshots([MarketSnapshot("BTC/USD", price, price, price, NOW)])
    request = StressRequest("company", "one", "somebody", (HALF,), historical=False)
    run = ActivityEnvironment().run
    done = await run(activities.stress_account, request)
    assert done.worst_loss == 25000
    assert done.breaches > 0
    whole = replace(request, run_id="two", historical=True)
    assert (await run(activities.stress_account, whole)).worst_loss >= 25000
    await journal.save_balances("company", {"USD": Decimal(1)}, NOW)
    await run(activities.stress_account, request)
    async with database.account_scope("company") as session:
        first = await session.get(StressRow, ("company", "one"))
        second = await session.get(StressRow, ("company", "two"))
    assert (first.equity, first.worst_loss, first.unpriced) == (100000, 25000, ["ZZZ"])
    (result,) = first.results
    breached = [effect["name"] for effect in result["effects"] if effect["breached"]]
    assert "daily drawdown, hard level" in breached
    assert len(second.results) == len(HISTORICAL) + 1
    losses = [Decimal(result["loss"]) for result in second.results]
    assert losses == sorted(losses, reverse=True)
    async with database.account_scope("director-1") as session:
        assert await session.get(StressRow, ("company", "one")) is None

"""The day's return and the positions on the screens: of the account's own day, and of its mode."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from models.trading.risk.drawdown import start
from models.trading.trading_day import DayRule, day_of, day_start

NOW = datetime.now(UTC)
SYDNEY = DayRule("Australia/Sydney")
MARK = text("INSERT INTO nav_marks (account_id, at, equity, cash) VALUES (:account, :at, 80, 80)")


@pytest.fixture
async def account(without_engine):
    name = await without_engine.add_account()
    await without_engine.set_market()
    async with without_engine.workers.account_scope(name) as session:
        # As the market's worker marks it, since the day began in UTC.
        for minutes in range(0, 24 * 60, 30):
            at = NOW.replace(hour=0, minute=0, second=0, microsecond=0)
            await session.sql(MARK, {"account": name, "at": at + timedelta(minutes=minutes)})
    return name


async def save(platform, account, **changed):
    (state,) = [s for s in await platform.records.accounts() if s.account == account]
    balances = changed.pop("balances", {"USD": Decimal(110)})
    state = replace(state, balances=balances, **changed)
    await platform.records.save_account(state, None, "aether", {}, datetime.now(UTC))


async def view(platform, account):
    return (await platform.caller.get(f"/api/v1/accounts/{account}")).json()


async def test_the_day_is_the_accounts_own(without_engine, account):
    day = day_of(SYDNEY, NOW)
    opened = day_start(SYDNEY, day)
    await save(without_engine, account, drawdown=start(Decimal(100), day, opened), day=SYDNEY)
    assert Decimal((await view(without_engine, account))["day_pnl_share"]) == Decimal("0.1")


async def test_no_day_is_shown_before_it_is_measured(without_engine, account):
    await save(without_engine, account)
    found = await view(without_engine, account)
    assert Decimal(found["equity"]) == 110
    assert found["day_pnl_share"] is None


async def test_money_of_another_mode_is_measured_against_nothing(without_engine, account):
    measured = start(Decimal(100_000), date(2026, 1, 5), NOW - timedelta(hours=1))
    path = f"/api/v1/accounts/{account}/drawdown"
    await save(without_engine, account, drawdown=measured)
    assert (await without_engine.caller.get(path)).status_code == 200
    await save(without_engine, account, drawdown=None, measured_since=None)
    assert (await view(without_engine, account))["day_pnl_share"] is None
    assert (await without_engine.caller.get(path)).status_code == 404


async def test_a_day_whose_start_was_worth_nothing_is_shown(without_engine, account):
    worthless = replace(
        start(Decimal(100), NOW.date(), NOW), day_growth=Decimal(0), lowest_growth=Decimal(0)
    )
    await save(without_engine, account, drawdown=worthless)
    assert Decimal((await view(without_engine, account))["day_pnl_share"]) > 0

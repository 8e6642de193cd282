"""Going live over the API: every condition shown, two people, and the other exchange afterwards."""

import os
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import pytest_asyncio
from sqlalchemy import text

from activities.adapters.postgres.accounts.settings_journal import SettingsJournal
from activities.ports.journal import Discrepancies
from activities.ports.secrets import Credentials, NotApprovedError
from models.trading.account.settings.in_force import SettingsRecord
from models.trading.governance.going_live import NEEDED_PERMISSIONS
from models.trading.risk.limits import Mode
from tests.api.routes.governance.test_api_universe import first, second
from tests.support.fakes import FakeExchange
from tests.support.people import leave_with_fewer_factors
from tests.support.platform import PRICE, a_key
from tests.support.temporal import eventually

__all__ = ["first", "second"]

MARK = text("INSERT INTO nav_marks (account_id, at, equity, cash) VALUES (:account, :at, 1, 1)")
TRADE = text(
    """INSERT INTO trades (account_id, number, symbol, phase, source, protection,
           entry_client_order_id, quantity, reference_price, stop_price, trailed, bought, sold,
           fees, cash_flow, slippage, protected_quantity, decided_at, requested_at, closed_at,
           updated_at, pnl, average_entry_price)
       SELECT :account, 1000 + n, 'BTC/USD', 'settled', 'test', 'separate', 'c' || n, 1, 1, 1,
           false, 1, 1, 0, 0, 0, 0, :at, :at, :at, :at,
           CASE WHEN n % 2 = 0 THEN 0.05 ELSE -0.06 END, 1 FROM generate_series(1, 20) AS n"""
)
FOLLOWED = text(
    """INSERT INTO strategy_results
       SELECT s, '1', 'simulation', :account || '/' || n, :account, 1000 + n, 'BTC/USD', 0, 0, NULL,
           :at, :at
       FROM generate_series(1, 20) AS n, accounts a, unnest(a.strategies) AS s
       WHERE a.account_id = :account"""
)


async def simulated_for_two_weeks(platform, account):
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    async with platform.workers.account_scope(account) as session:
        for day in range(15):
            at = now - timedelta(days=day)
            await session.sql(MARK, {"account": account, "at": at})
        await session.sql(TRADE, {"account": account, "at": now})
        await session.sql(FOLLOWED, {"account": account, "at": now})


async def set_limits(platform, account, version):
    record = SettingsRecord(version, "{}", (), "user/tester", "for the test", datetime.now(UTC))
    await SettingsJournal(platform.workers).save_settings(account, record)


async def fulfil(platform, account):
    """Do all that one person can; the key may still do too much."""
    keys = platform.live_keys
    own = Credentials(os.urandom(8).hex(), "c2VjcmV0")
    await keys.recorded(account, own, platform.workers)
    keys.may[account] = NEEDED_PERMISSIONS | {"withdraw_funds"}
    await set_limits(platform, account, 3)
    await simulated_for_two_weeks(platform, account)
    await platform.records.record_reconciliation(account, Discrepancies(), datetime.now(UTC))


async def checked(platform, path, key=None):
    """Have the conditions checked under one key, until a busy machine answers."""
    key = key or a_key()

    async def answered():
        answer = await platform.caller.post(f"{path}/going-live/check", headers=key)
        assert answer.status_code in {200, 503}, answer.text
        return answer.json() if answer.status_code == 200 else None

    return await eventually(answered, "the conditions are checked")


async def test_reading_the_conditions_checks_nothing(platform):
    account = await platform.add_account()
    path = f"/api/v1/accounts/{account}/going-live"
    for _ in range(2):
        found = (await platform.caller.get(path)).json()
        known = (found["checked_at"], found["conditions"], found["ready"], found["mode"])
        assert known == (None, [], False, "simulated")
    key = a_key()
    shown = await checked(platform, f"/api/v1/accounts/{account}", key)
    assert (await platform.caller.post(f"{path}/check", headers=key)).json() == shown
    assert (await platform.caller.get(path)).json() == shown
    assert shown["checked_by"]


async def what_was_not_shown_is_not_approved(platform, account, people, body):
    """What changes between asking and approving was shown to nobody: ask anew."""
    first, second = people
    requests = f"/api/v1/accounts/{account}/going-live/requests"

    async def ask():
        asked = await first.post(requests, json=body, headers=a_key())
        return f"{requests}/{asked.json()['number']}/approve"

    async def outdated(approve):
        refused = await second.post(approve, headers=a_key())
        assert (refused.status_code, refused.json()["type"][19:]) == (409, "request-outdated")

    approve = await ask()
    assert await ask() == approve
    another = Credentials(os.urandom(8).hex(), "c2VjcmV0")
    await platform.live_keys.recorded(account, another, platform.workers)
    await outdated(approve)
    approve = await ask()
    await set_limits(platform, account, 4)
    await outdated(approve)
    return await ask()


async def other_terms_take_another_approval(platform, account, missing, go):
    """What was approved are these limits and this key: with others somebody agrees anew."""
    assert (await missing())[0] == set()
    another = Credentials(os.urandom(8).hex(), "c2VjcmV0")
    with pytest.raises(NotApprovedError):
        await platform.live_keys.recorded(account, another, platform.workers)
    approved, own = 4, platform.live_keys.keys[account]
    platform.live_keys.versions[account] = approved + 1
    lacking, shown = await missing()
    assert lacking == {"request-outdated"}
    assert (await go()).status_code == 403
    assert any(f"version {approved + 1} for {approved}" in c["reason"] for c in shown["conditions"])
    del platform.live_keys.versions[account]
    platform.live_keys.keys[account] = Credentials("another", "secret")
    assert (await missing())[0] == {"request-outdated"}
    platform.live_keys.keys[account] = own
    assert (await missing())[0] == set()


async def is_refused(go, lacking):
    refused = await go()
    assert (refused.status_code, refused.json()["type"][19:]) == (403, "live-refused")
    assert {check["code"] for check in refused.json()["checks"]} == lacking


@pytest_asyncio.fixture
async def nobody_else(platform):
    """Let nobody whom other tests brought be asked for factors, and leave nobody trading live."""
    await leave_with_fewer_factors(platform.admin)
    yield
    await platform.end_live()


@pytest.mark.usefixtures("nobody_else")
async def test_account_goes_live_when_all_holds_and_not_before(platform, first, second):
    account = await platform.add_account()
    simulated = await platform.start_account(account)
    path = f"/api/v1/accounts/{account}"

    async def missing():
        shown = await checked(platform, path)
        assert (await platform.caller.get(f"{path}/going-live")).json() == shown
        assert shown["mode"] == "simulated"
        return {one["code"] for one in shown["conditions"] if not one["ok"]}, shown

    async def go(caller=first):
        return await caller.put(f"{path}/mode", json={"mode": "live"}, headers=a_key())

    lacking, shown = await missing()
    assert not shown["ready"]
    assert lacking == {
        "no-live-key",
        "wrong-permissions",
        "not-reconciled",
        "limits-not-set",
        "second-person-needed",
        "simulation-too-short",
        "no-evidence-of-profit",
    }
    await is_refused(go, lacking)

    await fulfil(platform, account)
    unproven = {"wrong-permissions", "second-person-needed", "no-evidence-of-profit"}
    lacking, shown = await missing()
    assert lacking == unproven
    assert any("20 trades at -0.5000% net" in one["reason"] for one in shown["conditions"])
    platform.live_keys.may[account] = NEEDED_PERMISSIONS

    requests = f"{path}/going-live/requests"
    body = {"reason": "it loses little, and we want to learn", "override_evidence": True}
    asked = await first.post(requests, json=body, headers=a_key())
    approve = f"{requests}/{asked.json()['number']}/approve"
    alone = (await first.post(approve, headers=a_key())).json()["type"]
    assert alone == "urn:aether:problem:second-person-needed"
    assert (await go()).status_code == 403
    assert (await missing())[0] == {"second-person-needed", "no-evidence-of-profit"}
    approve = await what_was_not_shown_is_not_approved(platform, account, (first, second), body)
    assert (await second.post(approve, headers=a_key())).json()["approved_by"] == second.user
    await other_terms_take_another_approval(platform, account, missing, go)

    live = FakeExchange(PRICE, cash=Decimal(777))
    live.mode = Mode.LIVE
    platform.world.directory.next_exchanges[account] = live
    done = await go()
    assert done.status_code == 200, done.text

    async def trades_live():
        view = (await platform.caller.get(path)).json()
        fresh = view["state"] == "trading" and view["balances"].get("USD") == "777"
        return fresh and view["mode"] == "live"

    await eventually(trades_live, "the account follows the live exchange")
    before = len(simulated.submits)
    entry = {"symbol": "BTC/USD", "stop_price": "47500", "quantity": "0.001"}
    machine = await platform.caller.post(f"{path}/trades", json=entry, headers=a_key())
    assert machine.json()["type"][19:] == "person-required"
    opened = await first.post(f"{path}/trades", json=entry, headers=a_key())
    assert opened.status_code == 202, opened.text
    await eventually(lambda: len(live.submits) == 2, "the live exchange has entry and stop")
    assert len(simulated.submits) == before
    back = await first.put(f"{path}/mode", json={"mode": "simulated"}, headers=a_key())
    assert (back.status_code, back.json()["type"][19:]) == (409, "orders-open")
    await check_record(platform, account, second)


async def check_record(platform, account, second):
    path = f"/api/v1/accounts/{account}"
    used = (await platform.caller.get(f"{path}/going-live/requests")).json()[0]
    assert used["used_at"] is not None
    changes = (await platform.caller.get(f"{path}/mode-changes")).json()
    assert [change["mode"] for change in changes] == ["live"]
    assert (await platform.audited(account, "mode_set"))[0]["details"]["mode"] == "live"
    assert [e["actor"] for e in await platform.audited(account, "going_live_approved")] == [
        second.user
    ]

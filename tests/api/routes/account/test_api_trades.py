"""Trades by request: opened once, protected, moved, closed, and told as they are."""

import asyncio
from decimal import Decimal

import pytest

from activities.execution.protection_load import ProtectionLoad
from api import __main__ as api_main
from api.http.admission import ENTRIES_AT_ONCE, WAIT_SECONDS, EntryAdmission
from infra.runtime.temporal.codec import PayloadKey
from models.trading.risk.protection_backlog import WaitingPosition
from tests.support.platform import a_key
from tests.support.temporal import eventually

OPEN = {"symbol": "BTC/USD", "stop_price": "47500", "quantity": "0.01"}


async def open_trade(platform, account, key=None, **changed):
    return await platform.caller.post(
        f"/api/v1/accounts/{account}/trades", json=OPEN | changed, headers=key or a_key()
    )


async def until(platform, account, number, condition):
    async def reached():
        answer = await platform.caller.get(f"/api/v1/accounts/{account}/trades/{number}")
        trade = answer.json()
        return trade if answer.status_code == 200 and condition(trade) else None

    return await eventually(reached, f"trade {number}")


async def protected(platform, account, number):
    return await until(
        platform, account, number, lambda t: Decimal(t["protected_quantity"]) == Decimal("0.01")
    )


async def counted(platform, path):
    """Return the account's view once it counts the trades that are listed as open."""

    async def agreed():
        listed = (await platform.caller.get(f"{path}/trades", params={"open": True})).json()
        view = (await platform.caller.get(path)).json()
        return view if view["open_trades"] == len(listed) else None

    return await eventually(agreed, "the account counts its open trades")


async def test_trade_is_opened_protected_moved_and_closed(platform, account):
    path = f"/api/v1/accounts/{account}"
    opened = await open_trade(platform, account, take_profit_price="55000")
    assert opened.status_code == 202
    answer = opened.json()
    number = answer["trade"]
    assert answer["workflow"] == f"trade/{account}/{number}"
    assert {"R-1", "R-2", "R-3", "R-5", "R-6"} <= {check["rule"] for check in answer["checks"]}
    trade = await protected(platform, account, number)
    assert trade["stop_price"] == "47500.0"

    held = (await platform.caller.get(f"{path}/positions")).json()
    assert [p["symbol"] for p in held] == ["BTC/USD"]
    assert Decimal(held[0]["quantity"]) >= Decimal("0.01")
    assert number in held[0]["trades"]
    watches = (await platform.caller.get(f"{path}/watches")).json()
    assert [Decimal(w["level"]) for w in watches if w["trade"] == number] == [55000]
    orders = (await platform.caller.get(f"{path}/orders", params={"trade": number})).json()
    assert {o["leg"] for o in orders} == {"entry", "stop"}
    listed = (await platform.caller.get(f"{path}/trades", params={"open": True})).json()
    assert number in [t["number"] for t in listed]
    view = await counted(platform, path)
    assert view["open_trades"] >= 1
    assert view["unpriced"] == []
    assert Decimal(view["equity"]) == pytest.approx(Decimal(100000), abs=100)

    stop = f"{path}/trades/{number}/stop"
    moved = await platform.caller.patch(stop, json={"stop_price": "48000"}, headers=a_key())
    assert moved.status_code == 202, moved.text
    await until(platform, account, number, lambda t: Decimal(t["stop_price"]) == 48000)
    worse = await platform.caller.patch(stop, json={"stop_price": "40000"}, headers=a_key())
    assert worse.json()["type"] == "urn:aether:problem:worse-protection"
    wrong = await platform.caller.patch(stop, json={"stop_price": "60000"}, headers=a_key())
    assert wrong.status_code == 422

    closed = await platform.caller.post(f"{path}/trades/{number}/close", headers=a_key())
    assert closed.status_code == 202, closed.text
    settled = await until(platform, account, number, lambda t: t["phase"] == "settled")
    assert settled["exit_reason"] == "requested"
    assert "E" not in settled["pnl"]

    async def forgotten():
        again = await platform.caller.post(f"{path}/trades/{number}/close", headers=a_key())
        return again.status_code == 404

    await eventually(forgotten, "the account has settled the trade")

    async def is_over():
        # The trade's own story ends a moment after the account has settled it.
        late = await platform.caller.patch(stop, json={"stop_price": "48500"}, headers=a_key())
        kind = late.json()["type"].rpartition(":")[2]
        assert (late.status_code, kind) in ((409, "trade-closing"), (409, "trade-settled"))
        return kind == "trade-settled"

    await eventually(is_over, "the trade's story has ended")
    none = await platform.caller.patch(
        f"{path}/trades/999/stop", json={"stop_price": "48500"}, headers=a_key()
    )
    assert none.json()["type"] == "urn:aether:problem:unknown-trade"


async def test_same_key_is_one_trade_however_often_and_at_once(platform, account):
    key = a_key()
    before = len(platform.world.directory.exchanges[account].submits)
    answers = await asyncio.gather(*(open_trade(platform, account, key) for _ in range(5)))
    answers.append(await open_trade(platform, account, key))
    assert {a.status_code for a in answers} == {202}
    assert all(a.json() == answers[0].json() for a in answers)
    number = answers[0].json()["trade"]
    await protected(platform, account, number)
    entries = platform.world.directory.exchanges[account].submits[before:]
    assert len([o for o in entries if o.leg == "entry"]) == 1
    other = await open_trade(platform, account, key, quantity="0.02")
    assert other.status_code == 409
    assert other.json()["type"] == "urn:aether:problem:idempotency-key-reused"
    elsewhere = await platform.caller.post(
        f"/api/v1/accounts/{account}/trades/{number}/close", headers=key
    )
    assert elsewhere.status_code == 409


async def test_refusal_is_repeated_as_it_was(platform, account):
    key = a_key()
    first = await open_trade(platform, account, key, stop_price="60000")
    again = await open_trade(platform, account, key, stop_price="60000")
    assert (first.status_code, again.status_code) == (422, 422)
    assert first.json() == again.json()
    assert again.headers["content-type"] == "application/problem+json"
    assert first.json()["checks"][0]["code"] == "stop-on-wrong-side"


async def test_account_halts_and_resumes(platform, account):
    path = f"/api/v1/accounts/{account}"
    halted = await platform.caller.post(f"{path}/halt", json={"reason": "lunch"}, headers=a_key())
    assert halted.json()["code"] == "accepted"
    refused = await open_trade(platform, account)
    assert (refused.status_code, refused.json()["type"]) == (
        409,
        "urn:aether:problem:account-halted",
    )
    resumed = await platform.caller.post(f"{path}/resume", headers=a_key())
    assert resumed.json()["detail"] == "the account takes entries"
    await eventually(lambda: platform.audited(account, "halted"), "the halt is audited")
    mode = await platform.caller.put(f"{path}/mode", json={"mode": "simulated"}, headers=a_key())
    assert mode.status_code == 200


async def test_account_whose_workflow_does_not_run_can_be_asked_again(platform):
    account = await platform.add_account()
    key = a_key()
    first = await open_trade(platform, account, key)
    assert (first.status_code, first.json()["type"]) == (503, "urn:aether:problem:not-running")
    await platform.start_account(account)
    assert (await open_trade(platform, account, key)).status_code == 202


async def test_engine_that_is_not_reached_is_said(without_engine):
    account = await without_engine.add_account()
    answer = await open_trade(without_engine, account)
    assert answer.status_code == 503
    assert answer.json()["type"] == "urn:aether:problem:workflow-engine-unavailable"
    listed = await without_engine.caller.get(f"/api/v1/accounts/{account}/trades")
    assert listed.json() == []


async def test_entry_is_refused_while_positions_wait_for_their_stops(platform, account):
    load, key = platform.services.admission.load, a_key()
    waiting = [WaitingPosition(account, number, 1.5) for number in (1, 2, 3)]
    platform.services.admission = EntryAdmission(ProtectionLoad(lambda: reading(waiting)))
    await platform.services.admission.load.look()
    try:
        refused = await open_trade(platform, account, key)
        status = (await platform.caller.get("/readyz")).json()
    finally:
        platform.services.admission = EntryAdmission(load)
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "2")
    assert refused.json()["type"].endswith("overloaded")
    assert "3 positions wait for their stops" in refused.json()["detail"]
    assert any(form.startswith("overloaded: no entries") for form in status["degraded_modes"])
    accepted = await open_trade(platform, account, key)
    assert accepted.status_code == 202


async def test_burst_of_entries_is_let_in_piece_by_piece():
    load = ProtectionLoad(lambda: reading([]))
    admission, under_way = EntryAdmission(load), 0
    released = asyncio.Event()

    async def entry():
        nonlocal under_way
        async with admission.admit("company"):
            under_way += 1
            await released.wait()

    tasks = [asyncio.create_task(entry()) for _ in range(ENTRIES_AT_ONCE + 2)]
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    assert {task.exception().code for task in done} == {"overloaded"}
    assert under_way == ENTRIES_AT_ONCE
    released.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert under_way == ENTRIES_AT_ONCE


async def test_nobody_is_refused_for_load_in_lockstep():
    admission, entered, released = EntryAdmission(None), 0, asyncio.Event()

    async def entry():
        nonlocal entered
        async with admission.admit("company"):
            entered += 1
            await released.wait()

    tasks = [asyncio.create_task(entry()) for _ in range(2 * ENTRIES_AT_ONCE)]
    done, waiting = await asyncio.wait(tasks, timeout=1.5 * WAIT_SECONDS)
    assert (len(done), len(waiting), entered) == (0, 2 * ENTRIES_AT_ONCE, ENTRIES_AT_ONCE)
    released.set()
    await asyncio.gather(*tasks)
    assert entered == 2 * ENTRIES_AT_ONCE
    assert admission.degraded() == []


@pytest.mark.parametrize("speed", ["10", "lockstep"])
async def test_api_goes_by_the_rule_of_its_market(monkeypatch, platform, speed):
    """What the process composes: in lockstep it watches no backlog."""
    monkeypatch.setattr(api_main, "payload_keys", lambda _: [PayloadKey("k", bytes(32))])
    monkeypatch.setattr(api_main, "degraded_modes", lambda *_, **__: [])
    monkeypatch.setattr(api_main, "Database", lambda *_, **__: platform.services.database)
    services = await api_main.compose(
        platform.services.settings.model_copy(update={"speed": speed})
    )
    assert (services.admission.load is None) is (speed == "lockstep")


async def reading(waiting):
    return waiting

"""The kill switch stops accounts at once, whatever else is down, and is lifted by people."""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from temporalio.client import Client, WorkflowExecutionStatus

from activities.adapters.temporal import engagements
from activities.adapters.temporal.engagements import start_engagements
from activities.execution.emergency_stop import EmergencyStop
from api.http import commands
from api.routes.platform import health
from infra.runtime.database.connections import DatabaseUnavailableError
from infra.runtime.emergency import StopFile
from infra.runtime.state_directory import StateDirectory
from models.contracts.names import kill_switch_workflow_id
from models.trading.orders import OrderStatus
from tests.support.fakes import FakeExchange
from tests.support.lifting import lift_kill_switch
from tests.support.people import signed_in
from tests.support.platform import PORT_BASE, a_key
from tests.support.record_builders import an_order
from tests.support.temporal import NAMESPACE, access, eventually
from workers.emergency import EmergencyDesk, close_desk
from workers.upkeep.account_workflows import start_kill_switches

PATH = "/api/v1/kill-switch"


async def engage(platform, *accounts, key=None, **changed):
    body = {"reason": "a drill", "accounts": list(accounts)} | changed
    return await platform.caller.post(PATH, json=body, headers=key or a_key())


async def lift(platform, number):
    return await lift_kill_switch(platform, number)


async def switch(platform, number):
    found = (await platform.caller.get(PATH)).json()
    return next(s for s in found if s["number"] == number)


async def test_engage_halt_and_lift(platform):
    account = await platform.add_account()
    await platform.start_account(account)
    engaged = await engage(platform, account, account)
    assert engaged.status_code == 202
    number = engaged.json()["number"]
    assert engaged.json()["accounts"] == [account]

    async def halted():
        return account in (await switch(platform, number))["acknowledged"]

    await eventually(halted, "the account is halted")
    order = {"symbol": "BTC/USD", "stop_price": "47500", "quantity": "0.01"}
    path = f"/api/v1/accounts/{account}"
    refused = await platform.caller.post(f"{path}/trades", json=order, headers=a_key())
    assert refused.status_code == 409
    assert refused.json()["type"] == "urn:aether:problem:kill-switch-engaged"
    resumed = await platform.caller.post(f"{path}/resume", headers=a_key())
    assert "still halted: kill_switch" in resumed.json()["detail"]

    assert (await lift(platform, number)).status_code == 200

    async def trading():
        return (await platform.caller.get(path)).json()["state"] == "trading"

    await eventually(trading, "the account trades again")
    row = await switch(platform, number)
    assert row["lifted_by"] != row["lift_requested_by"]
    audited = await platform.audited("platform", "kill_switch_lift_requested")
    assert audited[0]["details"]["reason"] == row["lift_reason"]
    rows = await platform.audited(account, "kill_switch_lifted")
    (lifted,) = (one for one in rows if "requested_by" in one["details"])
    assert (lifted["actor"], lifted["details"]["requested_by"]) == (
        row["lifted_by"],
        row["lift_requested_by"],
    )
    again = await lift(platform, number)
    assert again.json()["type"] == "urn:aether:problem:already-lifted"


async def test_kill_switch_is_lifted_by_another_person_than_who_asked_or_engaged(platform):
    account = await platform.add_account()
    await platform.start_account(account)
    async with (
        signed_in(platform.app, PORT_BASE, platform.admin, factors=2) as first,
        signed_in(platform.app, PORT_BASE, platform.admin, factors=2) as second,
        signed_in(platform.app, PORT_BASE, platform.admin, factors=2) as third,
    ):
        body = {"reason": "a drill", "accounts": [account]}
        first.steps_up = False
        engaged = await first.post(PATH, json=body, headers=a_key())
        assert engaged.status_code == 202, "it takes no confirmation"
        first.steps_up = True
        number = engaged.json()["number"]
        path, why = f"{PATH}/{number}/lift", {"reason": "looked into it"}
        machine = await platform.caller.post(path, json=why, headers=a_key())
        assert machine.json()["type"] == "urn:aether:problem:person-required"
        asked = await second.post(path, json=why, headers=a_key())
        assert asked.status_code == 202, asked.text
        approval = asked.json()["approval"]
        again = await third.post(path, json=why, headers=a_key())
        assert again.json()["approval"] == approval, "the request that waits stands"
        approve = f"/api/v1/approvals/{approval}/approve"
        shown = (await third.get(f"/api/v1/approvals/{approval}")).json()
        assert (shown["subject"], shown["requested_by"]) == ("lift_kill_switch", second.user)
        for nobody in (first, second):
            alone = await nobody.post(approve, json=why, headers=a_key())
            assert alone.json()["type"] == "urn:aether:problem:second-person-needed", alone.text
        third.steps_up = False
        unconfirmed = await third.post(approve, json=why, headers=a_key())
        assert unconfirmed.json()["type"] == "urn:aether:problem:step-up-required"
        third.steps_up = True
        assert (await switch(platform, number))["lifted_at"] is None
        done = await third.post(approve, json=why, headers=a_key())
        assert done.status_code == 200, done.text

        async def lifted():
            return (await switch(platform, number))["lifted_by"] == third.user

        await eventually(lifted, "it is lifted in the name of who approved")


async def test_kill_switch_of_a_pair_stops_that_pair_alone(platform):
    account = await platform.add_account()
    await platform.start_account(account)
    await platform.set_market()
    engaged = await engage(platform, account, symbols=["BTC/USD"])
    assert engaged.json()["symbols"] == ["BTC/USD"]
    number = engaged.json()["number"]

    async def acknowledged():
        return account in (await switch(platform, number))["acknowledged"]

    await eventually(acknowledged, "the account knows")
    path = f"/api/v1/accounts/{account}"
    assert (await platform.caller.get(path)).json()["state"] == "trading"
    order = {"symbol": "BTC/USD", "stop_price": "47500", "quantity": "0.01"}
    refused = await platform.caller.post(f"{path}/trades", json=order, headers=a_key())
    assert refused.json()["type"] == "urn:aether:problem:kill-switch-engaged"
    journal = platform.records
    assert await journal.entries_halted(account, "BTC/USD")
    assert not await journal.entries_halted(account, "ETH/USD")
    halted = await journal.store_intent(an_order(account=account), datetime.now(UTC))
    assert halted.halted
    other = an_order(account=account, symbol="ETH/USD")
    assert not (await journal.store_intent(other, datetime.now(UTC))).halted
    assert (await lift(platform, number)).status_code == 200

    async def free():
        answer = await platform.caller.post(f"{path}/trades", json=order, headers=a_key())
        return answer.status_code == 202

    await eventually(free, "the pair is traded again")


async def test_same_key_engages_once(platform):
    account = await platform.add_account()
    key = a_key()
    answers = await asyncio.gather(*(engage(platform, account, key=key) for _ in range(4)))
    answers.append(await engage(platform, account, key=key))
    assert len({a.json()["number"] for a in answers}) == 1
    assert (await engage(platform, account, key=key, flatten=True)).status_code == 409
    audited = await platform.audited(account, "kill_switch_engaged")
    assert len(audited) == 1
    await lift(platform, answers[0].json()["number"])


async def test_bad_engagements_are_refused(platform):
    unknown = await engage(platform, "nobody")
    assert (unknown.status_code, unknown.json()["type"]) == (
        404,
        "urn:aether:problem:unknown-account",
    )
    for changed in ({"reason": "x"}, {"flatten": "maybe"}, {"accounts": "all"}, {"extra": 1}):
        assert (await engage(platform, **changed)).status_code == 422
    missing = await lift(platform, 4711)
    assert missing.json()["type"] == "urn:aether:problem:unknown-kill-switch"
    assert (await lift(platform, 0)).status_code == 422
    pair = await engage(platform, symbols=["NOPE/USD"])
    assert (pair.status_code, pair.json()["type"]) == (404, "urn:aether:problem:unknown-pair")


async def test_flag_is_raised_while_the_engine_is_down_and_its_workflow_starts_later(
    without_engine,
):
    account = await without_engine.add_account()
    engaged = await engage(without_engine)
    assert engaged.status_code == 202
    assert engaged.json()["accounts"] == [account]
    standing = await without_engine.services.journal.kill_switches(only_engaged=True)
    assert [row.number for row in standing] == [engaged.json()["number"]]
    assert await without_engine.audited("platform", "kill_switch_workflow_delayed")
    assert without_engine.services.engagements_due.is_set()
    refused = await lift(without_engine, engaged.json()["number"])
    assert refused.status_code == 503


async def test_workflow_of_a_standing_engagement_is_started_once_the_engine_answers(platform):
    account = await platform.add_account()
    await platform.start_account(account)
    client, platform.services.client = platform.services.client, None
    engaged = await engage(platform, account)
    number = engaged.json()["number"]
    platform.services.client = client

    async def halted():
        return account in (await switch(platform, number))["acknowledged"]

    await eventually(halted, "the account is halted")
    await lift(platform, number)


async def test_engine_that_went_away_holds_the_kill_switch_up_for_seconds_only(
    without_engine, temporal_address, monkeypatch
):
    short = timedelta(milliseconds=300)
    monkeypatch.setattr(engagements, "START_TIMEOUT", short)
    monkeypatch.setattr(commands, "UPDATE_TIMEOUT", short)
    monkeypatch.setattr(health, "CHECK_SECONDS", 0.3)
    account = await without_engine.add_account()
    services = without_engine.services
    async with cuttable(temporal_address) as (address, cut):
        services.client = await Client.connect(
            address, namespace=NAMESPACE, tls=access(address) or False
        )
        assert (await without_engine.stranger.get("/readyz")).status_code == 200
        cut()
        async with asyncio.timeout(5):
            engaged = await engage(without_engine, account)
    assert engaged.status_code == 202
    assert (await switch(without_engine, engaged.json()["number"]))["accounts"] == [account]
    assert (await without_engine.stranger.get("/readyz")).status_code == 503
    refused = await without_engine.caller.post(
        f"/api/v1/accounts/{account}/resume", headers=a_key()
    )
    assert refused.status_code == 503
    assert refused.headers["content-type"] == "application/problem+json"


@asynccontextmanager
async def cuttable(address):
    """Forward a port of our own to an address until it is cut."""
    host, port = address.split(":")
    writers = []

    async def forward(reader, writer):
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    async def accept(reader, writer):
        there_reader, there_writer = await asyncio.open_connection(host, int(port))
        writers.extend((writer, there_writer))
        await asyncio.gather(
            forward(reader, there_writer), forward(there_reader, writer), return_exceptions=True
        )

    def cut():
        server.close()
        for writer in writers:
            writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}", cut
    cut()
    # A transport that nobody has seen closed is a leak in whichever test runs next.
    await asyncio.gather(*(writer.wait_closed() for writer in writers), return_exceptions=True)


async def test_trading_worker_starts_what_stands_and_nothing_that_was_lifted(platform):
    account = await platform.add_account()
    await platform.start_account(account)
    journal, client = platform.records, platform.services.client
    number = await journal.next_kill_switch_number()
    facts = {"flatten": False, "reason": "found standing", "by": "a dead API"}
    await journal.engage_kill_switch(number, [account], **facts, at=datetime.now(UTC))
    await start_kill_switches(client, journal)
    await start_kill_switches(client, journal)

    async def halted():
        return account in (await switch(platform, number))["acknowledged"]

    await eventually(halted, "the account is halted")
    rows = [row.engagement() for row in await journal.kill_switches(only_engaged=True)]
    await lift(platform, number)
    handle = client.get_workflow_handle(kill_switch_workflow_id(number))
    await handle.result()
    await start_engagements(client, rows)
    assert (await handle.describe()).status is WorkflowExecutionStatus.COMPLETED


def a_desk(directory, stop, account, exchange, resting=()):
    async def entries(_):
        return list(resting)

    return EmergencyDesk(directory, StopFile(directory), stop, lambda: {account: exchange}, entries)


async def test_entries_are_withdrawn_directly_while_the_engine_is_down(
    without_engine, tmp_path_factory, monkeypatch
):
    account = await without_engine.add_account()
    exchange = FakeExchange()
    entry = an_order(account=account, limit_price=exchange.price / 2)
    await exchange.submit(entry, None)
    (report,) = exchange.by_client_id(entry.client_order_id)
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setattr(without_engine.services.settings, "home", home)
    directory = StateDirectory(home).sockets
    directory.mkdir(parents=True, exist_ok=True)
    stop = EmergencyStop()
    desk = a_desk(directory, stop, account, exchange, [report.order_id])
    listening = await desk.open()
    engaged = await engage(without_engine, account)
    assert (engaged.status_code, engaged.json()["recorded"]) == (202, True)

    def withdrawn():
        (entry_now,) = exchange.by_client_id(entry.client_order_id)
        return entry_now.status is OrderStatus.CANCELED

    await eventually(withdrawn, "the entry is gone at the exchange")
    await close_desk(listening)
    assert not desk.due.is_set()
    standing = await without_engine.services.journal.kill_switches(only_engaged=True)
    mine = [row.number for row in standing if account in row.accounts]
    assert mine == [engaged.json()["number"]]


async def test_full_disk_stops_entries_without_the_record(platform, tmp_path_factory, monkeypatch):
    account = await platform.add_account()
    exchange, stop = FakeExchange(), EmergencyStop()
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setattr(platform.services.settings, "home", home)
    directory = StateDirectory(home).sockets
    directory.mkdir(parents=True, exist_ok=True)

    async def full(*_, **__):
        raise DatabaseUnavailableError("could not extend file: No space left on device")

    monkeypatch.setattr(platform.services.journal, "engage_kill_switch", full)
    unheard = await engage(platform, account)
    assert unheard.status_code == 503
    desk = a_desk(directory, stop, account, exchange)
    listening = await desk.open()
    engaged = await engage(platform, account, "director-9")
    assert engaged.status_code == 404  # a name nobody knows is refused as always
    engaged = await engage(platform, account, flatten=True)
    await close_desk(listening)
    assert engaged.status_code == 202
    assert engaged.json()["recorded"] is False
    assert engaged.json()["withdrawn"] == {account: "sends no entry; 0 withdrawn"}
    assert engaged.json()["silent"] == []
    assert stop.stops(account)
    assert stop.standing[0].flatten

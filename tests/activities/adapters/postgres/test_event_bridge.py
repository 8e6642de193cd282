"""Events go from the record's commits to a real broker: in order, none lost, none twice."""

import asyncio
import json
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from activities.adapters.nats.broker import NatsBroker
from activities.adapters.postgres.record.outbox import PAGE, PostgresOutbox
from activities.events.bridge import EventBridge
from activities.ports.events import BrokerUnavailableError
from infra.migrations.events.outbox import WATCHED
from infra.runtime.database.connections import Database, Role
from models.contracts.events import KINDS, Event, schemas
from tests.support.nats import nats_server

ROOM = 1000
SCHEMAS = Path(__file__).parents[4] / "docs" / "event-schemas.json"
FILL = """
    INSERT INTO fills (account_id, execution_id, order_id, symbol, side, quantity, price, cost,
        fee, maker, exchange_time, recorded_at)
    VALUES (%(account)s, %(name)s, 'O-1', 'BTC/USD', 'buy', 0.1, 12345.678901234567890123, 1234.5,
        3.1, false, now(), now())
"""


def _now():
    return datetime.now(UTC)


@pytest.fixture
async def outbox(postgres, database_name, database):
    """An outbox that is switched on and empty."""
    with psycopg.connect(postgres.url("postgres", database_name)) as connection:
        connection.execute("TRUNCATE event_outbox, event_heads, event_cursors")
        connection.execute(
            "INSERT INTO platform_settings (name, value) VALUES ('installation', 'here')"
            " ON CONFLICT DO NOTHING"
        )
    connected = Database(postgres.url(Role.EVENTS, database_name))
    found = PostgresOutbox(connected)
    await found.switch(on=True, room=ROOM)
    yield found
    await found.switch(on=False, room=ROOM)
    await connected.close()


@pytest.fixture
def server(tmp_path):
    with nats_server(tmp_path) as running:
        yield running


def broker_of(server, **changed):
    given = {"url": server.url, "stream": "AETHER", "credentials": server.credentials}
    return NatsBroker(**(given | changed))


@pytest.fixture
def happen(postgres, database_name):
    """Commit executions of an account, each in a transaction of its own."""

    def commit(account, *names, roll_back=False):
        with psycopg.connect(postgres.url(Role.APP, database_name)) as connection:
            for name in names:
                connection.execute("SELECT set_config('aether.account_id', %s, true)", [account])
                connection.execute(FILL, {"account": account, "name": name})
                connection.rollback() if roll_back else connection.commit()

    return commit


async def accounts_of(outbox):
    return (await outbox.scopes())[:-1]


async def test_what_is_committed_arrives_in_order_with_every_digit(outbox, server, happen):
    first, *_ = await accounts_of(outbox)
    happen(first, "E-0", roll_back=True)
    happen(first, *[f"E-{number}" for number in range(1, 8)])
    broker = broker_of(server)
    assert await EventBridge(outbox, broker, _now).send_waiting() == 7
    await broker.close()
    found = await server.read()
    assert [one["data"]["execution_id"] for one in found] == [f"E-{n}" for n in range(1, 8)]
    assert [one["sequence"] for one in found] == [str(n) for n in range(1, 8)]
    assert {one["type"] for one in found} == {"aether.fill.v1"}
    assert {one["_subject"] for one in found} == {f"aether.{first}.fill"}
    assert {one["data"]["price"] for one in found} == {"12345.678901234567890123"}
    assert await outbox.waiting(first) == []


async def test_what_is_sent_again_is_stored_once(outbox, server, happen):
    first, *_ = await accounts_of(outbox)
    happen(first, "E-again-1", "E-again-2")
    broker = broker_of(server)
    for event in await outbox.waiting(first):  # as by a bridge that was killed before it noted it
        await broker.publish(event)
    await broker.close()
    broker = broker_of(server)
    assert await EventBridge(outbox, broker, _now).send_waiting() == 2
    await broker.close()
    ids = [one["id"] for one in await server.read()]
    assert len(ids) == len(set(ids)) == 2


async def test_a_broker_that_is_killed_gets_everything_afterwards(outbox, server, happen):
    first, second, *_ = await accounts_of(outbox)
    broker = broker_of(server)
    bridge = asyncio.create_task(EventBridge(outbox, broker, _now).run())
    wanted = defaultdict(list)
    for turn in range(6):
        if turn in (1, 3):
            server.kill()
        names = [f"E-{turn}-{number}" for number in range(20)]
        for account in (first, second):
            wanted[account] += names
            await asyncio.to_thread(happen, account, *[f"{account}{name}" for name in names])
        if turn in (2, 4):
            await asyncio.to_thread(server.start)
    while await outbox.waiting(first) or await outbox.waiting(second):
        assert not bridge.done(), bridge
        await asyncio.sleep(0.05)
    bridge.cancel()
    await broker.close()
    found = await server.read()
    for account, names in wanted.items():
        mine = [one["data"]["execution_id"] for one in found if one["subject"] == account]
        assert mine == [f"{account}{name}" for name in names]
    assert len({one["id"] for one in found}) == len(found)


async def test_beyond_its_room_events_are_counted_as_lost_and_trading_goes_on(
    outbox, happen, server
):
    first, *_ = await accounts_of(outbox)
    await outbox.switch(on=True, room=3)
    happen(first, *[f"E-full-{number}" for number in range(5)])
    assert [one.sequence for one in await outbox.waiting(first)] == [1, 2, 3]
    broker = broker_of(server)
    assert await EventBridge(outbox, broker, _now).send_waiting() == 3
    happen(first, "E-room-again")
    assert [one.sequence for one in await outbox.waiting(first)] == [6]
    await EventBridge(outbox, broker, _now).send_waiting()
    await broker.close()
    assert [one["sequence"] for one in await server.read()] == ["1", "2", "3", "6"]


async def test_while_it_is_off_nothing_is_kept_and_no_trigger_fires(
    outbox, happen, postgres, database_name
):
    first, *_ = await accounts_of(outbox)
    await outbox.switch(on=False, room=ROOM)
    happen(first, "E-off")
    assert await outbox.waiting(first) == []
    with psycopg.connect(postgres.url("postgres", database_name)) as connection:
        enabled = connection.execute(
            "SELECT tgname FROM pg_trigger WHERE tgname LIKE '%\\_told' AND tgenabled <> 'D'"
        ).fetchall()
        watched = connection.execute(
            "SELECT count(*) FROM pg_trigger WHERE tgname LIKE '%\\_told'"
        ).fetchone()
    assert enabled == []
    assert watched == (len(WATCHED),)


async def test_two_transactions_that_overlap_never_leave_a_number_behind(
    outbox, postgres, database_name
):
    """Who begins later and commits first has the lower number: none is filled in afterwards."""
    first, *_ = await accounts_of(outbox)
    url = postgres.url(Role.APP, database_name)
    with psycopg.connect(url) as slow, psycopg.connect(url) as quick:
        for connection, name in ((slow, "E-slow"), (quick, "E-quick")):
            connection.execute("SELECT set_config('aether.account_id', %s, true)", [first])
            connection.execute(FILL, {"account": first, "name": name})
        quick.commit()
        (seen,) = await outbox.waiting(first)
        await outbox.sent(first, seen.sequence, _now())
        slow.commit()
    names = [json.loads(one.content)["execution_id"] for one in await outbox.waiting(first)]
    assert names == ["E-slow"]


@pytest.mark.parametrize("missing", ["user", "client.pem", "authority.pem"])
async def test_without_a_credential_nothing_is_told_and_nothing_is_lost(
    outbox, server, happen, missing
):
    first, *_ = await accounts_of(outbox)
    happen(first, f"E-without-{missing}")
    (server.credentials / missing).rename(server.credentials / "away")
    broker = broker_of(server)
    with pytest.raises(BrokerUnavailableError):
        await EventBridge(outbox, broker, _now).send_waiting()
    assert len(await outbox.waiting(first)) == 1
    (server.credentials / "away").rename(server.credentials / missing)
    assert await EventBridge(outbox, broker, _now).send_waiting() == 1
    await broker.close()


async def test_an_event_without_its_schema_blocks_its_own_account_only_and_is_kept(
    outbox, server, happen, postgres, database_name
):
    first, second, *_ = await accounts_of(outbox)
    happen(first, "E-fine")
    happen(second, "E-other")
    with psycopg.connect(postgres.url("postgres", database_name)) as connection:
        connection.execute(
            "UPDATE event_outbox SET content = content - 'price' WHERE account_id = %s", [first]
        )
    broker = broker_of(server)
    with pytest.raises(BrokerUnavailableError, match="has not its schema"):
        await EventBridge(outbox, broker, _now).send_waiting()
    await broker.close()
    assert [one["subject"] for one in await server.read()] == [second]
    assert len(await outbox.waiting(first)) == 1


async def test_switching_gives_way_to_who_writes(outbox, postgres, database_name):
    await outbox.switch(on=False, room=ROOM)
    with psycopg.connect(postgres.url(Role.APP, database_name)) as writer:
        writer.execute("SELECT set_config('aether.account_id', 'company', true)")
        writer.execute(FILL, {"account": "company", "name": "E-under-way"})
        with pytest.raises(ConnectionError, match="lock timeout"):
            await outbox.switch(on=True, room=ROOM)
        writer.rollback()
    assert await outbox.switch(on=True, room=ROOM)


async def test_a_page_is_bounded(outbox, happen):
    first, *_ = await accounts_of(outbox)
    happen(first, *[f"E-page-{number}" for number in range(PAGE + 5)])
    assert len(await outbox.waiting(first)) == PAGE


def test_every_kind_has_a_schema_and_every_column_of_it_is_watched():
    assert {kind for _, kind, _ in WATCHED} == set(KINDS)
    for _, kind, columns in WATCHED:
        required = {n for n, f in KINDS[kind].model_fields.items() if f.is_required()}
        assert required <= set(columns.split(",")), kind


def test_published_schemas_do_not_change_without_a_new_version():
    assert json.loads(SCHEMAS.read_text()) == schemas()


def test_amounts_are_text_and_ids_do_not_depend_on_the_sending():
    content = json.dumps({"account_id": "a", "mode": "live", "halts": []})
    event = Event(
        installation="here",
        epoch=2,
        account="a.b c",
        sequence=7,
        kind="halts",
        at=_now(),
        content=content,
    )
    assert event.event_id == "here/2/a.b c/7"
    assert event.subject == "aether.a_b_c.halts"
    assert event.document()["data"] == {"account_id": "a", "mode": "live", "halts": []}

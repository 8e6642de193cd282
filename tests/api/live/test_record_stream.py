"""A stream that comes back misses nothing and repeats nothing, whatever commits meanwhile."""

import asyncio
import random
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from activities.adapters.postgres.installation import create_account
from activities.adapters.postgres.record_events import PostgresRecordEvents
from api.live.cursor import Position, check_of, read_cursor
from api.live.hub import Hub, Sources
from api.live.stream import Message, RecordStream
from api.routes.platform.events import as_event
from infra.runtime.database.connections import Database, Role
from models.trading.account.state import AccountState
from tests.support.stories import LIMITS
from tests.support.temporal import eventually

ASSETS = ("USD", "BTC", "ETH")
WAIT = 20.0


async def stands() -> bool:
    return True


async def nothing() -> dict:
    return {}


@asynccontextmanager
async def running_hub(database):
    async def heartbeat(_hears):
        return {}

    hub = Hub(PostgresRecordEvents(database), Sources(heartbeat, nothing))
    work = asyncio.create_task(hub.run())
    try:
        yield hub
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


@pytest.fixture
async def database(postgres, database_name):
    database = Database(postgres.url(Role.API, database_name), connections=4)
    yield database
    await database.close()


@pytest.fixture
async def accounts(postgres, database_name):
    admin = Database(postgres.url(Role.ADMIN, database_name))
    names = [f"account-{uuid4().hex[:8]}" for _ in range(2)]
    for name in names:
        state = AccountState(name, "installation", limits=LIMITS, strategies=("trend",))
        await create_account(admin, state, "director", datetime.now(UTC))
    await admin.close()
    return names


async def write(url, account, asset, pause, commits):
    """One transaction of a process that trades: it may take its time, and may be undone."""
    async with await psycopg.AsyncConnection.connect(url) as connection:
        await connection.execute("SELECT set_config('aether.account_id', %s, true)", (account,))
        await connection.execute(
            "INSERT INTO balances (account_id, asset, total, updated_at) VALUES (%s, %s, 1, now())"
            " ON CONFLICT (account_id, asset) DO UPDATE SET total = balances.total + 1",
            (account, asset),
        )
        await asyncio.sleep(pause)
        await (connection.commit() if commits else connection.rollback())


class Browser:
    """Collects events, and goes and comes back with the last id that it has seen."""

    def __init__(self, hub):
        self.hub = hub
        self.last = None
        self.seen = []
        self.resyncs = 0

    async def follow(self, events):
        """Read until so many events have come, then vanish."""
        after = None if self.last is None else read_cursor(self.last)
        stream = RecordStream(self.hub.events, after, stands)
        await self.hub.join(stream)
        try:
            async with aclosing(stream.messages()) as messages:
                async for message in messages:
                    self.last = message.id or self.last
                    self.resyncs += message.kind == "resync"
                    if message.kind == "record":
                        self.seen.append((message.data["account"], message.id))
                        events -= 1
                        if events <= 0:
                            return
        finally:
            self.hub.leave(stream)

    def numbers(self, account):
        return [read_cursor(at)[account].sequence for name, at in self.seen if name == account]


async def head(database, account):
    newest = await PostgresRecordEvents(database).newest(account)
    return 0 if newest is None else newest[0]


@settings(
    max_examples=12,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    writes=st.lists(
        st.tuples(
            st.integers(0, 1),
            st.sampled_from(ASSETS),
            st.sampled_from([0.0, 0.002, 0.02]),
            st.booleans(),
        ),
        min_size=5,
        max_size=40,
    ),
    visits=st.lists(st.integers(1, 5), min_size=1, max_size=6),
    seed=st.integers(0, 2**16),
)
async def test_resumed_stream_misses_and_repeats_nothing(
    postgres, database_name, database, accounts, writes, visits, seed
):
    url = postgres.url(Role.APP, database_name)
    chance = random.Random(seed)
    async with running_hub(database) as hub:
        browser = Browser(hub)
        first = asyncio.create_task(browser.follow(1))
        await eventually(lambda: browser.last is not None, "it has come")
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        begun = {name: read_cursor(browser.last).get(name) for name in accounts}

        async def work():
            for which, asset, pause, commits in writes:
                task = asyncio.create_task(write(url, accounts[which], asset, pause, commits))
                running.append(task)
                if chance.random() < 0.5:
                    await asyncio.sleep(chance.random() * 0.01)

        running: list[asyncio.Task] = []
        working = asyncio.create_task(work())
        for count in visits:
            visit = asyncio.create_task(browser.follow(count))
            await asyncio.wait({visit}, timeout=chance.random() * 0.1)
            visit.cancel()
            await asyncio.gather(visit, return_exceptions=True)
        await working
        await asyncio.gather(*running)
        heads = {name: await head(database, name) for name in accounts}
        last = asyncio.create_task(browser.follow(10_000))

        async def is_complete():
            known = read_cursor(browser.last)
            return all(known[name].sequence == heads[name] for name in accounts)

        await eventually(is_complete, "everything has come")
        last.cancel()
        await asyncio.gather(last, return_exceptions=True)
    for name in accounts:
        start = 0 if begun[name] is None else begun[name].sequence
        assert browser.numbers(name) == list(range(start + 1, heads[name] + 1))
    assert browser.resyncs == 1  # the first, which had nothing to resume from


async def test_late_commit_is_numbered_when_it_commits(postgres, database_name, database, accounts):
    """A bare sequence would give the slow transaction a number that readers have passed."""
    url = postgres.url(Role.APP, database_name)
    account = accounts[0]
    before = await head(database, account)
    slow = asyncio.create_task(write(url, account, "BTC", 0.3, True))
    await asyncio.sleep(0.1)
    await write(url, account, "ETH", 0, True)
    assert [e.subject for e in await PostgresRecordEvents(database).after(account, before)] == [
        "ETH"
    ]
    await slow
    events = await PostgresRecordEvents(database).after(account, before)
    assert [event.subject for event in events] == ["ETH", "BTC"]
    assert [event.sequence for event in events] == [before + 1, before + 2]


@pytest.mark.parametrize("kind", ["resync", "caught-up", "session-ended"])
def test_every_event_has_data(kind):
    """An event without a data line is never dispatched (WHATWG HTML, 9.2.6)."""
    assert as_event(Message(kind, id="a:1.00000")).data is not None


async def first_messages(hub, after, count):
    stream = RecordStream(hub.events, after, stands)
    await hub.join(stream)
    try:
        async with asyncio.timeout(WAIT), aclosing(stream.messages()) as messages:
            return [await anext(messages) for _ in range(count)]
    finally:
        hub.leave(stream)


async def test_pruned_past_answers_resync(postgres, database_name, database, accounts):
    url = postgres.url(Role.APP, database_name)
    account = accounts[0]
    for _ in range(3):
        await write(url, account, "USD", 0, True)
    events = PostgresRecordEvents(database)
    first = (await events.after(account, 0))[0]
    rest = {name: value for name, value in (await _heads(events)).items() if name != account}
    at = {**rest, account: Position(1, check_of(first.at))}
    async with running_hub(database) as hub:
        assert (await first_messages(hub, at, 1))[0].kind == "record"
        await events.prune(datetime.now(UTC) + timedelta(seconds=1))
        resync = (await first_messages(hub, at, 1))[0]
    assert resync.kind == "resync"
    assert read_cursor(resync.id)[account].sequence == await head(database, account)


async def _heads(events):
    found = {}
    for name in await events.scopes():
        newest = await events.newest(name)
        if newest is not None:
            entry = read_cursor(f"{name}:{newest[0]}.{check_of(newest[1])}")
            found |= entry
    return found


async def test_other_record_answers_resync(postgres, database_name, database, accounts):
    """After a restore the same numbers stand for other events."""
    url = postgres.url(Role.APP, database_name)
    await write(url, accounts[0], "USD", 0, True)
    events = PostgresRecordEvents(database)
    known = await _heads(events)
    foreign = dict(known) | read_cursor(f"{accounts[0]}:{known[accounts[0]].sequence}.zzzzz")
    ahead = dict(known) | read_cursor(f"{accounts[0]}:{known[accounts[0]].sequence + 5}.zzzzz")
    async with running_hub(database) as hub:
        assert (await first_messages(hub, foreign, 1))[0].kind == "resync"
        assert (await first_messages(hub, ahead, 1))[0].kind == "resync"
        assert (await first_messages(hub, known, 1))[0].kind == "caught-up"
        assert read_cursor("nonsense") is None


async def test_lost_connection_delays_and_loses_nothing(
    postgres, database_name, database, accounts
):
    url = postgres.url(Role.APP, database_name)
    async with running_hub(database) as hub:
        browser = Browser(hub)
        following = asyncio.create_task(browser.follow(10_000))
        await eventually(lambda: browser.last is not None, "it has come")
        start = await head(database, accounts[0])
        async with await psycopg.AsyncConnection.connect(
            postgres.cluster.url(), autocommit=True
        ) as owner:
            await owner.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = %s AND query LIKE 'LISTEN%%'",
                (database_name,),
            )
        await write(url, accounts[0], "BTC", 0, True)
        await eventually(lambda: len(browser.numbers(accounts[0])) == 1, "it has come")
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
    assert browser.numbers(accounts[0]) == [start + 1]


async def test_session_that_is_over_by_its_time_ends_its_stream_though_nothing_tells(
    database, accounts, monkeypatch
):
    monkeypatch.setattr("api.live.hub.HEARTBEAT_SECONDS", 0.05)
    valid = True

    async def still_stands():
        return valid

    async with running_hub(database) as hub:
        stream = RecordStream(hub.events, None, still_stands)
        await hub.join(stream)
        kinds = []

        async def read():
            async with aclosing(stream.messages()) as messages:
                async for message in messages:
                    kinds.append(message.kind)  # noqa: PERF401  # read while it grows

        reading = asyncio.create_task(read())
        await eventually(lambda: "heartbeat" in kinds, "it beats")
        valid = False
        await eventually(reading.done, "it has ended")
        assert kinds[-1] == "session-ended"


async def test_revoked_session_ends_its_stream_within_a_second(
    postgres, database_name, database, accounts
):
    valid = True

    async def still_stands():
        return valid

    async with running_hub(database) as hub:
        stream = RecordStream(hub.events, None, still_stands)
        await hub.join(stream)
        kinds = []

        async def read():
            async with aclosing(stream.messages()) as messages:
                async for message in messages:
                    kinds.append(message.kind)  # noqa: PERF401  # read while it grows

        reading = asyncio.create_task(read())
        await eventually(lambda: "caught-up" in kinds, "it has come")
        valid = False
        admin = Database(postgres.url(Role.ADMIN, database_name))
        await admin.call(
            text(
                "SELECT create_token('gone', 'director', 'hash', now(), now() + '1 day', 'aether')"
            )
        )
        await admin.call(text("SELECT revoke_token('gone', now(), 'aether')"))
        await admin.close()
        await asyncio.wait_for(reading, 1.0)
        assert kinds[-1] == "session-ended"


async def test_nothing_is_told_of_accounts_that_the_caller_may_not_read(
    postgres, database_name, database, accounts
):
    url = postgres.url(Role.APP, database_name)
    mine, other = accounts
    async with running_hub(database) as hub:
        stream = RecordStream(hub.events, None, stands, sees=lambda name: name == mine)
        await hub.join(stream)
        found = []

        async def read():
            async with aclosing(stream.messages()) as messages:
                async for message in messages:
                    found.append(message)  # noqa: PERF401  # read while it grows

        reading = asyncio.create_task(read())
        await eventually(lambda: any(m.kind == "caught-up" for m in found), "it is joined")
        await write(url, other, "BTC", 0, True)
        await write(url, mine, "BTC", 0, True)
        stream.send(Message("overview", {"accounts": [{"account": mine}, {"account": other}]}))
        await eventually(
            lambda: {"record", "overview"} <= {m.kind for m in found}, "both have come"
        )
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        hub.leave(stream)
    told = repr([(m.kind, m.data, m.id) for m in found if m.data != {}])
    assert mine in told
    assert other not in told

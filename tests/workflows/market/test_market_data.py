"""Data from outside on a real Temporal and PostgreSQL, asked of the simulator's own servers."""

import threading
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from uuid import uuid4

import psycopg
import pytest
import pytest_asyncio

from activities.adapters.postgres.market.data_record import PostgresMarketData
from activities.adapters.postgres.market.rules_record import PostgresMarketRules
from activities.adapters.sanctions.assets import read_sanctions
from activities.adapters.sentiment.fear_and_greed import FearAndGreed
from activities.history.market_data import MarketDataActivities
from activities.ports.rules import UniverseAuthorship
from infra.runtime.database.connections import Database, Role
from infra.runtime.settings import Settings
from models.contracts.market.data import (
    MARKET_DATA_WORKFLOW,
    DataWork,
    MarketDataDone,
    MarketDataRun,
    market_data_id,
)
from models.trading.instruments import InstrumentStatus
from models.trading.universe.pairs import Universe, UniversePair
from tests.support.data_work import recorded_data_work
from tests.support.market_rules import NobodyListens, Pairs, rules_activities, rules_worker
from tests.support.public_market import OpenMarket
from tests.support.public_server import a_public_server
from tests.support.temporal import eventually
from workers.research.assembly import COMMAND, market_data_worker
from workers.schedules.market_data import keep_data_schedules, wanted_schedules

HOURS, STEPS_A_MINUTE = 12, 10
ENTRY = '{},"{}",-0- ,"CYBER2",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- \r\n'
INDEX = """{"name": "Fear and Greed Index", "data": [
 {"value": "40", "value_classification": "Fear", "timestamp": "1551157200"},
 {"value": "47", "value_classification": "Neutral", "timestamp": "1551070800"}],
 "metadata": {"error": null}}"""
TABLES = (
    "universe_versions, universe_proposals, sanctions_lists, market_data_work, sentiment_values, "
    "history_series, history_candles, history_imports, history_batches"
)


class Server:
    """Answers whatever a test has it answer; None is a failure of the server's own."""

    def __init__(self, port):
        self.content, self.port = None, port

    @property
    def address(self):
        return f"http://127.0.0.1:{self.port}/data"


@contextmanager
def a_server(content):
    class Page(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(503 if served.content is None else 200)
            self.end_headers()
            self.wfile.write((served.content or "").encode())

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Page)
    served = Server(server.server_port)
    served.content = content
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def a_list(*names):
    """Return a list that is long enough to be whole."""
    known = [*(f"COMPANY {number}" for number in range(150)), *names]
    return "".join(ENTRY.format(number, name) for number, name in enumerate(known, 1))


@pytest.fixture
def empty(postgres, database_name):
    with psycopg.connect(postgres.url("postgres", database_name), autocommit=True) as connection:
        connection.execute(f"TRUNCATE {TABLES} CASCADE")
        yield connection


@pytest_asyncio.fixture
async def databases(postgres, database_name, empty):
    made = [Database(postgres.url(role, database_name)) for role in (Role.MARKET, Role.APP)]
    yield made
    for one in made:
        await one.close()


@pytest_asyncio.fixture
async def record(databases):
    return PostgresMarketData(databases[0])


async def a_universe(database, *symbols):
    pairs = {
        one: UniversePair(one, "large", Decimal(1), Decimal(1), InstrumentStatus.ONLINE)
        for one in symbols
    }
    by = UniverseAuthorship("first", "second", "a test", datetime.now(UTC))
    universe = replace(Universe(), version=1, pairs=pairs)
    assert await PostgresMarketRules(database).install(universe, by)


@asynccontextmanager
async def the_worker(client, record, **sources):
    queue = f"market-data-{uuid4().hex}"
    steps = MarketDataActivities(record, COMMAND, lambda: datetime.now(UTC), **sources)
    async with market_data_worker(client, steps, queue):

        async def run(work):
            return await client.execute_workflow(
                MARKET_DATA_WORKFLOW,
                MarketDataRun(work.value),
                id=f"{market_data_id(work)}/{uuid4().hex}",
                task_queue=queue,
                result_type=MarketDataDone,
            )

        yield run, queue


async def test_history_of_the_universe_is_filled_back_once(
    client, databases, record, empty, postgres, database_name, monkeypatch, tmp_path
):
    await a_universe(databases[1], "BTC/USD")
    market = OpenMarket(symbols=("BTC/USD",))
    market.generate(HOURS * 60 * STEPS_A_MINUTE)
    async with a_public_server(market) as server:
        base = f"http://127.0.0.1:{server.port}"
        monkeypatch.setenv("AETHER_HOME", str(tmp_path / "home"))
        monkeypatch.setenv("AETHER_DATABASE_URL", postgres.url(Role.MARKET, database_name))
        monkeypatch.setenv("AETHER_HISTORY_EXCHANGE", base)
        monkeypatch.setenv("AETHER_HISTORY_COINGECKO", f"{base}/coingecko/api/v3/")
        async with the_worker(client, record) as (run, _):
            done = await run(DataWork.HISTORY)
            again = await run(DataWork.HISTORY)
    assert (done.series, done.failures, done.quarantined_batches) == (3, 0, 0), done.told
    held = dict(
        empty.execute(
            "SELECT s.venue || ' ' || s.interval_minutes, count(*) FROM history_candles c "
            "JOIN history_series s USING (series_id) GROUP BY 1"
        ).fetchall()
    )
    # All whole hours but the one that has not ended.
    assert HOURS - 1 <= held["simulator 60"] <= HOURS, held
    assert sum(held.values()) == done.rows
    assert (again.series, again.rows) == (3, 0)
    noted = empty.execute("SELECT work, failures, succeeded_at IS NULL FROM market_data_work")
    assert noted.fetchall() == [("history", 0, False)]


async def test_a_source_that_fails_is_named_and_stops_no_other(client):
    async with recorded_data_work(client) as run:
        done = await run(DataWork.HISTORY)
    # Of three pairs the middle one's three series fail; every other tells three new rows, but for
    # one whose coin is not known: that is named, and no failure.
    assert (done.series, done.rows, done.failures) == (5, 15, 3)
    assert all("ETH/USD" in one and "does not answer" in one for one in done.told)
    assert done.skipped == ("LINK/USD: two coins",)


async def test_what_a_list_names_is_proposed_to_leave_and_only_news_is(
    client, databases, record, empty
):
    await a_universe(databases[1], "BTC/USD", "ETH/USD", "LINK/USD")
    rules = rules_activities(
        Pairs("BTC", "ETH", "LINK"), databases[1], databases[0], NobodyListens(), []
    )
    with a_server(a_list()) as server:
        reading = partial(read_sanctions, server.address)
        async with (
            the_worker(client, record, sanctions=reading) as (run, _),
            rules_worker(client, rules),
        ):
            quiet = await run(DataWork.SANCTIONS)
            server.content = a_list("CHAIN-LINK", "LINK")
            named = await run(DataWork.SANCTIONS)
            same = await run(DataWork.SANCTIONS)
    assert (quiet.rows, quiet.named, quiet.proposal) == (150, (), None)
    assert (named.rows, named.named, named.failures) == (152, ("LINK",), 0)
    assert (same.named, same.proposal) == (("LINK",), None)
    rows = empty.execute("SELECT number, leaves, verdicts FROM universe_proposals").fetchall()
    # Nothing has left: people ask for what is proposed, and other people approve it.
    assert [(number, leaves) for number, leaves, _ in rows] == [(named.proposal, ["LINK/USD"])]
    failed = [one for one in rows[0][2]["LINK/USD"]["checks"] if not one["passed"]]
    assert [one["code"] for one in failed] == ["sanctioned-asset"]
    assert "151 CHAIN-LINK" in failed[0]["reason"]
    assert (await PostgresMarketRules(databases[1]).current()).allowed >= {"LINK/USD"}


async def test_a_list_that_is_cut_off_changes_nothing_and_is_told(client, databases, record, empty):
    await a_universe(databases[1], "BTC/USD")
    with a_server(ENTRY.format(1, "BITCOIN")) as server:
        reading = partial(read_sanctions, server.address)
        async with the_worker(client, record, sanctions=reading) as (run, _):
            done = await run(DataWork.SANCTIONS)
    assert done.failures == 1
    assert "1 entries" in done.told[0]
    assert empty.execute("SELECT count(*) FROM sanctions_lists").fetchone() == (0,)
    noted = empty.execute("SELECT failures, succeeded_at FROM market_data_work").fetchall()
    assert noted == [(1, None)]


async def test_sentiment_is_known_from_when_it_was_read_and_a_change_does_not_hide_the_first(
    client, record, empty
):
    with a_server(INDEX) as server:
        feed = FearAndGreed(server.address)
        async with the_worker(client, record, sentiment=feed) as (run, _):
            first, again = await run(DataWork.SENTIMENT), await run(DataWork.SENTIMENT)
            between = datetime.now(UTC)
            server.content = INDEX.replace('"40"', '"41"')
            changed = await run(DataWork.SENTIMENT)
            server.content = INDEX.replace('"40"', '"141"')
            refused = await run(DataWork.SENTIMENT)
    assert [one.rows for one in (first, again, changed, refused)] == [2, 0, 1, 0]
    assert refused.failures == 1
    assert "0 to 100" in refused.told[0]
    known = "SELECT value FROM sentiment_known_at('fear_and_greed', %s)"
    assert empty.execute(known, [between]).fetchone() == (Decimal(40),)
    assert empty.execute(known, [datetime.now(UTC)]).fetchone() == (Decimal(41),)
    assert empty.execute(known, [datetime(2019, 3, 1, tzinfo=UTC)]).fetchone() is None


async def test_schedules_are_what_the_settings_say_and_start_a_run_at_once(client, record, empty):
    off = wanted_schedules(Settings(market="generated"))
    assert set(off.values()) == {None}
    assert wanted_schedules(Settings(market="kraken"))[DataWork.HISTORY] == "23 1 * * *"
    with a_server(INDEX) as server:
        said = Settings(market="kraken", history_schedule="off", sentiment=server.address)
        wanted = wanted_schedules(said)
        assert {work for work, cron in wanted.items() if cron} == {DataWork.SENTIMENT}
        async with the_worker(client, record, sentiment=FearAndGreed(server.address)) as (_, queue):
            await keep_data_schedules(client, wanted, queue)

            def held():
                return empty.execute("SELECT count(*) FROM sentiment_values").fetchone() == (2,)

            try:
                await eventually(held, "the schedule's first run kept what it read")
            finally:
                await keep_data_schedules(client, off, queue)
    left = [one.id async for one in await client.list_schedules()]
    assert not [name for name in left if name.startswith("market-data")]

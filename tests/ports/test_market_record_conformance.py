"""What every ``MarketRecord`` must do: the record in PostgreSQL, and the fake of the tests."""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count

import pytest
import pytest_asyncio

from activities.adapters.postgres.installation import create_account, installation_id
from activities.adapters.postgres.journal import PostgresJournal
from activities.adapters.postgres.market.market_record import PostgresMarketRecord
from activities.ports.market import MarketRecord
from infra.runtime.database.connections import Database, Role
from models.trading.account.state import AccountState
from models.trading.market import MarketSnapshot
from models.trading.trade.facts import PriceWatch
from tests.support.market_fakes import FakeMarketRecord, a_candle, a_watch
from tests.support.postgres import PostgresServer
from tests.support.record_builders import NOW

symbols = (f"M{number}/USD" for number in count())
"""A pair of each test's own: the record is shared among them."""


@dataclass
class Held:
    """A record, and how the watches of a trade are set in it."""

    record: MarketRecord
    set_watches: Callable[[str, int, Sequence[PriceWatch]], Awaitable[None]]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def recorded(postgres: PostgresServer, database_name: str) -> AsyncIterator[Held]:
    app = Database(postgres.url(Role.APP, database_name))
    market = Database(postgres.url(Role.MARKET, database_name))
    installation = await installation_id(app)
    for account in ("company", "director-1"):
        state = AccountState(account=account, installation=installation, strategies=("trend",))
        await create_account(app, state, "director", datetime.now(UTC))
    yield Held(PostgresMarketRecord(market), PostgresJournal(app).set_watches)
    await app.close()
    await market.close()


@pytest.fixture(params=["fake", "postgres"])
def held(request: pytest.FixtureRequest) -> Held:
    if request.param == "postgres":
        return request.getfixturevalue("recorded")
    record = FakeMarketRecord()

    async def set_watches(account: str, trade: int, watches: Sequence[PriceWatch]) -> None:
        others = [w for w in record.watches if (w.account, w.trade) != (account, trade)]
        record.watches = [*others, *watches]

    return Held(record, set_watches)


def a_snapshot(symbol, **changes) -> MarketSnapshot:
    figures = {"bid": Decimal(99), "ask": Decimal(101), "last": Decimal(100), "observed_at": NOW}
    return MarketSnapshot(symbol=symbol, **(figures | changes))


@pytest.mark.parametrize("made", [FakeMarketRecord, PostgresMarketRecord])
def test_it_has_every_method_of_the_port_with_the_same_arguments(made):
    differing = []
    for name, wanted in inspect.getmembers(MarketRecord, inspect.isfunction):
        if name.startswith("_"):
            continue
        found = getattr(made, name, None)
        if found is None or [*inspect.signature(found).parameters] != [
            *inspect.signature(wanted).parameters
        ]:
            differing.append(name)
    assert differing == []


async def test_bars_are_there_once_newest_words_last_and_oldest_first(held):
    symbol, record = next(symbols), held.record
    assert await record.save_candles([]) == 0
    first = [a_candle(number, symbol=symbol) for number in (2, 0, 1)]
    assert await record.save_candles(first) == 3
    changed = a_candle(1, close=200, symbol=symbol)
    assert await record.save_candles([a_candle(1, close=150, symbol=symbol), changed]) == 1
    found = await record.recent_candles(symbol, 1, 10)
    assert found == [a_candle(0, symbol=symbol), changed, a_candle(2, symbol=symbol)]
    assert await record.recent_candles(symbol, 1, 2) == found[-2:]
    assert await record.recent_candles(symbol, 5, 2) == []


async def test_an_older_snapshot_never_replaces_a_newer(held):
    symbol, record = next(symbols), held.record
    newer = a_snapshot(symbol, observed_at=NOW + timedelta(seconds=1))
    await record.save_snapshots([newer, a_snapshot(symbol)])
    await record.save_snapshots([a_snapshot(symbol, last=Decimal(7))])
    assert await record.snapshot(symbol) == newer
    assert await record.snapshot(next(symbols)) is None


async def test_a_watch_triggers_once_and_stays_triggered_when_it_is_set_again(held):
    watch = a_watch(60000, trade=71)
    other = a_watch(60000, trade=72, account="director-1")
    await held.set_watches("company", 71, [watch])
    await held.set_watches("director-1", 72, [other])

    async def active():
        return [w for w in await held.record.active_watches() if w in (watch, other)]

    assert await active() == [watch, other]
    assert await held.record.mark_triggered(watch, Decimal(60001), NOW)
    assert not await held.record.mark_triggered(watch, Decimal(60002), NOW)
    await held.set_watches("company", 71, [watch])
    assert await active() == [other]
    await held.set_watches("director-1", 72, [replace(other, watch_id="another")])
    assert await active() == []

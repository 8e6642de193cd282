"""A killed server is an error that a retry cures; nothing that was committed is lost."""

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime

import pytest

from activities.adapters.postgres.accounts.key_custody import PostgresKeyLock
from activities.adapters.postgres.installation import create_account
from activities.adapters.postgres.journal import PostgresJournal
from activities.adapters.postgres.market.market_record import PostgresMarketRecord
from infra.runtime.database.connections import Database, DatabaseUnavailableError, Role
from models.trading.account.state import AccountState
from tests.support.postgres import running_postgres
from tests.support.record_builders import NOW, an_order


async def test_journal_and_watches_survive_a_killed_server():
    with running_postgres(durable=True) as server:
        name = server.new_database()
        database = Database(server.url(Role.APP, name))
        market = Database(server.url(Role.MARKET, name))
        journal, record = PostgresJournal(database), PostgresMarketRecord(market)
        state = AccountState(account="company", installation="i")
        await create_account(database, state, "company", datetime.now(UTC))
        orders = [an_order() for _ in range(20)]
        await asyncio.gather(*(journal.store_intent(order, NOW, NOW) for order in orders))
        lock = PostgresKeyLock(database.driver_url, "some key")
        lock.acquire()
        async with aclosing(record.watch_changes()) as changes:
            waiting = asyncio.ensure_future(anext(changes))
            await asyncio.sleep(0)
            server.kill()
            with pytest.raises(DatabaseUnavailableError):
                await asyncio.wait_for(waiting, 10)
        with pytest.raises(DatabaseUnavailableError):
            await journal.store_intent(an_order(), NOW)
        with pytest.raises(DatabaseUnavailableError):
            await journal.orders("company", only_open=True)
        assert not lock.is_held
        server.start()
        again = await asyncio.gather(*(journal.store_intent(o, NOW, NOW) for o in orders))
        assert [(a.is_new, a.order.sends) for a in again] == [(False, 1)] * 20
        lock.acquire()
        assert lock.is_held
        lock.release()
        await database.close()
        await market.close()

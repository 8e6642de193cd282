"""A database of this module with two accounts, and the adapters over it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import pytest_asyncio

from activities.adapters.postgres.installation import create_account, installation_id
from activities.adapters.postgres.journal import PostgresJournal
from activities.adapters.postgres.market.market_record import PostgresMarketRecord
from infra.runtime.database.connections import Database, Role
from models.trading.account.state import AccountState
from tests.support.postgres import PostgresServer

ACCOUNTS = ("company", "director-1")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def database(postgres: PostgresServer, database_name: str) -> AsyncIterator[Database]:
    database = Database(postgres.url(Role.APP, database_name))
    installation = await installation_id(database)
    for account in ACCOUNTS:
        state = AccountState(account=account, installation=installation, strategies=("baseline",))
        await create_account(database, state, "director", datetime.now(UTC))
    yield database
    await database.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def admin(
    postgres: PostgresServer, database: Database, database_name: str
) -> AsyncIterator[Database]:
    admin = Database(postgres.url(Role.ADMIN, database_name))
    yield admin
    await admin.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def api_database(
    postgres: PostgresServer, database: Database, database_name: str
) -> AsyncIterator[Database]:
    api = Database(postgres.url(Role.API, database_name))
    yield api
    await api.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def market_database(
    postgres: PostgresServer, database: Database, database_name: str
) -> AsyncIterator[Database]:
    market = Database(postgres.url(Role.MARKET, database_name))
    yield market
    await market.close()


@pytest.fixture(scope="module")
def journal(database: Database) -> PostgresJournal:
    return PostgresJournal(database)


@pytest.fixture(scope="module")
def record(market_database: Database) -> PostgresMarketRecord:
    return PostgresMarketRecord(market_database)


@pytest.fixture(scope="module")
def superuser_url(postgres: PostgresServer, database_name: str) -> str:
    return postgres.url("postgres", database_name)

import os
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from infra.runtime.codec import PayloadKey
from infra.runtime.temporal import connect
from tests.support.platform import Platform, running_platform
from tests.support.postgres import PostgresServer
from tests.support.temporal import NAMESPACE


@pytest.fixture(scope="session")
def api_database(postgres: PostgresServer) -> str:
    return postgres.new_database()


@pytest_asyncio.fixture(scope="session")
async def platform(
    postgres: PostgresServer, api_database: str, temporal_address: str
) -> AsyncIterator[Platform]:
    client = await connect(temporal_address, NAMESPACE, [PayloadKey("tests", os.urandom(32))])
    async with running_platform(postgres, api_database, client) as running:
        await running.set_market()
        yield running


@pytest_asyncio.fixture(scope="session")
async def account(platform: Platform) -> str:
    """An account that trades, for tests that leave it as it was or only add to it."""
    account = await platform.add_account()
    await platform.start_account(account)
    return account


@pytest_asyncio.fixture
async def without_engine(postgres: PostgresServer, database_name: str) -> AsyncIterator[Platform]:
    """A platform whose workflow engine has not been reached."""
    async with running_platform(postgres, database_name, None) as running:
        yield running

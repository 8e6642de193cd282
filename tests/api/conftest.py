from collections.abc import AsyncIterator

import pytest_asyncio

from tests.support.platform import Platform, running_platform
from tests.support.postgres import PostgresServer


@pytest_asyncio.fixture
async def without_engine(postgres: PostgresServer, database_name: str) -> AsyncIterator[Platform]:
    """A platform whose workflow engine has not been reached."""
    async with running_platform(postgres, database_name, None) as running:
        yield running

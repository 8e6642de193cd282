import os
from collections.abc import AsyncIterator

import pytest_asyncio
from temporalio.client import Client

from infra.runtime.codec import PayloadKey
from infra.runtime.temporal_client import connect
from tests.support.temporal import NAMESPACE, World, access


@pytest_asyncio.fixture(scope="session")
async def client(temporal_address: str) -> Client:
    keys = [PayloadKey("tests", os.urandom(32))]
    return await connect(temporal_address, NAMESPACE, keys, tls=access(temporal_address))


@pytest_asyncio.fixture
async def world(client: Client) -> AsyncIterator[World]:
    yield World(client)

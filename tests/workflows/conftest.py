import os
from collections.abc import AsyncIterator

import pytest_asyncio
from temporalio.client import Client

from infra.runtime.temporal.client import connect
from infra.runtime.temporal.codec import PayloadKey
from tests.support.temporal import NAMESPACE, World, access


@pytest_asyncio.fixture(scope="session")
async def client(temporal_address: str) -> Client:
    keys = [PayloadKey("tests", os.urandom(32))]
    return await connect(temporal_address, NAMESPACE, keys, tls=access(temporal_address))


@pytest_asyncio.fixture
async def world(client: Client) -> AsyncIterator[World]:
    yield World(client)

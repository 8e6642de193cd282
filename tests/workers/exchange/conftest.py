import pytest

from tests.support.exchange_server import running


@pytest.fixture
async def exchange(tmp_path):
    """A fresh exchange in lockstep, one minute into its market."""
    async with running(tmp_path) as client:
        yield client

"""A real exchange simulator on loopback, and the order activities over the real adapter."""

from collections.abc import AsyncIterator

import pytest

from activities.adapters.kraken.addresses import ExchangeAddresses
from activities.adapters.kraken.directory import KrakenDirectory
from activities.adapters.kraken.exchange import KrakenExchange
from activities.adapters.kraken.limits.rate_budget import PRO
from activities.adapters.kraken.rest.transport import Timeouts
from activities.ports.exchange import SentOrder
from activities.ports.secrets import Credentials
from models.trading.risk.limits import Mode
from tests.support.exchange_server import Client, keys_file, running
from tests.support.fakes import FakeJournal


class SimulatorKeys:
    """The keys of a running simulator."""

    def __init__(self, client: Client) -> None:
        self._keys = {account: Credentials(*pair) for account, pair in client.keys.items()}

    async def exchange_credentials(self, account: str, mode: Mode) -> Credentials | None:
        assert mode is Mode.SIMULATED
        return self._keys.get(account)


@pytest.fixture
def journal() -> FakeJournal:
    return FakeJournal()


@pytest.fixture
async def simulator(tmp_path) -> AsyncIterator[Client]:
    async with running(tmp_path, accounts=keys_file(tmp_path, tier="pro")) as client:
        yield client


@pytest.fixture
async def directory(simulator, tmp_path) -> AsyncIterator[KrakenDirectory]:
    told = simulator.server.describe()
    addresses = ExchangeAddresses(told["rest"], told["ws_public"], told["ws_private"])
    timeouts = Timeouts(connect=1.0, read=0.5)
    state = tmp_path / "keys"
    state.mkdir()
    directory = KrakenDirectory(
        SimulatorKeys(simulator), addresses, state, tier=PRO, timeouts=timeouts
    )
    yield directory
    await directory.close()


@pytest.fixture
def reads_are_fresh(monkeypatch) -> None:
    """Let what neither stream nor reads show be absent: nobody follows the stream in this test.

    The simulator's reads do not lag unless a test makes them; the proof has tests of its own.
    """

    async def proves_absence(exchange: KrakenExchange, sent: SentOrder) -> bool:
        return True

    monkeypatch.setattr(KrakenExchange, "proves_absence", proves_absence)

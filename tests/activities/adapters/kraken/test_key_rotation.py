"""A rotated key is taken up while trading: no pause, the old one to the end of its calls."""

import asyncio

import pytest

from activities.adapters.kraken.addresses import ExchangeAddresses
from activities.adapters.kraken.directory import KrakenDirectory
from activities.ports.exchange_errors import CredentialsError, ExchangeUnavailableError
from activities.ports.secrets import Credentials
from models.trading.risk.limits import Mode
from tests.support.exchange_server import running


class Store:
    """A store of one account's key; ``fault`` is raised while it is set."""

    def __init__(self, key):
        self.key, self.fault = key, None

    async def exchange_credentials(self, account, mode):
        if self.fault is not None:
            raise self.fault
        return self.key if mode is Mode.SIMULATED else None


@pytest.fixture
async def simulator(tmp_path):
    async with running(tmp_path) as exchange:
        yield exchange


@pytest.fixture
async def store(simulator):
    return Store(Credentials(*simulator.keys["company"]))


@pytest.fixture
async def directory(simulator, store, tmp_path):
    ws = simulator.address.replace("http", "ws")
    addresses = ExchangeAddresses(simulator.address, f"{ws}/v2", f"{ws}/private/v2")
    found = KrakenDirectory(store, addresses, tmp_path)
    yield found
    await found.close()


async def issue(simulator, **body):
    status, made = await simulator.control("keys", {"account": "company", **body})
    assert status == 200, made
    return Credentials(made["key"], made["secret"])


async def test_calls_go_on_without_a_refusal_while_the_key_changes(simulator, store, directory):
    exchange = await directory.exchange("company")
    old = store.key
    stop, done = asyncio.Event(), asyncio.Queue()

    async def trade():
        while not stop.is_set():
            await done.put(await exchange.unhurried().balances())
            await asyncio.sleep(0)

    trading = asyncio.create_task(trade())
    await asyncio.wait_for(done.get(), 30)
    store.key = await issue(simulator)
    assert await directory.take_up_key("company") == store.key
    await simulator.control("keys", {"key": old.key}, "DELETE")
    for _ in range(done.qsize() + 3):
        await asyncio.wait_for(done.get(), 30)
    stop.set()
    await trading
    assert await directory.exchange("company") is exchange
    assert directory.key_in_use("company") == (Mode.SIMULATED, store.key.key)
    assert await directory.take_up_key("company") is None


async def test_a_key_that_is_not_fit_is_left_alone_and_trading_goes_on(simulator, store, directory):
    exchange = await directory.exchange("company")
    old = store.key
    rights = (await simulator.control("keys"))[1]["keys"][0]["permissions"]
    unfit = (
        Credentials("nobody-knows-it", old.secret),
        await issue(simulator, permissions=[*rights, "withdraw-funds"]),
        await issue(simulator, permissions=["query-funds"]),
    )
    for store.key in unfit:
        with pytest.raises(CredentialsError):
            await directory.take_up_key("company")
        assert directory.key_in_use("company") == (Mode.SIMULATED, old.key)
        assert await exchange.balances()
    store.key, store.fault = old, ExchangeUnavailableError("sealed")
    with pytest.raises(ExchangeUnavailableError):
        await directory.take_up_key("company")
    assert await exchange.balances()

"""What every ``Messenger`` must do where nobody runs: the one over Temporal, and the fake."""

import inspect
from dataclasses import dataclass
from uuid import uuid4

import pytest
import pytest_asyncio
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from activities.adapters.temporal.messages import TemporalMessenger
from activities.ports.messaging import Messenger
from models.contracts.names import CLOSE_TRADE_UPDATE, HALT_UPDATE
from models.contracts.workflows import AccountAcknowledged
from models.trading.account.capital.facts import PricesMarked
from models.trading.trade.facts import FillReported, PriceCrossed, WatchKind
from tests.support.market_fakes import FakeMessenger
from tests.support.record_builders import NOW, a_fill
from tests.support.temporal import NAMESPACE, access

NOBODY, NUMBER = "nobody", 987654


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def over_temporal(temporal_address: str) -> Messenger:
    client = await Client.connect(
        temporal_address,
        namespace=NAMESPACE,
        tls=access(temporal_address) or False,
        data_converter=pydantic_data_converter,
    )
    return TemporalMessenger(client)


@pytest.fixture(params=["fake", "temporal"])
def messenger(request: pytest.FixtureRequest) -> Messenger:
    if request.param == "temporal":
        return request.getfixturevalue("over_temporal")
    return FakeMessenger(gone=True)


@pytest.mark.parametrize("made", [FakeMessenger, TemporalMessenger])
def test_it_has_every_method_of_the_port_with_the_same_arguments(made):
    differing = []
    for name, wanted in inspect.getmembers(Messenger, inspect.isfunction):
        if name.startswith("_"):
            continue
        found = getattr(made, name, None)
        if found is None or [*inspect.signature(found).parameters] != [
            *inspect.signature(wanted).parameters
        ]:
            differing.append(name)
    assert differing == []


async def test_who_does_not_run_is_not_told(messenger):
    filled = FillReported(a_fill("O1"))
    assert not await messenger.signal_trade(NOBODY, NUMBER, [filled])
    assert not await messenger.signal_account(NOBODY, [PricesMarked({}, NOW, NOW)])
    due = PriceCrossed("w", WatchKind.TIME, filled.fill.price, NOW)
    assert not await messenger.signal_hedge(NOBODY, [due])
    assert not await messenger.signal_kill_switch(NUMBER, AccountAcknowledged(NOBODY, NOW))
    if isinstance(messenger, FakeMessenger):
        assert messenger.told == []


async def test_who_does_not_run_answers_nothing(messenger):
    name = str(uuid4())
    assert await messenger.ask_account(NOBODY, HALT_UPDATE, name, "halt") is None
    assert await messenger.ask_trade(NOBODY, NUMBER, CLOSE_TRADE_UPDATE, name, "close") is None


@dataclass
class Answered:
    accepted: bool = True


async def test_the_fake_keeps_what_was_told_in_order_and_answers_as_it_is_told_to():
    messenger = FakeMessenger(answers=[Answered()])
    assert await messenger.signal_trade("company", 1, ["first", "second"])
    assert await messenger.ask_trade("company", 1, CLOSE_TRADE_UPDATE, "r", "third") == Answered()
    assert [fact for _, _, fact in messenger.told] == ["first", "second", "third"]

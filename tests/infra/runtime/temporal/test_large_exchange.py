"""What is told of an exchange of 1,500 pairs fits into one message and is listened to whole."""

import os
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from temporalio.converter import WorkflowSerializationContext

from infra.runtime.temporal.client import data_converter
from infra.runtime.temporal.codec import PayloadKey, sending, signal_kind
from models.contracts.workflows import AccountInput
from models.trading.account.capacity import BUDGET
from models.trading.account.decisions import decide
from models.trading.account.facts import ExchangeReady
from models.trading.account.state import AccountState
from models.trading.instruments import Instrument, InstrumentStatus
from models.trading.message_bounds import check_fact, weight_of
from models.trading.risk.limits import FeeRates

PAIRS = 1_500
MEBIBYTE = 2**20
AT = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
ONE = WorkflowSerializationContext("aether", "account/one")


def a_pair(number: int) -> Instrument:
    """A pair with the longest names and figures that Kraken has."""
    base = f"LONGNAME{number:04d}"
    return Instrument(
        symbol=f"{base}/USD",
        base=base,
        quote="USD",
        rest_id=f"X{base}ZUSD",
        price_precision=10,
        price_increment=Decimal("0.0000000001"),
        quantity_precision=8,
        quantity_minimum=Decimal("12345678.12345678"),
        cost_precision=10,
        cost_minimum=Decimal("0.5000000000"),
        status=InstrumentStatus.CANCEL_ONLY,
    )


@pytest.fixture(scope="module")
def ready() -> ExchangeReady:
    pairs = {pair.symbol: pair for pair in map(a_pair, range(PAIRS))}
    rates = FeeRates(Decimal("0.00123456"), Decimal("0.00234567"))
    balances = {pair.base: Decimal("123456.1234567890") for pair in pairs.values()}
    return ExchangeReady(balances, pairs, dict.fromkeys(pairs, rates), AT, None, ())


@pytest.fixture(scope="module")
def told(ready) -> AccountState:
    account = AccountState(account="one", installation="i", strategies=("trend",))
    return decide(account, ready).state


async def sent(value: object) -> int:
    """Return the bytes of a message as it goes to the server, encrypted, and back unharmed."""
    converter = data_converter([PayloadKey("tests", os.urandom(32))]).with_context(ONE)
    with sending(signal_kind("exchange_ready")):
        payloads = await converter.encode([value])
    assert b"LONGNAME" not in payloads[0].SerializeToString()
    assert await converter.decode(payloads, [type(value)]) == [value]
    return sum(payload.ByteSize() for payload in payloads)


async def test_what_an_account_is_told_fits_into_a_mebibyte(ready):
    size = await sent(ready)
    assert size <= MEBIBYTE


def test_it_is_listened_to_whole(ready, told):
    check_fact(ready)
    assert told.instruments == ready.instruments
    assert told.fees == ready.fees


async def test_what_the_account_carries_fits_and_leaves_room_to_grow(told):
    assert await sent(AccountInput(told, 1_000_000, started=True)) <= MEBIBYTE
    assert weight_of(told) <= BUDGET

import asyncio

import pytest

from activities.adapters.kraken.presence import DOUBTED_AFTER, PAUSE_SECONDS, Presence
from activities.ports import ExchangeUnavailableError, OrderRejectedError, UnknownOutcomeError

LOST = ExchangeUnavailableError("connection reset")


class Exchange:
    """Is there or not, and counts how often it was asked."""

    def __init__(self) -> None:
        self.there = False
        self.asked = 0
        self.now = 100.0

    async def probe(self) -> bool:
        self.asked += 1
        await asyncio.sleep(0)
        return self.there

    def clock(self) -> float:
        return self.now


@pytest.fixture
def exchange():
    return Exchange()


@pytest.fixture
def presence(exchange):
    return Presence(exchange.probe, exchange.clock)


def lose(presence, times=DOUBTED_AFTER):
    for _ in range(times):
        presence.failed(LOST)


async def test_one_lost_answer_is_no_outage(presence, exchange):
    lose(presence, DOUBTED_AFTER - 1)
    await presence.confirm()
    assert exchange.asked == 0


async def test_nothing_is_sent_while_the_exchange_is_away(presence, exchange):
    lose(presence)
    for _ in range(20):
        with pytest.raises(ExchangeUnavailableError, match="nothing was sent"):
            await presence.confirm()
    assert exchange.asked == 1
    exchange.now += PAUSE_SECONDS
    with pytest.raises(ExchangeUnavailableError):
        await presence.confirm()
    assert exchange.asked == 2


async def test_everybody_goes_on_when_the_exchange_is_back(presence, exchange):
    lose(presence)
    exchange.there = True
    await asyncio.gather(*(presence.confirm() for _ in range(20)))
    assert exchange.asked == 1
    presence.answered()
    exchange.now += 1
    await presence.confirm()
    assert exchange.asked == 1


async def test_refusals_are_answers_and_busy_words_are_none(presence, exchange):
    lose(presence)
    presence.failed(OrderRejectedError("EOrder:Invalid price", "EOrder:Invalid price"))
    await presence.confirm()
    presence.failed(UnknownOutcomeError("HTTP status 520", "HTTP status 520"))
    presence.failed(UnknownOutcomeError("EService:Busy", "EService:Busy"))
    with pytest.raises(ExchangeUnavailableError):
        await presence.confirm()


async def test_one_who_gives_up_does_not_end_the_question_of_others(presence, exchange):
    lose(presence)
    exchange.there = True
    hasty = asyncio.create_task(presence.confirm())
    patient = asyncio.create_task(presence.confirm())
    await asyncio.sleep(0)
    hasty.cancel()
    await patient
    assert exchange.asked == 1

import asyncio

import pytest

from activities.adapters.kraken.limits.availability import (
    DOUBTED_AFTER,
    PAUSE_SECONDS,
    Availability,
)
from activities.ports.exchange_errors import (
    ExchangeUnavailableError,
    OrderRejectedError,
    UnknownOutcomeError,
)

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
def availability(exchange):
    return Availability(exchange.probe, exchange.clock)


def lose(availability, times=DOUBTED_AFTER):
    for _ in range(times):
        availability.failed(LOST, change=False)


async def test_one_lost_answer_is_no_outage(availability, exchange):
    lose(availability, DOUBTED_AFTER - 1)
    await availability.confirm(change=False)
    assert exchange.asked == 0


async def test_nothing_is_sent_while_the_exchange_is_away(availability, exchange):
    lose(availability)
    for _ in range(20):
        with pytest.raises(ExchangeUnavailableError, match="nothing was sent"):
            await availability.confirm(change=False)
    assert exchange.asked == 1
    exchange.now += PAUSE_SECONDS
    with pytest.raises(ExchangeUnavailableError):
        await availability.confirm(change=False)
    assert exchange.asked == 2


async def test_everybody_goes_on_when_the_exchange_is_back(availability, exchange):
    lose(availability)
    exchange.there = True
    await asyncio.gather(*(availability.confirm(change=False) for _ in range(20)))
    assert exchange.asked == 1
    availability.answered(change=True)
    exchange.now += 1
    await availability.confirm(change=False)
    assert exchange.asked == 1


async def test_refusals_are_answers_and_busy_words_are_none(availability, exchange):
    lose(availability)
    availability.failed(
        OrderRejectedError("EOrder:Invalid price", "EOrder:Invalid price"), change=True
    )
    await availability.confirm(change=False)
    availability.failed(UnknownOutcomeError("HTTP status 520", "HTTP status 520"), change=False)
    availability.failed(UnknownOutcomeError("EService:Busy", "EService:Busy"), change=False)
    with pytest.raises(ExchangeUnavailableError):
        await availability.confirm(change=False)


async def test_one_who_gives_up_does_not_end_the_question_of_others(availability, exchange):
    lose(availability)
    exchange.there = True
    hasty = asyncio.create_task(availability.confirm(change=False))
    patient = asyncio.create_task(availability.confirm(change=False))
    await asyncio.sleep(0)
    hasty.cancel()
    await patient
    assert exchange.asked == 1


async def test_answered_reads_say_nothing_of_changes_that_are_refused(availability, exchange):
    for _ in range(DOUBTED_AFTER):
        availability.failed(
            UnknownOutcomeError("EService:Unavailable", "EService:Unavailable"), change=True
        )
        availability.answered(change=False)
    with pytest.raises(ExchangeUnavailableError):
        await availability.confirm(change=True)
    await availability.confirm(change=False)
    assert exchange.asked == 1
    exchange.there, exchange.now = True, exchange.now + PAUSE_SECONDS
    await availability.confirm(change=True)
    availability.answered(change=True)
    exchange.there, exchange.now = False, exchange.now + 1
    await availability.confirm(change=True)
    assert exchange.asked == 2

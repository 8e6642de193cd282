"""What a stop's next attempt takes over from the one before: what was heard, what is in doubt."""

from dataclasses import replace

from activities.ports.exchange_errors import ExchangeUnavailableError, UnknownOutcomeError
from models.contracts.orders import SubmitOrder
from tests.activities.execution.test_order_submission import (
    a_stop,
    activities,
    exchange,
    failing,
    journal,
    now,
    run,
)

__all__ = ["activities", "exchange", "journal"]


async def test_the_next_attempt_goes_by_what_was_heard_where_no_question_has_room(
    activities, exchange
):
    exchange.hearing, exchange.has_room = True, False
    exchange.before["submit"] = [UnknownOutcomeError("reset")] * 4
    request = SubmitOrder(replace(a_stop(), client_order_id="unheard"), now())
    assert await failing(activities.place_order, request) == "UnknownOutcome"
    placed = await run(activities.place_order, request)
    assert placed.acknowledged is not None
    assert (exchange.calls.count("submit"), exchange.calls.count("find")) == (5, 0)
    assert len(exchange.orders) == 1


async def test_a_refused_send_does_not_settle_what_the_attempt_before_has_sent(
    activities, exchange
):
    exchange.hearing, exchange.has_room = True, False
    exchange.before["submit"] = [
        *(UnknownOutcomeError("reset") for _ in range(3)),
        ExchangeUnavailableError("busy"),
    ]
    request = SubmitOrder(replace(a_stop(), client_order_id="doubted"), now())
    assert await failing(activities.place_order, request) == "UnknownOutcome"
    assert await failing(activities.place_order, request) == "ExchangeUnavailable"
    assert exchange.calls.count("submit") == 4
    placed = await run(activities.place_order, request)
    assert placed.acknowledged is not None
    assert exchange.calls[-2:] == ["find", "submit"]


async def test_the_next_attempt_asks_where_the_stream_was_broken_between_them(activities, exchange):
    exchange.hearing, exchange.has_room = True, False
    exchange.before["submit"] = [UnknownOutcomeError("reset")] * 3
    request = SubmitOrder(replace(a_stop(), client_order_id="torn"), now())
    assert await failing(activities.place_order, request) == "UnknownOutcome"
    exchange.stretch += 1
    placed = await run(activities.place_order, request)
    assert placed.acknowledged is not None
    assert exchange.calls[-2:] == ["find", "submit"]

"""What placing, amending and cancelling come to when the exchange refuses or keeps silent."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import groupby

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.execution.orders import OrderActivities
from activities.execution.timeouts import OrderTimeouts
from activities.ports.exchange_errors import (
    CredentialsError,
    ExchangeError,
    ExchangeUnavailableError,
    OrderGoneError,
    OrderRejectedError,
    RateLimitedError,
    UnknownOutcomeError,
)
from models.contracts.orders import EntriesToWithdraw, OrderToCancel, StopToAmend, SubmitOrder
from models.trading.orders import Leg, OrderSpec, OrderStatus, OrderType, Side
from models.trading.trade.facts import AmendStop
from tests.support.fakes import FakeDirectory, FakeExchange, FakeJournal
from tests.support.kraken_rows import an_order

QUICK = OrderTimeouts(
    deadline=timedelta(milliseconds=20),
    delivery=timedelta(milliseconds=20),
    poll=timedelta(milliseconds=5),
    hear=timedelta(milliseconds=5),
    hear_unasked=timedelta(milliseconds=10),
    answer=timedelta(milliseconds=50),
    stop_sends=3,
    refused_sends=3,
    refused_pause=timedelta(milliseconds=1),
)
HALF = Decimal("0.005")


class Troubled(FakeExchange):
    """Fails the next calls of a method: before they are executed, or after."""

    def __init__(self) -> None:
        super().__init__()
        self.before: dict[str, list[ExchangeError]] = {}
        self.after: dict[str, list[ExchangeError]] = {}
        self.calls: list[str] = []
        self.has_room = True
        self.answers = True
        self.breaks_on_submit = False

    def _trouble(self, method: str, errors: dict[str, list[ExchangeError]]) -> None:
        if errors.get(method):
            raise errors[method].pop(0)

    async def submit(self, order, deadline):
        self.calls.append("submit")
        self._trouble("submit", self.before)
        if self.breaks_on_submit:
            self.stretch += 1
        order_id = await super().submit(order, deadline)
        self._trouble("submit", self.after)
        return order_id

    def seconds_until_question(self) -> float:
        return 0.0 if self.has_room else 60.0

    async def find(self, order, since):
        self.calls.append("find")
        self._trouble("find", self.before)
        if not self.answers:
            await asyncio.sleep(3600)
        return await super().find(order, since)

    async def amend(self, order_id, quantity, trigger_price):
        self.calls.append("amend")
        self._trouble("amend", self.before)
        await super().amend(order_id, quantity, trigger_price)
        self._trouble("amend", self.after)

    async def query(self, order_ids):
        self.calls.append("query")
        return await super().query(order_ids)

    async def cancel(self, order_id):
        self.calls.append("cancel")
        self._trouble("cancel", self.before)
        await super().cancel(order_id)
        self._trouble("cancel", self.after)

    async def cancel_many(self, order_ids):
        self.calls.append("cancel_many")
        self._trouble("cancel_many", self.before)
        number = await super().cancel_many(order_ids)
        self._trouble("cancel_many", self.after)
        return number


@pytest.fixture
def exchange() -> Troubled:
    return Troubled()


@pytest.fixture
def journal() -> FakeJournal:
    return FakeJournal()


@pytest.fixture
def activities(exchange, journal) -> OrderActivities:
    directory = FakeDirectory()
    directory.exchanges["company"] = exchange
    return OrderActivities(directory, journal, now, QUICK)


def now() -> datetime:
    return datetime.now(UTC)


def a_limit(**changes: object) -> OrderSpec:
    return an_order(**{"limit_price": Decimal(40000), **changes})


def a_stop(**changes: object) -> OrderSpec:
    return an_order(
        leg=Leg.STOP,
        side=Side.SELL,
        order_type=OrderType.STOP_LOSS,
        limit_price=None,
        trigger_price=Decimal(40000),
        **changes,
    )


async def run(step, request):
    return await ActivityEnvironment().run(step, request)


async def failing(step, request) -> str:
    with pytest.raises(ApplicationError) as failure:
        await run(step, request)
    return str(failure.value.type)


# --- placing -----------------------------------------------------------------------------------

NOT_SENT = [
    (RateLimitedError("no room", "EOrder:Rate limit exceeded", 7.0), "RateLimited"),
    (CredentialsError("refused", "EAPI:Invalid key"), "CredentialsRefused"),
    (ExchangeUnavailableError("no connection"), "ExchangeUnavailable"),
]


@pytest.mark.parametrize(("error", "_type"), NOT_SENT, ids=lambda value: type(value).__name__)
async def test_an_entry_that_was_certainly_not_taken_is_not_placed(
    activities, exchange, journal, error, _type
):
    exchange.before["submit"] = [error]
    placed = await run(activities.place_order, SubmitOrder(a_limit(), now()))
    assert placed.refused.status is OrderStatus.NOT_PLACED
    assert exchange.orders == {}
    (stored,) = journal.intents.values()
    assert stored.status is OrderStatus.NOT_PLACED
    # It stays so: the same request never sends.
    again = await run(activities.place_order, SubmitOrder(a_limit(), now()))
    assert again.refused.status is OrderStatus.NOT_PLACED
    assert exchange.calls == ["submit"]


@pytest.mark.parametrize(("error", "expected"), NOT_SENT, ids=lambda value: type(value).__name__)
async def test_a_stop_that_was_certainly_not_taken_is_tried_again(
    activities, exchange, error, expected
):
    exchange.before["submit"] = [error] * 3
    if not isinstance(error, ExchangeUnavailableError):
        del exchange.before["submit"][1:]
    request = SubmitOrder(a_stop(), now())
    with pytest.raises(ApplicationError) as failure:
        await run(activities.place_order, request)
    assert failure.value.type == expected
    assert not failure.value.non_retryable
    if expected == "RateLimited":
        assert failure.value.next_retry_delay == timedelta(seconds=7)
    placed = await run(activities.place_order, request)
    assert placed.acknowledged is not None
    assert len(exchange.orders) == 1


async def test_a_stop_refused_for_rate_is_sent_again_without_a_question(activities, exchange):
    """A question would wait for room on a counter that adding orders costs nothing of."""
    refused = RateLimitedError("full", "EAPI:Rate limit exceeded", retry_after_seconds=0.001)
    exchange.before["submit"] = [refused, refused]
    placed = await run(activities.place_order, SubmitOrder(a_stop(), now()))
    assert placed.acknowledged is not None
    assert len(exchange.orders) == 1
    assert exchange.calls == ["submit"] * 3


async def test_a_refusal_is_kept_in_the_exchanges_words(activities, exchange, journal):
    exchange.before["submit"] = [OrderRejectedError("EOrder:Insufficient funds", "x")]
    placed = await run(activities.place_order, SubmitOrder(a_limit(), now()))
    assert placed.refused.status is OrderStatus.REJECTED
    assert placed.refused.reason == "EOrder:Insufficient funds"


@pytest.mark.parametrize("accepted", [True, False])
async def test_an_unknown_outcome_is_asked_about_and_never_sent_again(
    activities, exchange, accepted
):
    errors = exchange.after if accepted else exchange.before
    errors["submit"] = [UnknownOutcomeError("EService:Busy", "EService:Busy")]
    placed = await run(activities.place_order, SubmitOrder(a_limit(), now()))
    assert exchange.calls.count("submit") == 1
    assert (placed.acknowledged is not None) is accepted
    assert len(exchange.orders) == int(accepted)


async def test_an_id_that_is_taken_is_our_own_order(activities, exchange):
    await exchange.submit(a_limit(), None)
    placed = await run(activities.place_order, SubmitOrder(a_limit(), now()))
    assert placed.acknowledged.order_id in exchange.orders
    assert len(exchange.orders) == 1


async def test_an_old_decision_and_a_halted_account_send_nothing(activities, exchange, journal):
    late = SubmitOrder(a_limit(), now() - timedelta(minutes=1))
    placed = await run(activities.place_order, late)
    assert placed.refused.reason == "the decision is too old"
    journal.halted.add("company")
    other = SubmitOrder(a_limit(client_order_id="another"), now())
    placed = await run(activities.place_order, other)
    assert placed.refused.reason == "kill switch engaged"
    assert exchange.calls == []
    stop = await run(activities.place_order, SubmitOrder(a_stop(client_order_id="stop"), now()))
    assert stop.acknowledged is not None


# --- amending ----------------------------------------------------------------------------------


async def a_resting_stop(exchange: Troubled) -> str:
    return await exchange.submit(a_stop(), None)


def to_half(order_id: str) -> StopToAmend:
    return StopToAmend("company", AmendStop(order_id, None, HALF, Decimal(41000)))


async def test_amend_whose_reply_was_lost_is_seen_to_hold(activities, exchange):
    order_id = await a_resting_stop(exchange)
    exchange.after["amend"] = [UnknownOutcomeError("reset")]
    answer = await run(activities.amend_stop, to_half(order_id))
    assert (answer.amended.quantity, answer.amended.trigger_price) == (HALF, Decimal(41000))
    assert exchange.calls.count("amend") == 1


async def test_amend_whose_request_was_lost_is_tried_again(activities, exchange):
    order_id = await a_resting_stop(exchange)
    exchange.before["amend"] = [UnknownOutcomeError("reset")]
    assert await failing(activities.amend_stop, to_half(order_id)) == "UnknownOutcome"
    answer = await run(activities.amend_stop, to_half(order_id))
    assert answer.amended is not None
    assert exchange.orders[order_id].quantity == HALF


async def test_amend_of_an_ended_stop_says_that_it_is_gone(activities, exchange):
    order_id = await a_resting_stop(exchange)
    exchange.set_price(Decimal(39000))
    for error in (OrderGoneError("gone"), UnknownOutcomeError("reset")):
        exchange.before["amend"] = [error]
        answer = await run(activities.amend_stop, to_half(order_id))
        assert answer.refused.order_is_gone


async def test_refused_amend_leaves_the_stop_as_it_stands(activities, exchange):
    order_id = await a_resting_stop(exchange)
    exchange.before["amend"] = [OrderRejectedError("EOrder:Invalid price", "EOrder:Invalid price")]
    answer = await run(activities.amend_stop, to_half(order_id))
    assert not answer.refused.order_is_gone
    assert exchange.orders[order_id].quantity == a_stop().quantity
    assert await _limited(activities, exchange, order_id) == "RateLimited"


async def _limited(activities, exchange, order_id) -> str:
    exchange.before["amend"] = [RateLimitedError("no room")]
    return await failing(activities.amend_stop, to_half(order_id))


# --- cancelling --------------------------------------------------------------------------------


def to_cancel(order: OrderSpec, order_id: str | None, *, whole: bool = True) -> OrderToCancel:
    return OrderToCancel(
        "company", order_id, order.client_order_id, order if whole else None, now()
    )


@pytest.mark.parametrize("accepted", [True, False])
async def test_cancel_with_an_unknown_outcome_ends_in_a_proven_end(activities, exchange, accepted):
    order = a_limit()
    order_id = await exchange.submit(order, None)
    errors = exchange.after if accepted else exchange.before
    errors["cancel"] = [UnknownOutcomeError("reset")] * 2
    answer = await run(activities.cancel_order, to_cancel(order, order_id))
    assert answer.ended.status is OrderStatus.CANCELED
    assert answer.ended.client_order_id == order.client_order_id
    assert exchange.orders[order_id].status is OrderStatus.CANCELED


async def test_cancel_waits_for_an_exchange_that_is_away_without_asking(activities, exchange):
    order = a_limit()
    order_id = await exchange.submit(order, None)
    exchange.before["cancel"] = [
        UnknownOutcomeError("EService:Unavailable"),
        *[ExchangeUnavailableError("the exchange does not answer; nothing was sent")] * 3,
    ]
    answer = await run(activities.cancel_order, to_cancel(order, order_id))
    assert answer.ended.status is OrderStatus.CANCELED
    assert exchange.calls.count("cancel") == 5
    assert exchange.calls.count("query") <= 2


async def test_cancel_without_an_exchange_id_finds_the_order_by_its_own(
    activities, exchange, journal
):
    order = a_limit()
    nothing = await run(activities.cancel_order, to_cancel(order, None))
    assert nothing.ended is None
    order_id = await exchange.submit(order, None)
    unknown = await run(activities.cancel_order, to_cancel(order, None, whole=False))
    assert unknown.ended is None
    assert not exchange.orders[order_id].status.is_final
    found = await run(activities.cancel_order, to_cancel(order, None))
    assert (found.ended.order_id, found.ended.status) == (order_id, OrderStatus.CANCELED)


async def test_cancel_without_an_exchange_id_asks_the_record_first(activities, exchange, journal):
    order = a_limit()
    placed = await run(activities.place_order, SubmitOrder(order, now()))
    answer = await run(activities.cancel_order, to_cancel(order, None, whole=False))
    assert answer.ended.order_id == placed.acknowledged.order_id


async def test_cancel_that_lost_the_race_tells_what_was_filled(activities, exchange):
    order = a_limit()
    order_id = await exchange.submit(order, None)
    exchange.set_price(Decimal(39000))
    answer = await run(activities.cancel_order, to_cancel(order, order_id))
    assert answer.ended.status is OrderStatus.CLOSED
    assert answer.ended.filled_quantity == order.quantity


@pytest.mark.parametrize("accepted", [True, False])
async def test_withdrawing_many_with_an_unknown_outcome_is_repeated_harmlessly(
    activities, exchange, accepted
):
    ids = tuple(
        [await exchange.submit(a_limit(client_order_id=f"entry-{n}"), None) for n in range(60)]
    )
    errors = exchange.after if accepted else exchange.before
    errors["cancel_many"] = [UnknownOutcomeError("reset")]
    request = EntriesToWithdraw("company", ids)
    assert await failing(activities.withdraw_entries, request) == "UnknownOutcome"
    answer = await run(activities.withdraw_entries, request)
    assert answer.cancelled == (10 if accepted else 60)
    assert {order.status for order in exchange.orders.values()} == {OrderStatus.CANCELED}
    assert exchange.calls.count("cancel_many") == 3


@pytest.mark.parametrize("hearing", [True, False])
async def test_what_a_lost_entry_bought_unheard_is_recorded_and_delivered_at_once(
    exchange, journal, hearing
):
    directory, told = FakeDirectory(), []
    directory.exchanges["company"] = exchange
    patience = replace(QUICK, listen=timedelta(seconds=0.05), deadline=timedelta(seconds=30))
    activities = OrderActivities(directory, journal, now, patience, told.append)
    exchange.deaf, exchange.hearing, exchange.lose_after = True, hearing, 1
    order = an_order(order_type=OrderType.MARKET, limit_price=None)
    async with asyncio.timeout(5):
        placed = await run(activities.place_order, SubmitOrder(order, now()))
    (fill,) = exchange.executions_made
    assert placed.acknowledged is not None
    assert [one.execution_id for _, one in journal.fills.values()] == [fill.execution_id]
    assert told == ["company"]


async def test_a_stop_refused_for_the_exchanges_mode_is_sent_again_without_a_question(
    activities, exchange
):
    exchange.before["submit"] = [
        ExchangeUnavailableError("EService:Market in cancel_only mode")
    ] * 2
    placed = await run(activities.place_order, SubmitOrder(a_stop(), now()))
    assert placed.acknowledged is not None
    assert exchange.calls == ["submit"] * 3


async def test_a_refused_send_does_not_settle_what_became_of_an_earlier_one(activities, exchange):
    exchange.hearing, exchange.has_room = True, False
    exchange.before["submit"] = [
        UnknownOutcomeError("lost"),
        ExchangeUnavailableError("EService:Market in cancel_only mode"),
    ]
    request = SubmitOrder(a_stop(), now())
    assert await failing(activities.place_order, request) == "ExchangeUnavailable"
    placed = await run(activities.place_order, request)
    assert placed.acknowledged is not None
    assert kinds(exchange.calls) == ["submit", "find", "submit"]


def kinds(calls: list[str]) -> list[str]:
    return [kind for kind, _ in groupby(calls)]


async def place_stop_with_losses(activities, exchange, losses, **changes):
    exchange.before["submit"] = [UnknownOutcomeError("lost") for _ in range(losses)]
    return await run(activities.place_order, SubmitOrder(a_stop(**changes), now()))


@pytest.mark.parametrize("hearing", [True, False])
async def test_a_lost_stop_is_asked_about_before_it_is_sent_again(activities, exchange, hearing):
    exchange.hearing = hearing
    placed = await place_stop_with_losses(activities, exchange, 2)
    assert placed.acknowledged is not None
    assert kinds(exchange.calls) == ["submit", "find", "submit", "find", "submit"]
    assert exchange.calls.count("submit") == 3
    assert len(exchange.orders) == 1


@pytest.mark.parametrize("lacks", ["room", "answer", "admission", "reply"])
async def test_a_stop_does_not_wait_for_an_answer_where_the_stream_was_whole(
    activities, exchange, lacks
):
    exchange.hearing = True
    exchange.has_room, exchange.answers = lacks != "room", lacks != "answer"
    if lacks == "admission":
        exchange.before["find"] = [RateLimitedError("no room")] * 2
    if lacks == "reply":
        exchange.before["find"] = [ExchangeUnavailableError("lost")] * 2
    placed = await place_stop_with_losses(activities, exchange, 2)
    assert placed.acknowledged is not None
    assert exchange.calls.count("submit") == 3
    assert exchange.calls.count("find") == (0 if lacks == "room" else 2)
    assert len(exchange.orders) == 1


async def test_a_stop_that_may_have_fired_unheard_is_asked_about_without_a_limit(
    activities, exchange
):
    exchange.hearing, exchange.has_room = True, False
    exchange.deaf, exchange.breaks_on_submit, exchange.lose_after = True, True, 1
    exchange.price = Decimal(30000)  # below the trigger: it fires at once
    placed = await run(activities.place_order, SubmitOrder(a_stop(), now()))
    assert placed.ended is not None
    assert placed.ended.filled_quantity == a_stop().quantity
    assert exchange.calls == ["submit", "find"]


async def test_what_an_earlier_attempt_sent_is_asked_about_however_whole_the_stream_is(
    activities, exchange, journal
):
    exchange.before["submit"] = [UnknownOutcomeError("lost") for _ in range(3)]
    request = SubmitOrder(a_stop(), now())
    assert await failing(activities.place_order, request) == "UnknownOutcome"
    asked = exchange.calls.count("find")
    exchange.hearing, exchange.has_room = True, False
    placed = await run(activities.place_order, request)
    assert placed.acknowledged is not None
    assert exchange.calls[-2:] == ["find", "submit"]
    assert exchange.calls.count("find") == asked + 1


async def test_a_stop_refused_for_its_own_id_is_asked_about_at_once(activities, exchange):
    exchange.hearing, exchange.has_room, exchange.deaf = True, False, True
    exchange.lose_after = 1
    placed = await run(activities.place_order, SubmitOrder(a_stop(), now()))
    assert placed.acknowledged is not None
    assert exchange.calls == ["submit", "submit", "find"]
    assert len(exchange.orders) == 1


async def test_a_stop_that_was_taken_before_its_answer_was_lost_is_heard_of(activities, exchange):
    exchange.hearing = True
    exchange.after["submit"] = [UnknownOutcomeError("lost")]
    placed = await run(activities.place_order, SubmitOrder(a_stop(), now()))
    assert placed.acknowledged is not None
    assert (exchange.calls.count("submit"), exchange.calls.count("find")) == (1, 0)


async def test_a_stop_absent_after_several_sends_is_left_to_the_next_attempt(activities, exchange):
    exchange.before["submit"] = [UnknownOutcomeError("reset")] * 4
    request = SubmitOrder(replace(a_stop(), client_order_id="stubborn"), now())
    assert await failing(activities.place_order, request) == "UnknownOutcome"
    assert exchange.calls.count("submit") == 3
    placed = await run(activities.place_order, request)
    assert placed.acknowledged is not None
    assert len(exchange.orders) == 1


async def test_entry_is_not_sent_while_positions_wait_and_stops_are(journal):
    exchange, directory = Troubled(), FakeDirectory()
    directory.exchanges["company"] = exchange
    late = "3 positions wait for their stops, the longest for 1.5 s"
    activities = OrderActivities(directory, journal, now, QUICK, refusal_for_load=lambda _: late)
    placed = await run(activities.place_order, SubmitOrder(a_limit(), now()))
    assert placed.refused.status is OrderStatus.NOT_PLACED
    assert placed.refused.reason == f"overloaded: {late}"
    assert exchange.calls == []
    stop = await run(activities.place_order, SubmitOrder(a_stop(client_order_id="a stop"), now()))
    assert stop.acknowledged is not None


# --- a stop that may have fired while nobody listened -------------------------------------------


async def bought(exchange, journal, *, trade: int = 1) -> None:
    """Have the account hold what a trade bought."""
    order = a_limit(client_order_id=f"entry-{trade}", trade=trade)
    stored = await journal.store_intent(order, now(), now())
    order_id = await exchange.submit(order, None)
    exchange.fill_part(order_id, order.quantity)
    await journal.mark_order("company", order.client_order_id, OrderStatus.OPEN, order_id, now())
    await journal.record_reports("company", [exchange.orders[order_id]])
    await journal.record_fills("company", exchange.executions_made)
    assert stored.is_new


@pytest.mark.parametrize("others", ["another trade's", "nobody's"])
async def test_a_stop_that_may_have_fired_unheard_is_not_doubled_where_others_coins_lie(
    activities, exchange, journal, others
):
    await bought(exchange, journal)
    if others == "another trade's":
        await bought(exchange, journal, trade=2)
    else:
        exchange.totals["BTC"] += a_stop().quantity * 3
    before = len(exchange.orders)
    exchange.price, exchange.deaf, exchange.lags, exchange.proves = (
        Decimal(30000),
        True,
        True,
        False,
    )
    exchange.lose_after = 1
    request = SubmitOrder(a_stop(), now())
    for _ in range(3):
        placed = await run(activities.place_order, request)
        assert placed.doubted is not None
    assert len(exchange.orders) == before + 1
    assert journal.intents[a_stop().client_order_id].status is OrderStatus.UNKNOWN
    exchange.lags = False
    placed = await run(activities.place_order, request)
    assert placed.ended.filled_quantity == a_stop().quantity


@pytest.mark.parametrize("fires", [True, False])
async def test_a_stop_without_others_coins_is_sent_again_at_once_and_sells_nothing_twice(
    activities, exchange, journal, fires
):
    await bought(exchange, journal)
    exchange.deaf, exchange.lags, exchange.proves = True, True, False
    exchange.price = Decimal(30000) if fires else Decimal(50000)
    if fires:
        exchange.lose_after = 1
    else:
        exchange.before["submit"] = [UnknownOutcomeError("lost")]
    placed = await run(activities.place_order, SubmitOrder(a_stop(), now()))
    sold = [one for one in exchange.orders.values() if one.side is Side.SELL]
    assert len(sold) == 1
    assert exchange.totals["BTC"] == (0 if fires else a_stop().quantity)
    # A balance that is smaller is proof enough that the first one may have fired.
    assert (placed.doubted is not None) is fires
    assert (placed.acknowledged is not None) is not fires


async def test_a_stop_that_is_withdrawn_is_absent_only_where_that_is_proven(
    activities, exchange, journal
):
    exchange.before["submit"] = [UnknownOutcomeError("lost")] * 3
    exchange.lags, exchange.proves = True, False
    assert (await run(activities.place_order, SubmitOrder(a_stop(), now()))).doubted is not None
    answer = await run(activities.cancel_order, to_cancel(a_stop(), None))
    assert answer.doubted is not None
    exchange.proves = True
    answer = await run(activities.cancel_order, to_cancel(a_stop(), None))
    assert answer.refused.status is OrderStatus.NOT_PLACED

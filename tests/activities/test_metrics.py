"""Each step of an order is measured, and every unknown outcome is counted by its resolution."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from prometheus_client import Counter, Gauge, Histogram
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities import metrics
from activities.execution.orders import OrderActivities
from activities.execution.timeouts import OrderTimeouts
from activities.ports.exchange_errors import ExchangeUnavailableError, UnknownOutcomeError
from api.queries.record_metrics import RecordGauges
from models.contracts.orders import (
    EntriesToWithdraw,
    OrderToCancel,
    PositionToExit,
    StopToAmend,
    SubmitOrder,
)
from models.trading.orders import Leg, OrderReport, OrderSpec, OrderStatus, OrderType, Side
from models.trading.trade.facts import AmendStop, ExitPosition
from tests.support.fakes import FakeDirectory, FakeExchange, FakeJournal, wall_clock
from tests.support.figures import Figures
from tests.support.record_builders import an_order

QUICK = OrderTimeouts(
    deadline=timedelta(milliseconds=20),
    delivery=timedelta(milliseconds=20),
    poll=timedelta(milliseconds=5),
)


class LosingExchange(FakeExchange):
    """Loses answers of amends and cancels: ``executed`` tells whether the request arrived."""

    def __init__(self) -> None:
        super().__init__()
        self.lost_amends: list[bool] = []
        self.lost_cancels: list[bool] = []
        self.finds_fail = False
        self.lost_batches = 0

    async def cancel_many(self, order_ids: Sequence[str]) -> int:
        if self.lost_batches:
            self.lost_batches -= 1
            raise UnknownOutcomeError("the answer was lost")
        return await super().cancel_many(order_ids)

    async def find(self, order: OrderSpec, since: datetime) -> list[OrderReport]:
        if self.finds_fail:
            raise ExchangeUnavailableError("the exchange is down")
        return await super().find(order, since)

    async def amend(
        self, order_id: str, quantity: Decimal | None, trigger_price: Decimal | None
    ) -> None:
        executed = self.lost_amends.pop(0) if self.lost_amends else None
        if executed is not False:
            await super().amend(order_id, quantity, trigger_price)
        if executed is not None:
            raise UnknownOutcomeError("the answer was lost")

    async def cancel(self, order_id: str) -> None:
        executed = self.lost_cancels.pop(0) if self.lost_cancels else None
        if executed is not False:
            await super().cancel(order_id)
        if executed is not None:
            raise UnknownOutcomeError("the answer was lost")


@pytest.fixture
def figures() -> Figures:
    return Figures()


@pytest.fixture
def exchange() -> LosingExchange:
    return LosingExchange()


@pytest.fixture
def activities(exchange: LosingExchange) -> OrderActivities:
    directory = FakeDirectory()
    directory.exchanges["company"] = exchange
    return OrderActivities(directory, FakeJournal(), wall_clock, QUICK)


def a_stop(**changes: object) -> OrderSpec:
    return an_order(
        **{
            "leg": Leg.STOP,
            "side": Side.SELL,
            "order_type": OrderType.STOP_LOSS,
            "limit_price": None,
            "trigger_price": Decimal(45000),
        }
        | changes
    )


async def place(activities: OrderActivities, order: OrderSpec) -> str | None:
    request = SubmitOrder(order, wall_clock())
    placed = await ActivityEnvironment().run(activities.place_order, request)
    return placed.acknowledged.order_id if placed.acknowledged else None


async def cancel(activities: OrderActivities, order_id: str | None, order: OrderSpec) -> None:
    request = OrderToCancel("company", order_id, order.client_order_id, order, wall_clock())
    await ActivityEnvironment().run(activities.cancel_order, request)


def unknown(figures: Figures, operation: str, leg: str, resolution: str) -> float:
    labels = {"operation": operation, "leg": leg, "resolution": resolution}
    return figures.gained("aether_order_unknown_outcomes_total", **labels)


def steps(figures: Figures, step: str, leg: str) -> float:
    return figures.gained("aether_order_step_seconds_count", step=step, leg=leg)


async def test_entry_that_is_acknowledged_measures_its_intent_and_its_acknowledgement(
    activities, figures
):
    assert await place(activities, an_order())
    assert steps(figures, "intent", "entry") == 1
    assert steps(figures, "acknowledge", "entry") == 1


@pytest.mark.parametrize(
    ("order", "lose_before", "lose_after", "resolution"),
    [
        (an_order(limit_price=Decimal(40000)), 0, 1, "found_open"),
        (an_order(order_type=OrderType.MARKET, limit_price=None), 0, 1, "found_closed"),
        (an_order(), 1, 0, "proven_absent"),
    ],
)
async def test_lost_answer_to_an_entry_is_counted_by_what_was_found(
    activities, exchange, figures, order, lose_before, lose_after, resolution
):
    exchange.lose_before, exchange.lose_after = lose_before, lose_after
    await place(activities, order)
    assert unknown(figures, "place", "entry", resolution) == 1
    assert steps(figures, "acknowledge", "entry") == 0


async def test_stop_lost_twice_is_counted_twice_and_acknowledged_once(
    activities, exchange, figures
):
    exchange.lose_before = 2
    assert await place(activities, a_stop())
    assert unknown(figures, "place", "stop", "proven_absent") == 2
    assert steps(figures, "acknowledge", "stop") == 1


async def test_question_that_fails_leaves_the_outcome_to_a_later_attempt(
    activities, exchange, figures
):
    exchange.lose_before = 1
    exchange.finds_fail = True
    with pytest.raises(ApplicationError):
        await place(activities, an_order())
    assert unknown(figures, "place", "entry", "interrupted") == 1


async def test_cancel_is_measured_and_its_lost_answers_are_counted(activities, exchange, figures):
    order = an_order(limit_price=Decimal(40000))
    order_id = await place(activities, order)
    exchange.lost_cancels = [False, True]
    await cancel(activities, order_id, order)
    assert exchange.orders[order_id].status is OrderStatus.CANCELED
    assert steps(figures, "cancel", "entry") == 1
    assert unknown(figures, "cancel", "entry", "canceled") == 2


async def test_lost_cancel_of_a_filled_order_is_found_closed(activities, exchange, figures):
    order = an_order(limit_price=Decimal(40000))
    order_id = await place(activities, order)
    exchange.set_price(Decimal(39000))
    exchange.lost_cancels = [False]
    await cancel(activities, order_id, order)
    assert unknown(figures, "cancel", "entry", "found_closed") == 1


async def test_lost_answer_to_a_withdrawal_of_many_is_counted_as_repeated(
    activities, exchange, figures
):
    order_id = await place(activities, an_order(limit_price=Decimal(40000)))
    exchange.lost_batches = 1
    request = EntriesToWithdraw("company", (order_id,))
    with pytest.raises(ApplicationError, match="the answer was lost"):
        await ActivityEnvironment().run(activities.withdraw_entries, request)
    assert unknown(figures, "cancel", "entry", "repeated") == 1
    await ActivityEnvironment().run(activities.withdraw_entries, request)
    assert unknown(figures, "cancel", "entry", "repeated") == 1


@pytest.mark.parametrize(("executed", "resolution"), [(True, "amended"), (False, "not_amended")])
async def test_lost_answer_to_an_amend_is_counted_by_what_holds(
    activities, exchange, figures, executed, resolution
):
    order_id = await place(activities, a_stop())
    exchange.lost_amends = [executed]
    command = AmendStop(order_id, None, Decimal("0.10"), Decimal(46000))
    request = StopToAmend("company", command)
    if executed:
        answer = await ActivityEnvironment().run(activities.amend_stop, request)
        assert answer.amended is not None
    else:
        with pytest.raises(ApplicationError, match="the answer was lost"):
            await ActivityEnvironment().run(activities.amend_stop, request)
    assert unknown(figures, "amend", "stop", resolution) == 1
    assert steps(figures, "amend", "stop") == 0


async def test_amend_of_a_stop_that_is_gone_is_refused_and_no_unknown_outcome(
    activities, exchange, figures
):
    order_id = await place(activities, a_stop())
    await exchange.cancel(order_id)
    request = StopToAmend("company", AmendStop(order_id, None, Decimal("0.10"), Decimal(46000)))
    answer = await ActivityEnvironment().run(activities.amend_stop, request)
    assert answer.refused is not None
    assert answer.refused.order_is_gone
    assert sum(unknown(figures, "amend", "stop", r) for r in ("amended", "found_closed")) == 0


async def test_exit_measures_itself_whole_and_the_stop_it_drops(activities, figures):
    stop = await place(activities, a_stop())
    sale = a_stop(leg=Leg.EXIT, order_type=OrderType.MARKET, trigger_price=None)
    command = ExitPosition((stop,), Decimal(0), sale)
    request = PositionToExit(command, wall_clock())
    done = await ActivityEnvironment().run(activities.exit_position, request)
    assert done.placed.acknowledged is not None
    assert steps(figures, "exit", "exit") == 1
    assert steps(figures, "cancel", "stop") == 1
    assert steps(figures, "intent", "exit") == 1


def test_every_metric_is_documented():
    collectors = (Counter, Gauge, Histogram)
    own = [one for one in vars(metrics).values() if isinstance(one, collectors)]
    families = [family for one in own for family in one.collect()]
    families += RecordGauges().registry.collect()
    names = {f"{f.name}_total" if f.type == "counter" else f.name for f in families}
    text = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text()
    assert {name for name in names if f"`{name}`" not in text} == set()
    assert len(names) > 15

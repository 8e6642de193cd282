"""A trade whose requests are refused: bounded repetition, a stop that stays, an end that comes."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.trading.orders import Leg
from models.trading.refusals.kinds import PROVEN_ABSENT, TABLE, RefusalClass, refusal_class
from models.trading.risk.limits import ProtectionMode
from models.trading.trade.decisions import decide
from models.trading.trade.facts import CloseRequested, ExitReason, ReviewDue, ShortfallCause
from models.trading.trade.figures import summarise
from models.trading.trade.refusals import next_look
from models.trading.trade.state import TradePhase
from tests.models.trading.model_exchange import ModelOrder, ModelWorld
from tests.models.trading.trading_builders import a_plan

REASONS = st.sampled_from([prefix for prefix, _ in TABLE] + ["HTTP status 502", "EOrder:Tomorrow"])
LONGEST = timedelta(minutes=15)


class RefusingWorld(ModelWorld):
    """The model exchange with the review timer of the workflow."""

    def settle_down(self) -> None:
        for _ in range(400):
            if self.commands:
                self.run_command()
            elif self.facts:
                self.deliver(0)
            else:
                return
        raise AssertionError("commands and facts never come to rest")

    def opened(self) -> "RefusingWorld":
        self.settle_down()
        self.fill(self.live_orders(Leg.ENTRY)[0], self.live_orders(Leg.ENTRY)[0].quantity)
        self.settle_down()
        return self

    def close(self) -> None:
        self.tell(CloseRequested(ExitReason.REQUESTED, "director", self.now))

    def step(self) -> bool:
        """Carry out what is due, let exits fill, wait as the timer does; False: nothing is due."""
        self.settle_down()
        for order in self.live_orders(Leg.EXIT):
            self.fill(order, order.quantity)
        self.settle_down()
        if self.state.phase is TradePhase.SETTLED:
            return False
        if decide(self.state, ReviewDue(self.now)).commands:
            self.review(2)
            return True
        look = next_look(self.state)
        if look is None:
            return False
        self.now = max(self.now, look)
        self.tell(ReviewDue(self.now))
        return True

    def live(self, seconds: float) -> None:
        end = self.now + timedelta(seconds=seconds)
        while self.now < end and self.step():
            self.settle_down()

    def sent(self, leg: Leg) -> list[datetime]:
        return [at for at, spec in self.sends if spec.leg is leg]


def is_bounded(times: Sequence[datetime]) -> None:
    """Two sends at most before the first pause; every later pause is no shorter."""
    pauses = [after - before for before, after in pairwise(times)][1:]
    assert all(pause >= timedelta(seconds=2) for pause in pauses)
    assert all(later >= earlier for earlier, later in pairwise(pauses))


@settings(max_examples=30, deadline=None)
@given(reason=REASONS, protection=st.sampled_from(ProtectionMode))
def test_an_exit_refused_for_ever_is_sent_ever_less_while_the_stop_stays(reason, protection):
    world = RefusingWorld(a_plan(quantity="10", protection=protection)).opened()
    world.lasting[Leg.EXIT] = reason
    world.close()
    end = world.now + timedelta(hours=1)
    while world.now < end:
        assert world.step()
        world.settle_down()
        assert world.state.live_exit is None
        assert sum(order.quantity for order in world.live_orders(Leg.STOP)) == 10
    exits = world.sent(Leg.EXIT)
    is_bounded(exits)
    assert len(exits) <= 130
    assert world.events.count("exit_blocked") == 1
    assert "exit_blocked" in summarise(world.state).blocked


@settings(max_examples=30, deadline=None)
@given(reason=REASONS, times=st.integers(0, 7), protection=st.sampled_from(ProtectionMode))
def test_an_exit_ends_once_the_refusals_end(reason, times, protection):
    world = RefusingWorld(a_plan(quantity="10", protection=protection)).opened()
    if times:
        world.lasting[Leg.EXIT] = reason
    world.close()
    for _ in range(10_000):
        if len(world.sent(Leg.EXIT)) >= times:
            break
        world.step()
    world.lasting.clear()
    lifted = world.now
    world.live(4000)
    assert world.state.phase is TradePhase.SETTLED
    assert world.held == 0
    assert world.now - lifted <= LONGEST + timedelta(seconds=10)
    assert summarise(world.state).blocked == ""


@pytest.mark.parametrize("protection", ProtectionMode)
def test_an_exit_that_is_lost_is_sent_again_soon_and_the_stop_is_back_in_between(protection):
    world = RefusingWorld(a_plan(quantity="10", protection=protection)).opened()
    world.lasting[Leg.EXIT] = PROVEN_ABSENT
    world.close()
    begun, covered = world.now, []
    while len(world.sent(Leg.EXIT)) < 10:
        before = len(world.sent(Leg.EXIT))
        world.step()
        if len(world.sent(Leg.EXIT)) > before:
            covered.append(sum(order.quantity for order in world.live_orders(Leg.STOP)))
    assert all(quantity == 10 for quantity in covered)
    exits = world.sent(Leg.EXIT)
    assert all(after - at >= timedelta(seconds=1) for at, after in pairwise(exits))
    assert world.now - begun <= timedelta(seconds=50)
    world.lasting.clear()
    world.live(10)
    assert world.state.phase is TradePhase.SETTLED


@settings(max_examples=30, deadline=None)
@given(reason=REASONS, times=st.integers(1, 6))
def test_stops_and_exits_refused_together_are_bounded_and_both_go_on(reason, times):
    world = RefusingWorld(a_plan(quantity="10"))
    world.lasting = {Leg.STOP: reason, Leg.EXIT: reason}
    world.opened()
    for _ in range(times * 40):
        world.step()
    is_bounded(world.sent(Leg.STOP))
    is_bounded(world.sent(Leg.EXIT))
    del world.lasting[Leg.STOP]
    world.live(130)
    assert sum(order.quantity for order in world.live_orders(Leg.STOP)) == 10
    del world.lasting[Leg.EXIT]
    world.live(4000)
    assert world.state.phase is TradePhase.SETTLED


def test_what_is_refused_for_days_does_not_make_the_trade_grow():
    world = RefusingWorld(a_plan(quantity="10"))
    world.lasting = dict.fromkeys((Leg.STOP, Leg.EXIT), "EOrder:Invalid price")
    world.opened()
    world.live(86_400)
    assert len(world.sent(Leg.EXIT)) > 100
    assert len(world.state.orders) <= 60
    assert len(world.state.refusals) <= 50
    names = [spec.client_order_id for _, spec in world.sends]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("explained", "cause", "unexplained"),
    [("3", ShortfallCause.WITHDRAWN, "0"), ("0", ShortfallCause.UNEXPLAINED, "3")],
)
def test_what_the_exchange_holds_is_sold_and_the_rest_is_a_finding(explained, cause, unexplained):
    world = RefusingWorld(a_plan(quantity="10")).opened()
    world.moved_away, world.ledger_explains = Decimal(3), Decimal(explained)
    world.close()
    world.live(600)
    assert world.state.phase is TradePhase.SETTLED
    assert [spec.quantity for _, spec in world.sends if spec.leg is Leg.EXIT][-1] == 7
    assert len(world.sent(Leg.EXIT)) <= 3
    assert world.held == 3
    assert world.state.missing_cause is cause
    assert summarise(world.state).unexplained == Decimal(unexplained)
    assert "holding_short" in world.events
    assert any(cause.value in text for text in world.state.refusals)


def test_coins_that_come_back_are_sold_as_well():
    world = RefusingWorld(a_plan(quantity="10")).opened()
    world.moved_away = Decimal(3)
    world.close()
    world.settle_down()
    for order in world.live_orders(Leg.EXIT):
        world.fill(order, order.quantity)
    world.settle_down()
    assert (world.held, world.state.missing) == (3, 3)
    world.moved_away = Decimal(0)
    world.live(600)
    assert world.state.phase is TradePhase.SETTLED
    assert world.held == 0


def test_a_cancel_that_is_refused_for_ever_is_asked_for_ever_less_and_then_done():
    world = RefusingWorld(a_plan(quantity="10"))
    world.settle_down()
    world.keeps = True
    world.close()
    world.live(3600)
    is_bounded(world.cancels)
    assert 4 <= len(world.cancels) <= 20
    assert "cancel_blocked" in summarise(world.state).blocked
    assert world.events.count("cancel_blocked") == 1
    world.keeps = False
    world.live(1000)
    assert world.state.phase is TradePhase.SETTLED


@pytest.mark.parametrize("protection", ProtectionMode)
def test_a_stop_that_was_not_dropped_rests_on_under_its_old_id(protection):
    world = RefusingWorld(a_plan(quantity="10", protection=protection)).opened()
    (resting,) = world.live_orders(Leg.STOP)
    world.sale_refused = "EService:Market in cancel_only mode"
    world.close()
    world.live(3600)
    assert world.live_orders(Leg.STOP) == [resting]
    assert world.sent(Leg.EXIT) == []
    assert "exit_blocked (stale)" in summarise(world.state).blocked
    world.sale_refused = None
    world.live(600)
    assert world.state.phase is TradePhase.SETTLED
    assert world.held == 0


def growing() -> tuple[RefusingWorld, ModelOrder]:
    """Return a world whose stop covers 9 of 10, and whose exchange takes no amend."""
    world = RefusingWorld(a_plan(quantity="10"))
    world.settle_down()
    entry = world.live_orders(Leg.ENTRY)[0]
    world.fill(entry, Decimal(9))
    world.settle_down()
    world.refuse_amends = True
    world.fill(entry, Decimal(1))
    return world, world.live_orders(Leg.STOP)[0]


def test_a_growth_that_is_refused_for_ever_is_asked_for_ever_less():
    world, stop = growing()
    end = world.now + timedelta(hours=1)
    while world.now < end and world.step():
        world.refuse_amends = True
    assert (stop.live, stop.quantity) == (True, 9)
    assert sum(order.quantity for order in world.live_orders(Leg.STOP)) == 10
    assert len(world.amends) <= 20
    is_bounded([at for at, _ in world.amends])


def test_a_rest_that_no_stop_is_taken_for_is_asked_for_ever_less_while_the_others_stand():
    world, _ = growing()
    world.lasting[Leg.STOP] = "EOrder:Invalid price"
    world.sale_refused = "EService:Market in cancel_only mode"
    end = world.now + timedelta(hours=1)
    while world.now < end and world.step():
        world.refuse_amends = True
    assert len(world.sent(Leg.STOP)) <= 70
    assert sum(order.quantity for order in world.live_orders(Leg.STOP)) == 9
    world.lasting.clear()
    world.sale_refused = None
    world.live(1000)
    assert world.state.phase is TradePhase.SETTLED
    assert world.held == 0


def test_the_words_of_the_protocol_have_a_class():
    assert refusal_class("EOrder:Insufficient funds") is RefusalClass.LASTING
    assert refusal_class("EOrder:Tick size check failed") is RefusalClass.STALE
    assert refusal_class("EService:Market in cancel_only mode") is RefusalClass.STALE
    assert refusal_class("EService:Busy") is RefusalClass.PASSING
    assert refusal_class(PROVEN_ABSENT) is RefusalClass.LOST
    assert refusal_class("EGeneral:Invalid arguments:cl_ord_id") is RefusalClass.MISTAKE
    assert refusal_class("EGeneral:Invalid arguments:volume") is RefusalClass.STALE
    assert refusal_class("EOrder:Of tomorrow") is RefusalClass.LASTING
    assert refusal_class(None) is RefusalClass.PASSING
    for at, (prefix, _) in enumerate(TABLE):
        earlier = [known for known, _ in TABLE[:at]]
        assert not any(prefix.startswith(known) for known in earlier), f"{prefix} is never reached"

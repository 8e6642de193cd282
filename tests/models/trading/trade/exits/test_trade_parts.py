"""Parts sold out of protected positions, under every interleaving that hypothesis finds."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from models.trading.exits.rules import ExitRules, PartialTake
from models.trading.orders import Leg, OrderStatus
from models.trading.risk.limits import ProtectionMode
from models.trading.trade.facts import (
    AmendStop,
    CancelOrder,
    CloseRequested,
    ExitReason,
    OrderAcknowledged,
    OrderEnded,
    PartialExitRequested,
    PlaceOrder,
    TradeFact,
)
from models.trading.trade.state import TradeOrder, TradePhase
from tests.models.trading.model_exchange import ModelWorld
from tests.models.trading.trade.test_trade_machine import TradeMachine
from tests.models.trading.trading_builders import START, a_plan

PLAN = a_plan(quantity="20", take_profit=None)


def a_protected_world(quantity: str = "20", **changes: object) -> ModelWorld:
    world = ModelWorld(a_plan(quantity=quantity, **changes))  # type: ignore[arg-type]
    world.run_command()
    world.fill(world.live_orders(Leg.ENTRY)[0], Decimal(quantity))
    settle(world)
    assert world.state.protected_quantity == world.state.held == Decimal(quantity)
    return world


def settle(world: ModelWorld) -> None:
    while world.commands or world.facts:
        if world.commands:
            world.run_command()
        else:
            world.deliver(0)


def test_part_is_sold_and_the_rest_is_never_without_its_stop() -> None:
    world = a_protected_world()
    world.tell(PartialExitRequested(Decimal(5), "hedge", START))
    world.run_command()
    (stop,) = world.live_orders(Leg.STOP)
    assert stop.quantity == 15
    (part,) = world.live_orders(Leg.HEDGE)
    assert part.quantity == 5
    world.fill(part, part.quantity)
    settle(world)
    assert world.state.phase is TradePhase.OPEN
    assert world.state.held == world.state.protected_quantity == 15
    world.tell(PartialExitRequested(Decimal(5), "hedge", START))
    assert not world.commands


def test_part_that_is_refused_lets_the_stop_grow_back() -> None:
    world = a_protected_world()
    world.refuse[Leg.HEDGE] = (OrderStatus.NOT_PLACED, "EService:Busy")
    world.tell(PartialExitRequested(Decimal(5), "hedge", START))
    settle(world)
    assert world.state.protected_quantity == world.state.held == 20
    assert world.state.part_failures == 1


@pytest.mark.parametrize("sold", [False, True], ids=["never taken", "sold unheard"])
def test_part_whose_sale_is_in_doubt_stays_covered_until_it_is_known(sold: bool) -> None:
    world = a_protected_world()
    world.tell(PartialExitRequested(Decimal(5), "hedge", START))
    world.doubts, world.lost_after = 1, sold
    settle(world)
    (part,) = world.state.in_doubt
    assert part.spec.leg is Leg.HEDGE
    assert world.state.protected_quantity == world.state.held == 20
    world.doubts = 1  # still: no review makes the stop smaller
    world.review()
    settle(world)
    assert world.state.protected_quantity == 20
    bare = len(world.cancels)
    if sold:
        for live in world.live_orders(Leg.HEDGE):
            world.fill(live, live.quantity)
    for _ in range(3):
        world.review()
        settle(world)
    assert not world.state.in_doubt
    if sold:
        assert world.state.protected_quantity == world.state.held == 15
        assert len(world.cancels) == bare  # made smaller in place
    else:
        # It came to nothing, and is tried once more after that.
        (again,) = world.live_orders(Leg.HEDGE)
        world.fill(again, again.quantity)
        settle(world)
        assert world.state.protected_quantity == world.state.held == 15


def test_stop_that_cannot_be_made_smaller_keeps_all_and_nothing_is_sold() -> None:
    world = a_protected_world()
    world.refuse_amends = True
    world.tell(PartialExitRequested(Decimal(5), "hedge", START))
    settle(world)
    assert not world.live_orders(Leg.HEDGE)
    assert world.state.protected_quantity == world.state.held == 20


def test_part_that_leaves_too_little_takes_all() -> None:
    world = a_protected_world("4")
    world.tell(PartialExitRequested(Decimal("3.5"), "hedge", START))
    settle(world)
    assert world.state.exit_reason in (None, ExitReason.HEDGE)
    world = a_protected_world("4")
    world.tell(PartialExitRequested(Decimal(4), "hedge", START))
    settle(world)
    (leaving,) = world.live_orders(Leg.EXIT)
    assert leaving.quantity == 4
    assert world.state.exit_reason is ExitReason.HEDGE


class PartMachine(TradeMachine):
    """Begins protected and asks for parts often; people and refusals leave the trade alone."""

    @initialize(
        protection=st.sampled_from(ProtectionMode), quantity=st.integers(min_value=6, max_value=30)
    )
    def start(self, protection: ProtectionMode, quantity: int) -> None:  # type: ignore[override]
        self.world = ModelWorld(
            a_plan(quantity=str(quantity), protection=protection, take_profit="123", trailing="8")
        )
        self._run_all()
        entry = self.world.live_orders(Leg.ENTRY)[0]
        self.world.fill(entry, Decimal(quantity // 2))
        self._run_all()
        self.world.fill(entry, Decimal(quantity))
        self._run_all()

    @rule(lots=st.integers(min_value=1, max_value=9))
    def more_parts(self, lots: int) -> None:
        target = self.world.state.sold + Decimal(lots)
        self.world.tell(PartialExitRequested(target, "hedge", START))

    @rule()
    def everything_comes_to_rest(self) -> None:
        self._run_all()
        for order in self.world.live_orders(Leg.HEDGE):
            self.world.fill(order, order.quantity)
        self._run_all()

    @invariant()
    def what_is_not_being_sold_is_covered_at_the_exchange(self) -> None:
        if not hasattr(self, "world"):
            return
        world = self.world
        if world.lost or world.state.live_exit or world.state.exit_wanted:
            return
        if world.commands or world.facts or world.state.awaited_children:
            return
        if world.state.stop_refusals or any(o.amend_blocked for o in world.state.orders):
            return
        covered = sum((o.quantity - o.filled for o in world.live_orders(Leg.STOP)), Decimal(0))
        selling = sum((o.quantity - o.filled for o in world.live_orders(Leg.HEDGE)), Decimal(0))
        if world.state.in_doubt:
            assert covered + selling >= world.held
        else:
            assert covered + selling == world.held

    # The same machine without what would end the trade at once.
    close_requested = None  # type: ignore[assignment]
    entry_cancel_requested = None  # type: ignore[assignment]
    exchange_cancels = None  # type: ignore[assignment]
    stop_fills_partly = None  # type: ignore[assignment]

    @rule(price=st.integers(min_value=97, max_value=110).map(Decimal))
    def price_moves(self, price: Decimal) -> None:
        self.world.move_price(price)


PartMachine.TestCase.settings = settings(
    max_examples=150,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestParts = PartMachine.TestCase

Steps = tuple[tuple[str, dict[str, Any]], ...]
LEAVE_IN_DOUBT: Steps = (
    ("stops_rest_without_coins", {}),
    ("next_answers_are_lost", {"executed": True, "times": 1}),
    ("stop_move_requested", {"stop": Decimal(107), "price": Decimal(118)}),
    ("watch_crosses", {"pick": 0}),
    ("everything_comes_to_rest", {}),
    ("review_is_due", {}),
    ("everything_comes_to_rest", {}),
)
FOUND: dict[str, tuple[ProtectionMode, int, Steps]] = {
    "exit in doubt was executed": (
        ProtectionMode.ATTACHED,
        6,
        (*LEAVE_IN_DOUBT, ("next_amend_is_refused", {}), ("everything_comes_to_rest", {})),
    ),
    "exit in doubt was executed, then the stop is reached": (
        ProtectionMode.ATTACHED,
        6,
        (*LEAVE_IN_DOUBT, ("price_moves", {"price": Decimal(107)})),
    ),
    "part in doubt was executed": (
        ProtectionMode.SEPARATE,
        6,
        (
            ("next_answers_are_lost", {"executed": True, "times": 1}),
            ("partial_exit_requested", {"lots": 1}),
            ("review_is_due", {}),
            ("everything_comes_to_rest", {}),
        ),
    ),
    "part in doubt was executed, then both stops are reached": (
        ProtectionMode.ATTACHED,
        7,
        (
            ("partial_exit_requested", {"lots": 1}),
            ("next_answers_are_lost", {"executed": True, "times": 1}),
            ("stop_move_requested", {"stop": Decimal(99), "price": Decimal(106)}),
            ("everything_comes_to_rest", {}),
            ("price_moves", {"price": Decimal(97)}),
        ),
    ),
}


@pytest.mark.parametrize("found", FOUND.values(), ids=FOUND.keys())
def test_example_that_was_found(found: tuple[ProtectionMode, int, Steps]) -> None:
    protection, quantity, steps = found
    machine = PartMachine()
    machine.start(protection=protection, quantity=quantity)
    for name, values in steps:
        getattr(machine, name)(**values)
        machine.books_agree_when_quiet()
        machine.what_is_not_being_sold_is_covered_at_the_exchange()
        machine.nothing_is_offered_twice_once_all_is_known()
    machine.teardown()


def test_stop_that_was_made_smaller_by_a_second_asking_after_a_refusal_is_made_whole() -> None:
    world = a_protected_world()
    world.tell(PartialExitRequested(Decimal(5), "hedge", START))
    world.review()  # it was due already when the request came: the part is asked for twice
    world.refuse_amends = True
    settle(world)
    (stop,) = world.live_orders(Leg.STOP)
    assert stop.quantity == world.state.protected_quantity == world.held == 20


def test_stop_that_is_made_as_small_as_it_has_filled_is_over_and_so_is_the_trade() -> None:
    """Kraken cancels the rest of an order that is amended to what is filled of it (§8.2)."""
    world = a_protected_world("4")
    world.tell(PartialExitRequested(Decimal(2), "hedge", START))
    (stop,) = world.live_orders(Leg.STOP)
    world.fill(stop, Decimal(2))
    world.run_command()
    assert not stop.live
    for order in world.live_orders(Leg.HEDGE):
        world.fill(order, order.quantity)
    settle(world)
    assert not world.live_orders()
    assert world.state.phase is TradePhase.SETTLED
    assert world.held == world.state.held == 0


def in_doubt(world: ModelWorld, fact: TradeFact) -> TradeOrder:
    """Let the sale that a fact calls for be executed, while nobody can say so."""
    world.stops_need_coins = False
    world.doubts, world.lost_after = 1, True
    world.tell(fact)
    settle(world)
    (sale,) = world.state.in_doubt
    assert world.state.protected_quantity == world.state.held == 20
    world.review()
    world.run_command()
    return sale


def told(world: ModelWorld, kind: type[TradeFact]) -> None:
    """Deliver the one fact of a kind, before everything else."""
    world.deliver(next(i for i, fact in enumerate(world.facts) if isinstance(fact, kind)))


@pytest.mark.parametrize("first", [OrderAcknowledged, OrderEnded])
def test_stop_over_an_exit_in_doubt_is_withdrawn_once_the_exit_is_known_to_exist(
    first: type[TradeFact],
) -> None:
    world = a_protected_world()
    leaving = in_doubt(world, CloseRequested(ExitReason.REQUESTED, "director", START))
    world.facts = [f for f in world.facts if is_about(f, leaving)]
    told(world, first)
    (stop,) = world.live_orders(Leg.STOP)
    assert CancelOrder(stop.order_id, stop.spec.client_order_id) in world.commands
    settle(world)
    assert not world.live_orders()
    world.review()
    settle(world)
    assert world.state.phase is TradePhase.SETTLED
    assert world.state.held == world.held == 0


@pytest.mark.parametrize("first", [OrderAcknowledged, OrderEnded])
def test_stop_over_a_part_in_doubt_gets_smaller_once_the_part_is_known_to_exist(
    first: type[TradeFact],
) -> None:
    world = a_protected_world()
    part = in_doubt(world, PartialExitRequested(Decimal(5), "hedge", START))
    world.facts = [f for f in world.facts if is_about(f, part)]
    told(world, first)
    (stop,) = world.live_orders(Leg.STOP)
    (amend,) = world.commands
    assert isinstance(amend, AmendStop)
    assert (amend.order_id, amend.quantity) == (stop.order_id, 15)
    for _ in range(2):
        settle(world)
        world.review()
    settle(world)
    assert world.state.protected_quantity == world.state.held == world.held == 15


def test_stop_that_is_on_its_way_when_the_exit_is_known_is_withdrawn_and_not_sent_again() -> None:
    world = a_protected_world()
    world.stops_need_coins = False
    world.doubts, world.lost_after = 1, True
    world.tell(CloseRequested(ExitReason.REQUESTED, "director", START))
    while not isinstance(world.commands[0] if world.commands else None, PlaceOrder):
        world.run_command() if world.commands else world.deliver(0)
    world.commands.clear()  # the stop's sending is lost
    (leaving,) = world.state.in_doubt
    world.tell(OrderAcknowledged(leaving.spec.client_order_id, "O3", START))
    world.review()
    assert not any(isinstance(command, PlaceOrder) for command in world.commands)
    settle(world)
    assert not world.live_orders()
    assert [spec.leg for _, spec in world.sends].count(Leg.STOP) == 1


def is_about(fact: TradeFact, order: TradeOrder) -> bool:
    return getattr(fact, "client_order_id", None) == order.spec.client_order_id


RULES = ExitRules(
    stop_price=Decimal(95),
    partials=(PartialTake(Decimal("0.02"), Decimal("0.25")),),
)

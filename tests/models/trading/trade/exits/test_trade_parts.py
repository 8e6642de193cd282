"""Parts sold out of protected positions, under every interleaving that hypothesis finds."""

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from models.trading.exits.rules import ExitRules, PartialTake
from models.trading.orders import Leg, OrderStatus
from models.trading.risk.limits import ProtectionMode
from models.trading.trade.facts import ExitReason, PartSaleRequested
from models.trading.trade.state import TradePhase
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
    world.tell(PartSaleRequested(Decimal(5), "hedge", START))
    world.run_command()
    (stop,) = world.live_orders(Leg.STOP)
    assert stop.quantity == 15
    (part,) = world.live_orders(Leg.HEDGE)
    assert part.quantity == 5
    world.fill(part, part.quantity)
    settle(world)
    assert world.state.phase is TradePhase.OPEN
    assert world.state.held == world.state.protected_quantity == 15
    world.tell(PartSaleRequested(Decimal(5), "hedge", START))
    assert not world.commands


def test_part_that_is_refused_lets_the_stop_grow_back() -> None:
    world = a_protected_world()
    world.refuse[Leg.HEDGE] = (OrderStatus.NOT_PLACED, "EService:Busy")
    world.tell(PartSaleRequested(Decimal(5), "hedge", START))
    settle(world)
    assert world.state.protected_quantity == world.state.held == 20
    assert world.state.part_failures == 1


@pytest.mark.parametrize("sold", [False, True], ids=["never taken", "sold unheard"])
def test_part_whose_sale_is_in_doubt_stays_covered_until_it_is_known(sold: bool) -> None:
    world = a_protected_world()
    world.tell(PartSaleRequested(Decimal(5), "hedge", START))
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
    world.tell(PartSaleRequested(Decimal(5), "hedge", START))
    settle(world)
    assert not world.live_orders(Leg.HEDGE)
    assert world.state.protected_quantity == world.state.held == 20


def test_part_that_leaves_too_little_takes_all() -> None:
    world = a_protected_world("4")
    world.tell(PartSaleRequested(Decimal("3.5"), "hedge", START))
    settle(world)
    assert world.state.exit_reason in (None, ExitReason.HEDGE)
    world = a_protected_world("4")
    world.tell(PartSaleRequested(Decimal(4), "hedge", START))
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
        self.world.tell(PartSaleRequested(target, "hedge", START))

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

RULES = ExitRules(
    stop_price=Decimal(95),
    partials=(PartialTake(Decimal("0.02"), Decimal("0.25")),),
)

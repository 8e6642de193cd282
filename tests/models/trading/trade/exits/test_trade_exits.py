"""Every exit of a running trade: when it is due, and that people change it safely."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from models.trading.answers import WAITING
from models.trading.exits.requests import ExitsChange, ExitsChangeRequested
from models.trading.exits.rules import ExitRules, PartialTake
from models.trading.governance.approval import ApprovalSettled, ApprovalStatus, RequestApproval
from models.trading.orders import Leg
from models.trading.trade.decisions import decide
from models.trading.trade.facts import ExitReason, PriceCrossed, PriceWatch, WatchKind
from models.trading.trade.state import TradePhase
from tests.models.trading.model_exchange import ModelWorld
from tests.models.trading.trading_builders import START, a_market, a_plan


def a_world(exits: ExitRules | None = None, **changes: object) -> ModelWorld:
    """Return a protected trade of 20 bought at 100, stop at 95."""
    plan = replace(
        a_plan(quantity="20", trailing=None, take_profit="120", **changes),  # type: ignore[arg-type]
        exits=exits,
        average_true_range=Decimal(2),
    )
    world = ModelWorld(plan)
    world.run_command()
    world.fill(world.live_orders(Leg.ENTRY)[0], Decimal(20))
    settle(world)
    return world


def settle(world: ModelWorld) -> None:
    while world.commands or world.facts:
        if world.commands:
            world.run_command()
        else:
            world.deliver(0)
        for order in world.live_orders():
            if order.spec.leg in (Leg.PART, Leg.HEDGE, Leg.EXIT):
                world.fill(order, order.quantity)


def watch(world: ModelWorld, kind: WatchKind) -> PriceWatch:
    (found,) = [w for w in world.state.watches if w.kind is kind]
    return found


def cross(world: ModelWorld, kind: WatchKind, price: str | None = None, hours: int = 0) -> None:
    found = watch(world, kind)
    level = Decimal(price) if price is not None else found.level
    world.move_price(level)
    at = START + timedelta(hours=hours)
    world.tell(PriceCrossed(found.watch_id, kind, level, at))
    settle(world)


def rules(**changes: object) -> ExitRules:
    return replace(ExitRules(Decimal(95), Decimal(120)), **changes)  # type: ignore[arg-type]


def test_partial_profits_are_taken_one_after_the_other_and_the_rest_stays_protected() -> None:
    steps = (
        PartialTake(Decimal("0.02"), Decimal("0.25")),
        PartialTake(Decimal("0.05"), Decimal("0.5")),
    )
    world = a_world(rules(partials=steps))
    assert watch(world, WatchKind.PARTIAL).level == 102
    cross(world, WatchKind.PARTIAL)
    assert (world.state.held, world.state.protected_quantity) == (15, 15)
    assert watch(world, WatchKind.PARTIAL).level == 105
    cross(world, WatchKind.PARTIAL)
    assert (world.state.held, world.state.protected_quantity) == (5, 5)
    assert world.state.phase is TradePhase.OPEN
    assert WatchKind.PARTIAL not in {w.kind for w in world.state.watches}


def test_a_jump_over_several_steps_takes_them_together() -> None:
    steps = (
        PartialTake(Decimal("0.02"), Decimal("0.25")),
        PartialTake(Decimal("0.05"), Decimal("0.25")),
    )
    world = a_world(rules(partials=steps))
    cross(world, WatchKind.PARTIAL, "106")
    assert world.state.held == 10
    assert world.state.partials_taken == 2


def test_stop_goes_to_break_even_once_and_is_not_lowered_by_it() -> None:
    world = a_world(rules(break_even_gain=Decimal("0.03"), break_even_offset=Decimal("0.008")))
    assert watch(world, WatchKind.BREAK_EVEN).level == 103
    cross(world, WatchKind.BREAK_EVEN)
    assert world.state.stop_price == Decimal("100.8")
    (stop,) = world.live_orders(Leg.STOP)
    assert stop.trigger == Decimal("100.8")
    assert WatchKind.BREAK_EVEN not in {w.kind for w in world.state.watches}


def test_trade_is_closed_when_its_market_time_is_over() -> None:
    world = a_world(rules(hold_maximum=timedelta(hours=6)))
    assert world.state.opened_at is not None
    due = world.state.opened_at + timedelta(hours=6)
    assert watch(world, WatchKind.TIME).due_at == due
    found = watch(world, WatchKind.TIME)
    world.tell(PriceCrossed(found.watch_id, WatchKind.TIME, Decimal(101), due))
    settle(world)
    assert world.state.phase is TradePhase.SETTLED
    assert world.state.exit_reason is ExitReason.TIME_STOP


def test_trailing_by_share_and_by_range_follow_the_nearer_one() -> None:
    world = a_world(rules(trailing_share=Decimal("0.05"), trailing_multiple=Decimal(2)))
    # Two ranges are 4: nearer than five percent. The step is a fifth of it.
    assert watch(world, WatchKind.TRAIL).level == Decimal("99.8")
    cross(world, WatchKind.TRAIL, "110")
    assert world.state.stop_price == 106
    assert world.state.trailed
    share = a_world(rules(trailing_share=Decimal("0.05")))
    level = watch(share, WatchKind.TRAIL).level
    assert level == Decimal("101.1")
    cross(share, WatchKind.TRAIL)
    assert share.state.stop_price == Decimal("96.0")


def change(
    world: ModelWorld, name: str = "x-1", price: str | None = "100", **wanted: object
) -> object:
    known = Decimal(price) if price is not None else None
    fact = ExitsChangeRequested(
        name,
        "director",
        ExitsChange(**wanted),  # type: ignore[arg-type]
        known,
        START,
    )
    decision = decide(world.state, fact)
    world.tell(fact)
    asks = [c for c in decision.commands if isinstance(c, RequestApproval)]
    world.commands = type(world.commands)(
        c for c in world.commands if not isinstance(c, RequestApproval)
    )
    settle(world)
    assert decision.answer is not None
    return (decision.answer.code, asks[0].request if asks else None)


def test_better_exits_are_taken_over_at_once() -> None:
    world = a_world()
    code, request = change(
        world,
        stop_price=Decimal(97),
        hold_maximum=timedelta(hours=2),
        partials=(PartialTake(Decimal("0.1"), Decimal("0.5")),),
    )
    assert (code, request) == ("accepted", None)
    assert world.live_orders(Leg.STOP)[0].trigger == 97
    assert {w.kind for w in world.state.watches} == {
        WatchKind.TAKE_PROFIT,
        WatchKind.PARTIAL,
        WatchKind.TIME,
    }


def test_worse_protection_waits_for_a_second_person_and_then_holds_at_the_exchange() -> None:
    world = a_world()
    code, request = change(world, stop_price=Decimal(90))
    assert code == WAITING
    assert request.subject == "worse_protection"
    assert request.trade == 1
    assert world.live_orders(Leg.STOP)[0].trigger == 95
    market = a_market(bid="99", ask="101")
    settled = ApprovalSettled(request.request_id, ApprovalStatus.APPROVED, "second", market, START)
    blind = decide(world.state, replace(settled, market=None))
    assert blind.answer is not None
    assert blind.answer.code == "no-market-data"
    decision = decide(world.state, settled)
    assert decision.answer is not None
    assert decision.answer.accepted
    world.tell(settled)
    settle(world)
    (stop,) = world.live_orders(Leg.STOP)
    assert stop.trigger == 90
    assert world.state.protected_quantity == 20
    again = decide(world.state, settled)
    assert again.answer is not None
    assert again.answer.code == "approval-decided"
    assert again.commands == ()


def test_approved_change_leaves_what_was_tightened_meanwhile() -> None:
    world = a_world()
    code, request = change(world, cleared=("take_profit_price",), trailing_share=Decimal("0.03"))
    assert code == WAITING
    # Meanwhile the stop is raised, and a time limit is added.
    assert change(world, stop_price=Decimal(97), hold_maximum=timedelta(hours=1))[0] == "accepted"
    market = a_market(bid="99", ask="101")
    settled = ApprovalSettled(request.request_id, ApprovalStatus.APPROVED, "second", market, START)
    world.tell(settled)
    settle(world)
    assert world.state.take_profit_price is None
    assert world.state.stop_price >= 97
    assert world.live_orders(Leg.STOP)[0].trigger >= 97
    assert world.state.exits is not None
    assert world.state.exits.hold_maximum == timedelta(hours=1)


def test_approval_of_a_lower_stop_is_overtaken_by_one_that_has_moved() -> None:
    world = a_world()
    _, request = change(world, stop_price=Decimal(90))
    assert change(world, stop_price=Decimal(97))[0] == "accepted"
    market = a_market(bid="99", ask="101")
    settled = ApprovalSettled(request.request_id, ApprovalStatus.APPROVED, "second", market, START)
    answer = decide(world.state, settled).answer
    assert answer is not None
    assert answer.code == "outdated-change"
    world.tell(settled)
    settle(world)
    assert world.live_orders(Leg.STOP)[0].trigger == 97


def test_refused_worse_protection_changes_nothing() -> None:
    world = a_world()
    _, request = change(world, cleared=("take_profit_price",), trailing_share=Decimal("0.03"))
    settled = ApprovalSettled(request.request_id, ApprovalStatus.REFUSED, "second", None, START)
    world.tell(settled)
    settle(world)
    assert world.state.take_profit_price == 120
    assert world.state.pending_exits == ()


def test_exits_that_make_no_sense_are_refused() -> None:
    cases = (
        ({"stop_price": Decimal(101)}, "stop-on-wrong-side"),
        ({"take_profit_price": Decimal(99)}, "take-profit-on-wrong-side"),
        ({"cleared": ("take_profit_price",)}, "take-profit-on-wrong-side"),
        ({"trailing_share": Decimal("NaN")}, "invalid-price"),
        ({"trailing_share": Decimal(1)}, "invalid-exits"),
        ({"trailing_distance": Decimal(100)}, "invalid-exits"),
        (
            {"break_even_gain": Decimal("0.02"), "break_even_offset": Decimal("0.02")},
            "break-even-never",
        ),
        ({"break_even_offset": Decimal("0.01")}, "break-even-never"),
        (
            {"partials": (PartialTake(Decimal("0.1"), Decimal("0.7")),) * 2},
            "invalid-exits",
        ),
        ({"partials": (PartialTake(Decimal("0.2"), Decimal("0.5")),)}, "partial-never"),
    )
    for wanted, code in cases:
        assert change(a_world(), **wanted)[0] == code  # type: ignore[index]


def test_break_even_comes_from_the_price_at_which_the_stop_can_be_there() -> None:
    """Bought at 100, ticks of 0.1: an older rule whose offset is its gain waits one tick longer."""
    gain = Decimal("0.02")
    world = a_world(rules(break_even_gain=gain, break_even_offset=gain))
    assert watch(world, WatchKind.BREAK_EVEN).level == Decimal("102.1")
    cross(world, WatchKind.BREAK_EVEN)
    assert world.state.stop_price == 102
    assert world.live_orders(Leg.STOP)[0].trigger == 102


def test_refused_move_to_break_even_is_recorded_and_tried_again_further_up() -> None:
    world = a_world(rules(break_even_gain=Decimal("0.03"), break_even_offset=Decimal("0.008")))
    world.refuse_amends = True
    first = watch(world, WatchKind.BREAK_EVEN)
    cross(world, WatchKind.BREAK_EVEN)
    assert world.state.stop_price == 95
    again = watch(world, WatchKind.BREAK_EVEN)
    assert again.watch_id != first.watch_id
    assert again.level > first.level
    world.refuse_amends = False
    cross(world, WatchKind.BREAK_EVEN)
    assert world.live_orders(Leg.STOP)[0].trigger == Decimal("100.8")

"""An entry that rests first: it follows the bid, crosses or gives up, and is one order."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from models.trading.execution import EntryStyle, ExecutionPolicy
from models.trading.orders import OrderStatus, OrderType, Side
from models.trading.risk.limits import FeeRates, ProtectionMode
from models.trading.trade.decisions import begin, decide
from models.trading.trade.entry_facts import AmendEntry, EntryAmended, EntryAmendRefused
from models.trading.trade.execution_figures import EntryResult, execution_figures
from models.trading.trade.facts import (
    CancelOrder,
    ChildAppeared,
    EntryCancelRequested,
    ExitReason,
    FillReported,
    OrderAcknowledged,
    OrderEnded,
    PlaceOrder,
    PriceCrossed,
    ResolveOrderStatus,
    ReviewDue,
    TradeCommand,
    TradeFact,
    WatchKind,
)
from models.trading.trade.figures import reserved_cash
from models.trading.trade.state import TradePhase, TradePlan, TradeState
from tests.models.trading.trading_builders import START, a_fill, a_plan

TAKE, THEN_TAKE, ONLY = EntryStyle.TAKE, EntryStyle.REST_THEN_TAKE, EntryStyle.REST_ONLY
REST = timedelta(seconds=30)


def a_resting_plan(style: EntryStyle = THEN_TAKE, **changes: object) -> TradePlan:
    """Return a plan that rests at 99 and may pay 101."""
    plan = a_plan(order_type=OrderType.LIMIT, **changes)  # type: ignore[arg-type]
    entry = replace(plan.entry, limit_price=Decimal(99), post_only=True)
    return replace(plan, entry=entry, entry_style=style, entry_ceiling=Decimal(101))


class Resting:
    """A trade whose entry rests, and everything that it asked for."""

    def __init__(self, plan: TradePlan) -> None:
        self.state: TradeState = begin(plan).state
        self.name = plan.entry.client_order_id
        self.tell(OrderAcknowledged(self.name, "O-entry", START))

    def tell(self, *facts: TradeFact) -> list[TradeCommand]:
        commands: list[TradeCommand] = []
        for fact in facts:
            decision = decide(self.state, fact)
            self.state = decision.state
            commands += decision.commands
        return commands

    def time_is_over(self, bid: str | None) -> list[TradeCommand]:
        """Let the watched moment come."""
        (watch,) = [w for w in self.state.watches if w.kind is WatchKind.REST]
        assert watch.due_at is not None
        price = Decimal(100)
        known = None if bid is None else Decimal(bid)
        return self.tell(PriceCrossed(watch.watch_id, watch.kind, price, watch.due_at, known))

    def amended(self) -> None:
        wanted = self.state.entry_amend
        assert wanted is not None
        self.tell(EntryAmended("O-entry", wanted, START))

    def filled(self, execution: str, quantity: str, *, maker: bool = True) -> list[TradeCommand]:
        fill = replace(a_fill(execution, "O-entry", Side.BUY, quantity, "99"), maker=maker)
        return self.tell(FillReported(fill, self.name))

    def ended(self, filled: str = "0") -> list[TradeCommand]:
        status = OrderStatus.CANCELED
        return self.tell(OrderEnded("O-entry", status, Decimal(filled), None, START, self.name))


def of(commands: list[TradeCommand], kind: type) -> list:  # type: ignore[type-arg]
    return [command for command in commands if isinstance(command, kind)]


def test_it_follows_the_bid_as_often_as_it_may_then_crosses_then_gives_up() -> None:
    story = Resting(a_resting_plan())
    (watch,) = story.state.watches
    assert (watch.kind, watch.due_at) == (WatchKind.REST, START + REST)
    assert of(story.time_is_over("99.5"), AmendEntry) == [
        AmendEntry("O-entry", Decimal("99.5"), post_only=True)
    ]
    story.amended()
    # The bid has not come further: it stays where it is, and that was one of its looks.
    assert not of(story.time_is_over("99.5"), AmendEntry)
    assert of(story.time_is_over("99.9"), AmendEntry) == [
        AmendEntry("O-entry", Decimal(101), post_only=False)
    ]
    story.amended()
    (watch,) = story.state.watches
    assert watch.due_at == START + 3 * REST + timedelta(seconds=2)
    assert of(story.time_is_over("99.9"), CancelOrder) == [CancelOrder("O-entry", story.name)]
    story.ended()
    assert story.state.phase is TradePhase.SETTLED
    assert story.state.exit_reason is ExitReason.ENTRY_NOT_FILLED
    assert execution_figures(story.state).entry is EntryResult.MISSED
    assert len(story.state.orders) == 1, "one order from first to last"


def test_it_gives_up_instead_of_crossing_where_it_may_only_rest() -> None:
    story = Resting(a_resting_plan(ONLY))
    for bid in ("99", "99"):
        assert not of(story.time_is_over(bid), CancelOrder)
    commands = story.time_is_over("99")
    assert not of(commands, AmendEntry)
    assert of(commands, CancelOrder)


@pytest.mark.parametrize("bid", ["101.1", None])
def test_a_bid_beyond_the_collar_or_unknown_is_not_followed(bid: str | None) -> None:
    story = Resting(a_resting_plan(ONLY))
    assert of(story.time_is_over(bid), CancelOrder)
    story = Resting(a_resting_plan(THEN_TAKE))
    assert of(story.time_is_over(bid), AmendEntry) == [
        AmendEntry("O-entry", Decimal(101), post_only=False)
    ]


def test_what_it_buys_is_protected_from_the_first_fill_while_it_goes_on_resting() -> None:
    story = Resting(a_resting_plan(take_profit=None, trailing=None))
    (stop,) = of(story.filled("E1", "2"), PlaceOrder)
    assert (stop.order.quantity, stop.order.trigger_price) == (Decimal(2), Decimal(95))
    assert [w.kind for w in story.state.watches] == [WatchKind.REST]
    story.tell(OrderAcknowledged(stop.order.client_order_id, "O-stop", START))
    assert story.state.is_covered
    story.time_is_over("99.5")
    story.amended()
    assert story.state.protected_quantity == story.state.held == 2


def test_attached_stops_come_with_each_fill_of_a_resting_entry() -> None:
    plan = a_resting_plan(protection=ProtectionMode.ATTACHED, take_profit=None, trailing=None)
    story = Resting(plan)
    assert not of(story.filled("E1", "3"), PlaceOrder), "the exchange makes the stop itself"
    story.tell(ChildAppeared("O-child", "O-entry", Decimal(3), Decimal(95), START))
    assert story.state.is_covered
    assert of(story.time_is_over("99.5"), AmendEntry), "and the rest goes on"


def test_an_amend_whose_answer_is_lost_is_asked_for_again_and_a_refused_one_is_not() -> None:
    story = Resting(a_resting_plan())
    (first,) = of(story.time_is_over("99.5"), AmendEntry)
    assert of(story.tell(ReviewDue(START)), AmendEntry) == [first]
    # Nothing else is amended meanwhile, and the moment comes again.
    assert not of(story.time_is_over("99.7"), AmendEntry)
    refused = EntryAmendRefused("O-entry", "EOrder:Post only order", False, START)
    story.tell(refused)
    assert not of(story.tell(ReviewDue(START)), AmendEntry)
    assert story.state.refusals[-1] == "entry amend: EOrder:Post only order"
    assert of(story.time_is_over("99.7"), AmendEntry)
    gone = EntryAmendRefused("O-entry", "EOrder:Unknown order", True, START)
    assert of(story.tell(gone), ResolveOrderStatus) == [ResolveOrderStatus(("O-entry",))]


def test_an_entry_that_is_withdrawn_is_not_repriced_any_more() -> None:
    story = Resting(a_resting_plan())
    watch = story.state.watches[0]
    story.tell(EntryCancelRequested(ExitReason.KILL_SWITCH, START))
    assert story.state.watches == ()
    assert watch.due_at is not None
    late = PriceCrossed(watch.watch_id, watch.kind, Decimal(100), watch.due_at, Decimal(99))
    assert not of(story.tell(late), AmendEntry)


def test_cash_is_promised_up_to_the_collar_from_the_start() -> None:
    story = Resting(a_resting_plan())
    assert reserved_cash(story.state) == Decimal(10) * 101 * Decimal("1.004")


def test_maker_share_and_what_it_saved_come_from_the_fills() -> None:
    plan = replace(a_resting_plan(), fees=FeeRates(Decimal("0.004"), Decimal("0.008")))
    story = Resting(plan)
    story.filled("E1", "6")
    found = execution_figures(story.state)
    assert (found.entry, found.maker_share) == (EntryResult.RESTED, Decimal(1))
    # 6 at 99: 594 USD at 0.4 instead of 0.8 percent.
    assert found.fees_saved == Decimal("2.376")
    story.filled("E2", "4", maker=False)
    found = execution_figures(story.state)
    assert (found.entry, found.maker_share) == (EntryResult.CROSSED, Decimal("0.6"))
    assert found.fees_saved == Decimal("2.376")


@pytest.mark.parametrize(
    ("strategy", "changes", "style"),
    [
        ("trend", {}, TAKE),
        ("trend", {"entry_style": ONLY}, ONLY),
        ("trend", {"entry_style": ONLY, "taking_strategies": ("trend",)}, TAKE),
        ("trend", {"resting_strategies": ("trend",)}, THEN_TAKE),
        ("trend", {"resting_strategies": ("trend",), "entry_style": ONLY}, ONLY),
        ("", {"resting_strategies": ("",)}, TAKE),
        ("", {"entry_style": THEN_TAKE}, THEN_TAKE),
    ],
)
def test_the_style_is_the_accounts_unless_the_strategy_is_named(
    strategy: str, changes: dict[str, object], style: EntryStyle
) -> None:
    policy = ExecutionPolicy(**changes)  # type: ignore[arg-type]
    assert policy.style_of(strategy) is style

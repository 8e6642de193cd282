"""Single situations in a trade's life, told fact by fact."""

from decimal import Decimal

from models.trading.orders import Leg, OrderStatus, OrderType, Side, TimeInForce
from models.trading.risk.limits import ProtectionMode
from models.trading.trade.decisions import begin, decide
from models.trading.trade.facts import (
    AmendRefused,
    AmendStop,
    ChildAppeared,
    CloseRequested,
    ExitPosition,
    ExitReason,
    FillReported,
    OrderAcknowledged,
    OrderEnded,
    OrderRefused,
    PartialExitRequested,
    PlaceOrder,
    PriceCrossed,
    RecordTrade,
    ResolveOrderStatus,
    ReviewDue,
    SellPart,
    SetWatches,
    StopAmended,
    StopMoveRequested,
    TradeCommand,
    TradeFact,
    WatchKind,
)
from models.trading.trade.figures import figures, reserved_cash, summarise
from models.trading.trade.state import TradePhase, TradePlan, TradeState
from tests.models.trading.trading_builders import START, a_fill, a_plan

ZERO = Decimal(0)


class Story:
    """A trade and everything it asked for."""

    def __init__(self, plan: TradePlan) -> None:
        self.state: TradeState = begin(plan).state
        self.entry = plan.entry.client_order_id

    def tell(self, *facts: TradeFact) -> list[TradeCommand]:
        commands: list[TradeCommand] = []
        for fact in facts:
            decision = decide(self.state, fact)
            self.state = decision.state
            commands += decision.commands
        return commands

    def buy(self, execution: str, quantity: str, price: str = "100") -> FillReported:
        return FillReported(a_fill(execution, "O-entry", Side.BUY, quantity, price), self.entry)

    def opened(self, quantity: str = "10") -> "Story":
        """Fill the entry and let the stop rest."""
        self.tell(OrderAcknowledged(self.entry, "O-entry", START), self.buy("E1", quantity))
        stop = self.state.live_stops[0].spec.client_order_id
        self.tell(OrderAcknowledged(stop, "O-stop", START))
        return self


def only(commands: list[TradeCommand], kind: type) -> list:  # type: ignore[type-arg]
    return [command for command in commands if isinstance(command, kind)]


def test_first_fill_places_one_stop_and_growth_amends_it_one_at_a_time():
    story = Story(a_plan())
    placed = only(story.tell(story.buy("E1", "2"), story.buy("E2", "3")), PlaceOrder)
    assert [p.order.quantity for p in placed] == [Decimal(2)]
    assert placed[0].order.trigger_price == Decimal(95)
    stop = placed[0].order.client_order_id
    amends = only(story.tell(OrderAcknowledged(stop, "O-stop", START)), AmendStop)
    assert [a.quantity for a in amends] == [Decimal(5)]
    assert not only(story.tell(story.buy("E3", "5")), (PlaceOrder, AmendStop))
    stale = StopAmended("O-stop", Decimal(2), Decimal(95), START)
    assert story.tell(stale) == []
    amends = only(story.tell(StopAmended("O-stop", Decimal(5), Decimal(95), START)), AmendStop)
    assert [a.quantity for a in amends] == [Decimal(10)]
    done = story.tell(StopAmended("O-stop", Decimal(10), Decimal(95), START))
    assert RecordTrade("trade_protected") in done
    assert story.state.protected_quantity == story.state.held == Decimal(10)


def test_take_profit_drops_the_stop_and_sells_everything():
    story = Story(a_plan()).opened()
    watch = next(w for w in story.state.watches if w.kind is WatchKind.TAKE_PROFIT)
    crossed = PriceCrossed(watch.watch_id, watch.kind, Decimal(111), START)
    commands = story.tell(crossed, crossed)
    assert [e.stop_order_ids for e in only(commands, ExitPosition)] == [("O-stop",)]
    exit_order = story.state.live_exit
    assert exit_order is not None
    name = exit_order.spec.client_order_id
    sale = FillReported(a_fill("E9", "O-exit", Side.SELL, "10", "111"), name)
    commands = story.tell(
        sale,
        OrderEnded("O-stop", OrderStatus.CANCELED, ZERO, None, START),
        OrderEnded("O-exit", OrderStatus.CLOSED, Decimal(10), None, START, name),
    )
    assert story.state.phase is TradePhase.SETTLED
    assert story.state.exit_reason is ExitReason.TAKE_PROFIT
    result = figures(story.state)
    assert result.gross_profit == Decimal(110)
    assert result.net_profit == Decimal(110) - (Decimal(1000) + Decimal(1110)) * Decimal("0.004")


def test_failed_exit_puts_the_stop_back_first_and_waits_for_a_review():
    story = Story(a_plan()).opened()
    story.tell(CloseRequested(ExitReason.REQUESTED, "director", START))
    assert story.state.live_exit is not None
    name = story.state.live_exit.spec.client_order_id
    refused = OrderRefused(name, OrderStatus.REJECTED, "EService:Market in cancel_only", START)
    gone = OrderEnded("O-stop", OrderStatus.CANCELED, ZERO, "User requested", START)
    commands = story.tell(refused, gone)
    assert not only(commands, ExitPosition)
    assert RecordTrade("exit_failed") in commands
    stop = only(commands, PlaceOrder)[0].order
    assert stop.leg is Leg.STOP
    assert not only(story.tell(OrderAcknowledged(stop.client_order_id, "O-2", START)), ExitPosition)
    retried = only(story.tell(ReviewDue(START)), ExitPosition)
    assert retried[0].stop_order_ids == ("O-2",)
    assert retried[0].exit.client_order_id != name


def test_stop_refused_twice_sells_at_market():
    story = Story(a_plan())
    story.tell(story.buy("E1", "10"))
    for reason in ("EOrder:Invalid price", "EOrder:Invalid price"):
        stop = story.state.live_stops[-1].spec.client_order_id
        commands = story.tell(OrderRefused(stop, OrderStatus.REJECTED, reason, START))
    assert only(commands, ExitPosition)
    assert story.state.exit_reason is ExitReason.PROTECTION_FAILED


def test_stop_through_the_market_sells_at_once():
    story = Story(a_plan())
    story.tell(story.buy("E1", "10"))
    stop = story.state.live_stops[-1].spec.client_order_id
    refusal = OrderRefused(stop, OrderStatus.REJECTED, "Order would trigger immediately", START)
    assert only(story.tell(refusal), ExitPosition)


def test_trailing_raises_the_stop_and_a_stop_out_then_is_a_trailing_stop():
    story = Story(a_plan()).opened()
    trail = next(w for w in story.state.watches if w.kind is WatchKind.TRAIL)
    assert trail.level == Decimal(101)
    commands = story.tell(PriceCrossed(trail.watch_id, trail.kind, Decimal(102), START))
    assert [a.trigger_price for a in only(commands, AmendStop)] == [Decimal(97)]
    profit, moved = only(commands, SetWatches)[0].watches
    assert profit.watch_id.endswith("/1")
    assert moved.level == Decimal(103)
    assert story.tell(PriceCrossed(trail.watch_id, trail.kind, Decimal(104), START)) == []
    story.tell(StopAmended("O-stop", Decimal(10), Decimal(97), START))
    stop = story.state.live_stops[0].spec.client_order_id
    story.tell(FillReported(a_fill("E2", "O-stop", Side.SELL, "10", "97"), stop))
    assert story.state.exit_reason is ExitReason.TRAILING_STOP
    assert story.state.phase is TradePhase.SETTLED


def test_refused_trigger_leaves_the_stop_where_it_rests_and_is_not_asked_for_again():
    story = Story(a_plan()).opened()
    story.tell(StopMoveRequested(Decimal(99), None, "director", START, Decimal(100)))
    commands = story.tell(AmendRefused("O-stop", "EOrder:Invalid price", False, START))
    assert RecordTrade("stop_move_refused") in commands
    assert not only(commands, AmendStop)
    assert story.state.stop_price == Decimal(95)


def test_stop_move_is_answered_and_never_worsens_protection():
    story = Story(a_plan()).opened()
    for stop, target, code in (
        (Decimal(94), None, "worse-protection"),
        (Decimal(98), None, "stop-on-wrong-side"),
        (Decimal(110), None, "stop-on-wrong-side"),
        (None, Decimal(95), "take-profit-on-wrong-side"),
        (Decimal("NaN"), None, "invalid-price"),
        (Decimal(-1), None, "invalid-price"),
        (Decimal(96), Decimal(120), "accepted"),
    ):
        asked = StopMoveRequested(stop, target, "d", START, Decimal(98))
        answer = decide(story.state, asked).answer
        assert answer is not None
        assert answer.code == code
    blind = decide(story.state, StopMoveRequested(Decimal(96), None, "d", START)).answer
    assert blind is not None
    assert blind.code == "no-market-data"
    story.tell(CloseRequested(ExitReason.REQUESTED, "d", START))
    answer = decide(story.state, StopMoveRequested(Decimal(97), None, "d", START)).answer
    assert answer is not None
    assert answer.code == "trade-closing"


def test_missing_attached_stop_is_asked_for_and_then_replaced():
    story = Story(a_plan(protection=ProtectionMode.ATTACHED))
    story.tell(
        OrderAcknowledged(story.entry, "O-entry", START),
        FillReported(a_fill("E1", "O-entry", Side.BUY, "4"), story.entry),
        ChildAppeared("O-child", "O-entry", Decimal(4), Decimal(95), START),
        FillReported(a_fill("E2", "O-entry", Side.BUY, "6"), story.entry),
    )
    assert story.state.protected_quantity == Decimal(4)
    assert only(story.tell(ReviewDue(START)), ResolveOrderStatus) == [
        ResolveOrderStatus(("O-entry",))
    ]
    amended = only(story.tell(ReviewDue(START)), AmendStop)
    assert [(a.order_id, a.client_order_id, a.quantity) for a in amended] == [
        ("O-child", None, Decimal(10))
    ]


def test_entry_refused_settles_without_a_position():
    story = Story(a_plan())
    refusal = OrderRefused(story.entry, OrderStatus.NOT_PLACED, "deadline passed", START)
    story.tell(refusal)
    assert story.state.phase is TradePhase.SETTLED
    assert story.state.exit_reason is ExitReason.ENTRY_NOT_FILLED
    assert summarise(story.state).reserved_cash == ZERO


def test_unsellable_remainder_is_settled_as_dust_and_written_down():
    story = Story(a_plan(order_type=OrderType.LIMIT))
    story.tell(
        OrderAcknowledged(story.entry, "O-entry", START),
        story.buy("E1", "0.4"),
        OrderEnded("O-entry", OrderStatus.CANCELED, Decimal("0.4"), None, START, story.entry),
    )
    assert story.state.phase is TradePhase.SETTLED
    assert "dust left: 0.4 BTC" in story.state.refusals


def test_reserved_cash_shrinks_with_fills_and_ends_with_the_entry():
    story = Story(a_plan(order_type=OrderType.LIMIT))
    assert reserved_cash(story.state) == Decimal(10) * 101 * Decimal("1.004")
    story.tell(OrderAcknowledged(story.entry, "O-entry", START), story.buy("E1", "4"))
    assert reserved_cash(story.state) == Decimal(6) * 101 * Decimal("1.004")
    story.tell(OrderEnded("O-entry", OrderStatus.CANCELED, Decimal(4), None, START, story.entry))
    assert reserved_cash(story.state) == ZERO


def test_stop_that_fires_and_stalls_is_dropped_for_an_exit_after_a_review():
    story = Story(a_plan()).opened()
    stop = story.state.live_stops[0].spec.client_order_id
    fired = FillReported(a_fill("E2", "O-stop", Side.SELL, "4", "95"), stop)
    assert not only(story.tell(fired), ExitPosition)
    (command,) = only(story.tell(ReviewDue(START)), ExitPosition)
    assert command.stop_order_ids == ("O-stop",)
    assert (command.stops_filled_known, command.exit.quantity) == (Decimal(4), Decimal(6))


def _runs_out(story: Story, number: int, filled: str = "0") -> list[TradeCommand]:
    """Tell that the exit under way took what it could and was cancelled over the rest."""
    leaving = story.state.live_exit
    assert leaving is not None
    name, order_id = leaving.spec.client_order_id, f"O-exit-{number}"
    facts: list[TradeFact] = [OrderAcknowledged(name, order_id, START)]
    if Decimal(filled):
        facts.append(FillReported(a_fill(f"X{number}", order_id, Side.SELL, filled, "99"), name))
    ended = OrderEnded(
        order_id, OrderStatus.CANCELED, Decimal(filled), "Immediate or cancel", START, name
    )
    return story.tell(*facts, ended)


def test_an_exit_is_limited_to_a_collar_that_widens_until_it_goes_at_market():
    story = Story(a_plan()).opened()
    story.tell(CloseRequested(ExitReason.REQUESTED, "director", START, Decimal(100)))
    story.tell(OrderEnded("O-stop", OrderStatus.CANCELED, ZERO, None, START))
    seen = []
    for number, filled in enumerate(("0", "3", "0", "0")):
        leaving = story.state.live_exit
        assert leaving is not None, "the exit goes on at once, without the stop between"
        spec = leaving.spec
        seen.append((spec.order_type, spec.time_in_force, spec.limit_price, spec.quantity))
        assert not story.state.live_stops
        if spec.order_type is OrderType.MARKET:
            break
        sent = only(_runs_out(story, number, filled), (ExitPosition, PlaceOrder))
        assert [type(command) for command in sent] == [ExitPosition]
    ioc, gtc = TimeInForce.IOC, TimeInForce.GTC
    assert seen == [
        (OrderType.LIMIT, ioc, Decimal("99.5"), Decimal(10)),
        (OrderType.LIMIT, ioc, Decimal("99.0"), Decimal(10)),
        (OrderType.LIMIT, ioc, Decimal("98.0"), Decimal(7)),
        (OrderType.MARKET, gtc, None, Decimal(7)),
    ]
    assert not story.state.refused, "running out of limit is no refusal"


def test_a_target_is_asked_for_exactly_before_anything_is_conceded():
    story = Story(a_plan()).opened()
    watch = next(w for w in story.state.watches if w.kind is WatchKind.TAKE_PROFIT)
    story.tell(PriceCrossed(watch.watch_id, watch.kind, Decimal(111), START))
    story.tell(OrderEnded("O-stop", OrderStatus.CANCELED, ZERO, None, START))
    limits = []
    for number in range(5):
        assert story.state.live_exit is not None
        limits.append(story.state.live_exit.spec.limit_price)
        if limits[-1] is None:
            break
        _runs_out(story, number)
    assert limits == [Decimal(110), Decimal("109.4"), Decimal("108.9"), Decimal("107.8"), None]


def test_an_exit_without_a_known_price_goes_at_market():
    story = Story(a_plan()).opened()
    story.tell(CloseRequested(ExitReason.KILL_SWITCH, "director", START))
    assert story.state.live_exit is not None
    assert story.state.live_exit.spec.order_type is OrderType.MARKET


def test_a_part_is_limited_first_and_sold_at_market_the_second_time():
    story = Story(a_plan()).opened()
    wanted = PartialExitRequested(Decimal(4), "hedge", START, Decimal(100))
    (first,) = only(story.tell(wanted), SellPart)
    assert (first.order.limit_price, first.order.time_in_force) == (
        Decimal("99.5"),
        TimeInForce.IOC,
    )
    name = first.order.client_order_id
    story.tell(
        StopAmended("O-stop", Decimal(6), Decimal(95), START),
        OrderAcknowledged(name, "O-part", START),
        OrderEnded("O-part", OrderStatus.CANCELED, ZERO, "Immediate or cancel", START, name),
        StopAmended("O-stop", Decimal(10), Decimal(95), START),
    )
    assert story.state.protected_quantity == 10
    (second,) = only(story.tell(ReviewDue(START)), SellPart)
    assert second.order.order_type is OrderType.MARKET
    assert not story.state.refused

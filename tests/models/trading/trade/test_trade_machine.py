"""A trade against a model exchange under every interleaving that hypothesis finds."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from models.trading.execution import EntryStyle
from models.trading.orders import Leg, OrderStatus, OrderType, Side, TimeInForce
from models.trading.refusals.repetition import Requested, refused
from models.trading.risk.limits import ProtectionMode
from models.trading.trade.facts import (
    AmendRefused,
    CloseRequested,
    EntryCancelRequested,
    ExitReason,
    OrderRefused,
    PartialExitRequested,
    PriceCrossed,
    ReviewDue,
    StopAmended,
    StopMoveRequested,
    TradeFact,
)
from models.trading.trade.orders import ABSENT
from models.trading.trade.state import TradePhase
from tests.models.trading.model_exchange import ModelOrder, ModelWorld
from tests.models.trading.trading_builders import START, a_plan

PICK = st.integers(min_value=0, max_value=10**6)
LOT = st.integers(min_value=1, max_value=6)
PRICE = st.integers(min_value=90, max_value=125).map(Decimal)


class TradeMachine(RuleBasedStateMachine):
    """Lets the exchange, the activities and the messages run in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.world: ModelWorld

    @initialize(
        protection=st.sampled_from(ProtectionMode),
        kind=st.sampled_from(
            (
                (OrderType.MARKET, TimeInForce.GTC),
                (OrderType.LIMIT, TimeInForce.GTC),
                (OrderType.LIMIT, TimeInForce.IOC),
            )
        ),
        quantity=st.integers(min_value=1, max_value=12),
        trailing=st.sampled_from((None, "5")),
        style=st.sampled_from(EntryStyle),
    )
    def start(
        self,
        protection: ProtectionMode,
        kind: tuple[OrderType, TimeInForce],
        quantity: int,
        trailing: str | None,
        style: EntryStyle,
    ) -> None:
        plan = a_plan(
            quantity=str(quantity),
            protection=protection,
            order_type=kind[0],
            force=kind[1],
            trailing=trailing,
        )
        if kind == (OrderType.LIMIT, TimeInForce.GTC) and style is not EntryStyle.TAKE:
            entry = replace(plan.entry, limit_price=Decimal(99), post_only=True)
            plan = replace(plan, entry=entry, entry_style=style, entry_ceiling=Decimal(101))
        self.world = ModelWorld(plan)

    # --- the exchange moves -----------------------------

    @precondition(lambda self: self.world.live_orders(Leg.ENTRY))
    @rule(lots=LOT)
    def entry_fills(self, lots: int) -> None:
        self.world.fill(self.world.live_orders(Leg.ENTRY)[0], Decimal(lots))

    @precondition(lambda self: self.world.live_orders(Leg.EXIT))
    @rule(lots=LOT)
    def exit_fills(self, lots: int) -> None:
        self.world.fill(self.world.live_orders(Leg.EXIT)[0], Decimal(lots))

    @precondition(lambda self: self.world.live_orders(Leg.HEDGE))
    @rule(lots=LOT)
    def part_fills(self, lots: int) -> None:
        self.world.fill(self.world.live_orders(Leg.HEDGE)[0], Decimal(lots))

    @precondition(lambda self: self.world.live_orders(Leg.STOP))
    @rule(pick=PICK, lots=LOT)
    def stop_fills_partly(self, pick: int, lots: int) -> None:
        stops = self.world.live_orders(Leg.STOP)
        self.world.fill(stops[pick % len(stops)], Decimal(lots))

    @rule(price=PRICE)
    def price_moves(self, price: Decimal) -> None:
        self.world.move_price(price)

    @precondition(lambda self: self.world.live_orders())
    @rule(pick=PICK)
    def exchange_cancels(self, pick: int) -> None:
        orders = self.world.live_orders()
        self.world.end(orders[pick % len(orders)], OrderStatus.CANCELED, "Insufficient funds")

    @precondition(lambda self: self._taking())
    @rule(pick=PICK)
    def taking_order_runs_out(self, pick: int) -> None:
        orders = self._taking()
        self.world.end(orders[pick % len(orders)], OrderStatus.CANCELED, "Immediate or cancel")

    def _taking(self) -> list[ModelOrder]:
        force = TimeInForce.IOC
        return [o for o in self.world.live_orders() if o.spec.time_in_force is force]

    @rule(leg=st.sampled_from((Leg.ENTRY, Leg.STOP, Leg.EXIT, Leg.HEDGE)), placed=st.booleans())
    def next_order_is_refused(self, leg: Leg, placed: bool) -> None:
        status = OrderStatus.REJECTED if placed else OrderStatus.NOT_PLACED
        self.world.refuse[leg] = (status, "EOrder:Insufficient funds")

    @rule()
    def next_amend_is_refused(self) -> None:
        self.world.refuse_amends = True

    @rule(executed=st.booleans(), times=st.integers(min_value=1, max_value=3))
    def next_answers_are_lost(self, executed: bool, times: int) -> None:
        self.world.lost_after, self.world.doubts = executed, times

    @rule()
    def stops_rest_without_coins(self) -> None:
        self.world.stops_need_coins = False

    @precondition(lambda self: self.world.state.entry.status in ABSENT)
    @rule()
    def absent_entry_executes_after_all(self) -> None:
        self.world.execute_after_all(self.world.state.plan.entry)

    # --- commands and facts move -----------------------------

    @precondition(lambda self: self.world.commands)
    @rule(pick=PICK)
    def command_runs(self, pick: int) -> None:
        self.world.commands.rotate(-(pick % len(self.world.commands)))
        self.world.run_command()

    @precondition(lambda self: self.world.commands)
    @rule()
    def command_runs_again(self) -> None:
        known = len(self.world.facts)
        self.world.commands.appendleft(self.world.commands[0])
        self.world.run_command()
        # A step has one answer: that of its last attempt. What the stream tells of the first stays.
        answers = (AmendRefused, StopAmended, OrderRefused)
        kept = [f for f in self.world.facts[known:] if not isinstance(f, answers)]
        self.world.facts[known:] = kept

    @precondition(lambda self: self.world.commands)
    @rule(answer_only=st.booleans())
    def command_is_lost(self, answer_only: bool) -> None:
        known = len(self.world.facts)
        if answer_only:
            self.world.run_command()
            del self.world.facts[known:]
        else:
            self.world.commands.popleft()
        self.world.lost = True

    @precondition(lambda self: self.world.facts)
    @rule(pick=PICK)
    def fact_arrives(self, pick: int) -> None:
        self.world.deliver(pick % len(self.world.facts))

    @precondition(lambda self: self.world.facts)
    @rule(pick=PICK)
    def fact_arrives_and_will_again(self, pick: int) -> None:
        self.world.deliver(pick % len(self.world.facts), keep=True)

    @precondition(lambda self: self._messages())
    @rule(pick=PICK)
    def old_fact_arrives_again(self, pick: int) -> None:
        messages = self._messages()
        self.world.tell(messages[pick % len(messages)])

    def _messages(self) -> list[TradeFact]:
        # A review is the workflow's own timer: nobody sends it, and it waits for what is under way.
        return [fact for fact in self.world.delivered if not isinstance(fact, ReviewDue)]

    # --- people, the market's watcher and time -----------------------------

    @precondition(lambda self: self.world.state.watches)
    @rule(pick=PICK)
    def watch_crosses(self, pick: int) -> None:
        watches = self.world.state.watches
        watch = watches[pick % len(watches)]
        self.world.move_price(max(self.world.price, watch.level))
        at, bid = watch.due_at or START, self.world.price
        self.world.tell(PriceCrossed(watch.watch_id, watch.kind, self.world.price, at, bid))

    @rule(
        reason=st.sampled_from((ExitReason.REQUESTED, ExitReason.KILL_SWITCH)),
        price=st.one_of(st.none(), PRICE),
    )
    def close_requested(self, reason: ExitReason, price: Decimal | None) -> None:
        self.world.tell(CloseRequested(reason, "director", START, price))

    @rule()
    def entry_cancel_requested(self) -> None:
        self.world.tell(EntryCancelRequested(ExitReason.KILL_SWITCH, START))

    @rule(lots=LOT)
    def partial_exit_requested(self, lots: int) -> None:
        target = self.world.state.sold + Decimal(lots)
        self.world.tell(PartialExitRequested(target, "hedge", START, self.world.price))

    @rule(stop=PRICE, price=st.one_of(st.none(), PRICE))
    def stop_move_requested(self, stop: Decimal, price: Decimal | None) -> None:
        before, filled = self.world.state.stop_price, bool(self.world.state.fills)
        self.world.tell(StopMoveRequested(stop, None, "director", START, price))
        after = self.world.state.stop_price
        assert after >= before
        # Before the first fill the limit of the entry bounds a stop, after it the market does.
        assert after == before or not filled or price is not None

    @precondition(lambda self: not self.world.facts)
    @rule()
    def review_is_due(self) -> None:
        # The shell lets a review follow the answers to the one before.
        self._run_all()
        self.world.lost = False
        self.world.review()

    # --- what must hold -----------------------------

    @invariant()
    def books_agree_when_quiet(self) -> None:
        if not hasattr(self, "world"):
            return
        world = self.world
        if world.lost or world.facts or world.commands or world.state.phase is TradePhase.SETTLED:
            return
        state = world.state
        if state.in_doubt:
            # What was executed meanwhile nobody has heard of: it is held as far as anybody knows.
            assert state.held >= world.held
            return
        assert state.held - state.sales_awaited == world.held
        if state.held < state.plan.instrument.quantity_minimum or state.live_exit is not None:
            return
        if state.live_part is not None:
            return
        if state.awaited_children or state.stop_refusals or refused(state.refused, Requested.STOP):
            return
        if any(stop.is_firing for stop in state.live_stops):
            return  # it ends by itself, and then all that is left is sold
        assert state.protected_quantity == state.held - state.sales_awaited

    @invariant()
    def nothing_is_offered_twice_once_all_is_known(self) -> None:
        if not hasattr(self, "world"):
            return
        world = self.world
        if world.lost or world.facts or world.commands or world.state.in_doubt:
            return
        if not world.state.entry_is_done or any(o.amend_blocked for o in world.state.orders):
            return
        sales = [o for o in world.live_orders() if o.spec.side is Side.SELL]
        assert sum((o.quantity - o.filled for o in sales), Decimal(0)) <= world.held

    def _run_all(self) -> None:
        for _ in range(400):
            if self.world.commands:
                self.world.run_command()
            elif self.world.facts:
                self.world.deliver(0)
            else:
                return
        raise AssertionError("commands and facts never come to rest")

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        world = self.world
        world.refuse.clear()
        world.refuse_amends = False
        world.doubts = 0
        self._run_all()
        world.move_price(Decimal(124))
        world.tell(CloseRequested(ExitReason.REQUESTED, "director", START))
        for _ in range(40):
            self._run_all()
            if world.state.phase is TradePhase.SETTLED:
                break
            for order in (*world.live_orders(Leg.EXIT), *world.live_orders(Leg.HEDGE)):
                world.fill(order, order.quantity)
            self._run_all()
            world.review(seconds=1000)
        assert world.state.phase is TradePhase.SETTLED
        assert world.held == world.state.held
        assert world.reports[-1] is True
        rescues = world.state.rescue.number if world.state.rescue else 0
        assert world.reports.count(True) == 1 + rescues


TradeMachine.TestCase.settings = settings(
    max_examples=250,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestTrade = TradeMachine.TestCase

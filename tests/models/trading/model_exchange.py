"""A model of the exchange and of the activities between it and a trade, for stateful tests.

Commands wait until the test lets them run, in order within one lane, with lost answers and
repetitions; facts wait until the test delivers them, in any order, twice if it likes.
"""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from models.trading.orders import Leg, OrderSpec, OrderStatus, OrderType, Side
from models.trading.refusals.kinds import STOPS_STAY
from models.trading.trade.decisions import begin, decide
from models.trading.trade.entry_facts import AmendEntry, EntryAmended, EntryAmendRefused
from models.trading.trade.facts import (
    AmendRefused,
    AmendStop,
    CancelOrder,
    CancelRefused,
    ChildAppeared,
    ExitPosition,
    FillReported,
    HoldingReported,
    OrderAcknowledged,
    OrderDoubted,
    OrderEnded,
    OrderRefused,
    PlaceOrder,
    RecordTrade,
    ReportToAccount,
    RequestHolding,
    ResolveOrderStatus,
    ReviewDue,
    SellPart,
    SetWatches,
    StopAmended,
    TradeCommand,
    TradeFact,
)
from models.trading.trade.state import TradePhase, TradePlan, TradeState
from tests.models.trading.trading_builders import START, a_fill

ZERO = Decimal(0)


@dataclass
class ModelOrder:
    """An order as the exchange holds it."""

    order_id: str
    spec: OrderSpec
    quantity: Decimal
    trigger: Decimal | None
    parent: str | None = None
    filled: Decimal = ZERO
    status: OrderStatus = OrderStatus.OPEN
    executions: list[str] = field(default_factory=list)

    @property
    def live(self) -> bool:
        return self.status is OrderStatus.OPEN

    @property
    def name(self) -> str | None:
        hidden = self.parent is not None or self.spec.close is not None
        return None if hidden else self.spec.client_order_id


class ModelWorld:
    """The exchange, the activities and one trade."""

    def __init__(self, plan: TradePlan) -> None:
        self.orders: dict[str, ModelOrder] = {}
        self.fills: dict[str, FillReported] = {}
        self.price = Decimal(100)
        self.refuse: dict[Leg, tuple[OrderStatus, str]] = {}
        self.refuse_amends = False
        self.doubts = 0
        self.lost_after = True
        self.stops_need_coins = True
        self.over_doubt: set[str] = set()
        self.late = False
        self.lasting: dict[Leg, str] = {}
        self.sends: list[tuple[datetime, OrderSpec]] = []
        self.amends: list[tuple[datetime, AmendStop]] = []
        self.cancels: list[datetime] = []
        self.keeps = False
        self.sale_refused: str | None = None
        self.lost = False
        self.now = START
        self.moved_away = ZERO
        self.ledger_explains = ZERO
        self.by_name: dict[str, str] = {}
        self.facts: list[TradeFact] = []
        self.delivered: list[TradeFact] = []
        self.commands: deque[TradeCommand] = deque()
        self.reports: list[bool] = []
        self.events: list[str] = []
        decision = begin(plan)
        self.state: TradeState = decision.state
        self.sent_names: list[str] = [plan.entry.client_order_id]
        self._take(decision.commands)
        # The account sends the entry.
        self.commands.append(PlaceOrder(plan.entry))

    # --- the trade -----------------------------------------------------------------------------

    def tell(self, fact: TradeFact) -> None:
        before = self.state
        decision = decide(before, fact)
        self.state = decision.state
        self.delivered.append(fact)
        self._take(decision.commands)
        self._check_state()

    def deliver(self, index: int, *, keep: bool = False) -> None:
        fact = self.facts[index] if keep else self.facts.pop(index)
        self.tell(fact)

    def _take(self, commands: tuple[TradeCommand, ...]) -> None:
        for command in commands:
            self._note_cover_of_doubt(command)
            if isinstance(command, ReportToAccount):
                self.reports.append(command.closed)
            elif isinstance(command, RecordTrade):
                if command.event:
                    self.events.append(command.event)
            elif not isinstance(command, SetWatches):
                self.commands.append(command)

    def _note_cover_of_doubt(self, command: TradeCommand) -> None:
        """Keep which stops were asked for while nobody could say whether a sale had happened."""
        if not any(order.spec.side is Side.SELL for order in self.state.in_doubt):
            return
        if isinstance(command, PlaceOrder) and command.order.leg is Leg.STOP:
            self.over_doubt.add(command.order.client_order_id)
        elif isinstance(command, AmendStop):
            self.over_doubt.add(command.order_id)

    def _check_state(self) -> None:
        state = self.state
        exits = [o for o in state.of_leg(Leg.EXIT) if not o.status.is_final]
        assert len(exits) <= 1, "two exits at once"
        names = [o.spec.client_order_id for o in state.orders]
        assert len(names) == len(set(names)), "an order id was used twice"
        # Of what executes after it was said to be absent nobody can know before it is told.
        untold = self.late and bool(self.facts)
        if state.phase is TradePhase.SETTLED and not untold:
            assert not self.live_orders(), "settled with a live order"
            assert self.held == state.held, "settled before everything was known"
            assert state.sellable < state.plan.instrument.quantity_minimum
            small = state.held < state.plan.instrument.quantity_minimum
            assert not state.missing or state.missing_confirmed or small, "gave coins up too early"
            named = ("dust left", "not held by the exchange")
            assert state.held == 0 or any(text.startswith(named) for text in state.refusals)

    # --- the exchange --------------------------------------------------------------------------

    @property
    def held(self) -> Decimal:
        return sum(
            (
                f.fill.quantity if f.fill.side is Side.BUY else -f.fill.quantity
                for f in self.fills.values()
            ),
            ZERO,
        )

    def live_orders(self, leg: Leg | None = None) -> list[ModelOrder]:
        return [o for o in self.orders.values() if o.live and leg in (None, o.spec.leg)]

    def fill(self, order: ModelOrder, quantity: Decimal) -> None:
        quantity = min(quantity, order.quantity - order.filled)
        if quantity <= 0:
            return
        if order.spec.leg is Leg.STOP and quantity > self.held:
            # A resting stop is not linked to holdings; fired, it fails (kraken-protocol §8.5).
            # Which of the stops over a doubt finds nothing left depends on which fires first.
            assert self.over_doubt, "sold more than was bought"
            self.end(order, OrderStatus.CANCELED, "Insufficient funds")
            return
        execution = f"E{len(self.fills) + 1}"
        report = FillReported(
            a_fill(
                execution,
                order.order_id,
                order.spec.side,
                quantity,
                self.price,
                seconds=len(self.fills),
            ),
            order.name,
            order.parent,
        )
        order.filled += quantity
        order.executions.append(execution)
        self.fills[execution] = report
        self.facts.append(report)
        assert self.held >= 0, "sold more than was bought"
        if order.spec.close is not None:
            self._open_child(order, quantity)
        if order.filled == order.quantity:
            self.end(order, OrderStatus.CLOSED)

    def end(self, order: ModelOrder, status: OrderStatus, reason: str | None = None) -> None:
        order.status = status
        if status is OrderStatus.CANCELED:
            self.over_doubt -= {order.order_id, order.spec.client_order_id}
        self.facts.append(self._ended(order, reason))

    def move_price(self, price: Decimal) -> None:
        """Move the market; stops whose trigger is passed fire, as market orders."""
        self.price = price
        for order in self.live_orders(Leg.STOP):
            if order.trigger is not None and price <= order.trigger:
                self.fill(order, order.quantity - order.filled)

    def _open_child(self, parent: ModelOrder, quantity: Decimal) -> None:
        assert parent.spec.close is not None
        child = self._open(
            parent.spec, quantity, parent.spec.close.trigger_price, parent=parent.order_id
        )
        self.facts.append(self._appeared(child))

    def _open(
        self, spec: OrderSpec, quantity: Decimal, trigger: Decimal | None, parent: str | None = None
    ) -> ModelOrder:
        order_id = f"O{len(self.orders) + 1}"
        if parent is not None:
            spec = OrderSpec(
                account=spec.account,
                trade=spec.trade,
                leg=Leg.STOP,
                client_order_id=f"child {order_id}",
                userref=spec.userref,
                symbol=spec.symbol,
                side=Side.SELL,
                order_type=OrderType.STOP_LOSS,
                quantity=quantity,
                trigger_price=trigger,
            )
        order = ModelOrder(order_id, spec, quantity, trigger, parent)
        self.orders[order_id] = order
        return order

    def _appeared(self, child: ModelOrder) -> ChildAppeared:
        assert child.parent is not None
        assert child.trigger is not None
        return ChildAppeared(
            child.order_id, child.parent, child.spec.quantity, child.trigger, START
        )

    def _ended(self, order: ModelOrder, reason: str | None = None) -> OrderEnded:
        return OrderEnded(
            order.order_id, order.status, order.filled, reason, START, order.name, order.parent
        )

    def execute_after_all(self, spec: OrderSpec) -> None:
        """Execute an entry that was said to be absent: the exchange had it all the while."""
        known = self.by_name.get(spec.client_order_id, "")
        if known in self.orders or not known.startswith("not_placed"):
            return
        order = self._open(spec, spec.quantity, None)
        self.by_name[spec.client_order_id] = order.order_id
        self.late = True
        self.fill(order, order.quantity)

    # --- the activities ------------------------------------------------------------------------

    def run_command(self) -> None:
        command = self.commands.popleft()
        match command:
            case PlaceOrder():
                self._place(command.order, command.order.quantity)
            case CancelOrder():
                self._cancel(command)
            case AmendStop():
                self._amend(command)
            case AmendEntry():
                self._amend_entry(command)
            case ExitPosition():
                self._exit(command)
            case SellPart():
                self._sell_part(command)
            case ResolveOrderStatus():
                for order_id in command.order_ids:
                    self._ask(order_id)
            case RequestHolding():
                self._request_holding(command)

    def _place(self, spec: OrderSpec, quantity: Decimal) -> None:
        known = self.by_name.get(spec.client_order_id)
        if self.doubts > 0 and spec.leg is not Leg.STOP:
            # Whether it was executed or not: nobody can say, and it is asked about again.
            self.doubts -= 1
            if known is None and self.lost_after:
                self.by_name[spec.client_order_id] = self._submit(spec, quantity)
            elif known is None:
                self.by_name[spec.client_order_id] = "not_placed|absent"
            self._end_sale(self.by_name[spec.client_order_id], heard=known is not None)
            self.facts.append(OrderDoubted(spec.client_order_id, "unanswered", START))
            return
        if known is None:
            self.by_name[spec.client_order_id] = known = self._submit(spec, quantity)
        if known in self.orders:
            order = self.orders[known]
            self.facts.append(OrderAcknowledged(spec.client_order_id, known, START))
            if not order.live:
                self.facts.append(self._ended(order))
        else:
            status, _, reason = known.partition("|")
            self.facts.append(
                OrderRefused(spec.client_order_id, OrderStatus(status), reason, START)
            )

    def _end_sale(self, order_id: str, *, heard: bool) -> None:
        """Let a sale that never rests take what it can get; unheard, the stream is silent about it.

        A doubt is told once the deadline of the send is over: the engine begins nothing of it after
        that (§8.1), and a market or IOC order is done with as soon as it has begun (§8.4).
        """
        order = self.orders.get(order_id)
        if order is None or not order.live:
            return
        if order.spec.side is Side.BUY or not order.spec.ends_at_once:
            return
        told = len(self.facts)
        limit = order.spec.limit_price
        if limit is None or self.price >= limit:
            self.fill(order, order.quantity)
        if order.live:
            self.end(order, OrderStatus.CANCELED, "Immediate or cancel")
        if not heard:
            del self.facts[told:]

    def _submit(self, spec: OrderSpec, quantity: Decimal) -> str:
        self.sends.append((self.now, spec))
        if spec.leg in self.lasting:
            return f"rejected|{self.lasting[spec.leg]}"
        linked = self.stops_need_coins or spec.leg is not Leg.STOP
        if linked and spec.side is Side.SELL and quantity > self.held - self.moved_away:
            return "rejected|EOrder:Insufficient funds"
        if spec.leg in self.refuse:
            status, reason = self.refuse.pop(spec.leg)
            return f"{status.value}|{reason}"
        if quantity <= 0:
            return "not_placed|the stops sold everything"
        if quantity < 1:
            return "rejected|EOrder:Order minimum not met"
        if spec.leg is Leg.EXIT:
            assert not self.live_orders(Leg.EXIT), "two exits at the exchange"
        if spec.leg is Leg.STOP and spec.trigger_price and self.price <= spec.trigger_price:
            return "rejected|Order would trigger immediately"
        return self._open(spec, quantity, spec.trigger_price).order_id

    def _cancel(self, command: CancelOrder) -> None:
        order_id = command.order_id or self.by_name.get(command.client_order_id)
        order = self.orders.get(order_id or "")
        if order is None:
            self.by_name.setdefault(command.client_order_id, "not_placed|withdrawn")
            self.facts.append(
                OrderRefused(command.client_order_id, OrderStatus.NOT_PLACED, "absent", START)
            )
        elif order.live and self.keeps:
            self.cancels.append(self.now)
            words = "EGeneral:Permission denied"
            self.facts.append(CancelRefused(command.client_order_id, words, self.now))
        elif order.live:
            self.end(order, OrderStatus.CANCELED)
        else:
            self.facts.append(self._ended(order))

    def _amend(self, command: AmendStop) -> None:
        order = self.orders[command.order_id]
        self.amends.append((self.now, command))
        if not order.live:
            self.facts.append(AmendRefused(command.order_id, "gone", True, START))
        elif self._refuses(order, command):
            self.refuse_amends = False
            self.facts.append(AmendRefused(command.order_id, "EOrder:Invalid price", False, START))
        else:
            if command.quantity < order.quantity:
                self.over_doubt.discard(order.order_id)
            order.quantity, order.trigger = command.quantity, command.trigger_price
            self.facts.append(
                StopAmended(command.order_id, command.quantity, command.trigger_price, START)
            )
            if order.filled >= order.quantity:
                # Nothing is left of it: the rest counts as cancelled (kraken-protocol §8.2).
                whole = order.filled == order.quantity
                self.end(order, OrderStatus.CLOSED if whole else OrderStatus.CANCELED)

    def _refuses(self, order: ModelOrder, command: AmendStop) -> bool:
        """Tell whether an amend is answered as refused: what holds already is told as amended."""
        if (order.quantity, order.trigger) == (command.quantity, command.trigger_price):
            return False
        return self.refuse_amends or self.price <= command.trigger_price

    def _amend_entry(self, command: AmendEntry) -> None:
        order = self.orders[command.order_id]
        assert order.spec.leg is Leg.ENTRY
        if not order.live or self.refuse_amends:
            self.refuse_amends = False
            gone = not order.live
            self.facts.append(EntryAmendRefused(command.order_id, "refused", gone, START))
            return
        assert command.limit_price <= (self.state.plan.entry_ceiling or ZERO)
        self.facts.append(EntryAmended(command.order_id, command.limit_price, START))
        if not command.post_only:
            self.fill(order, Decimal(2))

    def _exit(self, command: ExitPosition) -> None:
        # The intent's fate is looked up first; the stops are dropped again in any case.
        stops = [self.orders[order_id] for order_id in command.stop_order_ids]
        if self.sale_refused is not None:
            unsent = f"not_placed|{self.sale_refused}{STOPS_STAY}"
            self.by_name.setdefault(command.exit.client_order_id, unsent)
            self._place(command.exit, command.exit.quantity)
            return
        for stop in stops:
            if stop.live:
                self.end(stop, OrderStatus.CANCELED)
            else:
                self.facts.append(self._ended(stop))
        beyond = sum((s.filled for s in stops), ZERO) - command.stops_filled_known
        self._place(command.exit, command.exit.quantity - beyond)

    def _sell_part(self, command: SellPart) -> None:
        name = command.order.client_order_id
        known = len(self.facts)
        self._amend(command.amend)
        if isinstance(self.facts[known], AmendRefused):
            self.by_name.setdefault(name, "not_placed|the stop was not made smaller")
        self._place(command.order, command.order.quantity)
        live = [o for o in self.live_orders() if o.spec.leg.sells_part]
        assert len(live) <= 1, "two parts sold at once"

    def _request_holding(self, command: RequestHolding) -> None:
        own = [self.orders[name] for name in command.own_order_ids if name in self.orders]
        told = HoldingReported(
            available=self.held - self.moved_away,
            sold=sum((order.filled for order in own), ZERO),
            orders=len(command.own_order_ids),
            fees=ZERO,
            moved=self.ledger_explains,
            at=self.now,
        )
        self.facts.append(told)

    def review(self, seconds: float = 4) -> None:
        """Let time pass and a review ring."""
        self.now += timedelta(seconds=seconds)
        self.tell(ReviewDue(self.now))

    def _ask(self, order_id: str) -> None:
        order = self.orders[order_id]
        children = [o for o in self.orders.values() if o.parent == order_id]
        for known in (order, *children):
            if known.parent is not None:
                self.facts.append(self._appeared(known))
            self.facts.extend(self.fills[name] for name in known.executions)
            if not known.live:
                self.facts.append(self._ended(known))

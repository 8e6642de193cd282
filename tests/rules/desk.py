"""The exchange between the rules and the recorded market: the simulator's own matching.

A command of a trade is carried out at once, and what the exchange says of it becomes facts. The
market moves only where something of the account rests: elsewhere the newest book is put up when an
order comes.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal

from models.simulation.engine.orders import (
    AmendRequest,
    Execution,
    ForceKind,
    Moment,
    Order,
    OrderKind,
    OrderRequest,
    PriceTerm,
)
from models.simulation.errors import VenueError
from models.simulation.events import Event, ExecutionType, OrderChanged
from models.simulation.gateway.rates import VerificationTier
from models.simulation.outcomes import AccountSetup
from models.simulation.steps import Level, MarketStep, Print, SymbolStep
from models.simulation.venue import Venue
from models.trading.orders import Fill, OrderSpec, OrderStatus, OrderType, Side
from models.trading.trade.facts import (
    AmendRefused,
    AmendStop,
    CancelOrder,
    ExitPosition,
    FillReported,
    HoldingReported,
    OrderAcknowledged,
    OrderEnded,
    OrderRefused,
    PlaceOrder,
    RequestHolding,
    ResolveOrderStatus,
    SellPart,
    StopAmended,
    TradeFact,
)
from tests.rules.candles import PAIRS, Pair

ZERO = Decimal(0)
ACCOUNT = "replay"
ENDS = {
    ExecutionType.FILLED: OrderStatus.CLOSED,
    ExecutionType.CANCELED: OrderStatus.CANCELED,
    ExecutionType.EXPIRED: OrderStatus.EXPIRED,
}
DEEPER = ((Decimal(0), 1), (Decimal("0.001"), 1), (Decimal("0.005"), 20))
"""Levels of the book: how far beyond the spread, and how many halves of a volume are there."""

ExchangeCommand = (
    PlaceOrder
    | CancelOrder
    | AmendStop
    | ExitPosition
    | SellPart
    | ResolveOrderStatus
    | RequestHolding
)
Told = tuple[int, TradeFact]


class Desk:
    """The exchange, and which trade each of its orders belongs to."""

    def __init__(self, cash: Decimal, start: datetime) -> None:
        setup = AccountSetup(ACCOUNT, {"USD": cash}, VerificationTier.PRO)
        self.venue = Venue((pair.instrument for pair in PAIRS), [setup], 7, start)
        self.now = start
        self._pairs = {pair.symbol: pair for pair in PAIRS}
        self._owner: dict[str, tuple[int, str]] = {}
        self._due: dict[str, MarketStep] = {}
        self._steps = 0

    # --- the market ----------------------------------------------------------------------------

    def move(
        self, symbol: str, price: Decimal, volume: Decimal, at: datetime, *, rests: bool
    ) -> list[Told]:
        """Let a pair trade at a price; returns what that does to the account's orders."""
        self.now = max(self.now, at)
        self._steps += 1
        self._due[symbol] = _step(self._pairs[symbol], self._steps, price, volume, self.now)
        return self._settle(symbol) if rests else []

    def _settle(self, symbol: str) -> list[Told]:
        step = self._due.pop(symbol, None)
        if step is None:
            return []
        return list(self._told(self.venue.apply_step(step, self.now)))

    # --- commands ------------------------------------------------------------------------------

    def carry_out(self, trade: int, symbol: str, command: ExchangeCommand) -> list[Told]:
        """Carry out a command of a trade; returns what the exchange says, in order."""
        told = self._settle(symbol)
        match command:
            case PlaceOrder(order):
                told += self._place(trade, order, order.quantity)
            case CancelOrder():
                told += self._cancel(trade, command.order_id or "", command.client_order_id)
            case AmendStop():
                told += self._amend(trade, command)[0]
            case ExitPosition():
                told += self._exit(trade, command)
            case SellPart(amend, order):
                amended, done = self._amend(trade, amend)
                told += amended
                if done:
                    told += self._place(trade, order, order.quantity)
                else:
                    told.append((trade, self._absent(order, "the stop was not made smaller")))
            case ResolveOrderStatus(order_ids):
                told += [(trade, fact) for name in order_ids for fact in self._known(name)]
            case RequestHolding():
                told.append((trade, self._holding(command)))
        return told

    def _place(self, trade: int, spec: OrderSpec, quantity: Decimal) -> list[Told]:
        if quantity <= ZERO:
            return [(trade, self._absent(spec, "the stops had sold everything"))]
        request = OrderRequest(
            symbol=spec.symbol,
            side=spec.side,
            kind=OrderKind(spec.order_type.value),
            volume=quantity,
            price=_term(spec),
            post_only=getattr(spec, "post_only", False),
            cl_ord_id=spec.client_order_id,
            time_in_force=_force(spec),
        )
        try:
            placed = self.venue.add_order(ACCOUNT, request, self._moment)
        except VenueError as error:
            refused = OrderRefused(spec.client_order_id, OrderStatus.REJECTED, error.text, self.now)
            return [(trade, refused)]
        assert placed.txid is not None
        self._owner[placed.txid] = (trade, spec.client_order_id)
        acknowledged = OrderAcknowledged(spec.client_order_id, placed.txid, self.now)
        return [(trade, acknowledged), *self._told(placed.events)]

    def _absent(self, spec: OrderSpec, why: str) -> OrderRefused:
        return OrderRefused(spec.client_order_id, OrderStatus.NOT_PLACED, why, self.now)

    def _cancel(self, trade: int, txid: str, name: str) -> list[Told]:
        try:
            done = self.venue.cancel(ACCOUNT, self._moment, txid=txid)
        except VenueError:
            known = list(self._known(txid))
            absent = OrderRefused(name, OrderStatus.NOT_PLACED, "absent", self.now)
            return [(trade, fact) for fact in known or [absent]]
        return list(self._told(done.events))

    def _amend(self, trade: int, command: AmendStop) -> tuple[list[Told], bool]:
        request = AmendRequest(
            txid=command.order_id,
            volume=command.quantity,
            trigger_price=PriceTerm(command.trigger_price),
        )
        order = self.venue.order(ACCOUNT, command.order_id)
        gone = order is None or not order.status.is_live
        try:
            done = self.venue.amend(ACCOUNT, request, self._moment)
        except VenueError as error:
            return [(trade, AmendRefused(command.order_id, error.text, gone, self.now))], False
        changed = StopAmended(command.order_id, command.quantity, command.trigger_price, self.now)
        return [(trade, changed), *self._told(done.events)], True

    def _exit(self, trade: int, command: ExitPosition) -> list[Told]:
        told: list[Told] = []
        for txid in command.stop_order_ids:
            told += self._cancel(trade, txid, txid)
        stops = [self.venue.order(ACCOUNT, txid) for txid in command.stop_order_ids]
        filled = sum((order.executed for order in stops if order is not None), ZERO)
        quantity = command.exit.quantity - (filled - command.stops_filled_known)
        return [*told, *self._place(trade, command.exit, quantity)]

    def _holding(self, command: RequestHolding) -> HoldingReported:
        balance = self.venue.balances(ACCOUNT).get(command.base)
        own = [self.venue.order(ACCOUNT, name) for name in command.own_order_ids]
        sold = sum((order.executed for order in own if order is not None), ZERO)
        total = balance.total if balance is not None else ZERO
        return HoldingReported(total, sold, len(command.own_order_ids), ZERO, ZERO, self.now)

    # --- what the exchange says ----------------------------------------------------------------

    @property
    def _moment(self) -> Moment:
        return Moment(self.now, self.now)

    def _told(self, events: Iterable[Event]) -> Iterator[Told]:
        for event in events:
            if not isinstance(event, OrderChanged) or event.order.txid not in self._owner:
                continue
            trade, name = self._owner[event.order.txid]
            if event.execution is not None:
                yield trade, FillReported(_fill(event.execution), name)
            if event.execution_type in ENDS:
                yield trade, self._ended(event.order, name)

    def _known(self, txid: str) -> Iterator[TradeFact]:
        order = self.venue.order(ACCOUNT, txid)
        if order is None or txid not in self._owner:
            return
        name = self._owner[txid][1]
        for execution in self.venue.executions(ACCOUNT):
            if execution.order_txid == txid:
                yield FillReported(_fill(execution), name)
        if not order.status.is_live:
            yield self._ended(order, name)

    def _ended(self, order: Order, name: str) -> OrderEnded:
        status = OrderStatus(order.status.value)
        return OrderEnded(order.txid, status, order.executed, order.reason, self.now, name)


def _term(spec: OrderSpec) -> PriceTerm | None:
    price = spec.limit_price if spec.order_type is OrderType.LIMIT else spec.trigger_price
    return None if price is None else PriceTerm(price)


def _force(spec: OrderSpec) -> ForceKind:
    return ForceKind(spec.time_in_force.value)


def _fill(execution: Execution) -> Fill:
    return Fill(
        execution_id=execution.txid,
        order_id=execution.order_txid,
        symbol=execution.symbol,
        side=execution.side,
        quantity=execution.quantity,
        price=execution.price,
        cost=execution.cost,
        fee=execution.fee_quote,
        exchange_time=execution.at,
        maker=execution.maker,
    )


def _step(pair: Pair, number: int, price: Decimal, volume: Decimal, at: datetime) -> MarketStep:
    """Put a book around a price: half of what was traded at the spread, more of it deeper."""
    instrument, depth = pair.instrument, max(volume / 2, Decimal(pair.least) * 100)
    depth = instrument.floor_quantity(depth)
    tick = instrument.price_increment
    bids = tuple(
        Level(instrument.floor_price(price * (1 - pair.half_spread - far)) - tick, depth * times)
        for far, times in DEEPER
    )
    asks = tuple(
        Level(instrument.ceil_price(price * (1 + pair.half_spread + far)) + tick, depth * times)
        for far, times in DEEPER
    )
    printed = instrument.floor_quantity(max(volume / 4, Decimal(pair.least)))
    tape = (Print(Side.SELL, price, printed),)
    return MarketStep(number, at, (SymbolStep(pair.symbol, tape, bids, asks),))

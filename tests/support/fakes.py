"""The ports in memory: an exchange that fills and forgets answers on demand, and a record."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count

from activities.ports.capital import TransferRefusedError
from activities.ports.exchange import (
    Balance,
    BalanceReport,
    ExecutionReport,
    LedgerEntry,
    SentOrder,
    StreamGap,
)
from activities.ports.exchange_errors import (
    CoolingDown,
    ExchangeUnavailableError,
    OrderGoneError,
    OrderRejectedError,
    UnknownOutcomeError,
)
from models.trading.capital.flows import LedgerLine
from models.trading.instruments import Instrument
from models.trading.orders import (
    Fill,
    Leg,
    OrderReport,
    OrderSpec,
    OrderStatus,
    OrderType,
    Side,
    TimeInForce,
)
from models.trading.risk.limits import FeeRates, Mode
from tests.support import fake_journal

ZERO = Decimal(0)
TAKER = Decimal("0.004")
BITCOIN = Instrument(
    symbol="BTC/USD",
    base="BTC",
    quote="USD",
    rest_id="XXBTZUSD",
    price_precision=1,
    price_increment=Decimal("0.1"),
    quantity_precision=8,
    quantity_minimum=Decimal("0.0001"),
    cost_precision=5,
    cost_minimum=Decimal("0.5"),
)


def wall_clock() -> datetime:
    return datetime.now(UTC)


_EXCHANGES = count()


class FakeExchange:
    """One account at an exchange with one price; market orders fill at once, stops when touched.

    ``lose_before`` and ``lose_after`` count submits whose request or reply gets lost; ``down``
    makes every call fail; ``deaf`` keeps executions off the stream, as a lost message would; while
    it ``lags`` questions find nothing, and unless it ``proves`` nothing shows an order's absence.
    ``offered`` is the most that an order gets as it arrives, None: all of it.
    ``refusals`` says with which words the orders of a leg are refused for as long as it says so.
    """

    def __init__(self, price: Decimal = Decimal(50000), cash: Decimal = Decimal(100000)) -> None:
        self.mode = Mode.SIMULATED
        self.clock = wall_clock
        self.price = price
        self.totals: dict[str, Decimal] = {"USD": cash}
        self.orders: dict[str, OrderReport] = {}
        self.executions_made: list[Fill] = []
        self.submits: list[OrderSpec] = []
        self.lose_before = 0
        self.lose_after = 0
        self.reject_next: str | None = None
        self.refusals: dict[Leg, str] = {}
        self.down = False
        self.offered: Decimal | None = None
        self.repriced: list[tuple[str, Decimal, bool]] = []
        self.deaf = False
        self.hearing = False
        self.proves = True
        self.lags = False
        self.stretch = 0
        self.submit_gate: asyncio.Event | None = None
        self.bookings: list[LedgerEntry] = []
        self._numbers = count(1)
        # Ids are unique over all accounts, as the exchange's are.
        self._name = f"FAKE{next(_EXCHANGES)}"
        self._sequence = count(1)
        self._listeners: list[asyncio.Queue[ExecutionReport | BalanceReport | StreamGap]] = []

    # --- what a test does

    def set_price(self, price: Decimal) -> None:
        self.price = price
        for report in list(self.orders.values()):
            if report.status is OrderStatus.OPEN and self._is_touched(report):
                self._fill(report.order_id, report.quantity - report.filled_quantity)

    def fill_part(self, order_id: str, quantity: Decimal) -> None:
        self._fill(order_id, quantity)

    def gap(self, reason: str = "reconnected") -> None:
        for listener in self._listeners:
            listener.put_nowait(StreamGap(reason))

    def tell_executions(self) -> None:
        """Have the stream tell, perhaps once more, of all that was ever executed."""
        for fill in self.executions_made:
            self._publish("trade", self.orders[fill.order_id], fill)

    def by_client_id(self, client_order_id: str) -> list[OrderReport]:
        return [o for o in self.orders.values() if o.client_order_id == client_order_id]

    def book(self, reference: str, asset: str, amount: Decimal) -> LedgerEntry:
        """Book a deposit or a withdrawal, once per reference."""
        for booking in self.bookings:
            if booking.reference_id == reference:
                return booking
        balance = self.totals.get(asset, ZERO) + amount
        self.totals[asset] = balance
        kind = "deposit" if amount > 0 else "withdrawal"
        number = f"L{next(self._numbers):05d}-{self._name}-LEDGER"
        entry = LedgerEntry(number, reference, kind, asset, amount, ZERO, balance, self.clock())
        self.bookings.append(entry)
        return entry

    # --- the port

    async def instruments(self) -> dict[str, Instrument]:
        self._answer()
        return {BITCOIN.symbol: BITCOIN}

    async def fees(self, symbols: Sequence[str]) -> dict[str, FeeRates]:
        self._answer()
        return {s: FeeRates(Decimal("0.0025"), TAKER) for s in symbols}

    async def balances(self) -> dict[str, Balance]:
        self._answer()
        return {asset: Balance(total, ZERO) for asset, total in self.totals.items()}

    async def submit(self, order: OrderSpec, deadline: datetime | None) -> str:
        self._answer()
        self.submits.append(order)
        if self.submit_gate is not None:
            await self.submit_gate.wait()
        if self.reject_next is not None:
            raw, self.reject_next = self.reject_next, None
            raise OrderRejectedError(raw, raw)
        if order.leg in self.refusals:
            raise OrderRejectedError(self.refusals[order.leg], self.refusals[order.leg])
        # An account that never bought anything sells all the same: tests of single orders need it.
        held = self.totals.get(order.symbol.partition("/")[0], order.quantity)
        if order.side is Side.SELL and order.quantity > held:
            raise OrderRejectedError("EOrder:Insufficient funds", "EOrder:Insufficient funds")
        if self.lose_before:
            self.lose_before -= 1
            raise UnknownOutcomeError("the request was lost")
        open_with_id = [
            o for o in self.by_client_id(order.client_order_id) if not o.status.is_final
        ]
        if open_with_id:
            raw = "EGeneral:Invalid arguments:cl_ord_id not unique"
            raise OrderRejectedError(raw, raw)
        order_id = self._accept(order)
        if self.lose_after:
            self.lose_after -= 1
            raise UnknownOutcomeError("the reply was lost")
        return order_id

    async def appeared(self, order: OrderSpec, within: float) -> OrderReport | None:
        if not self.deaf and (found := self.by_client_id(order.client_order_id)):
            return found[0]
        await asyncio.sleep(within)
        return None

    def protecting(self) -> "FakeExchange":
        return self

    def hurried(self) -> "FakeExchange":
        return self

    def unhurried(self) -> "FakeExchange":
        return self

    async def find(self, order: OrderSpec, since: datetime) -> list[OrderReport]:
        self._answer()
        if self.lags:
            return []
        found = self.by_client_id(order.client_order_id)
        return sorted(found, key=lambda o: o.status.is_final)

    async def ended(self, order_id: str, within: float) -> OrderReport | None:
        del within
        report = self.orders.get(order_id)
        return report if report is not None and report.status.is_final else None

    async def withdrawn(self, order_id: str) -> OrderReport | None:
        return await self.ended(order_id, 0.0) if self.hearing else None

    async def query(self, order_ids: Sequence[str]) -> dict[str, OrderReport]:
        self._answer()
        return {i: self.orders[i] for i in order_ids if i in self.orders}

    def cooling_down(self) -> CoolingDown | None:
        return None

    def stream_epoch(self) -> int | None:
        return self.stretch if self.hearing else None

    async def proves_absence(self, sent: SentOrder) -> bool:
        self._answer()
        if self.hearing and sent.heard_since == self.stretch:
            return True
        return self.proves

    def seconds_until_question(self) -> float:
        return 0.0

    async def room_for_exit(self, symbol: str, stop_ids: Sequence[str]) -> None:
        pass

    async def cancel(self, order_id: str) -> None:
        self._answer()
        report = self.orders.get(order_id)
        if report is None or report.status.is_final:
            raise OrderGoneError("EOrder:Unknown order", "EOrder:Unknown order")
        self._end(report, OrderStatus.CANCELED, "User requested")

    async def cancel_many(self, order_ids: Sequence[str]) -> int:
        self._answer()
        still_open = [self.orders[i] for i in order_ids if not self.orders[i].status.is_final]
        for report in still_open:
            self._end(report, OrderStatus.CANCELED, "User requested")
        return len(still_open)

    async def amend(
        self, order_id: str, quantity: Decimal | None, trigger_price: Decimal | None
    ) -> None:
        self._answer()
        report = self.orders[order_id]
        if report.status.is_final:
            raise OrderGoneError("EOrder:Unknown order", "EOrder:Unknown order")
        self.orders[order_id] = replace(
            report,
            quantity=quantity or report.quantity,
            trigger_price=trigger_price or report.trigger_price,
        )
        self._publish("amended", self.orders[order_id], None)

    async def reprice(self, order_id: str, limit_price: Decimal, *, post_only: bool) -> None:
        self._answer()
        self.repriced.append((order_id, limit_price, post_only))
        report = self.orders[order_id]
        if report.status.is_final:
            raise OrderGoneError("EOrder:Unknown order", "EOrder:Unknown order")
        if post_only and self.price <= limit_price:
            raise OrderRejectedError("EOrder:Post only order", "EOrder:Post only order")
        self.orders[order_id] = replace(report, limit_price=limit_price)
        self._publish("amended", self.orders[order_id], None)
        if self._is_touched(self.orders[order_id]):
            self._fill(order_id, report.quantity - report.filled_quantity)

    async def open_orders(self) -> list[OrderReport]:
        self._answer()
        return [o for o in self.orders.values() if not o.status.is_final]

    async def closed_orders(self, since: datetime) -> list[OrderReport]:
        self._answer()
        return [o for o in self.orders.values() if o.closed_at and o.closed_at >= since]

    async def fills(self, since: datetime | None) -> list[Fill]:
        self._answer()
        return [f for f in self.executions_made if since is None or f.exchange_time >= since]

    async def fills_by_id(self, execution_ids: Sequence[str]) -> list[Fill]:
        self._answer()
        found = {f.execution_id: f for f in self.executions_made}
        if not set(execution_ids) <= found.keys():
            raise OrderGoneError("EOrder:Invalid order", "EOrder:Invalid order")
        return [found[name] for name in execution_ids]

    async def ledger(self, since: datetime | None, kind: str | None = None) -> list[LedgerEntry]:
        self._answer()
        booked = [b for b in self.bookings if kind is None or b.kind == kind]
        return [b for b in booked if since is None or b.exchange_time >= since]

    async def executions(self) -> AsyncIterator[ExecutionReport | BalanceReport | StreamGap]:
        queue: asyncio.Queue[ExecutionReport | BalanceReport | StreamGap] = asyncio.Queue()
        self._listeners.append(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self._listeners.remove(queue)

    async def close(self) -> None:
        """Nothing is held."""

    # --- inside

    def _answer(self) -> None:
        if self.down:
            raise ExchangeUnavailableError("the exchange is down")

    def _accept(self, order: OrderSpec) -> str:
        order_id = f"O{next(self._numbers):05d}-{self._name}-ORDER0"
        report = OrderReport(
            order_id=order_id,
            client_order_id=order.client_order_id,
            userref=None,
            parent_order_id=None,
            symbol=order.symbol,
            side=order.side,
            order_type=order.order_type,
            status=OrderStatus.OPEN,
            quantity=order.quantity,
            filled_quantity=ZERO,
            cost=ZERO,
            fee=ZERO,
            average_price=ZERO,
            limit_price=order.limit_price,
            trigger_price=order.trigger_price,
            opened_at=self.clock(),
        )
        self.orders[order_id] = report
        self._publish("new", report, None)
        if self._is_touched(report):
            offered = order.quantity if self.offered is None else self.offered
            self._fill(order_id, min(order.quantity, offered))
        report = self.orders[order_id]
        if order.time_in_force is TimeInForce.IOC and not report.status.is_final:
            self._end(report, OrderStatus.CANCELED, "Immediate or cancel")
        return order_id

    def _is_touched(self, report: OrderReport) -> bool:
        if report.order_type is OrderType.MARKET:
            return True
        if report.order_type is OrderType.LIMIT:
            buys = report.side is Side.BUY
            return self.price <= report.limit_price if buys else self.price >= report.limit_price
        if report.order_type is OrderType.STOP_LOSS:
            return self.price <= report.trigger_price
        return False

    def _fill(self, order_id: str, quantity: Decimal) -> None:
        report = self.orders[order_id]
        cost = quantity * self.price
        fill = Fill(
            execution_id=f"T{next(self._numbers):05d}-{self._name}-TRADE0",
            order_id=order_id,
            symbol=report.symbol,
            side=report.side,
            quantity=quantity,
            price=self.price,
            cost=cost,
            fee=cost * TAKER,
            exchange_time=self.clock(),
        )
        sign = 1 if report.side is Side.BUY else -1
        self.totals["USD"] += -sign * cost - fill.fee
        self.totals["BTC"] = self.totals.get("BTC", ZERO) + sign * quantity
        self.executions_made.append(fill)
        filled = report.filled_quantity + quantity
        done = filled >= report.quantity
        self.orders[order_id] = replace(
            report,
            filled_quantity=filled,
            cost=report.cost + cost,
            fee=report.fee + fill.fee,
            average_price=self.price,
            status=OrderStatus.CLOSED if done else OrderStatus.OPEN,
            closed_at=self.clock() if done else None,
            execution_ids=(*report.execution_ids, fill.execution_id),
        )
        self._publish("trade", self.orders[order_id], fill)

    def _end(self, report: OrderReport, status: OrderStatus, reason: str) -> None:
        ended = replace(report, status=status, reason=reason, closed_at=self.clock())
        self.orders[report.order_id] = ended
        self._publish("ended", ended, None)

    def _publish(self, kind: str, report: OrderReport, fill: Fill | None) -> None:
        if self.deaf:
            return
        number = next(self._sequence)
        for listener in self._listeners:
            event = ExecutionReport(kind, report, fill, False, number, wall_clock())
            listener.put_nowait(event)


class FakeDirectory:
    """One exchange per account, and who moves capital there."""

    def __init__(self) -> None:
        self.exchanges: dict[str, FakeExchange] = {}
        self.next_exchanges: dict[str, FakeExchange] = {}
        self.switched: list[str] = []

    async def exchange(self, account: str) -> FakeExchange:
        return self.exchanges[account]

    async def transfer(
        self, account: str, reference: str, asset: str, amount: Decimal
    ) -> LedgerLine:
        exchange = self.exchanges[account]
        if exchange.down:
            raise ConnectionError("the exchange is down")
        if exchange.totals.get(asset, ZERO) + amount < 0:
            raise TransferRefusedError("EFunding:Insufficient funds")
        entry = exchange.book(reference, asset, amount)
        return LedgerLine(
            entry.ledger_id, entry.kind, asset, entry.amount, entry.fee, entry.exchange_time
        )

    async def switch(self, account: str) -> None:
        self.switched.append(account)
        if account in self.next_exchanges:
            self.exchanges[account] = self.next_exchanges.pop(account)

    async def close(self) -> None:
        """Nothing is held."""


FakeJournal = fake_journal.FakeJournal


SHORT = timedelta(milliseconds=50)

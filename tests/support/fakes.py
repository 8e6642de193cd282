"""The ports in memory: an exchange that fills and forgets answers on demand, and a record."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
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
from activities.ports.journal import Discrepancies, IntentStored, RecordedOrder, StoredOrder
from activities.ports.market import HedgeMarketSeen
from models.trading.account.entries.record import EntryRecord
from models.trading.account.hedge.facts import HedgeRecord
from models.trading.account.settings.in_force import SettingsRecord
from models.trading.account.state import AccountState
from models.trading.answers import Answer
from models.trading.capital.flows import LedgerLine
from models.trading.governance.approval import ApprovalRequest
from models.trading.ideas import Idea
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
from models.trading.trade.facts import PriceWatch
from models.trading.trade.state import TradePhase, TradeState
from models.trading.verdicts import Verdict
from tests.support.fake_books import FakeBooks

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

    def unbroken_stretch(self) -> int | None:
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


@dataclass
class FakeJournal(FakeBooks):
    """The record in memory, with the same promises: once per id, never back."""

    intents: dict[str, StoredOrder] = field(default_factory=dict)
    fills: dict[str, tuple[str, Fill]] = field(default_factory=dict)
    undelivered: set[str] = field(default_factory=set)
    reports: dict[str, OrderReport] = field(default_factory=dict)
    trades: dict[tuple[str, int], TradeState] = field(default_factory=dict)
    saved_accounts: dict[str, AccountState] = field(default_factory=dict)
    watches: dict[tuple[str, int], tuple[PriceWatch, ...]] = field(default_factory=dict)
    events: list[tuple[str, int, str]] = field(default_factory=list)
    audits: list[tuple[str, str]] = field(default_factory=list)
    settings: dict[tuple[str, int], SettingsRecord] = field(default_factory=dict)
    entries: dict[tuple[str, int], EntryRecord] = field(default_factory=dict)
    ideas: list[tuple[str, str, int | None]] = field(default_factory=list)
    approvals: dict[str, tuple[ApprovalRequest, Answer | None]] = field(default_factory=dict)
    hedge_reviews: list[tuple[str, HedgeRecord]] = field(default_factory=list)
    hedge_seen: HedgeMarketSeen = field(default_factory=lambda: HedgeMarketSeen((), {}, None, None))
    halted: set[str] = field(default_factory=set)
    acknowledged: set[tuple[int, str]] = field(default_factory=set)
    reconciliations: list[tuple[str, Discrepancies]] = field(default_factory=list)
    checkpoints: dict[str, datetime] = field(default_factory=dict)
    acknowledged_at: dict[str, datetime] = field(default_factory=dict)

    async def store_intent(
        self, order: OrderSpec, intended_at: datetime, sending_at: datetime | None = None
    ) -> IntentStored:
        new = order.client_order_id not in self.intents
        halted = order.account in self.halted and order.leg is Leg.ENTRY
        if new:
            sent_at = None if halted else sending_at
            self.intents[order.client_order_id] = StoredOrder(
                order, OrderStatus.INTENDED, None, intended_at, sent_at, None, int(bool(sent_at))
            )
        return IntentStored(self.intents[order.client_order_id], new, halted)

    async def mark_sent(self, account: str, client_order_id: str, at: datetime) -> int:
        known = self.intents[client_order_id]
        self.intents[client_order_id] = replace(known, sent_at=at, sends=known.sends + 1)
        return known.sends + 1

    async def mark_order(
        self,
        account: str,
        client_order_id: str,
        status: OrderStatus,
        order_id: str | None,
        at: datetime,
        reason: str | None = None,
    ) -> None:
        known = self.intents[client_order_id]
        kept = known.status if known.status.is_final else status
        acknowledged = known.acknowledged_at or (at if order_id else None)
        self.intents[client_order_id] = replace(
            known,
            status=kept,
            order_id=order_id or known.order_id,
            acknowledged_at=acknowledged,
        )
        self.acknowledged_at.setdefault(client_order_id, wall_clock())

    async def record_reports(self, account: str, reports: Sequence[OrderReport]) -> None:
        for report in reports:
            self.reports[report.order_id] = report
            known = self.intents.get(report.client_order_id or "")
            if known is not None and not known.status.is_final:
                self.intents[known.spec.client_order_id] = replace(
                    known, status=report.status, order_id=report.order_id
                )

    async def record_fills(self, account: str, fills: Sequence[Fill]) -> list[str]:
        new = [f for f in fills if f.execution_id not in self.fills]
        for fill in new:
            self.fills[fill.execution_id] = (account, fill)
            self.undelivered.add(fill.execution_id)
        return [f.execution_id for f in new]

    async def undelivered_fills(self, account: str) -> list[Fill]:
        return [f for i, (a, f) in self.fills.items() if a == account and i in self.undelivered]

    async def mark_delivered(self, account: str, execution_ids: Sequence[str]) -> None:
        self.undelivered -= set(execution_ids)

    async def settled_trade(self, account: str, trade: int) -> TradeState | None:
        state = self.trades.get((account, trade))
        return state if state is not None and state.phase is TradePhase.SETTLED else None

    async def unowned_fills(self, account: str) -> list[Fill]:
        unowned: list[Fill] = []
        for owner, fill in self.fills.values():
            found = await self.owner_of_order(account, fill.order_id, None, None)
            trade = None if found is None else self.trades.get((account, found[0]))
            if owner == account and trade is not None and trade.phase is TradePhase.SETTLED:
                unowned += [fill] if fill not in trade.fills else []
        return unowned

    async def holdings_of_trades(self, account: str, symbol: str) -> dict[int, Decimal]:
        held: dict[int, Decimal] = {}
        owners = {o.order_id: o.spec.trade for o in self.intents.values() if o.order_id}
        for owner, fill in self.fills.values():
            if owner == account and fill.symbol == symbol:
                trade = owners.get(fill.order_id, 0)
                sign = 1 if fill.side is Side.BUY else -1
                held[trade] = held.get(trade, ZERO) + sign * fill.quantity
        held = {trade: quantity for trade, quantity in held.items() if quantity}
        for one in await self.orders(account, only_open=True):
            if one.spec.leg is Leg.ENTRY and one.spec.symbol == symbol:
                held.setdefault(one.spec.trade, ZERO)
        return held

    async def newest_execution_before(self, account: str, at: datetime) -> datetime | None:
        return None

    async def orders_lacking_executions(self, account: str) -> list[str]:
        executed: dict[str, Decimal] = {}
        for owner, fill in self.fills.values():
            if owner == account:
                executed[fill.order_id] = executed.get(fill.order_id, Decimal(0)) + fill.quantity
        return [
            name
            for name, report in self.reports.items()
            if report.filled_quantity > executed.get(name, Decimal(0))
        ]

    async def owner_of_order(
        self,
        account: str,
        order_id: str,
        client_order_id: str | None,
        parent: str | None,
        userref: int | None = None,
    ) -> tuple[int, str | None] | None:
        for stored in self.intents.values():
            same = order_id == stored.order_id or client_order_id == stored.spec.client_order_id
            if same and stored.spec.account == account:
                return stored.spec.trade, stored.spec.client_order_id
        return None

    async def orders(self, account: str, *, only_open: bool) -> list[StoredOrder]:
        own = [o for o in self.intents.values() if o.spec.account == account]
        return [o for o in own if not (only_open and o.status.is_final)]

    async def orders_ended_unfilled(self, account: str, since: datetime) -> list[StoredOrder]:
        ended = [o for o in await self.orders(account, only_open=False) if o.status.is_final]
        return [
            one
            for one in ended
            if one.sends
            and one.status not in (OrderStatus.REJECTED, OrderStatus.CLOSED)
            and self.acknowledged_at.get(one.spec.client_order_id, since) >= since
        ]

    async def recorded_orders(self, account: str, order_ids: Sequence[str]) -> list[RecordedOrder]:
        found = [self.reports[one] for one in order_ids if one in self.reports]
        found += [r for r in self.reports.values() if r.parent_order_id in order_ids]
        executed = [fill for owner, fill in self.fills.values() if owner == account]
        return [
            RecordedOrder(r, tuple(f for f in executed if f.order_id == r.order_id)) for r in found
        ]

    async def known_executions(self, account: str) -> set[str]:
        return {i for i, (a, _) in self.fills.items() if a == account}

    async def save_trade(self, state: TradeState, event: str | None, at: datetime) -> None:
        self.trades[state.plan.account, state.plan.number] = state
        if event is not None:
            self.events.append((state.plan.account, state.plan.number, event))

    async def save_account(
        self,
        state: AccountState,
        action: str | None,
        actor: str,
        details: dict[str, str],
        at: datetime,
    ) -> None:
        self.saved_accounts[state.account] = state
        if action is not None:
            self.audits.append((state.account, action))

    async def save_settings(self, account: str, record: SettingsRecord) -> None:
        self.settings.setdefault((account, record.version), record)

    async def save_entry(self, account: str, record: EntryRecord) -> None:
        self.entries.setdefault((account, record.trade), record)

    async def record_idea(
        self, account: str, idea: Idea, verdict: Verdict, trade: int | None, at: datetime
    ) -> None:
        self.ideas.append((account, idea.idea_id, trade))

    async def save_approval(
        self, account: str, request: ApprovalRequest, outcome: Answer | None
    ) -> None:
        known = self.approvals.get(request.request_id)
        if known is None or not known[0].status.is_final:
            self.approvals[request.request_id] = (request, outcome)

    async def record_hedge_review(self, account: str, record: HedgeRecord) -> None:
        if all(known.review_id != record.review_id for _, known in self.hedge_reviews):
            self.hedge_reviews.append((account, record))

    async def hedge_market(self, account: str) -> HedgeMarketSeen:
        return self.hedge_seen

    async def set_watches(self, account: str, trade: int, watches: Sequence[PriceWatch]) -> None:
        self.watches[account, trade] = tuple(watches)

    async def accounts(self) -> list[AccountState]:
        return list(self.saved_accounts.values())

    async def entries_halted(self, account: str) -> bool:
        return account in self.halted

    async def engage_kill_switch(
        self,
        number: int,
        accounts: Sequence[str],
        *,
        flatten: bool,
        reason: str,
        by: str,
        at: datetime,
    ) -> None:
        self.halted |= set(accounts)

    async def acknowledge_kill_switch(self, number: int, account: str, at: datetime) -> None:
        self.acknowledged.add((number, account))

    async def lift_kill_switch(self, number: int, at: datetime) -> None:
        self.halted.clear()

    async def audit(
        self, account: str, actor: str, action: str, details: dict[str, str], correlation: str
    ) -> None:
        self.audits.append((account, action))

    async def record_reconciliation(self, account: str, found: Discrepancies, at: datetime) -> None:
        self.reconciliations.append((account, found))

    async def checkpoint(self, account: str) -> datetime | None:
        return self.checkpoints.get(account)

    async def advance_checkpoint(self, account: str, at: datetime) -> None:
        self.checkpoints[account] = max(at, self.checkpoints.get(account, at))


SHORT = timedelta(milliseconds=50)

"""Orders and executions of the record in memory, with the promises of PostgreSQL's functions."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from activities.ports.journal import (
    IntentDiffersError,
    IntentStored,
    RecordedOrder,
    StoredOrder,
    UnknownOrderError,
)
from models.trading.orders import Fill, Leg, OrderReport, OrderSpec, OrderStatus, Side
from models.trading.trade.state import TradePhase, TradeState

ZERO = Decimal(0)
ENDED = 4
ENDED_AT_MOST = 50
RANKS = {
    OrderStatus.INTENDED: 0,
    OrderStatus.UNKNOWN: 1,
    OrderStatus.PENDING: 2,
    OrderStatus.OPEN: 3,
    OrderStatus.REJECTED: ENDED,
    OrderStatus.NOT_PLACED: ENDED,
}


def rank(status: OrderStatus) -> int:
    """Order how much is known: what is final on the exchange stays final."""
    return RANKS.get(status, 5)


def wall_clock() -> datetime:
    return datetime.now(UTC)


def _merged(before: OrderReport | None, report: OrderReport) -> OrderReport:
    """Return a report with what it leaves out of the one before."""
    if before is None:
        return report
    return replace(
        report,
        quantity=report.quantity or before.quantity,
        limit_price=report.limit_price or before.limit_price,
        trigger_price=report.trigger_price or before.trigger_price,
    )


@dataclass
class FakeOrders:
    """Nothing lost, nothing twice, nothing backwards."""

    intents: dict[str, StoredOrder] = field(default_factory=dict)
    fills: dict[str, tuple[str, Fill]] = field(default_factory=dict)
    undelivered: set[str] = field(default_factory=set)
    reports: dict[str, OrderReport] = field(default_factory=dict)
    trades: dict[tuple[str, int], TradeState] = field(default_factory=dict)
    halted: set[str] = field(default_factory=set)
    halted_pairs: set[tuple[str, str]] = field(default_factory=set)
    checkpoints: dict[str, datetime] = field(default_factory=dict)
    ended_at: dict[str, datetime] = field(default_factory=dict)
    recorded_at: dict[str, datetime] = field(default_factory=dict)
    children: dict[str, str] = field(default_factory=dict)

    async def store_intent(
        self, order: OrderSpec, intended_at: datetime, sending_at: datetime | None = None
    ) -> IntentStored:
        known = self.intents.get(order.client_order_id)
        held_back = self.holds_back(order.account, order.symbol)
        halted = held_back and order.leg not in (Leg.STOP, Leg.EXIT)
        if known is not None:
            if known.spec != order:
                raise IntentDiffersError(order.client_order_id)
            return IntentStored(known, is_new=False, halted=halted)
        sent_at = None if halted else sending_at
        stored = StoredOrder(
            order, OrderStatus.INTENDED, None, intended_at, sent_at, None, int(bool(sent_at))
        )
        self.intents[order.client_order_id] = stored
        return IntentStored(stored, is_new=True, halted=halted)

    def holds_back(self, account: str, symbol: str) -> bool:
        """Tell whether a kill switch of the account, or of its pair, stands."""
        return account in self.halted or (account, symbol) in self.halted_pairs

    async def mark_sent(self, account: str, client_order_id: str, at: datetime) -> int:
        known = self._own(account, client_order_id)
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
        known = self._own(account, client_order_id)
        self.intents[client_order_id] = replace(
            known,
            status=status if rank(status) >= rank(known.status) else known.status,
            order_id=order_id or known.order_id,
            acknowledged_at=known.acknowledged_at or (at if order_id else None),
        )
        if rank(status) >= ENDED:
            self.ended_at.setdefault(client_order_id, at)

    async def record_reports(self, account: str, reports: Sequence[OrderReport]) -> None:
        for report in reports:
            known = self._of_report(account, report)
            if known is None:
                continue
            name, now = known.spec.client_order_id, wall_clock()
            known = self.intents[name] = replace(
                known,
                order_id=report.order_id,
                acknowledged_at=known.acknowledged_at or now,
            )
            # Reports may arrive late: older figures never replace newer ones.
            before = self.reports.get(report.order_id)
            if before is not None and report.filled_quantity < before.filled_quantity:
                continue
            if rank(report.status) < rank(known.status) and rank(known.status) != ENDED:
                continue
            self.intents[name] = replace(known, status=report.status)
            self.reports[report.order_id] = _merged(before, report)
            if rank(report.status) >= ENDED:
                self.ended_at.setdefault(name, now)
            else:
                self.ended_at.pop(name, None)

    def _own(self, account: str, client_order_id: str) -> StoredOrder:
        known = self.intents.get(client_order_id)
        if known is None or known.spec.account != account:
            raise UnknownOrderError(client_order_id)
        return known

    def _of_report(self, account: str, report: OrderReport) -> StoredOrder | None:
        """Return the order that a report speaks of; a child is added on sight."""
        own = [one for one in self.intents.values() if one.spec.account == account]
        if same := [one for one in own if one.order_id == report.order_id]:
            return same[0]
        nameless = [one for one in own if one.order_id is None]
        if report.client_order_id is not None:
            same = [o for o in nameless if o.spec.client_order_id == report.client_order_id]
            return same[0] if same else None
        if report.parent_order_id is not None:
            parents = [one for one in own if one.order_id == report.parent_order_id]
            return self._child(parents[0], report) if parents else None
        place = (report.userref, report.symbol, report.side)
        same = [o for o in nameless if (o.spec.userref, o.spec.symbol, o.spec.side) == place]
        return max(same, key=lambda one: one.intended_at, default=None)

    def _child(self, parent: StoredOrder, report: OrderReport) -> StoredOrder:
        spec = OrderSpec(
            account=parent.spec.account,
            trade=parent.spec.trade,
            leg=Leg.STOP,
            client_order_id=report.order_id,
            userref=report.userref or 0,
            symbol=report.symbol,
            side=report.side,
            order_type=report.order_type,
            quantity=report.quantity,
            limit_price=report.limit_price,
            trigger_price=report.trigger_price,
        )
        now, pending = wall_clock(), OrderStatus.PENDING
        child = StoredOrder(spec, pending, report.order_id, now, None, now, 0)
        self.intents[report.order_id] = child
        self.children[report.order_id] = report.parent_order_id or ""
        return child

    async def record_fills(self, account: str, fills: Sequence[Fill]) -> list[str]:
        new = [f for f in fills if f.execution_id not in self.fills]
        for fill in new:
            self.fills[fill.execution_id] = (account, fill)
            self.recorded_at[fill.execution_id] = wall_clock()
            self.undelivered.add(fill.execution_id)
        return [f.execution_id for f in new]

    async def undelivered_fills(self, account: str) -> list[Fill]:
        return [f for f in self._executed(account) if f.execution_id in self.undelivered]

    async def mark_delivered(self, account: str, execution_ids: Sequence[str]) -> None:
        own = {fill.execution_id for fill in self._executed(account)}
        self.undelivered -= own & set(execution_ids)

    def _executed(self, account: str) -> list[Fill]:
        own = [fill for owner, fill in self.fills.values() if owner == account]
        return sorted(own, key=lambda fill: (fill.exchange_time, fill.execution_id))

    def _trade_of(self, account: str, fill: Fill) -> int:
        same = [
            one.spec.trade
            for one in self.intents.values()
            if one.spec.account == account and one.order_id == fill.order_id
        ]
        return same[0] if same else 0

    async def settled_trade(self, account: str, trade: int) -> TradeState | None:
        state = self.trades.get((account, trade))
        return state if state is not None and state.phase is TradePhase.SETTLED else None

    async def unowned_fills(self, account: str) -> list[Fill]:
        executed: dict[int, list[Fill]] = {}
        for fill in self._executed(account):
            executed.setdefault(self._trade_of(account, fill), []).append(fill)
        unowned: list[Fill] = []
        for number, fills in executed.items():
            trade = await self.settled_trade(account, number)
            if trade is None:
                continue
            bought = sum((f.quantity for f in fills if f.side is Side.BUY), ZERO)
            sold = sum((f.quantity for f in fills if f.side is Side.SELL), ZERO)
            unowned += fills if (bought, sold) != (trade.bought, trade.sold) else []
        return unowned

    async def holdings_of_trades(self, account: str, symbol: str) -> dict[int, Decimal]:
        held: dict[int, Decimal] = {}
        for fill in self._executed(account):
            if fill.symbol == symbol:
                trade = self._trade_of(account, fill)
                sign = 1 if fill.side is Side.BUY else -1
                held[trade] = held.get(trade, ZERO) + sign * fill.quantity
        held = {trade: quantity for trade, quantity in held.items() if quantity}
        for one in await self.orders(account, only_open=True):
            if one.spec.leg is Leg.ENTRY and one.spec.symbol == symbol:
                held.setdefault(one.spec.trade, ZERO)
        return held

    async def newest_execution_before(self, account: str, at: datetime) -> datetime | None:
        known = [f for f in self._executed(account) if self.recorded_at[f.execution_id] < at]
        return max((fill.exchange_time for fill in known), default=None)

    async def orders_lacking_executions(self, account: str) -> list[str]:
        executed: dict[str, Decimal] = {}
        for fill in self._executed(account):
            executed[fill.order_id] = executed.get(fill.order_id, ZERO) + fill.quantity
        lately = wall_clock() - timedelta(hours=1)
        complete_until = self.checkpoints.get(account)
        found = []
        for one in await self.orders(account, only_open=False):
            report = self.reports.get(one.order_id or "")
            if report is None:
                continue
            recorded, ended = (
                executed.get(report.order_id),
                self.ended_at.get(one.spec.client_order_id),
            )
            if ended is None and recorded is not None and recorded >= report.quantity:
                found.append(report.order_id)
                continue
            if report.filled_quantity <= (recorded or ZERO):
                continue
            since = report.closed_at is not None and (
                complete_until is None or report.closed_at >= complete_until
            )
            if ended is None or ended > lately or since:
                found.append(report.order_id)
        return found

    async def owner_of_order(
        self,
        account: str,
        order_id: str,
        client_order_id: str | None,
        parent: str | None,
        userref: int | None = None,
    ) -> tuple[int, str | None] | None:
        own = [one for one in self.intents.values() if one.spec.account == account]
        same = [one for one in own if one.order_id == order_id]
        same = same or [one for one in own if one.spec.client_order_id == client_order_id]
        if same:
            name = same[0].spec.client_order_id
            return same[0].spec.trade, None if name in self.children else name
        if parent is not None:
            parents = [one for one in own if one.order_id == parent]
            return (parents[0].spec.trade, None) if parents else None
        nameless = [o for o in own if o.order_id is None and o.spec.userref == userref]
        newest = max(nameless, key=lambda one: one.intended_at, default=None)
        return None if newest is None else (newest.spec.trade, newest.spec.client_order_id)

    async def orders(self, account: str, *, only_open: bool) -> list[StoredOrder]:
        own = [o for o in self.intents.values() if o.spec.account == account]
        own.sort(key=lambda one: (one.intended_at, one.spec.client_order_id))
        return [o for o in own if not (only_open and o.status.is_final)]

    async def orders_ended_unfilled(self, account: str, since: datetime) -> list[StoredOrder]:
        ended = [
            one
            for one in await self.orders(account, only_open=False)
            if one.spec.client_order_id in self.ended_at
            and self.ended_at[one.spec.client_order_id] >= since
            and one.sends
            and one.status is not OrderStatus.REJECTED
            and self._filled(one) < one.spec.quantity
        ]
        ended.sort(key=lambda one: self.ended_at[one.spec.client_order_id], reverse=True)
        return ended[:ENDED_AT_MOST]

    def _filled(self, order: StoredOrder) -> Decimal:
        report = self.reports.get(order.order_id or "")
        return ZERO if report is None else report.filled_quantity

    async def recorded_orders(self, account: str, order_ids: Sequence[str]) -> list[RecordedOrder]:
        own = {one.order_id for one in await self.orders(account, only_open=False)}
        wanted = [
            report
            for name, report in sorted(self.reports.items())
            if name in own and (name in order_ids or report.parent_order_id in order_ids)
        ]
        executed = self._executed(account)
        return [
            RecordedOrder(r, tuple(f for f in executed if f.order_id == r.order_id)) for r in wanted
        ]

    async def known_executions(self, account: str) -> set[str]:
        return {fill.execution_id for fill in self._executed(account)}

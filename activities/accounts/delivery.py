"""From the account's private stream to its trades: journal and tell, each fact once or more.

Trades drop what they know already, so telling twice is harmless and telling never is not.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog

from activities.execution.order_facts import ended_fact
from activities.execution.order_status import child_fact
from activities.execution.order_submission import Clock
from activities.metrics import RESCUES
from activities.ports.exchange import ExecutionReport
from activities.ports.journal import Discrepancies, Journal
from activities.ports.messaging import Messenger
from models.trading.account.facts import ForeignInstanceMet
from models.trading.foreign_orders import looks_like_ours
from models.trading.orders import Fill, OrderReport, OrderStatus
from models.trading.trade.facts import FillReported, OrderAcknowledged
from models.trading.trade.recovery.rescue import reopens

log = structlog.get_logger(__name__)

ORPHAN_SECONDS = 3.0
"""How long an order may be unknown: an intent is stored first, its exchange id a moment later."""

PENDING_SECONDS = 30.0
"""How long a trade that does not answer is told again before reconciliation takes over."""

REMEMBERED = 10_000

UNKNOWN_ORDERS = "unknown_orders"
"""Kind of difference: orders on the key that are not ours, neither cancelled nor adopted."""
FOREIGN_INSTANCE = "foreign_instance"
"""Those of them that have the platform's own form: another instance uses the key."""


@dataclass(frozen=True, slots=True)
class Owner:
    """The trade an order belongs to."""

    trade: int
    client_order_id: str | None


@dataclass(slots=True)
class PendingDelivery:
    """Facts that their trade has not taken yet."""

    trade: int
    facts: tuple[object, ...]
    since: datetime


@dataclass(frozen=True, slots=True)
class Seen:
    """An order as an entry of the stream showed it, not recorded yet."""

    report: OrderReport
    owner: Owner
    appeared: bool


@dataclass(slots=True)
class StreamDelivery:
    """Journal what the exchange reports of one account and tell the trades concerned."""

    account: str
    journal: Journal
    messenger: Messenger
    clock: Clock
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    _owners: OrderedDict[str, Owner] = field(default_factory=OrderedDict)
    _ended: OrderedDict[str, None] = field(default_factory=OrderedDict)
    _orphans: dict[str, tuple[OrderReport, datetime]] = field(default_factory=dict)
    _met_live: set[str] = field(default_factory=set)
    _owed: list[PendingDelivery] = field(default_factory=list)
    _fills_owed: bool = False
    _seen: list[Seen] = field(default_factory=list)
    _delivered: list[str] = field(default_factory=list)
    _to_write: asyncio.Event = field(default_factory=asyncio.Event)
    _is_writing: bool = False

    @property
    def settled(self) -> bool:
        """Tell whether everything seen so far is recorded and has been taken by its trade."""
        unwritten = self._seen or self._delivered or self._is_writing
        return not (self._owed or self._orphans or self._fills_owed or unwritten)

    async def take(self, event: ExecutionReport) -> None:
        """Deal with one entry of the stream; what need not be known at once is left to ``write``.

        The fill that a stop waits for may follow right behind an order's mere appearance.
        """
        owner = await self._owner(event.order)
        if event.fill is not None:
            await self._take_fill(event.fill, event.order, owner, repeated=event.snapshot)
        if owner is None:
            status = event.order.status
            self._orphans.setdefault(event.order.order_id, (event.order, self.clock()))
            if not (event.snapshot and (status.is_final or status is OrderStatus.UNKNOWN)):
                # A snapshot tells of executions from before this installation, too.
                self._met_live.add(event.order.order_id)
            self.woken.set()
            return
        self._seen.append(Seen(event.order, owner, event.kind in ("new", "status")))
        self._to_write.set()

    async def write(self) -> None:
        """Record what ``take`` left, then tell it: together what came together; for ever."""
        while True:
            await self._to_write.wait()
            self._to_write.clear()
            self._is_writing = True
            seen, self._seen = self._seen, []
            delivered, self._delivered = self._delivered, []
            latest = {item.report.order_id: item.report for item in seen}
            await self.journal.record_reports(self.account, list(latest.values()))
            for item in seen:
                await self._tell_status(item.report, item.owner, appeared=item.appeared)
            if delivered:
                await self.journal.mark_delivered(self.account, delivered)
            self._is_writing = False

    async def take_reports(self, reports: Sequence[OrderReport]) -> None:
        """Deal with orders as asked for by REST."""
        known: list[tuple[OrderReport, Owner]] = []
        for report in reports:
            owner = await self._owner(report)
            if owner is None:
                self._orphans.setdefault(report.order_id, (report, self.clock()))
            else:
                known.append((report, owner))
        if known:
            await self.journal.record_reports(self.account, [report for report, _ in known])
        for report, owner in known:
            await self._tell_status(report, owner, appeared=True)

    async def take_fills(self, fills: Sequence[Fill]) -> list[str]:
        """Journal executions asked for by REST, tell those not told, return the ids of the new."""
        new = await self.journal.record_fills(self.account, fills) if fills else []
        await self.deliver_recorded()
        return new

    async def deliver_recorded(self) -> list[str]:
        """Tell the trades every recorded execution that they have not taken.

        Returns:
            The orders of which nobody knows whose they are.
        """
        self._fills_owed = False
        unowned: list[str] = []
        told: list[str] = []
        for fill in await self.journal.undelivered_fills(self.account):
            found = await self.journal.owner_of_order(self.account, fill.order_id, None, None)
            if found is None:
                unowned.append(fill.order_id)
                continue  # told as soon as its order is known; reconciliation names it until then
            if await self._tell_fill(fill, Owner(*found), None):
                told.append(fill.execution_id)
        if told:
            await self.journal.mark_delivered(self.account, told)
        return list(dict.fromkeys(unowned))

    async def deliver_again(self, fills: Sequence[Fill]) -> None:
        """Tell recorded executions to their trades once more: they have settled without them."""
        for fill in fills:
            found = await self.journal.owner_of_order(self.account, fill.order_id, None, None)
            if found is not None:
                await self._tell_fill(fill, Owner(*found), None)

    async def tell_of_order(self, report: OrderReport) -> None:
        """Tell a trade that an order of it exists; one that settled without it is opened again."""
        owner = await self._owner(report)
        if owner is not None and owner.client_order_id is not None:
            known = OrderAcknowledged(owner.client_order_id, report.order_id, self.clock())
            await self._tell(owner.trade, [known])

    def expect_recorded(self) -> None:
        """Have executions delivered that somebody else has recorded, at once."""
        self._fills_owed = True
        self.woken.set()

    async def retry_pending(self) -> None:
        """Try again what could not be told, and report orders that nobody owns."""
        now = self.clock()
        orphans, self._orphans = self._orphans, {}
        for order_id, (report, since) in orphans.items():
            if await self._owner(report) is not None:
                self._met_live.discard(order_id)
                await self.take_reports([report])
                self._fills_owed = True
            elif (now - since).total_seconds() < ORPHAN_SECONDS:
                self._orphans[order_id] = (report, since)
            else:
                await self._report_unknown(report, now)
        owed, self._owed = self._owed, []
        for item in owed:
            told = await self._tell(item.trade, item.facts)
            if not told and (now - item.since).total_seconds() < PENDING_SECONDS:
                self._owed.append(item)
        if self._fills_owed:
            await self.deliver_recorded()

    async def _report_unknown(self, report: OrderReport, now: datetime) -> None:
        """Record an order that nobody owns; halt where another instance must have placed it."""
        order_id = report.order_id
        kinds = {UNKNOWN_ORDERS: [order_id]}
        if order_id in self._met_live and looks_like_ours(report):
            kinds[FOREIGN_INSTANCE] = [order_id]
            log.error("another instance uses the key", account=self.account, order=order_id)
            if not await self.messenger.signal_account(
                self.account, [ForeignInstanceMet(order_id, now)]
            ):
                self._orphans[order_id] = (report, now)
                return
        self._met_live.discard(order_id)
        met = Discrepancies(kinds, {}, (report,), complete=False)
        await self.journal.record_reconciliation(self.account, met, now)

    async def _take_fill(
        self, fill: Fill, report: OrderReport, owner: Owner | None, *, repeated: bool
    ) -> None:
        if owner is None:
            await self.journal.record_fills(self.account, [fill])
            self._fills_owed = True
            self.woken.set()
        elif repeated:
            new = await self.journal.record_fills(self.account, [fill])
            if new and await self._tell_fill(fill, owner, report.parent_order_id):
                await self.journal.mark_delivered(self.account, new)
        else:
            _, told = await asyncio.gather(
                self.journal.record_fills(self.account, [fill]),
                self._tell_fill(fill, owner, report.parent_order_id),
            )
            if told:
                self._delivered.append(fill.execution_id)
                self._to_write.set()

    async def _tell_fill(self, fill: Fill, owner: Owner, parent: str | None) -> bool:
        """Tell whether the trade took it; one that does not run yet is told again."""
        fact = FillReported(fill, owner.client_order_id, parent)
        told = await self._tell(owner.trade, [fact])
        if not told:
            self._fills_owed = True
            self.woken.set()
        return told

    async def _tell(self, trade: int, facts: Sequence[Any]) -> bool:
        """Tell whether a trade has taken facts; one that settled without them is opened again.

        Nothing is delivered to a trade that is over unless the trade knows it already.
        """
        if await self.messenger.signal_trade(self.account, trade, facts):
            return True
        state = await self.journal.settled_trade(self.account, trade)
        if state is None:
            return False  # it is just starting
        news = [fact for fact in facts if reopens(state, fact)]
        if news:
            log.error(
                "a settled trade is opened again: the exchange told of more than it settled with",
                account=self.account,
                trade=trade,
                told=[type(fact).__name__ for fact in news],
            )
            RESCUES.labels(self.account).inc()
            await self.messenger.reopen_trade(state, facts)
        return True

    async def _tell_status(self, report: OrderReport, owner: Owner, *, appeared: bool) -> None:
        facts: list[object] = []
        child = child_fact(report, self.clock())
        if child is not None and appeared and not report.status.is_final:
            facts.append(child)
        if report.status.is_final and report.order_id not in self._ended:
            facts.append(ended_fact(report, self.clock(), owner.client_order_id))
            _remember(self._ended, report.order_id, None)
        if facts and not await self._tell(owner.trade, facts):
            self._owed.append(PendingDelivery(owner.trade, tuple(facts), self.clock()))
            self.woken.set()

    async def _owner(self, report: OrderReport) -> Owner | None:
        known = self._owners.get(report.order_id)
        if known is not None:
            return known
        found = await self.journal.owner_of_order(
            self.account,
            report.order_id,
            report.client_order_id,
            report.parent_order_id,
            # A child may inherit its parent's userref without being it (kraken-protocol §9).
            report.userref if report.parent_order_id is None else None,
        )
        owner = Owner(*found) if found is not None else None
        if owner is not None:
            _remember(self._owners, report.order_id, owner)
        return owner


def _remember(memory: OrderedDict[str, Any], key: str, value: object) -> None:
    memory[key] = value
    while len(memory) > REMEMBERED:
        memory.popitem(last=False)

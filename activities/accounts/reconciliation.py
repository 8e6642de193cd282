"""Comparing one account's record with the exchange, which holds the truth.

What is known to be missing here is repaired by telling the trade; what cannot be explained is
written down, and the account takes no entries while it stands. Nothing is cancelled or adopted.

Positions are compared with who owns them: executions of a settled trade beyond what it has settled
with, and live orders of one, are differences, and the trade is opened again.

Reads may lag behind the engine. One that does not show an order which the exchange has acknowledged
is too old, unless it shows an order acknowledged later: then nothing can be told, and nothing is
concluded, neither a difference nor that there is none.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from temporalio import activity

from activities.accounts.capital import LedgerReading, read_ledger
from activities.accounts.delivery import FOREIGN_INSTANCE, UNKNOWN_ORDERS, StreamDelivery
from activities.execution.order_submission import Clock
from activities.failures import typed_failures
from activities.heartbeat import heartbeating
from activities.metrics import observe_reconciliation
from activities.ports.exchange import Balance, Exchange, ExchangeDirectory
from activities.ports.journal import Discrepancies, Journal, OwnershipRecord, StoredOrder
from activities.ports.messaging import Messenger
from models.contracts.workflows import AccountToReconcile, Reconciled
from models.trading.account.facts import ExchangeReady, ForeignInstanceMet
from models.trading.foreign_orders import looks_like_ours
from models.trading.orders import Fill, OrderReport

CONFIRMATION_SECONDS = 2.0
"""A difference counts when it is still there after this: two reads are never of one moment."""


UNOWNED_POSITIONS = "positions_without_owner"
"""Kind of difference: executions of a settled trade beyond what it has settled with."""
UNOWNED_ORDERS = "orders_without_owner"
"""Kind of difference: live orders of a settled trade."""


def _newest_shown(stored: Mapping[str, StoredOrder], shown: AbstractSet[str]) -> datetime | None:
    """Return when the newest of our orders that the reads show was acknowledged."""
    times = [stored[name].acknowledged_at for name in shown if name in stored]
    return max((at for at in times if at is not None), default=None)


def _is_newer(shown: datetime | None, order: StoredOrder) -> bool:
    """Tell whether reads that show so much must show an order too."""
    acknowledged = order.acknowledged_at
    return shown is not None and acknowledged is not None and shown > acknowledged


@dataclass(slots=True)
class Comparison:
    """What one look at both sides found."""

    differences: dict[str, set[str]] = field(default_factory=dict)
    ended: list[OrderReport] = field(default_factory=list)
    fills: list[Fill] = field(default_factory=list)
    unknown: dict[str, OrderReport] = field(default_factory=dict)
    unowned_fills: list[Fill] = field(default_factory=list)
    unowned_orders: list[OrderReport] = field(default_factory=list)
    too_old_for: list[str] = field(default_factory=list)

    def differs(self, kind: str, name: str) -> None:
        """Note a difference."""
        self.differences.setdefault(kind, set()).add(name)


class ReconciliationActivities:
    """Compare orders, executions, balances and ledger of an account with the record.

    With ``ownership`` positions are compared with the trades that own them as well.
    """

    def __init__(
        self,
        exchanges: ExchangeDirectory,
        journal: Journal,
        messenger: Messenger,
        clock: Clock,
        ownership: OwnershipRecord | None = None,
    ) -> None:
        self._exchanges = exchanges
        self._journal = journal
        self._messenger = messenger
        self._clock = clock
        self._ownership = ownership

    @activity.defn
    async def reconcile(self, request: AccountToReconcile) -> Reconciled:
        """Compare, repair what is known, record the rest and tell the account."""
        async with heartbeating():
            with typed_failures():
                # Nothing here is urgent, and reads are scarce: protection goes first.
                exchange = (await self._exchanges.exchange(request.account)).unhurried()
                began = time.perf_counter()
                first = await self._compare(exchange, request.account)
                repaired = await self._repair(exchange, request.account, first)
                differences, can_tell = await self._confirm(exchange, request.account, first)
                # Before balances: a deposit not told of yet is then doubted, not adopted.
                ledger = await read_ledger(exchange, self._journal, request.account)
                if ledger.unknown:
                    differences["unknown_ledger_entries"] = sorted(ledger.unknown)
                unknown = (first.unknown[name] for name in differences.get(UNKNOWN_ORDERS, ()))
                found = Discrepancies(differences, repaired, tuple(unknown))
                await self._journal.record_reconciliation(request.account, found, self._clock())
                observe_reconciliation(found, time.perf_counter() - began)
                if foreign := differences.get(FOREIGN_INSTANCE):
                    met = ForeignInstanceMet(foreign[0], self._clock())
                    await self._messenger.signal_account(request.account, [met])
                consistent = False if differences else (True if can_tell else None)
                await self._announce(exchange, request, ledger, consistent=consistent)
                return Reconciled(differences, sum(len(names) for names in repaired.values()))

    async def _compare(self, exchange: Exchange, account: str) -> Comparison:
        found = Comparison()
        checkpoint = await self._journal.checkpoint(account)
        stored = {
            o.order_id: o
            for o in await self._journal.orders(account, only_open=True)
            if o.order_id is not None
        }
        opened = {report.order_id: report for report in await exchange.open_orders()}
        await self._compare_owners(found, account, opened.values(), stored)
        await self._compare_missing(exchange, found, stored, opened.keys())
        known = await self._journal.known_executions(account)
        if checkpoint is not None or stored or known:
            found.fills = [
                fill for fill in await exchange.fills(checkpoint) if fill.execution_id not in known
            ]
        for fill in found.fills:
            found.differs("unrecorded_fills", fill.execution_id)
        if self._ownership is not None:
            found.unowned_fills = await self._ownership.unowned_fills(account)
        for fill in found.unowned_fills:
            found.differs(UNOWNED_POSITIONS, fill.execution_id)
        if checkpoint is not None:
            await self._compare_books(exchange, found, checkpoint, known)
        return found

    async def _compare_owners(
        self,
        found: Comparison,
        account: str,
        opened: Iterable[OrderReport],
        stored: Mapping[str, StoredOrder],
    ) -> None:
        """Find open orders that are not ours, and those whose trade has settled without them."""
        ids = {one.spec.client_order_id: order_id for order_id, one in stored.items()}
        for report in opened:
            if ids.get(report.client_order_id or "", report.order_id) != report.order_id:
                # A copy of this installation numbers its trades as we do.
                found.differs(FOREIGN_INSTANCE, report.order_id)
            owner = await self._journal.owner_of_order(
                account,
                report.order_id,
                report.client_order_id,
                report.parent_order_id,
                report.userref if report.parent_order_id is None else None,
            )
            if owner is None:
                found.differs(UNKNOWN_ORDERS, report.order_id)
                found.unknown[report.order_id] = report
                if looks_like_ours(report):
                    found.differs(FOREIGN_INSTANCE, report.order_id)
            elif await self._journal.settled_trade(account, owner[0]) is not None:
                recorded = await self._journal.recorded_orders(account, [report.order_id])
                if any(o.report.order_id == report.order_id and o.is_complete for o in recorded):
                    found.too_old_for.append(report.order_id)  # its end was told already
                else:
                    found.differs(UNOWNED_ORDERS, report.order_id)
                    found.unowned_orders.append(report)

    @staticmethod
    async def _compare_missing(
        exchange: Exchange,
        found: Comparison,
        stored: Mapping[str, StoredOrder],
        opened: AbstractSet[str],
    ) -> None:
        """Find out what became of orders that we hold open and the exchange does not."""
        missing = [order_id for order_id in stored if order_id not in opened]
        answers = await exchange.query(missing) if missing else {}
        newest = _newest_shown(stored, opened | answers.keys())
        for order_id in missing:
            if order_id in answers:
                if answers[order_id].status.is_final:
                    found.ended.append(answers[order_id])
            elif _is_newer(newest, stored[order_id]):
                found.differs("orders_missing_at_exchange", order_id)
            else:
                found.too_old_for.append(order_id)

    async def _compare_books(
        self, exchange: Exchange, found: Comparison, since: datetime, known: set[str]
    ) -> None:
        """Compare the ledger with the executions, and its last balances with the totals."""
        totals = await exchange.balances()
        entries = await exchange.ledger(since)
        last: dict[str, dict[str, Decimal]] = {}
        for entry in entries:
            last.setdefault(entry.asset, {})[entry.wallet or entry.asset] = entry.balance
            if entry.kind == "trade" and entry.reference_id not in known:
                found.differs("unexplained_ledger_entries", entry.ledger_id)
        different = {a for a, booked in last.items() if not _agrees(a, booked, totals.get(a))}
        # Totals and ledger are of two moments; only if nothing was booked since do they contradict.
        if different and await exchange.balances() == totals:
            for asset in different:
                found.differs("balances", asset)

    async def _repair(
        self, exchange: Exchange, account: str, found: Comparison
    ) -> dict[str, list[str]]:
        delivery = StreamDelivery(account, self._journal, self._messenger, self._clock)
        fills = await delivery.take_fills(found.fills)
        await delivery.take_reports(found.ended)
        if strangers := await delivery.deliver_recorded():
            # Executions name their order by the exchange's id only; the order names its intent.
            await delivery.take_reports(list((await exchange.query(strangers)).values()))
            await delivery.deliver_recorded()
        await delivery.deliver_again(found.unowned_fills)
        for report in found.unowned_orders:
            await delivery.tell_of_order(report)
        repaired = {"fills": fills, "ended_orders": [report.order_id for report in found.ended]}
        return {kind: names for kind, names in repaired.items() if names}

    async def _confirm(
        self, exchange: Exchange, account: str, first: Comparison
    ) -> tuple[dict[str, list[str]], bool]:
        """Return what still differs at a second look, and whether all could be told."""
        if not first.differences:
            return {}, not first.too_old_for
        await asyncio.sleep(CONFIRMATION_SECONDS)
        second = await self._compare(exchange, account)
        both = {
            kind: sorted(names & second.differences.get(kind, set()))
            for kind, names in sorted(first.differences.items())
        }
        return {kind: names for kind, names in both.items() if names}, not second.too_old_for

    async def _announce(
        self,
        exchange: Exchange,
        request: AccountToReconcile,
        ledger: LedgerReading,
        *,
        consistent: bool | None,
    ) -> None:
        asked_at = self._clock()
        balances = {asset: b.total for asset, b in (await exchange.balances()).items()}
        instruments = await exchange.instruments()
        symbols = request.symbols
        traded = {name: i for name, i in instruments.items() if not symbols or name in symbols}
        fees = await exchange.fees(sorted(traded))
        fact = ExchangeReady(
            balances, traded, fees, asked_at, consistent, ledger.flows, mode=exchange.mode
        )
        await self._messenger.signal_account(request.account, [fact])


def _agrees(asset: str, booked: Mapping[str, Decimal], balance: Balance | None) -> bool:
    """Tell whether the last balances of an asset's wallets in the ledger are those it has.

    A ledger that books all wallets under the asset's own name tells the total.
    """
    if balance is None:
        return not any(booked.values())
    if set(booked) == {asset} and booked[asset] == balance.total:
        return True
    wallets = balance.wallets or {asset: balance.total}
    return all(amount == wallets.get(wallet, Decimal(0)) for wallet, amount in booked.items())

"""The journal: orders, trades, accounts and what people decided, in the record."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from activities.ports.capital import CapitalBook, DayBook
from activities.ports.platform import GovernanceRecord
from models.trading.account.entries.book_costs import BookView
from models.trading.account.entries.record import EntryRecord
from models.trading.account.hedge.facts import HedgeRecord
from models.trading.account.settings.in_force import SettingsRecord
from models.trading.account.state import AccountState
from models.trading.answers import Answer
from models.trading.governance.approval import ApprovalRequest
from models.trading.ideas import Idea
from models.trading.orders import Fill, OrderReport, OrderSpec, OrderStatus
from models.trading.trade.facts import PriceWatch
from models.trading.trade.state import TradeState
from models.trading.verdicts import Verdict


class IntentRefusedError(Exception):
    """The record can never hold an order's intent: the order must not be sent."""


class IntentDiffersError(Exception):
    """An intent with this id is stored with another content; an id is never reused."""


class UnknownOrderError(Exception):
    """No such intent is stored: it must be before anything is recorded of it."""


@dataclass(frozen=True, slots=True)
class OneSidedBook:
    """A book that holds bids only, asks only or nothing: nobody knows its price or its depth."""

    symbol: str
    exchange_time: datetime
    book: Callable[[], BookView] = field(compare=False)


@dataclass(frozen=True, slots=True)
class StoredOrder:
    """An intent as stored, with what became of it."""

    spec: OrderSpec
    status: OrderStatus
    order_id: str | None
    intended_at: datetime
    sent_at: datetime | None
    acknowledged_at: datetime | None
    sends: int


@dataclass(frozen=True, slots=True)
class RecordedOrder:
    """An order that the exchange has reported, as recorded, with its recorded executions."""

    report: OrderReport
    fills: tuple[Fill, ...]

    @property
    def is_complete(self) -> bool:
        """Tell whether nothing can come any more: it is final and every execution is recorded.

        One that was executed as a whole and shows no quantity has not been told in full.
        """
        recorded = sum((fill.quantity for fill in self.fills), Decimal(0))
        untold = self.report.status is OrderStatus.CLOSED and not recorded
        known = recorded == self.report.filled_quantity and not untold
        return self.report.status.is_final and known


@dataclass(frozen=True, slots=True)
class IntentStored:
    """The intent is committed. ``halted`` is the kill switch flag read in the same transaction."""

    order: StoredOrder
    is_new: bool
    halted: bool


@dataclass(frozen=True, slots=True)
class Discrepancies:
    """What was found different from the exchange, and what was done about it.

    Attributes:
        differences: names of what differed, by kind, and still did when looked at again.
        repaired: names of what was missed, by kind, and has been told since.
        unknown_orders: orders on the key that are not ours; neither cancelled nor adopted.
        complete: a whole comparison; else only the private stream met an order.
    """

    differences: dict[str, list[str]] = field(default_factory=dict)
    repaired: dict[str, list[str]] = field(default_factory=dict)
    unknown_orders: tuple[OrderReport, ...] = ()
    complete: bool = True


class OwnershipRecord(Protocol):
    """What tells which executions no open trade owns."""

    async def unowned_fills(self, account: str) -> list[Fill]:
        """Return the executions of settled trades that have settled with other sums than these."""
        ...


class Journal(OwnershipRecord, DayBook, CapitalBook, GovernanceRecord, Protocol):
    """The record of one platform: PostgreSQL behind row-level security, audited."""

    async def store_intent(
        self, order: OrderSpec, intended_at: datetime, sending_at: datetime | None = None
    ) -> IntentStored:
        """Commit an intent before its first send; returns the stored one when it exists.

        With ``sending_at`` a new intent that is not halted counts as sent at that time: the caller
        sends right after this call.

        Raises:
            IntentDiffersError: the id belongs to an intent with another content.
        """
        ...

    async def mark_sent(self, account: str, client_order_id: str, at: datetime) -> int:
        """Count a send before it happens and return the count: who meets a send of others asks.

        Raises:
            UnknownOrderError: the account has no such intent.
        """
        ...

    async def holdings_of_trades(self, account: str, symbol: str) -> dict[int, Decimal]:
        """Return base units by trade that bought more of a pair than it sold, or still may buy.

        An execution without a trade counts under 0.
        """
        ...

    async def newest_execution_before(self, account: str, at: datetime) -> datetime | None:
        """Return the market time of the newest execution recorded before a protocol time."""
        ...

    async def mark_order(
        self,
        account: str,
        client_order_id: str,
        status: OrderStatus,
        order_id: str | None,
        at: datetime,
        reason: str | None = None,
    ) -> None:
        """Record what became of an intent (acknowledged when it gets its exchange id)."""
        ...

    async def record_reports(self, account: str, reports: Sequence[OrderReport]) -> None:
        """Bring orders up to the exchange's reports; adds children under their parent's trade."""
        ...

    async def record_fills(self, account: str, fills: Sequence[Fill]) -> list[str]:
        """Insert fills once by execution id and return the ids that were new."""
        ...

    async def undelivered_fills(self, account: str) -> list[Fill]:
        """Return fills recorded but not yet told to their trade."""
        ...

    async def mark_delivered(self, account: str, execution_ids: Sequence[str]) -> None:
        """Note that the trade was told."""
        ...

    async def settled_trade(self, account: str, trade: int) -> TradeState | None:
        """Return the state that a trade has settled with, None while it is not settled."""
        ...

    async def orders_lacking_executions(self, account: str) -> list[str]:
        """Return orders, open or lately ended, that show more executed than is recorded.

        Who should have recorded it may have failed in between: the record was away. One that is
        executed in full and not known to have ended is named too.
        """
        ...

    async def owner_of_order(
        self,
        account: str,
        order_id: str,
        client_order_id: str | None,
        parent: str | None,
        userref: int | None = None,
    ) -> tuple[int, str | None] | None:
        """Return trade number and client order id that an order belongs to, None if unknown.

        ``userref`` finds an entry with a conditional close before its exchange id is recorded.
        """
        ...

    async def orders(self, account: str, *, only_open: bool) -> list[StoredOrder]:
        """Return stored orders."""
        ...

    async def orders_ended_unfilled(self, account: str, since: datetime) -> list[StoredOrder]:
        """Return sent orders that ended since a protocol time with some of them not executed.

        Newest first, at most 50: withdrawn ones, and those whose absence was concluded. One that
        the exchange has refused is not among them.
        """
        ...

    async def recorded_orders(self, account: str, order_ids: Sequence[str]) -> list[RecordedOrder]:
        """Return what is recorded of orders, by exchange id, and of their children."""
        ...

    async def known_executions(self, account: str) -> set[str]:
        """Return the ids of all recorded fills."""
        ...

    async def save_trade(
        self, state: TradeState, event: str | None, at: datetime, verdict: Verdict | None = None
    ) -> None:
        """Write a trade's figures, its stop coverage and, with ``event``, an audit row.

        ``at`` is protocol time; a ``verdict`` once given stays.
        """
        ...

    async def save_account(
        self,
        state: AccountState,
        action: str | None,
        actor: str,
        details: dict[str, str],
        at: datetime,
    ) -> None:
        """Write an account's figures and, with ``action``, an audit row."""
        ...

    async def save_settings(self, account: str, record: SettingsRecord) -> None:
        """Write a version of an account's settings, once."""
        ...

    async def save_entry(self, account: str, record: EntryRecord) -> None:
        """Write what an entry was decided by, once."""
        ...

    async def save_balances(self, account: str, balances: dict[str, Decimal], at: datetime) -> None:
        """Write totals by asset as the exchange reported them (protocol time)."""
        ...

    async def record_idea(
        self, account: str, idea: Idea, verdict: Verdict, trade: int | None, at: datetime
    ) -> None:
        """Write what became of an idea, once per account and idea."""
        ...

    async def set_watches(self, account: str, trade: int, watches: Sequence[PriceWatch]) -> None:
        """Replace a trade's price watches; the market worker is notified on commit."""
        ...

    async def accounts(self) -> list[AccountState]:
        """Return every account as configured: the state its workflow starts from."""
        ...

    async def next_kill_switch_number(self) -> int:
        """Return a number for the next engagement; numbers may be skipped, never repeated."""
        ...

    async def entries_halted(self, account: str, symbol: str) -> bool:
        """Tell whether a kill switch holds the account's entries in a pair back."""
        ...

    async def engage_kill_switch(
        self,
        number: int,
        accounts: Sequence[str],
        *,
        flatten: bool,
        reason: str,
        by: str,
        at: datetime,
        symbols: Sequence[str] = (),
    ) -> None:
        """Raise the flag that ``store_intent`` reads, audited; a repeat changes nothing."""
        ...

    async def acknowledge_kill_switch(self, number: int, account: str, at: datetime) -> None:
        """Note that the account's workflow is halted."""
        ...

    async def lift_kill_switch(self, number: int, by: str, at: datetime) -> bool:
        """Lower the flag, audited; a repeat changes nothing. False where the record refuses."""
        ...

    async def is_lifted(self, number: int) -> bool:
        """Tell whether an engagement was lifted."""
        ...

    async def audit(
        self, account: str, actor: str, action: str, details: dict[str, str], correlation: str
    ) -> None:
        """Append an audit row to the account's hash chain."""
        ...

    async def save_approval(
        self, account: str, request: ApprovalRequest, outcome: Answer | None
    ) -> None:
        """Write where a request for approval stands, audited when that is news."""
        ...

    async def record_hedge_review(self, account: str, record: HedgeRecord) -> None:
        """Write a review of the hedge, once."""
        ...

    async def record_reconciliation(self, account: str, found: Discrepancies, at: datetime) -> None:
        """Write what was found different from the exchange; without differences it is clean."""
        ...

    async def checkpoint(self, account: str) -> datetime | None:
        """Return the market time up to which executions are known to be complete."""
        ...

    async def advance_checkpoint(self, account: str, at: datetime) -> None:
        """Move the checkpoint forward, never back."""
        ...


@dataclass(frozen=True, slots=True)
class RefusedWrite:
    """One write that the record refuses: of whom, which step, why, and its content."""

    account: str
    write_id: str
    step: str
    reason: str
    content: str
    at: datetime


class Quarantine(Protocol):
    """Where refused writes are kept."""

    async def keep(self, write: RefusedWrite) -> None:
        """Keep a write, once."""

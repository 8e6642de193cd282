"""The record in memory; `tests/ports/test_journal_conformance.py` holds it against PostgreSQL."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from activities.ports.journal import (
    Discrepancies,
)
from activities.ports.market import HedgeMarketSeen
from models.trading.account.entries.record import EntryRecord
from models.trading.account.hedge.facts import HedgeRecord
from models.trading.account.settings.in_force import SettingsRecord
from models.trading.account.state import AccountState
from models.trading.answers import Answer
from models.trading.governance.approval import ApprovalRequest
from models.trading.ideas import Idea
from models.trading.trade.facts import PriceWatch
from models.trading.trade.state import TradeState
from models.trading.verdicts import Verdict
from tests.support.fake_books import FakeBooks
from tests.support.fake_orders import FakeOrders


@dataclass
class FakeJournal(FakeOrders, FakeBooks):
    """The record in memory, with the same promises: once per id, never back."""

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
    acknowledged: set[tuple[int, str]] = field(default_factory=set)
    approved: set[int] = field(default_factory=set)
    strangers: set[str] = field(default_factory=set)
    freeze: str = ""
    broken_glass: set[str] = field(default_factory=set)
    lifted: set[int] = field(default_factory=set)
    reconciliations: list[tuple[str, Discrepancies]] = field(default_factory=list)
    engaged: dict[int, tuple[frozenset[str], frozenset[str]]] = field(default_factory=dict)
    switches: int = 0
    balances: dict[str, dict[str, Decimal]] = field(default_factory=dict)

    async def save_trade(
        self, state: TradeState, event: str | None, at: datetime, verdict: Verdict | None = None
    ) -> None:
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
        if all(known[:2] != (account, idea.idea_id) for known in self.ideas):
            self.ideas.append((account, idea.idea_id, trade))

    async def save_approval(
        self, account: str, request: ApprovalRequest, outcome: Answer | None
    ) -> None:
        known = self.approvals.get(request.request_id)
        if known is None or not known[0].status.is_final:
            self.approvals[request.request_id] = (request, outcome)

    async def was_authenticated(
        self, account: str, approval: str, by: str, content: str = ""
    ) -> bool:
        """Everybody was, but those that a test calls strangers."""
        return by not in self.strangers

    async def held_by_freeze(self, request: str, at: datetime) -> str:
        return "" if request in self.broken_glass else self.freeze

    async def record_hedge_review(self, account: str, record: HedgeRecord) -> None:
        if all(known.review_id != record.review_id for _, known in self.hedge_reviews):
            self.hedge_reviews.append((account, record))

    async def hedge_market(self, account: str) -> HedgeMarketSeen:
        return self.hedge_seen

    async def set_watches(self, account: str, trade: int, watches: Sequence[PriceWatch]) -> None:
        self.watches[account, trade] = tuple(watches)

    async def accounts(self) -> list[AccountState]:
        return list(self.saved_accounts.values())

    async def next_kill_switch_number(self) -> int:
        self.switches += 1
        return self.switches

    async def save_balances(self, account: str, balances: dict[str, Decimal], at: datetime) -> None:
        self.balances[account] = dict(balances)

    async def entries_halted(self, account: str, symbol: str) -> bool:
        return self.holds_back(account, symbol)

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
        self.engaged.setdefault(number, (frozenset(accounts), frozenset(symbols)))
        self._raise_flags()

    async def acknowledge_kill_switch(self, number: int, account: str, at: datetime) -> None:
        self.acknowledged.add((number, account))

    async def lift_kill_switch(self, number: int, by: str, at: datetime) -> bool:
        """Lower the flag when two people said so: whoever tries a workflow adds to ``approved``."""
        if number in self.approved:
            self.lifted.add(number)
            self._raise_flags()
        return number in self.lifted

    async def is_lifted(self, number: int) -> bool:
        return number in self.lifted

    def _raise_flags(self) -> None:
        standing = [held for number, held in self.engaged.items() if number not in self.lifted]
        self.halted = {one for accounts, symbols in standing if not symbols for one in accounts}
        self.halted_pairs = {
            (one, symbol)
            for accounts, symbols in standing
            for one in accounts
            for symbol in symbols
        }

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

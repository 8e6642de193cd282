"""The steps that write the record; each is idempotent and short."""

import logging

from temporalio import activity

from activities.execution.reported import report_execution
from activities.metrics import BLOCKED_REQUESTS, KILL_SWITCH_SECONDS
from activities.ports.journal import Journal
from models.contracts.modes import FreezeToLookAt
from models.contracts.records import (
    AuditEntry,
    IdeaToRecord,
    SaveAccount,
    SaveTrade,
    WatchesToSet,
)
from models.contracts.workflows import (
    AccountsToCheck,
    KillSwitchAcknowledgement,
    KillSwitchInput,
    KillSwitchLift,
    OpenWork,
)
from models.trading.account.halts import concerns
from models.trading.orders import Leg
from models.trading.trade.refusals import ALERTS

_log = logging.getLogger(__name__)


class RecordActivities:
    """Write trades, accounts, ideas, watches, audit rows and the kill switch's flag."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    @activity.defn
    async def save_trade(self, request: SaveTrade) -> None:
        """Write a trade's figures and, with an event, an audit row."""
        await self._journal.save_trade(request.state, request.event, request.at)
        if request.event == "trade_closed":
            report_execution(request.state)
        if request.event in ALERTS:
            BLOCKED_REQUESTS.labels(request.event).inc()
            plan, why = request.state.plan, request.state.refusals[-1:]
            _log.error("%s of %s/%d: %s", request.event, plan.account, plan.number, why)

    @activity.defn
    async def save_account(self, request: SaveAccount) -> None:
        """Write an account's figures and, with an action, an audit row; each part once.

        A version of its settings comes first: no audit row tells of one that is not there.
        """
        if request.settings is not None:
            await self._journal.save_settings(request.state.account, request.settings)
        await self._journal.save_account(
            request.state, request.action, request.actor, request.details, request.at
        )
        if request.entry is not None:
            await self._journal.save_entry(request.state.account, request.entry)

    @activity.defn
    async def record_idea(self, request: IdeaToRecord) -> None:
        """Write what became of an idea."""
        await self._journal.record_idea(
            request.account, request.idea, request.verdict, request.trade, request.at
        )

    @activity.defn
    async def set_watches(self, request: WatchesToSet) -> None:
        """Replace a trade's price watches."""
        await self._journal.set_watches(request.account, request.trade, request.watches)

    @activity.defn
    async def audit(self, request: AuditEntry) -> None:
        """Append a row to the account's audit chain."""
        await self._journal.audit(
            request.account, request.actor, request.action, request.details, request.correlation
        )

    @activity.defn
    async def held_by_freeze(self, request: FreezeToLookAt) -> str:
        """Return why changes are frozen, "" where they are not or the request broke the glass."""
        return await self._journal.held_by_freeze(request.request, request.at)

    @activity.defn
    async def raise_kill_switch(self, request: KillSwitchInput) -> None:
        """Raise the flag that every entry's intent is checked against."""
        await self._journal.engage_kill_switch(
            request.number,
            request.accounts,
            flatten=request.flatten,
            reason=request.reason,
            by=request.by,
            at=request.at,
            symbols=request.symbols,
        )

    @activity.defn
    async def acknowledge_kill_switch(self, request: KillSwitchAcknowledgement) -> None:
        """Note that an account is halted."""
        await self._journal.acknowledge_kill_switch(request.number, request.account, request.at)
        if request.engaged_at is not None:
            seconds = (request.at - request.engaged_at).total_seconds()
            KILL_SWITCH_SECONDS.observe(max(0.0, seconds))

    @activity.defn
    async def lower_kill_switch(self, request: KillSwitchLift) -> bool:
        """Lower the flag; False where the record knows of no approval by whom it names."""
        return await self._journal.lift_kill_switch(request.number, request.by, request.at)

    @activity.defn
    async def count_open_work(self, request: AccountsToCheck) -> OpenWork:
        """Count the entries and the positions (by their stops) still open in the record."""
        entries = positions = 0
        for account in request.accounts:
            found = await self._journal.orders(account, only_open=True)
            orders = [o for o in found if concerns(request.symbols, o.spec.symbol)]
            entries += sum(order.spec.leg is Leg.ENTRY for order in orders)
            positions += len({o.spec.trade for o in orders if o.spec.is_protective})
        return OpenWork(entries, positions)

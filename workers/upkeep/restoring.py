"""Starting workflows anew that were ended from outside, from the record and the exchange.

Nothing here places an order. A restored trade asks about its orders and sends what is missing under
the ids that the record shows to be free; a restored account takes no entry until it was compared
with the exchange.
"""

from datetime import UTC, datetime

import structlog
from temporalio.client import Client
from temporalio.common import (
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.converter import WorkflowSerializationContext
from temporalio.service import RPCError

from activities.adapters.postgres.journal import PostgresJournal
from activities.adapters.postgres.orders.restoration import RestorationRecord, TradeMaterial
from activities.adapters.temporal.approval_start import start_approval
from activities.adapters.temporal.liveness import Expected, Silent, silent_workflows
from activities.adapters.temporal.messages import TemporalMessenger
from activities.metrics import WORKFLOWS_RESTORED
from activities.policies import DECIDING_TASK_TIMEOUT
from activities.ports.exchange import ExchangeDirectory
from models.contracts.approvals import ApprovalInput
from models.contracts.names import (
    HALT_UPDATE,
    RECONCILE_WORKFLOW,
    TRADING_QUEUE,
    approval_workflow_id,
    reconcile_workflow_id,
    trade_workflow_id,
)
from models.contracts.workflows import AccountToReconcile, TradeInput
from models.trading.account.facts import (
    HaltRequested,
    KillSwitchEngaged,
    KillSwitchLifted,
    TradeProgressed,
)
from models.trading.account.halts import concerns
from models.trading.account.state import AccountState, HaltKind
from models.trading.trade.decisions import begin
from models.trading.trade.facts import CloseRequested, ExitReason
from models.trading.trade.figures import summarise
from models.trading.trade.recovery.restore import brought_up_to_date, fallback_plan
from models.trading.trade.state import TradeState
from workers.schedules.market_jobs import signal_market_rules
from workers.upkeep.account_workflows import start_account
from workflows.identities import ACCOUNT_ID, PAIR, STRATEGY, TRADING_STATE
from workflows.trade.workflow import TradeWorkflow

log = structlog.get_logger(__name__)

ACTOR = "watchdog"


class UnrestorableError(Exception):
    """The record does not hold enough to restore a trade yet."""


class Restorer:
    """Starts accounts, trades and approvals anew and says so: log, audit and metric."""

    def __init__(
        self,
        client: Client,
        journal: PostgresJournal,
        record: RestorationRecord,
        exchanges: ExchangeDirectory,
    ) -> None:
        self._client = client
        self._journal = journal
        self._record = record
        self._exchanges = exchanges
        self._messenger = TemporalMessenger(client)

    async def account(self, state: AccountState, silent: Silent) -> None:
        """Start an account's workflows that do not run; compare it with the exchange, then trade.

        Trades that ended while nobody could be told are told now, and kill switches that stand.
        """
        account = state.account
        await start_account(self._client, state)
        await self._say("account", account, silent)
        ended = await self._record.ended_trades(account, list(state.trades))
        now = datetime.now(UTC)
        for trade in ended:
            told = TradeProgressed(summarise(trade), closed=True, at=now)
            await self._messenger.signal_account(account, [told])
        await self._tell_kill_switches(state, now)
        await self._compare(account, now)
        await signal_market_rules(self._client, f"restored-{account}-{now:%H:%M:%S.%f}")

    async def companion(self, state: AccountState, silent: Silent) -> None:
        """Start an account's stream or hedge that does not run."""
        await start_account(self._client, state)
        await self._say(silent.workflow_id.partition("/")[0], state.account, silent)

    async def trade(self, account: str, number: int, silent: Silent) -> None:
        """Start a trade's workflow from what is recorded of it.

        Raises:
            UnrestorableError: there is no plan, and no price to make one by.
        """
        material = await self._record.trade(account, number)
        state = material.state or await self._as_started(account, number)
        by_rule = state is None
        if state is None:
            state = await self._without_plan(account, number, material)
        state = brought_up_to_date(state, material.orders, material.fills)
        await self._start_trade(state)
        await self._say("trade", account, silent, trade=number)
        if by_rule:
            await self._halt(account, number)

    async def approvals(self, account: str) -> None:
        """Start requests that nobody decides on; one that is too late lapses visibly.

        Temporal is asked about each: its list of what runs still names what ended a moment ago.
        """
        pending = {
            approval_workflow_id(account, request.request_id): request
            for request in await self._record.pending_approvals(account)
        }
        expected = [Expected(workflow_id, account) for workflow_id in pending]
        for silent in await silent_workflows(self._client, expected):
            if not silent.runs:
                await start_approval(
                    self._client, ApprovalInput(account, pending[silent.workflow_id])
                )

    async def _start_trade(self, state: TradeState) -> None:
        plan = state.plan
        await self._client.start_workflow(
            TradeWorkflow.run,
            TradeInput(plan, state, restored=True),
            id=trade_workflow_id(plan.account, plan.number),
            task_queue=TRADING_QUEUE,
            task_timeout=DECIDING_TASK_TIMEOUT,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            search_attributes=TypedSearchAttributes(
                [
                    SearchAttributePair(ACCOUNT_ID, plan.account),
                    SearchAttributePair(PAIR, plan.instrument.symbol),
                    SearchAttributePair(STRATEGY, plan.source.split("/")[0]),
                    SearchAttributePair(TRADING_STATE, state.phase.value),
                ]
            ),
        )

    async def _as_started(self, account: str, number: int) -> TradeState | None:
        """Return what the ended workflow started from, None where Temporal does not know it.

        A trade that was ended before it first wrote itself down is known there alone.
        """
        workflow_id = trade_workflow_id(account, number)
        handle = self._client.get_workflow_handle(workflow_id)
        # Payloads open only as those of their own workflow.
        own = WorkflowSerializationContext(self._client.namespace, workflow_id)
        converter = self._client.data_converter.with_context(own)
        try:
            async for event in handle.fetch_history_events(page_size=1):
                told = event.workflow_execution_started_event_attributes.input.payloads
                (start,) = await converter.decode(told, [TradeInput])
                return start.state or begin(start.plan).state
        except (RPCError, RuntimeError, ValueError, TypeError) as error:
            log.warning("what a trade started from is not known", error=str(error))
        return None

    async def _without_plan(self, account: str, number: int, material: TradeMaterial) -> TradeState:
        entry, price = material.entry, material.price
        if entry is None or price is None:
            raise UnrestorableError(f"trade {number} of {account}: neither plan nor price recorded")
        exchange = await self._exchanges.exchange(account)
        instrument = (await exchange.instruments())[entry.spec.symbol]
        installations = {s.account: s.installation for s in await self._journal.accounts()}
        plan = fallback_plan(
            installations[account], instrument, entry, price, material.known_stop_price
        )
        return begin(plan).state

    async def _halt(self, account: str, number: int) -> None:
        reason = f"the plan of trade {number} is lost: it is protected by rule, look at it"
        request = HaltRequested(f"{ACTOR}/{account}/{number}", ACTOR, reason, datetime.now(UTC))
        await self._messenger.ask_account(account, HALT_UPDATE, request.request_id, request)
        log.error("a trade without a plan is protected by rule", account=account, trade=number)

    async def _tell_kill_switches(self, state: AccountState, now: datetime) -> None:
        """Tell the account, and trades that are to be closed, again: once more is harmless.

        Also of a lift that the account was not told before it ended.
        """
        halted = {h.number for h in state.halts if h.kind is HaltKind.KILL_SWITCH}
        halted |= {stop.number for stop in state.pair_stops}
        for row in await self._journal.kill_switches(only_engaged=False):
            if state.account not in row.accounts:
                continue
            if row.lifted_at is not None:
                if row.number in halted:
                    lifted = KillSwitchLifted(row.number, row.lifted_by or ACTOR, row.lifted_at)
                    await self._messenger.signal_account(state.account, [lifted])
                continue
            engaged = KillSwitchEngaged(
                row.number,
                row.flatten,
                row.reason,
                row.engaged_by,
                row.engaged_at,
                tuple(row.symbols),
            )
            await self._messenger.signal_account(state.account, [engaged])
            close = CloseRequested(ExitReason.KILL_SWITCH, row.engaged_by, now)
            stopped = [t for t in state.trades.values() if concerns(engaged.symbols, t.symbol)]
            for number in [t.number for t in stopped] if row.flatten else ():
                await self._messenger.signal_trade(state.account, number, [close])

    async def _compare(self, account: str, now: datetime) -> None:
        await self._client.start_workflow(
            RECONCILE_WORKFLOW,
            AccountToReconcile(account, ()),
            id=f"{reconcile_workflow_id(account)}/restored-{now:%Y-%m-%dT%H:%M:%S.%f}",
            task_queue=TRADING_QUEUE,
            task_timeout=DECIDING_TASK_TIMEOUT,
        )

    async def _say(self, kind: str, account: str, silent: Silent, trade: int | None = None) -> None:
        WORKFLOWS_RESTORED.labels(kind).inc()
        log.error(
            "workflow restored from the record", workflow=silent.workflow_id, found=silent.detail
        )
        details = {"workflow": silent.workflow_id, "found": silent.detail}
        correlation = f"trade/{trade}" if trade is not None else silent.workflow_id
        await self._journal.audit(account, ACTOR, f"{kind}_restored", details, correlation)

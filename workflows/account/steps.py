"""How an account's commands are carried out: the entry beside its trade, and the telling of trades.

An entry's order is placed from the account's own turn: one eager activity, no hop in between.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from temporalio import workflow
from temporalio.common import SearchAttributePair, TypedSearchAttributes, WorkflowIDReusePolicy
from temporalio.exceptions import FailureError, WorkflowAlreadyStartedError
from temporalio.workflow import ParentClosePolicy

from activities.accounts.records import RecordActivities
from activities.accounts.reports import ReportActivities
from activities.execution.orders import OrderActivities
from activities.policies import DECIDING_TASK_TIMEOUT, ORDER, RECORD
from models.contracts.names import TRADE_WORKFLOW
from models.contracts.orders import EntriesToWithdraw, OrderPlaced, SubmitOrder
from models.contracts.records import (
    IdeaToRecord,
    SaveAccount,
    SignalAcknowledgement,
    SignalTrade,
    SignalTrades,
)
from models.contracts.workflows import AccountAcknowledged, TradeInput
from models.trading.account.capital.portfolio import prices_of_trades
from models.trading.account.facts import (
    AcknowledgeKillSwitch,
    CloseTrades,
    EnterTrade,
    RaiseStops,
    RecordAccount,
    RecordIdea,
    ReduceTrades,
    WithdrawEntries,
)
from models.trading.account.settings.in_force import SettingsInForce
from models.trading.account.state import AccountState
from models.trading.orders import Leg
from models.trading.trade.facts import (
    CloseRequested,
    EntryCancelRequested,
    PartialExitRequested,
    StopMoveRequested,
)
from models.trading.trade.state import TradePhase, TradePlan
from workflows.entity import BackgroundTasks
from workflows.identities import (
    ACCOUNT_ID,
    HALTED,
    MODE,
    PAIR,
    STRATEGY,
    TRADE_SIGNALS,
    TRADING_STATE,
    trade_workflow_id,
)

Wanted = EntryCancelRequested | CloseRequested | PartialExitRequested | StopMoveRequested

WITHDRAWAL_SECONDS = 1.0


def enter_trade(background_tasks: BackgroundTasks, command: EnterTrade) -> None:
    """Place the entry and start the trade's workflow in the same turn, side by side."""
    plan = command.plan
    placing = workflow.start_activity_method(
        OrderActivities.place_order, SubmitOrder(plan.entry, workflow.now()), **ORDER
    )

    async def enter() -> None:
        placed: OrderPlaced = await placing
        await workflow.wait_condition(
            lambda: not background_tasks.is_running(_starting(plan.number))
        )
        await signal_trade(plan.account, plan.number, *placed.facts)

    background_tasks.run(_starting(plan.number), lambda: start_trade(plan))
    background_tasks.run(f"enter/{plan.number}", enter)


async def start_trade(plan: TradePlan) -> None:
    """Start the trade's workflow; it outlives the account's run."""
    try:
        await workflow.start_child_workflow(
            TRADE_WORKFLOW,
            TradeInput(plan),
            id=trade_workflow_id(plan.account, plan.number),
            task_timeout=DECIDING_TASK_TIMEOUT,
            parent_close_policy=ParentClosePolicy.ABANDON,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            search_attributes=TypedSearchAttributes(
                [
                    SearchAttributePair(ACCOUNT_ID, plan.account),
                    SearchAttributePair(PAIR, plan.instrument.symbol),
                    SearchAttributePair(STRATEGY, plan.source.split("/")[0]),
                    SearchAttributePair(TRADING_STATE, TradePhase.ENTERING.value),
                ]
            ),
        )
    except WorkflowAlreadyStartedError:
        workflow.logger.warning("trade %s runs already", plan.number)


async def signal_trade(account: str, trade: int, *facts: object) -> None:
    """Signal facts to a trade; one that is over needs them no more."""
    handle = workflow.get_external_workflow_handle(trade_workflow_id(account, trade))
    try:
        for fact in facts:
            await handle.signal(TRADE_SIGNALS[type(fact)], fact)
    except FailureError as error:
        workflow.logger.info("trade %s was not told: %s", trade, error)


def withdraw_entries(
    background_tasks: BackgroundTasks, state: AccountState, command: WithdrawEntries
) -> None:
    """Cancel the entries together, then have their trades see to whatever is left of them."""
    account, now = state.account, workflow.now()

    async def withdraw() -> None:
        request = EntriesToWithdraw(account, command.order_ids)
        cancelling = workflow.start_activity_method(
            OrderActivities.withdraw_entries, request, **ORDER
        )
        # Trades cancel one by one what is still there when they are told: hence afterwards.
        await workflow.wait([cancelling], timeout=WITHDRAWAL_SECONDS)
        fact = EntryCancelRequested(command.reason, now)
        tell_when_started(background_tasks, account, dict.fromkeys(command.trades, fact))
        await cancelling

    background_tasks.run(f"withdraw/{command.order_ids}/{command.trades}", withdraw)


def close_trades(
    background_tasks: BackgroundTasks, state: AccountState, command: CloseTrades
) -> None:
    """Tell each trade to close now."""
    now, prices = workflow.now(), prices_of_trades(state, command.trades)
    wanted = {
        trade: CloseRequested(command.reason, command.by, now, prices.get(trade))
        for trade in command.trades
    }
    tell_when_started(background_tasks, state.account, wanted)


def acknowledge(
    background_tasks: BackgroundTasks, state: AccountState, command: AcknowledgeKillSwitch
) -> None:
    """Tell the kill switch that this account takes no entries any more, by an activity (ADR 7).

    A signal from workflow to workflow that finds the kill switch busy for a tenth of a second is
    tried again by Temporal's server after three seconds.
    """
    fact = AccountAcknowledged(state.account, workflow.now())
    request = SignalAcknowledgement(command.number, fact)

    async def tell() -> None:
        await workflow.execute_activity_method(
            ReportActivities.signal_kill_switch, request, **RECORD
        )

    background_tasks.run(f"acknowledge/{command.number}", tell)


def record_idea(
    background_tasks: BackgroundTasks, state: AccountState, command: RecordIdea
) -> None:
    """Queue what became of an idea for the record."""
    request = IdeaToRecord(
        state.account, command.idea, command.verdict, command.trade, workflow.now()
    )

    async def save() -> None:
        await workflow.execute_activity_method(RecordActivities.record_idea, request, **RECORD)

    background_tasks.queue("record", save)


def save_account(
    background_tasks: BackgroundTasks, present: Callable[[], AccountState], command: RecordAccount
) -> None:
    """Queue the account's figures for the record, without what the exchange publishes anyway.

    What is audited is written as it was decided. Mere figures are written as they are when their
    turn comes, so that those waiting are written once.
    """
    decided, decided_at = present(), workflow.now()
    mere_figures = command.action is None and command.entry is None

    async def save() -> None:
        state, at = (present(), workflow.now()) if mere_figures else (decided, decided_at)
        figures = replace(state, instruments={}, fees={}, universe=None, buckets={}, groups={})
        figures = replace(figures, recent_flows=(), recent_answers=(), entry_orders=())
        figures = replace(figures, settings=SettingsInForce(state.settings.version))
        details = dict(command.details)
        request = SaveAccount(
            figures,
            command.action,
            command.actor,
            details,
            at,
            command.settings,
            command.entry,
        )
        await workflow.execute_activity_method(RecordActivities.save_account, request, **RECORD)

    background_tasks.queue("record", save, same_as="figures" if mere_figures else None)


def show_account(before: AccountState | None, after: AccountState) -> None:
    """Bring the search attributes up to the state; each change is an event of the history."""
    if before is None:
        workflow.upsert_search_attributes([ACCOUNT_ID.value_set(after.account)])
    if before is None or (before.mode, before.is_halted) != (after.mode, after.is_halted):
        workflow.upsert_search_attributes(
            [MODE.value_set(after.mode.value), HALTED.value_set(after.is_halted)]
        )


def _starting(trade: int) -> str:
    return f"start/{trade}"


def reduce_trades(
    background_tasks: BackgroundTasks, state: AccountState, command: ReduceTrades
) -> None:
    """Tell trades to sell a part, for the strategy that they belong to."""
    now, prices = workflow.now(), prices_of_trades(state, command.targets)
    wanted: dict[int, Wanted] = {
        trade: PartialExitRequested(target, command.by, now, prices.get(trade), Leg.PART)
        for trade, target in sorted(command.targets.items())
    }
    tell_when_started(background_tasks, state.account, wanted)


def raise_stops(
    background_tasks: BackgroundTasks, state: AccountState, command: RaiseStops
) -> None:
    """Tell trades where their stops belong by now."""
    fact = StopMoveRequested(
        command.stop_price, None, command.by, workflow.now(), price=command.last
    )
    tell_when_started(background_tasks, state.account, dict.fromkeys(command.trades, fact))


def tell_when_started(
    background_tasks: BackgroundTasks, account: str, wanted: Mapping[int, Wanted]
) -> None:
    """Tell trades what is wanted of them, by number, once their workflows have been started.

    All that run by one activity (ADR 7): of many signals, or activities, of an account that is told
    much at the same moment, some would wait for seconds. Those that start hold up no other.
    """
    starting = [trade for trade in wanted if background_tasks.is_running(_starting(trade))]
    running = [trade for trade in wanted if trade not in starting]
    for group in (running, *([trade] for trade in starting)):
        if group:
            _tell_together(background_tasks, account, {trade: wanted[trade] for trade in group})


def _tell_together(
    background_tasks: BackgroundTasks, account: str, wanted: Mapping[int, Wanted]
) -> None:
    request = SignalTrades(account, tuple(_wanted(trade, wanted[trade]) for trade in wanted))

    async def tell() -> None:
        await workflow.wait_condition(
            lambda: not any(background_tasks.is_running(_starting(trade)) for trade in wanted)
        )
        await workflow.execute_activity_method(ReportActivities.signal_trades, request, **RECORD)

    kinds = sorted({type(fact).__name__ for fact in wanted.values()})
    background_tasks.run(f"tell/{sorted(wanted)}/{kinds}", tell)


def _wanted(trade: int, fact: Wanted) -> SignalTrade:
    match fact:
        case EntryCancelRequested():
            return SignalTrade(trade, withdraw=fact)
        case CloseRequested():
            return SignalTrade(trade, close=fact)
        case PartialExitRequested():
            return SignalTrade(trade, sell_part=fact)
        case StopMoveRequested():
            return SignalTrade(trade, move_stop=fact)

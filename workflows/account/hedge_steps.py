"""How an account's commands around its hedge are carried out."""

from temporalio import workflow

from activities.accounts.hedge import HedgeActivities
from activities.accounts.records import RecordActivities
from activities.accounts.reports import ReportActivities
from activities.policies import RECORD
from models.contracts.hedges import HedgeToRecord, HedgeToWake
from models.contracts.records import WatchesToSet
from models.trading.account.hedge.facts import (
    HedgeCommand,
    HedgeReviewDue,
    RecordHedge,
    ReviewHedge,
    SellParts,
    WatchHedge,
)
from models.trading.account.state import AccountState
from models.trading.trade.facts import HEDGE_WATCH, PartialExitRequested
from workflows.account.steps import tell_when_started
from workflows.entity import BackgroundTasks


def carry_out_hedge(
    background_tasks: BackgroundTasks, state: AccountState, command: HedgeCommand
) -> None:
    """Send a command on its way."""
    account = state.account
    match command:
        case SellParts(targets=targets, prices=prices):
            now = workflow.now()
            wanted = {
                trade: PartialExitRequested(target, "hedge", now, prices.get(trade))
                for trade, target in sorted(targets.items())
            }
            tell_when_started(background_tasks, account, wanted)
        case ReviewHedge(cause=cause):
            _wake(background_tasks, account, HedgeReviewDue(cause, workflow.now()))
        case RecordHedge(record=record):
            _record(background_tasks, HedgeToRecord(account, record))
        case WatchHedge(watches=watches):
            _watch(background_tasks, WatchesToSet(account, HEDGE_WATCH, watches))


def _wake(background_tasks: BackgroundTasks, account: str, due: HedgeReviewDue) -> None:
    async def wake() -> None:
        request = HedgeToWake(account, due)
        await workflow.execute_activity_method(ReportActivities.wake_hedge, request, **RECORD)

    background_tasks.queue("hedge", wake, same_as="wake")


def _record(background_tasks: BackgroundTasks, request: HedgeToRecord) -> None:
    async def save() -> None:
        await workflow.execute_activity_method(HedgeActivities.record_hedge, request, **RECORD)

    background_tasks.queue("record", save)


def _watch(background_tasks: BackgroundTasks, request: WatchesToSet) -> None:
    async def store() -> None:
        await workflow.execute_activity_method(RecordActivities.set_watches, request, **RECORD)

    background_tasks.queue("watches", store)

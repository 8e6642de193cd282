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
from models.trading.trade.facts import HEDGE_WATCH, PartSaleRequested
from workflows.account.steps import tell_when_started
from workflows.entity import Errands


def carry_out_hedge(errands: Errands, state: AccountState, command: HedgeCommand) -> None:
    """Send a command on its way."""
    account = state.account
    match command:
        case SellParts(targets=targets, prices=prices):
            now = workflow.now()
            wanted = {
                trade: PartSaleRequested(target, "hedge", now, prices.get(trade))
                for trade, target in sorted(targets.items())
            }
            tell_when_started(errands, account, wanted)
        case ReviewHedge(cause=cause):
            _wake(errands, account, HedgeReviewDue(cause, workflow.now()))
        case RecordHedge(record=record):
            _record(errands, HedgeToRecord(account, record))
        case WatchHedge(watches=watches):
            _watch(errands, WatchesToSet(account, HEDGE_WATCH, watches))


def _wake(errands: Errands, account: str, due: HedgeReviewDue) -> None:
    async def wake() -> None:
        request = HedgeToWake(account, due)
        await workflow.execute_activity_method(ReportActivities.wake_hedge, request, **RECORD)

    errands.queue("hedge", wake, same_as="wake")


def _record(errands: Errands, request: HedgeToRecord) -> None:
    async def save() -> None:
        await workflow.execute_activity_method(HedgeActivities.record_hedge, request, **RECORD)

    errands.queue("record", save)


def _watch(errands: Errands, request: WatchesToSet) -> None:
    async def store() -> None:
        await workflow.execute_activity_method(RecordActivities.set_watches, request, **RECORD)

    errands.queue("watches", store)

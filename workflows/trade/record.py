"""What a trade writes down and whom it tells, each in its own order beside the inbox."""

from collections.abc import Callable

from temporalio import workflow

from activities.accounts.records import RecordActivities
from activities.accounts.reports import ReportActivities
from activities.policies import RECORD
from models.contracts.records import ProgressToReport, SaveTrade, WatchesToSet
from models.trading.account.facts import TradeProgressed
from models.trading.trade.facts import PriceWatch
from models.trading.trade.figures import summarise
from models.trading.trade.state import TradePhase, TradeState
from workflows.entity import BackgroundTasks
from workflows.identities import OPENED_AT, TRADING_STATE


def save_trade(
    background_tasks: BackgroundTasks, present: Callable[[], TradeState], event: str | None
) -> None:
    """Queue the trade's figures for the record.

    An event is written as it was decided. Mere figures are written as they are when their turn
    comes, so that those waiting are written once.
    """
    decided, decided_at = present(), workflow.now()

    async def save() -> None:
        mere = event is None
        state, at = (present(), workflow.now()) if mere else (decided, decided_at)
        request = SaveTrade(state, event, at)
        await workflow.execute_activity_method(RecordActivities.save_trade, request, **RECORD)

    background_tasks.queue("record", save, same_as="figures" if event is None else None)


def set_watches(
    background_tasks: BackgroundTasks, state: TradeState, watches: tuple[PriceWatch, ...]
) -> None:
    """Queue the trade's watches for the market worker."""
    request = WatchesToSet(state.plan.account, state.plan.number, watches)

    async def store() -> None:
        await workflow.execute_activity_method(RecordActivities.set_watches, request, **RECORD)

    background_tasks.queue("watches", store)


def report_to_account(
    background_tasks: BackgroundTasks, state: TradeState, *, closed: bool
) -> None:
    """Queue the trade's figures for its account."""
    fact = TradeProgressed(summarise(state), closed, workflow.now())
    request = ProgressToReport(state.plan.account, fact)

    async def tell() -> None:
        await workflow.execute_activity_method(ReportActivities.report_progress, request, **RECORD)

    background_tasks.queue("report", tell)


def show_progress(before: TradeState, after: TradeState) -> None:
    """Bring the search attributes up to the state; each change is an event of the history."""
    if before.phase is after.phase:
        return
    if before.phase is TradePhase.ENTERING and after.opened_at is not None:
        workflow.upsert_search_attributes([OPENED_AT.value_set(after.opened_at)])
    workflow.upsert_search_attributes([TRADING_STATE.value_set(after.phase.value)])

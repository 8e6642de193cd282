"""Bringing data from outside on a schedule: history, lists of sanctions, sentiment.

What one source does not give keeps none of the others waiting: it is named, and asked for again by
the next run.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from activities.history.market_data import MarketDataActivities
from activities.market.rules import MarketRulesActivities
from activities.policies import OUTSIDE, RECORD, REVIEW
from models.contracts.market.data import (
    FAILURES_TOLD,
    MARKET_DATA_WORKFLOW,
    DataWork,
    MarketDataDone,
    MarketDataRun,
)
from models.contracts.market_rules import MarketRulesRun
from workflows.identities import MARKET_QUEUE

REVIEWED_WITHIN = timedelta(hours=1)
"""The market worker may be away; its own review of the day finds the same."""


@workflow.defn(name=MARKET_DATA_WORKFLOW)
class MarketDataWorkflow:
    """Do one kind of work and write down what came of it."""

    @workflow.run
    async def run(self, request: MarketDataRun) -> MarketDataDone:
        """Return what was brought, and what could not be."""
        done = await _WORK[DataWork(request.work)](request)
        await workflow.execute_activity_method(MarketDataActivities.note_done, done, **RECORD)
        return done


async def _history(request: MarketDataRun) -> MarketDataDone:
    done, after = request.so_far or MarketDataDone(request.work), request.after
    while True:
        due = await workflow.execute_activity_method(
            MarketDataActivities.series_due, after, **RECORD
        )
        if not due:
            return done
        for one in due:
            try:
                filled = await workflow.execute_activity_method(
                    MarketDataActivities.fill_series, one, **OUTSIDE
                )
            except ActivityError as error:
                done = _without(done, f"{one.place}: {_reason(error)}")
                continue
            if filled.skipped:
                skipped = (*done.skipped, filled.skipped)[:FAILURES_TOLD]
                done = replace(done, skipped=skipped)
                continue
            done = replace(
                done,
                series=done.series + 1,
                rows=done.rows + filled.new_rows,
                quarantined_batches=done.quarantined_batches + filled.quarantined_batches,
            )
        after = due[-1].place
        if workflow.info().is_continue_as_new_suggested():
            workflow.continue_as_new(MarketDataRun(request.work, after, done))


async def _sanctions(request: MarketDataRun) -> MarketDataDone:
    done = MarketDataDone(request.work)
    try:
        read = await workflow.execute_activity_method(
            MarketDataActivities.read_sanctions, **OUTSIDE
        )
        done = replace(done, rows=read.entries, named=read.named)
        if not read.is_news:
            return done
        # People see at once what the rules propose of it; nothing leaves before two have agreed.
        reviewed = await workflow.execute_activity_method(
            MarketRulesActivities.review_universe,
            MarketRulesRun(f"sanctions {read.digest[:12]}"),
            task_queue=MARKET_QUEUE,
            schedule_to_close_timeout=REVIEWED_WITHIN,
            **REVIEW,
        )
    except ActivityError as error:
        return _without(done, _reason(error))
    return replace(done, proposal=reviewed.proposal)


async def _sentiment(request: MarketDataRun) -> MarketDataDone:
    done = MarketDataDone(request.work)
    try:
        read = await workflow.execute_activity_method(
            MarketDataActivities.read_sentiment, **OUTSIDE
        )
    except ActivityError as error:
        return _without(done, _reason(error))
    return replace(done, rows=read.new_values)


_WORK: dict[DataWork, Callable[[MarketDataRun], Awaitable[MarketDataDone]]] = {
    DataWork.HISTORY: _history,
    DataWork.SANCTIONS: _sanctions,
    DataWork.SENTIMENT: _sentiment,
}


def _without(done: MarketDataDone, failure: str) -> MarketDataDone:
    told = (*done.told, failure)[:FAILURES_TOLD]
    return replace(done, failures=done.failures + 1, told=told)


def _reason(error: ActivityError) -> str:
    cause = error.__cause__
    return cause.message if isinstance(cause, ApplicationError) else str(cause or error)

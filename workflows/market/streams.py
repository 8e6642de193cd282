"""Owners of the connections: each keeps one heartbeating activity alive, for ever."""

from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from activities.accounts.stream import AccountStreamActivities
from activities.policies import STREAM
from models.contracts.workflows import AccountToFollow
from workflows.identities import ACCOUNT_ID, MARKET_QUEUE

RESTARTS_PER_RUN = 100
PAUSE = timedelta(milliseconds=500)
MARKET_FEED_ACTIVITY = "run_market_feed"
"""By name: the market worker alone imports what it takes to run it."""


@workflow.defn
class AccountStreamWorkflow:
    """Follow one account's private stream; apart from the account, whose runs come and go."""

    @workflow.run
    async def run(self, request: AccountToFollow) -> None:
        """Start the stream again whenever it ends."""
        workflow.upsert_search_attributes([ACCOUNT_ID.value_set(request.account)])
        for _ in range(RESTARTS_PER_RUN):
            try:
                await workflow.execute_activity_method(
                    AccountStreamActivities.follow_account, request, **STREAM
                )
            except ActivityError as error:
                if is_cancelled_exception(error):
                    raise
                workflow.logger.warning("account stream ended: %s", error.cause)
            await workflow.sleep(PAUSE)
        workflow.continue_as_new(request)


@workflow.defn
class MarketFeedWorkflow:
    """Follow the market, on the market worker's queue."""

    @workflow.run
    async def run(self) -> None:
        """Start the feed again whenever it ends."""
        for _ in range(RESTARTS_PER_RUN):
            try:
                await workflow.execute_activity(
                    MARKET_FEED_ACTIVITY, task_queue=MARKET_QUEUE, **STREAM
                )
            except ActivityError as error:
                if is_cancelled_exception(error):
                    raise
                workflow.logger.warning("market feed ended: %s", error.cause)
            await workflow.sleep(PAUSE)
        workflow.continue_as_new()

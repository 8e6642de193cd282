"""The hedge of one account: it has the account look at it, on time and when much has moved.

What is decided, and with it the override, lives in the account: nothing else may place its orders.
"""

from contextlib import suppress
from datetime import timedelta

from temporalio import workflow

from activities.accounts.hedge import HedgeActivities
from activities.policies import RECORD
from models.contracts.hedges import HedgeInput, HedgeToReview
from models.trading.account.hedge.facts import HedgeReviewDue
from models.trading.answers import Answer
from models.trading.trade.facts import PriceCrossed
from workflows.entity import Entity

NOT_READY = "no-market-data"
TRY_AGAIN = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=30)
"""Protocol time after which the hedge is looked at even when nothing called for it: a watch may
have been set while the market worker was not there."""


@workflow.defn
class HedgeWorkflow(Entity):
    """Review again and again; causes that come while a review runs are one cause for the next."""

    @workflow.init
    def __init__(self, start: HedgeInput) -> None:
        super().__init__()
        self.account = start.account
        self.reviews = start.reviews
        self.reviewing = False
        self.pause = LONGEST_PAUSE

    @workflow.run
    async def run(self, start: HedgeInput) -> None:
        """Look once at the start, then whenever a moment has come, a price moved or people ask."""
        if start.reviews == 0:
            self.tell(HedgeReviewDue("started", workflow.now()))
        while not self.should_continue_as_new():
            await self.review(await self.next_cause())
        workflow.continue_as_new(HedgeInput(self.account, self.reviews))

    async def next_cause(self) -> str:
        """Wait for a cause to look, at most for the longest pause."""
        with suppress(TimeoutError):
            await workflow.wait_condition(lambda: bool(self.inbox), timeout=self.pause)
        causes = [told.fact.cause for told in self.inbox if isinstance(told.fact, HedgeReviewDue)]
        while self.take() is not None:
            pass
        return causes[-1] if causes else "long unlooked"

    async def review(self, cause: str) -> None:
        """Have the account decide; soon again when it could not."""
        self.reviews += 1
        self.reviewing = True
        request = HedgeToReview(
            self.account, workflow.info().first_execution_run_id, self.reviews, cause
        )
        answer: Answer = await workflow.execute_activity_method(
            HedgeActivities.review_hedge, request, **RECORD
        )
        self.pause = TRY_AGAIN if answer.code == NOT_READY else LONGEST_PAUSE
        self.reviewing = False

    @property
    def settled(self) -> bool:
        """Tell whether nothing is to be looked at, nor being looked at."""
        return super().settled and not self.reviewing

    @workflow.signal
    def review_due(self, fact: HedgeReviewDue) -> None:
        """It is time to look."""
        self.tell(fact)

    @workflow.signal
    def timer_fired(self, fact: PriceCrossed) -> None:
        """A moment has come, or a held pair has moved far."""
        self.tell(HedgeReviewDue(fact.kind.value, fact.at))

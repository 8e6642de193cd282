"""The steps of a hedge: read the market it concerns, have the account decide, write it down."""

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.execution.order_submission import Clock
from activities.ports.journal import Journal
from activities.ports.market import HedgeMarket, HedgeMarketSeen
from activities.ports.messaging import Messenger
from models.contracts.hedges import HedgeToRecord, HedgeToReview
from models.contracts.names import REVIEW_HEDGE_UPDATE
from models.trading.account.hedge.facts import HedgeReviewRequested
from models.trading.answers import Answer


class UnseenMarket:
    """A market that nobody has looked at: a hedge over it waits."""

    async def hedge_market(self, account: str) -> HedgeMarketSeen:
        """Return nothing known."""
        del account
        return HedgeMarketSeen((), {}, None, None)


class HedgeActivities:
    """Look at the market for an account's hedge and ask the account to decide."""

    def __init__(
        self, market: HedgeMarket, journal: Journal, messenger: Messenger, clock: Clock
    ) -> None:
        self._market = market
        self._journal = journal
        self._messenger = messenger
        self._clock = clock

    @activity.defn
    async def review_hedge(self, request: HedgeToReview) -> Answer:
        """Have the account look at its hedge with the market of now; once per number."""
        seen = await self._market.hedge_market(request.account)
        name = f"hedge/{request.account}/{request.run}/{request.number}"
        fact = HedgeReviewRequested(
            request_id=name,
            cause=request.cause,
            market=seen.held,
            volatilities=seen.volatilities,
            market_volatility=seen.market_volatility,
            market_at=seen.market_at,
            at=self._clock(),
        )
        answer = await self._messenger.ask_account(request.account, REVIEW_HEDGE_UPDATE, name, fact)
        if answer is None:
            raise ApplicationError(f"the workflow of {request.account} does not run")
        return answer

    @activity.defn
    async def record_hedge(self, request: HedgeToRecord) -> None:
        """Write a review down."""
        await self._journal.record_hedge_review(request.account, request.record)

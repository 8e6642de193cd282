"""Keeping the universe and the correlation groups: on a schedule, or by the market's clock."""

from temporalio import workflow

from activities.market.rules import MarketRulesActivities
from activities.policies import REVIEW, TELLING
from models.contracts.market_rules import (
    GroupsComputed,
    MarketRulesRun,
    RulesSignalled,
    UniverseReviewed,
)
from workflows.identities import MARKET_QUEUE


async def _tell() -> RulesSignalled:
    return await workflow.execute_activity_method(
        MarketRulesActivities.signal_market_rules, task_queue=MARKET_QUEUE, **TELLING
    )


@workflow.defn
class UniverseReviewWorkflow:
    """Compare the universe with what the exchange lists; people decide on what is proposed."""

    @workflow.run
    async def run(self, request: MarketRulesRun) -> UniverseReviewed:
        """Return what was proposed; the accounts are told what is in force."""
        reviewed = await workflow.execute_activity_method(
            MarketRulesActivities.review_universe, request, task_queue=MARKET_QUEUE, **REVIEW
        )
        await _tell()
        return reviewed


@workflow.defn
class CorrelationWorkflow:
    """Compute which pairs move together and tell the accounts."""

    @workflow.run
    async def run(self, request: MarketRulesRun) -> GroupsComputed:
        """Return the number of the computation."""
        computed = await workflow.execute_activity_method(
            MarketRulesActivities.compute_groups, request, task_queue=MARKET_QUEUE, **REVIEW
        )
        await _tell()
        return computed


@workflow.defn
class SignalMarketRulesWorkflow:
    """Tell the accounts what is in force: after a change by people, and after a start."""

    @workflow.run
    async def run(self, _: MarketRulesRun) -> RulesSignalled:
        """Return how many were told."""
        return await _tell()

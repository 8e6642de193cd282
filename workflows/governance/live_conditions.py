"""Finding out what an account lacks to go live, for people to look at."""

from temporalio import workflow

from activities.accounts.modes import ModeActivities
from activities.policies import GATHER
from models.contracts.modes import LiveFactsWanted
from models.trading.governance.going_live import LiveFacts


@workflow.defn
class LiveConditionsWorkflow:
    """Find out what going live rests on, for people to look at; nothing is decided."""

    @workflow.run
    async def run(self, request: LiveFactsWanted) -> LiveFacts:
        """Return the facts."""
        facts: LiveFacts = await workflow.execute_activity_method(
            ModeActivities.gather_live_facts, request, **GATHER
        )
        return facts

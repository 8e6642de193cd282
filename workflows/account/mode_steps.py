"""What a change of an account's mode needs beside its decision."""

from temporalio import workflow
from temporalio.exceptions import ActivityError

from activities.accounts.modes import ModeActivities
from activities.policies import GATHER, RECORD
from models.contracts.modes import ExchangeToChange, LiveFactsWanted
from models.trading.account.facts import ChangeExchange
from models.trading.governance.going_live import LiveFacts
from workflows.entity import Errands


async def gather_live_facts() -> LiveFacts | None:
    """Return what going live rests on, None when it cannot be found out."""
    account = workflow.info().workflow_id.partition("/")[2]
    try:
        facts: LiveFacts = await workflow.execute_activity_method(
            ModeActivities.gather_live_facts, LiveFactsWanted(account), **GATHER
        )
    except ActivityError as error:
        workflow.logger.warning("what going live rests on is not known: %s", error.cause)
        return None
    return facts


def change_exchange(errands: Errands, account: str, command: ChangeExchange) -> None:
    """Have the change written down and the old exchange let go of, after what is being recorded."""
    request = ExchangeToChange(
        account,
        command.mode,
        command.by,
        command.at,
        command.market_time,
        command.verdict,
        command.request,
    )

    async def change() -> None:
        await workflow.execute_activity_method(ModeActivities.change_exchange, request, **RECORD)

    errands.queue("record", change)

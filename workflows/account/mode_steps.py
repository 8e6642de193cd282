"""What a change of an account's mode needs beside its decision."""

from temporalio import workflow
from temporalio.exceptions import ActivityError

from activities.accounts.modes import ModeActivities
from activities.accounts.records import RecordActivities
from activities.policies import GATHER, RECORD
from models.contracts.modes import ExchangeToChange, FreezeToLookAt, LiveFactsWanted
from models.trading.account.facts import ChangeExchange
from models.trading.governance.going_live import LiveFacts
from workflows.entity import BackgroundTasks

FREEZE_ASKED = "freeze-asked"


async def gather_live_facts(request: str) -> LiveFacts | None:
    """Return what going live rests on, None when it cannot be found out."""
    account = workflow.info().workflow_id.partition("/")[2]
    try:
        facts: LiveFacts = await workflow.execute_activity_method(
            ModeActivities.gather_live_facts, LiveFactsWanted(account, request), **GATHER
        )
    except ActivityError as error:
        workflow.logger.warning("what going live rests on is not known: %s", error.cause)
        return None
    return facts


async def freeze_that_holds(request: str) -> str:
    """Return why changes are frozen, "" where they are not, asked of the record.

    Accounts from before this was asked here go on without for what they were asked before.
    """
    if not workflow.patched(FREEZE_ASKED):
        return ""
    found: str = await workflow.execute_activity_method(
        RecordActivities.held_by_freeze, FreezeToLookAt(request, workflow.now()), **RECORD
    )
    return found


def change_exchange(
    background_tasks: BackgroundTasks, account: str, command: ChangeExchange
) -> None:
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

    background_tasks.queue("record", change)

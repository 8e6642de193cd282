"""How an account's commands on its day and its capital are carried out, beside its inbox."""

from collections.abc import Callable

from temporalio import workflow

from activities.accounts.capital import CapitalActivities
from activities.accounts.day_closing import DayActivities
from activities.policies import RECORD
from models.contracts.days import (
    BaselineToRecord,
    CapitalOutcome,
    CapitalToMove,
    DayScheduleToKeep,
    DayToRecord,
    FlowsToRecord,
)
from models.trading.account.capital.facts import (
    CapitalCommand,
    MoveCapital,
    RecordBaseline,
    RecordDay,
    RecordFlows,
)
from models.trading.account.state import AccountState
from workflows.entity import BackgroundTasks


def carry_out_capital(
    background_tasks: BackgroundTasks,
    account: str,
    tell: Callable[[object], None],
    command: CapitalCommand,
) -> None:
    """Send a command on its way; ``tell`` takes the fact that answers it."""
    match command:
        case RecordDay():
            day = DayToRecord(account, command.record)
            _queue(background_tasks, DayActivities.record_day, day)
        case RecordFlows():
            flows = FlowsToRecord(account, command.flows)
            _queue(background_tasks, CapitalActivities.record_flows, flows)
        case RecordBaseline():
            baseline = BaselineToRecord(account, command.baseline)
            _queue(background_tasks, CapitalActivities.record_baseline, baseline)
        case MoveCapital():
            request = CapitalToMove(account, command.request)
            background_tasks.run(
                f"capital/{command.request.request_id}", lambda: _move(request, tell)
            )


def follow_day_rule(
    background_tasks: BackgroundTasks, before: AccountState, after: AccountState
) -> None:
    """Have the schedule follow when the settings move the account's boundary."""
    rule = after.day
    if rule != before.day:
        request = DayScheduleToKeep(after.account, rule)
        _queue(background_tasks, DayActivities.keep_day_schedule, request)


def _queue(background_tasks: BackgroundTasks, step: Callable[..., object], request: object) -> None:
    async def work() -> None:
        await workflow.execute_activity_method(step, request, **RECORD)

    background_tasks.queue("record", work)


async def _move(request: CapitalToMove, tell: Callable[[object], None]) -> None:
    outcome: CapitalOutcome = await workflow.execute_activity_method(
        CapitalActivities.move_capital, request, **RECORD
    )
    tell(outcome.fact)

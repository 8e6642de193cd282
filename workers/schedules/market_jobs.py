"""What the market's clock starts, and the schedules that start the same on the wall clock."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial

import structlog
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    WorkflowFailureError,
)
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from activities.market.market_time_scheduler import MarketJob
from activities.pauses import GrowingPause
from activities.policies import DECIDING_TASK_TIMEOUT
from models.contracts.market_rules import MarketRulesRun
from models.contracts.names import (
    CORRELATION_ID,
    CORRELATION_WORKFLOW,
    MARKET_RULES_ID,
    SIGNAL_MARKET_RULES_WORKFLOW,
    STRESS_WORKFLOW,
    TRADING_QUEUE,
    UNIVERSE_REVIEW_ID,
    UNIVERSE_REVIEW_WORKFLOW,
    stress_workflow_id,
)
from models.contracts.stress import StressRequest

log = structlog.get_logger(__name__)

RETRY_SECONDS = 0.5
LONGEST_RETRY_SECONDS = 5.0
DAILY = timedelta(days=1)
DAILY_BY = "aether"

Accounts = Callable[[], Awaitable[list[str]]]

# In this order: groups are computed of the pairs of the universe.
RULES_RUNS = (
    (UNIVERSE_REVIEW_ID, UNIVERSE_REVIEW_WORKFLOW, DAILY),
    (CORRELATION_ID, CORRELATION_WORKFLOW, DAILY),
)


def market_jobs(client: Client, accounts: Accounts) -> list[MarketJob]:
    """Return what is due in market time, for a market with a clock of its own."""
    rules = [
        MarketJob(name, every, partial(_run_rules, client, name, workflow))
        for name, workflow, every in RULES_RUNS
    ]
    return [*rules, MarketJob("stress", DAILY, partial(_run_stress, client, accounts))]


async def _run_rules(client: Client, name: str, workflow: str, boundary: datetime) -> None:
    named = _named(boundary)
    await run_to_its_end(client, workflow, MarketRulesRun(named), f"{name}/{named}")


async def _run_stress(client: Client, accounts: Accounts, boundary: datetime) -> None:
    name = f"daily-{_named(boundary)}"
    runs = [
        run_to_its_end(
            client,
            STRESS_WORKFLOW,
            StressRequest(account, name, DAILY_BY),
            stress_workflow_id(account, name),
        )
        for account in await accounts()
    ]
    await asyncio.gather(*runs)


async def run_to_its_end(client: Client, workflow: str, argument: object, name: str) -> None:
    """Run a workflow once under its id and wait for its end; tried until Temporal takes it."""
    pause = GrowingPause(RETRY_SECONDS, LONGEST_RETRY_SECONDS)
    while True:
        try:
            await client.execute_workflow(
                workflow,
                argument,
                id=name,
                task_queue=TRADING_QUEUE,
                task_timeout=DECIDING_TASK_TIMEOUT,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            )
        except WorkflowAlreadyStartedError:
            await _outcome(client, name)
        except WorkflowFailureError as error:
            log.warning("a run of the market's clock failed", run=name, error=str(error.cause))
        except RPCError as error:
            log.info("a run of the market's clock waits", run=name, error=str(error))
            await asyncio.sleep(pause.next())
            continue
        return


def _named(boundary: datetime) -> str:
    return f"{boundary:%Y-%m-%dT%H:%M}"


async def _outcome(client: Client, workflow_id: str) -> None:
    try:
        await client.get_workflow_handle(workflow_id).result()
    except WorkflowFailureError as error:
        log.warning("an earlier run failed", run=workflow_id, error=str(error.cause))


async def create_market_schedules(client: Client, accounts: list[str]) -> None:
    """Have Temporal start the same workflows daily; existing schedules are kept.

    The rules of the market run once at once: the first universe comes from there.
    """
    for name, workflow, every in RULES_RUNS:
        await create_schedule(client, name, workflow, MarketRulesRun(), every, at_once=True)
    for account in accounts:
        request = StressRequest(account, "", DAILY_BY)
        name = stress_workflow_id(account, "daily")
        await create_schedule(client, name, STRESS_WORKFLOW, request, DAILY)


async def create_schedule(
    client: Client,
    name: str,
    workflow: str,
    argument: object,
    every: timedelta,
    *,
    at_once: bool = False,
    queue: str = TRADING_QUEUE,
) -> None:
    """Have Temporal start a workflow under this name again and again; one that exists is kept."""
    schedule = Schedule(
        action=ScheduleActionStartWorkflow(
            workflow,
            argument,
            id=name,
            task_queue=queue,
            task_timeout=DECIDING_TASK_TIMEOUT,
        ),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=every)]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=every),
    )
    try:
        await client.create_schedule(name, schedule, trigger_immediately=at_once)
    except ScheduleAlreadyRunningError:
        log.debug("schedule exists", schedule=name)


async def signal_market_rules(client: Client, occasion: str) -> None:
    """Have the accounts told what is in force; an equal telling that runs suffices."""
    try:
        await client.start_workflow(
            SIGNAL_MARKET_RULES_WORKFLOW,
            MarketRulesRun(occasion),
            id=f"{MARKET_RULES_ID}/{occasion}",
            task_queue=TRADING_QUEUE,
            task_timeout=DECIDING_TASK_TIMEOUT,
        )
    except WorkflowAlreadyStartedError:
        log.debug("being told already", occasion=occasion)

"""What the market's clock starts, and the schedules that start the same on the wall clock."""

import asyncio
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

from activities.market_clockwork import MarketJob
from activities.policies import DECIDING_TASK_TIMEOUT
from infra.runtime.settings import Settings
from models.contracts.market_rules import MarketRulesRun
from models.contracts.names import (
    CORRELATION_ID,
    CORRELATION_WORKFLOW,
    MARKET_RULES_ID,
    TELL_MARKET_RULES_WORKFLOW,
    TRADING_QUEUE,
    UNIVERSE_REVIEW_ID,
    UNIVERSE_REVIEW_WORKFLOW,
)

log = structlog.get_logger(__name__)

RETRY_SECONDS = 0.5
DAILY = timedelta(days=1)
# In this order: groups are computed of the pairs of the universe.
RULES_RUNS = (
    (UNIVERSE_REVIEW_ID, UNIVERSE_REVIEW_WORKFLOW, DAILY),
    (CORRELATION_ID, CORRELATION_WORKFLOW, DAILY),
)


def runs_on_wall_clock(settings: Settings) -> bool:
    """Tell whether market time is the wall clock, so that Temporal's schedules are right."""
    return settings.market == "kraken" and settings.market_speed == "1"


def market_jobs(client: Client) -> list[MarketJob]:
    """Return the jobs that keep the rules of the market, for a market with a clock of its own."""
    return [
        MarketJob(name, every, partial(run_to_its_end, client, name, workflow))
        for name, workflow, every in RULES_RUNS
    ]


async def run_to_its_end(client: Client, name: str, workflow: str, boundary: datetime) -> None:
    """Run a workflow once for a boundary and wait for its end; tried until Temporal takes it."""
    named = f"{boundary:%Y-%m-%dT%H:%M}"
    while True:
        try:
            await client.execute_workflow(
                workflow,
                MarketRulesRun(named),
                id=f"{name}/{named}",
                task_queue=TRADING_QUEUE,
                task_timeout=DECIDING_TASK_TIMEOUT,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            )
        except WorkflowAlreadyStartedError:
            await _outcome(client, f"{name}/{named}")
        except WorkflowFailureError as error:
            log.warning("a run of the market's clock failed", run=name, error=str(error.cause))
        except RPCError as error:
            log.info("a run of the market's clock waits", run=name, error=str(error))
            await asyncio.sleep(RETRY_SECONDS)
            continue
        return


async def _outcome(client: Client, workflow_id: str) -> None:
    try:
        await client.get_workflow_handle(workflow_id).result()
    except WorkflowFailureError as error:
        log.warning("an earlier run failed", run=workflow_id, error=str(error.cause))


async def create_rules_schedules(client: Client) -> None:
    """Have Temporal start the same workflows daily, and once at once; existing ones are kept."""
    for name, workflow, every in RULES_RUNS:
        schedule = Schedule(
            action=ScheduleActionStartWorkflow(
                workflow,
                MarketRulesRun(),
                id=name,
                task_queue=TRADING_QUEUE,
                task_timeout=DECIDING_TASK_TIMEOUT,
            ),
            spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=every)]),
            policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=every),
        )
        try:
            await client.create_schedule(name, schedule, trigger_immediately=True)
        except ScheduleAlreadyRunningError:
            log.debug("schedule exists", schedule=name)


async def tell_market_rules(client: Client, occasion: str) -> None:
    """Have the accounts told what is in force; an equal telling that runs suffices."""
    try:
        await client.start_workflow(
            TELL_MARKET_RULES_WORKFLOW,
            MarketRulesRun(occasion),
            id=f"{MARKET_RULES_ID}/{occasion}",
            task_queue=TRADING_QUEUE,
            task_timeout=DECIDING_TASK_TIMEOUT,
        )
    except WorkflowAlreadyStartedError:
        log.debug("being told already", occasion=occasion)

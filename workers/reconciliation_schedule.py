"""When accounts are compared with the exchange: on a schedule, or by a lockstep market's clock.

On the wall clock a comparison would meet a market in lockstep at another moment in each run, and
what it learns there (fees by volume, balances) would size trades differently: the same candles
would not give the same trades.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

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
)
from temporalio.service import RPCError, RPCStatusCode

from activities.market_clockwork import MarketJob
from activities.policies import DECIDING_TASK_TIMEOUT
from models.contracts.names import RECONCILE_WORKFLOW, TRADING_QUEUE, reconcile_workflow_id
from models.contracts.workflows import AccountToReconcile
from workers.market_jobs import run_to_its_end

log = structlog.get_logger(__name__)

RECONCILE_EVERY = timedelta(minutes=2)
IN_LOCKSTEP_EVERY = timedelta(days=7)
"""Market time. A week of it passes in a minute there, and a comparison takes seconds of the rate
limits, which count in wall time."""


async def keep_reconciling(client: Client, account: str, *, in_lockstep: bool) -> None:
    """Create an account's schedule; in lockstep see that there is none.

    Raises:
        RPCError: Temporal does not answer.
    """
    if in_lockstep:
        await _remove(client, account)
        return
    schedule = Schedule(
        action=ScheduleActionStartWorkflow(
            RECONCILE_WORKFLOW,
            AccountToReconcile(account, ()),
            id=reconcile_workflow_id(account),
            task_queue=TRADING_QUEUE,
            task_timeout=DECIDING_TASK_TIMEOUT,
        ),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=RECONCILE_EVERY)]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=RECONCILE_EVERY),
    )
    try:
        await client.create_schedule(reconcile_workflow_id(account), schedule)
    except ScheduleAlreadyRunningError:
        log.debug("schedule exists", account=account)


async def _remove(client: Client, account: str) -> None:
    try:
        await client.get_schedule_handle(reconcile_workflow_id(account)).delete()
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise


def reconciliation_job(client: Client, accounts: Callable[[], Awaitable[list[str]]]) -> MarketJob:
    """Return the comparison of all accounts as a job of a lockstep market's clock."""
    started_in: datetime | None = None

    async def compare(boundary: datetime) -> None:
        nonlocal started_in
        started_in = started_in or boundary
        if boundary == started_in:
            # The accounts' streams have just caught up with the exchange.
            return
        runs = [
            run_to_its_end(
                client,
                RECONCILE_WORKFLOW,
                AccountToReconcile(account, ()),
                f"{reconcile_workflow_id(account)}/{boundary:%Y-%m-%dT%H:%M}",
            )
            for account in await accounts()
        ]
        await asyncio.gather(*runs)

    return MarketJob("reconciliation", IN_LOCKSTEP_EVERY, compare)

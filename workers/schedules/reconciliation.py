"""When accounts are compared with the exchange: on a schedule, or by a lockstep market's clock.

On the wall clock a comparison would meet a market in lockstep at another moment in each run, and
what it learns there (fees by volume, balances) would size trades differently: the same candles
would not give the same trades.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities.market.market_time_scheduler import MarketJob
from models.contracts.names import RECONCILE_WORKFLOW, reconcile_workflow_id
from models.contracts.workflows import AccountToReconcile
from workers.schedules.market_jobs import create_schedule, run_to_its_end

RECONCILE_EVERY = timedelta(minutes=2)
IN_LOCKSTEP_EVERY = timedelta(days=7)
"""Market time. A week of it passes in a minute there, and a comparison takes seconds of the rate
limits, which count in wall time."""


async def keep_reconciling(client: Client, account: str, *, in_lockstep: bool) -> None:
    """Create an account's schedule; in lockstep see that there is none.

    Raises:
        RPCError: Temporal does not answer.
    """
    name = reconcile_workflow_id(account)
    if in_lockstep:
        await _remove(client, name)
    else:
        request = AccountToReconcile(account, ())
        await create_schedule(client, name, RECONCILE_WORKFLOW, request, RECONCILE_EVERY)


async def _remove(client: Client, schedule: str) -> None:
    try:
        await client.get_schedule_handle(schedule).delete()
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

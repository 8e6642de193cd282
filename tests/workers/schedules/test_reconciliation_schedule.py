"""Accounts are compared on a schedule, and by the market's own clock where it is in lockstep."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from temporalio.service import RPCError, RPCStatusCode

from activities.market.market_time_scheduler import MarketTimeScheduler
from models.contracts.names import reconcile_workflow_id
from models.contracts.workflows import Reconciled
from workers.schedules.reconciliation import (
    IN_LOCKSTEP_EVERY,
    RECONCILE_EVERY,
    keep_reconciling,
    reconciliation_job,
)

THURSDAY = datetime(2026, 1, 1, tzinfo=UTC)
"""Weeks since 1970 begin on Thursdays."""


async def test_schedule_is_kept_and_there_is_none_in_lockstep(platform):
    client, account = platform.services.client, f"account-{uuid4().hex[:8]}"
    schedule = client.get_schedule_handle(reconcile_workflow_id(account))
    for _ in range(2):
        await keep_reconciling(client, account, in_lockstep=False)
        (interval,) = (await schedule.describe()).schedule.spec.intervals
        assert interval.every == RECONCILE_EVERY
    for _ in range(2):
        await keep_reconciling(client, account, in_lockstep=True)
        with pytest.raises(RPCError) as absent:
            await schedule.describe()
        assert absent.value.status is RPCStatusCode.NOT_FOUND


async def test_lockstep_market_has_accounts_compared_week_by_week(platform, account):
    client = platform.services.client

    async def accounts():
        return [account]

    async def compared(week):
        name = f"{reconcile_workflow_id(account)}/{week:%Y-%m-%dT%H:%M}"
        found = client.get_workflow_handle(name, result_type=Reconciled)
        return await found.result()

    market_time_scheduler = MarketTimeScheduler([reconciliation_job(client, accounts)])
    await market_time_scheduler.advance(THURSDAY + timedelta(hours=5))
    with pytest.raises(RPCError, match="not found"):
        await compared(THURSDAY)
    await market_time_scheduler.advance(THURSDAY + IN_LOCKSTEP_EVERY - timedelta(seconds=1))
    await market_time_scheduler.advance(THURSDAY + IN_LOCKSTEP_EVERY)
    assert isinstance(await compared(THURSDAY + IN_LOCKSTEP_EVERY), Reconciled)

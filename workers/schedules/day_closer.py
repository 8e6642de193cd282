"""Starting the closing of an account's day by the market's clock."""

import asyncio
from datetime import datetime

import structlog
from temporalio.client import Client, WorkflowFailureError
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError

from activities.accounts.day_clock import CloseDay
from activities.policies import DECIDING_TASK_TIMEOUT
from models.contracts.days import DaysClosed, DayToClose
from models.contracts.names import DAILY_RESET_WORKFLOW, TRADING_QUEUE, daily_reset_workflow_id

log = structlog.get_logger(__name__)

WAIT_SECONDS = 20.0
"""How long the market's clock waits for a day to be closed; the workflow itself goes on."""


def day_closer(client: Client) -> CloseDay:
    """Return what starts the workflow that a schedule starts elsewhere, and waits for its end."""

    async def close(account: str, market_time: datetime) -> None:
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await client.execute_workflow(
                    DAILY_RESET_WORKFLOW,
                    DayToClose(account, market_time),
                    id=daily_reset_workflow_id(account),
                    task_queue=TRADING_QUEUE,
                    task_timeout=DECIDING_TASK_TIMEOUT,
                    id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                    result_type=DaysClosed,
                )
        except (RPCError, TimeoutError, WorkflowFailureError) as error:
            log.warning("the day is not closed yet", account=account, error=str(error))

    return close

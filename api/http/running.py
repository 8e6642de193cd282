"""Running a short workflow for a request and waiting for its result."""

import asyncio
from contextlib import suppress
from http import HTTPStatus
from typing import TypeVar

from temporalio.client import WorkflowFailureError
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from activities.policies import DECIDING_TASK_TIMEOUT
from api.http.commands import UPDATE_TIMEOUT, connected
from api.http.problems import ProblemError
from api.services import Services
from models.contracts.names import TRADING_QUEUE

Result = TypeVar("Result")


async def run_workflow(
    services: Services,
    workflow: str,
    argument: object,
    workflow_id: str,
    result_type: type[Result],
    *,
    queue: str = TRADING_QUEUE,
) -> Result:
    """Start a workflow once under its id and return its result.

    Raises:
        ProblemError: it failed, or has not ended in time: then it goes on, and a repeat waits for
            the same run.
    """
    client = connected(services)
    try:
        async with asyncio.timeout(UPDATE_TIMEOUT.total_seconds()):
            with suppress(WorkflowAlreadyStartedError):
                await client.start_workflow(
                    workflow,
                    argument,
                    id=workflow_id,
                    task_queue=queue,
                    task_timeout=DECIDING_TASK_TIMEOUT,
                    id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                    id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
                )
            handle = client.get_workflow_handle(workflow_id, result_type=result_type)
            result: Result = await handle.result()
    except WorkflowFailureError as error:
        raise ProblemError(
            HTTPStatus.SERVICE_UNAVAILABLE, "not-done", f"{workflow_id} failed.", lasting=False
        ) from error
    except (TimeoutError, RPCError) as error:
        raise ProblemError(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "not-answered",
            f"{workflow_id} did not end in time and goes on. Repeat with the same key.",
            lasting=False,
        ) from error
    return result

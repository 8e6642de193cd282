"""Messages to a workflow that refuses them for a moment are repeated at once, not after seconds.

A workflow that wants to continue as a new run while a message arrives is given one more turn, and
until that turn ends Temporal's server refuses whatever else is told it: ``RESOURCE_EXHAUSTED`` of
the cause ``BUSY_WORKFLOW`` (``ErrWorkflowClosing`` of its history service). The SDK takes that for
a rate limit and repeats after one second, then two more: three seconds for a turn of milliseconds,
in which a kill switch does not reach its account. A real rate limit is still left to the SDK.
"""

import asyncio
import time
from datetime import timedelta
from typing import Any

from temporalio.api.enums.v1 import ResourceExhaustedCause
from temporalio.api.errordetails.v1 import ResourceExhaustedFailure
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

MESSAGES = frozenset(
    {
        "signal_workflow_execution",
        "signal_with_start_workflow_execution",
        "update_workflow_execution",
    }
)
"""Calls that carry an id of their own: repeated, they are told once."""
FIRST_PAUSE = timedelta(milliseconds=15)
LONGEST_PAUSE = timedelta(milliseconds=150)
GROWTH = 1.5
PATIENCE = timedelta(seconds=5)
"""After it the SDK's own repeating takes over."""
REPEATED_BY_THE_SDK = frozenset(
    {
        RPCStatusCode.ABORTED,
        RPCStatusCode.DATA_LOSS,
        RPCStatusCode.INTERNAL,
        RPCStatusCode.OUT_OF_RANGE,
        RPCStatusCode.RESOURCE_EXHAUSTED,
        RPCStatusCode.UNAVAILABLE,
        RPCStatusCode.UNKNOWN,
    }
)


def repeat_soon_when_busy(client: Client) -> Client:
    """Have a client repeat messages to a busy workflow at short intervals."""
    service = client.service_client
    plain = service._rpc_call  # noqa: SLF001 the SDK offers no other place

    async def call(rpc: str, *arguments: Any, **options: Any) -> Any:
        if rpc not in MESSAGES or not options.get("retry"):
            return await plain(rpc, *arguments, **options)
        pause, until = FIRST_PAUSE, time.monotonic() + PATIENCE.total_seconds()
        while time.monotonic() < until:
            try:
                return await plain(rpc, *arguments, **{**options, "retry": False})
            except RPCError as error:
                if error.status not in REPEATED_BY_THE_SDK:
                    raise
                if not is_busy(error):
                    break
            await asyncio.sleep(pause.total_seconds())
            pause = min(pause * GROWTH, LONGEST_PAUSE)
        return await plain(rpc, *arguments, **options)

    service._rpc_call = call  # type: ignore[method-assign]  # noqa: SLF001
    return client


def is_busy(error: RPCError) -> bool:
    """Tell whether a call was refused because the workflow takes nothing at this moment."""
    if error.status is not RPCStatusCode.RESOURCE_EXHAUSTED:
        return False
    found = ResourceExhaustedFailure()
    busy = ResourceExhaustedCause.RESOURCE_EXHAUSTED_CAUSE_BUSY_WORKFLOW
    return any(d.Unpack(found) and found.cause == busy for d in error.grpc_status.details)

"""What a worker's step logs says of which workflow and order it is: lines of all processes join."""

import time
from typing import Any

import structlog
from temporalio import activity
from temporalio.client import Interceptor as ClientInterceptor
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput
from temporalio.worker import Interceptor as WorkerInterceptor

from infra.runtime.logs import correlated
from infra.runtime.traces.traced_steps import subject_of

log = structlog.get_logger(__name__)

NAMES = ("account", "trade", "client_order_id", "request_id")


class LoggedSteps(ClientInterceptor, WorkerInterceptor):
    """Given to a client, it is that of all workers which the client has."""

    def intercept_activity(
        self,
        next: ActivityInboundInterceptor,  # noqa: A002
    ) -> ActivityInboundInterceptor:
        """Return the interceptor of one worker's steps."""
        return _Logged(next)


class _Logged(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002
        """Carry the step out; those of orders, and those that fail, leave a line of their own."""
        began = time.monotonic()
        with correlated(**_ids(input)) as ids:
            try:
                result = await super().execute_activity(input)
            except Exception as error:
                log.warning("step failed", error=f"{type(error).__name__}: {error}")
                raise
            if "client_order_id" in ids:
                log.info("step done", seconds=round(time.monotonic() - began, 4))
            return result


def _ids(step: ExecuteActivityInput) -> dict[str, Any]:
    info = activity.info()
    found: dict[str, Any] = {
        "workflow_id": info.workflow_id,
        "workflow_run_id": info.workflow_run_id,
        "step": info.activity_type,
        "attempt": info.attempt,
    }
    request = step.args[0] if step.args else None
    for place in (subject_of(request), request):
        for name in NAMES:
            value = getattr(place, name, None)
            if name not in found and isinstance(value, str | int):
                found[name] = value
    return found

"""A span for each step that a worker carries out for a trade: its orders, and what is recorded."""

import time
from typing import Any

from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from infra.runtime.traces.sending import Step, Traces, Trade

ORDER_FACTS = ("leg", "side", "symbol", "client_order_id")


class TracedSteps(Interceptor):
    """Tells each step of a trade; steps of no trade are counted by metrics only."""

    def __init__(self, traces: Traces) -> None:
        self._traces = traces

    def intercept_activity(
        self,
        next: ActivityInboundInterceptor,  # noqa: A002
    ) -> ActivityInboundInterceptor:
        """Return the interceptor of one worker's steps."""
        return _Traced(next, self._traces)


class _Traced(ActivityInboundInterceptor):
    def __init__(self, following: ActivityInboundInterceptor, traces: Traces) -> None:
        super().__init__(following)
        self._traces = traces

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002
        """Carry the step out, and tell it when it is over."""
        subject = subject_of(input.args[0]) if input.args else None
        if subject is None:
            return await super().execute_activity(input)
        began, failure = time.time_ns(), ""
        try:
            return await super().execute_activity(input)
        except BaseException as error:
            failure = f"{type(error).__name__}: {error}"
            raise
        finally:
            self._traces.tell(_step(subject, began, failure))


def _step(subject: Any, began: int, failure: str) -> Step:
    info = activity.info()
    facts: dict[str, str | int] = {
        f"aether.{name}": str(getattr(subject, name))
        for name in ORDER_FACTS
        if hasattr(subject, name)
    }
    facts |= {"temporal.workflow": info.workflow_id or "", "temporal.attempt": info.attempt}
    trade = Trade(subject.account, subject.trade)
    return Step(info.activity_type, began, time.time_ns(), trade, facts, failure)


def subject_of(request: Any) -> Any:
    """Return the order, or what else names account and trade, that a request is about."""
    command = getattr(request, "command", None)
    places = (request, getattr(request, "order", None), command)
    within = (getattr(command, "exit", None), getattr(command, "order", None))
    for found in (*places, *within):
        is_of_trade = isinstance(getattr(found, "trade", None), int)
        if is_of_trade and isinstance(getattr(found, "account", None), str):
            return found
    return None

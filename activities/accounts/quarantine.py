"""A write that can never succeed is set aside, so that it does not block all that follow it.

Record steps are tried for ever, in order: a record that is away comes back. One that refuses a
write for what it holds does not change its mind. Such a write is kept with its reason, told by log,
metric, ``/readyz``, ``aether status`` and ``aether verify``, and what follows it goes on.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import structlog
from pydantic_core import to_json
from temporalio import activity
from temporalio.worker import (
    ActivityInboundInterceptor,
    ExecuteActivityInput,
    Interceptor,
)

from activities.metrics import QUARANTINED
from activities.ports.journal import Quarantine, RefusedWrite
from models.trading.bounds import cleaned_text

log = structlog.get_logger(__name__)

ATTEMPTS: Final = 3
"""A constraint may be violated by what another step is about to write: so not at once."""
CONTENT_LENGTH: Final = 200_000
REASON_LENGTH: Final = 500
PLATFORM: Final = "platform"

QUARANTINABLE: Final = frozenset(
    {
        "save_trade",
        "save_account",
        "record_idea",
        "set_watches",
        "audit",
        "acknowledge_kill_switch",
        "save_approval",
        "record_hedge",
        "record_day",
        "record_flows",
        "record_baseline",
    }
)
"""Steps that only write down what is so already. Raising a kill switch is not one of them."""


NeverSucceeds = Callable[[BaseException], bool]
"""Tells of a write's error whether no repeat of the write can succeed."""


class QuarantineInterceptor(Interceptor):
    """Let a worker's record steps succeed by setting aside what can never be written."""

    def __init__(
        self,
        quarantine: Quarantine,
        never_succeeds: NeverSucceeds,
        clock: Callable[[], datetime],
    ) -> None:
        self._quarantine = quarantine
        self._never_succeeds = never_succeeds
        self._clock = clock

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002
        """Stand before every step."""
        return _Inbound(next, self._quarantine, self._never_succeeds, self._clock)


class _Inbound(ActivityInboundInterceptor):
    def __init__(
        self,
        following: ActivityInboundInterceptor,
        quarantine: Quarantine,
        never_succeeds: NeverSucceeds,
        clock: Callable[[], datetime],
    ) -> None:
        super().__init__(following)
        self._quarantine = quarantine
        self._never_succeeds = never_succeeds
        self._clock = clock

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002
        try:
            return await super().execute_activity(input)
        except Exception as error:
            info = activity.info()
            step = info.activity_type
            if step not in QUARANTINABLE or info.attempt < ATTEMPTS:
                raise
            if not self._never_succeeds(error):
                raise
            write_id = f"{info.workflow_run_id}/{info.activity_id}"
            write = refused_write(write_id, step, input.args, error, self._clock())
            await self._quarantine.keep(write)
            QUARANTINED.labels(step).inc()
            log.exception(
                "a write can never succeed and is quarantined",
                account=write.account,
                step=step,
                write=write_id,
                reason=write.reason,
            )
            return None


def refused_write(
    write_id: str,
    step: str,
    arguments: Any,
    error: Exception,
    at: datetime,
    of_account: str | None = None,
) -> RefusedWrite:
    """Describe a write that the record refuses, in characters that it holds."""
    request = arguments[0] if arguments else None
    state = getattr(request, "state", None)
    plan = getattr(state, "plan", None)
    account = of_account or next(
        (
            found
            for part in (request, state, plan)
            if isinstance(found := getattr(part, "account", None), str)
        ),
        PLATFORM,
    )
    return RefusedWrite(
        account=cleaned_text(account),
        write_id=cleaned_text(write_id),
        step=step,
        reason=cleaned_text(f"{type(error).__name__}: {error}", REASON_LENGTH),
        content=_written(request)[:CONTENT_LENGTH],
        at=at,
    )


def _written(request: object) -> str:
    try:
        return ascii(to_json(request, fallback=repr).decode())
    except ValueError:
        return ascii(request)

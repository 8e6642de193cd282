"""How a command becomes a workflow update, once: idempotency, refusals, unreachable workflows."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any, TypeVar

from fastapi import Header, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from temporalio.client import (
    Client,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from activities.adapters.postgres.requests import RequestState
from api import problems
from api.authentication import Principal
from api.problems import ProblemError, refusal
from api.schemas import Answered
from api.services import Services
from models.contracts.names import trade_workflow_id
from models.trading.account_facts import Answer

Result = TypeVar("Result")

UPDATE_TIMEOUT = timedelta(seconds=10)

IdempotencyKey = Annotated[
    str, Header(alias="Idempotency-Key", min_length=8, max_length=128, pattern=r"^[!-~]+$")
]


@dataclass(frozen=True, slots=True)
class Command:
    """One request that changes something: who sent it, with which key and body, to what."""

    scope: str
    key: str
    caller: Principal
    body: BaseModel | None
    path: str

    @property
    def request_id(self) -> str:
        """Return the update id: the key, apart for each caller."""
        return f"{self.caller.name}/{self.key}"

    @property
    def body_hash(self) -> str:
        """Return the hash by which another body under the same key is recognised."""
        content = "" if self.body is None else self.body.model_dump_json()
        return hashlib.sha256(f"{self.path}\n{content}".encode()).hexdigest()


async def run_once(
    services: Services,
    command: Command,
    act: Callable[[], Awaitable[tuple[int, dict[str, Any]]]],
) -> JSONResponse:
    """Do what a command asks and remember the answer; a repeat gets the same answer.

    The workflow deduplicates by the same key, so a crash between doing and remembering repeats
    nothing. Problems that a later repeat may overcome (status 503) are not remembered.

    Raises:
        ProblemError: the key was used before with another body, or the command is refused.
    """
    now = datetime.now(UTC)
    key = command.request_id
    known = await services.requests.begin(command.scope, key, command.body_hash, now)
    if known.state is RequestState.OTHER_BODY:
        raise ProblemError(
            HTTPStatus.CONFLICT,
            "idempotency-key-reused",
            "This Idempotency-Key was used before with another request.",
        )
    if known.state is RequestState.ANSWERED and known.status and known.response is not None:
        media = problems.MEDIA_TYPE if known.status >= 400 else "application/json"
        return JSONResponse(known.response, status_code=known.status, media_type=media)
    try:
        status, response = await act()
    except ProblemError as problem:
        if problem.status == HTTPStatus.SERVICE_UNAVAILABLE:
            await services.requests.forget(command.scope, key)
            raise
        status, response = int(problem.status), problems.document(problem)
        await services.requests.finish(command.scope, key, status, response, datetime.now(UTC))
        raise
    await services.requests.finish(command.scope, key, status, response, datetime.now(UTC))
    return JSONResponse(response, status_code=status)


async def update_workflow(
    services: Services,
    workflow_id: str,
    update: str,
    argument: object,
    update_id: str,
    result_type: type[Result],
) -> Result:
    """Send an update to a running workflow and return its answer.

    Raises:
        ProblemError: no such workflow, or it does not answer in time.
    """
    client = connected(services)
    handle = client.get_workflow_handle(workflow_id)
    try:
        answer: Result = await handle.execute_update(
            update, argument, id=update_id, result_type=result_type, rpc_timeout=UPDATE_TIMEOUT
        )
    except WorkflowUpdateFailedError as error:
        cause = error.cause
        kind = cause.type if isinstance(cause, ApplicationError) and cause.type else "refused"
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY, kind, str(getattr(cause, "message", cause))
        ) from error
    except WorkflowUpdateRPCTimeoutOrCancelledError as error:
        raise _unanswered(workflow_id) from error
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise ProblemError(
                HTTPStatus.NOT_FOUND, "not-running", f"No running workflow {workflow_id}."
            ) from error
        raise _unanswered(workflow_id) from error
    return answer


def connected(services: Services) -> Client:
    """Return the client, or refuse while Temporal has not been reached."""
    if services.client is None:
        raise ProblemError(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "workflow-engine-unavailable",
            "The workflow engine has not been reached yet; repeat with the same key.",
        )
    return services.client


def answered(answer: Answer, account: str, status: HTTPStatus) -> tuple[int, dict[str, Any]]:
    """Return an accepted answer's response, or raise its refusal."""
    if not answer.accepted:
        raise refusal(answer)
    checks = [
        {"rule": c.rule, "code": c.code, "passed": c.passed, "reason": c.reason}
        for c in (answer.verdict.checks if answer.verdict else ())
    ]
    response = Answered(
        code=answer.code,
        detail=answer.detail,
        trade=answer.trade,
        client_order_id=answer.client_order_id,
        workflow=None if answer.trade is None else trade_workflow_id(account, answer.trade),
        checks=checks,
    )
    return int(status), response.model_dump(mode="json")


def command_of(
    request: Request, scope: str, key: str, caller: Principal, body: BaseModel | None = None
) -> Command:
    """Describe the command that a request carries."""
    return Command(scope, key, caller, body, f"{request.method} {request.url.path}")


def _unanswered(workflow_id: str) -> ProblemError:
    return ProblemError(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "not-answered",
        f"{workflow_id} did not answer in time; what it decided stands. Repeat with the same key.",
    )

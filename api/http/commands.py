"""How a command becomes a workflow update, once: idempotency, refusals, unreachable workflows."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any, TypeVar

import structlog
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

from activities.adapters.postgres.acting import REQUEST_ID
from activities.adapters.postgres.requests import KnownRequest, RequestState
from api.access.admission import check_update
from api.approvals.recorded import until_recorded
from api.http import problems
from api.http.problems import ProblemError, engine_unavailable, refusal
from api.http.tracing import noted_step
from api.messages.schemas import Answered, CheckMade
from api.services import Principal, Services
from infra.runtime.logs import correlated
from models.contracts.names import trade_workflow_id
from models.trading.answers import WAITING, Answer

log = structlog.get_logger(__name__)

Result = TypeVar("Result")
Response = tuple[int, dict[str, Any]]

UPDATE_TIMEOUT = timedelta(seconds=6)
NOT_RUNNING = "not-running"
JOINED = ("workflow", "trade", "client_order_id", "approval")
"""What of an answer the lines of other processes name too."""
ENDED_MEANWHILE = "AcceptedUpdateCompletedWorkflow"
"""How Temporal calls an update whose workflow ended before it answered."""

IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=8,
        max_length=128,
        pattern=r"^[!-~]+$",
        description="Made up by the caller; a repeat with the same key gets the same answer",
    ),
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
    services: Services, command: Command, act: Callable[[], Awaitable[Response]]
) -> JSONResponse:
    """Do what a command asks and remember the answer; a repeat gets the same answer.

    The workflow deduplicates by the same key, so a crash between doing and remembering repeats
    nothing, nor does the same request sent twice at once. A problem that a repeat may overcome is
    not remembered.

    Raises:
        ProblemError: the key was used before with another body, or the command is refused.
    """
    scope, key = command.scope, command.request_id
    known = await services.requests.begin(scope, key, command.body_hash, datetime.now(UTC))
    if known.state is RequestState.OTHER_BODY:
        raise ProblemError(
            HTTPStatus.CONFLICT,
            "idempotency-key-reused",
            "This Idempotency-Key was used before with another request.",
        )
    if known.state is RequestState.ANSWERED:
        return _as_remembered(known)
    REQUEST_ID.set(command.request_id)
    with correlated(request_id=command.request_id):
        try:
            status, response = await act()
        except ProblemError as problem:
            log.info("command refused", path=command.path, status=int(problem.status))
            if not problem.lasting:
                raise
            status, response = int(problem.status), problems.document(problem)
        else:
            about = {name: response[name] for name in JOINED if response.get(name)}
            log.info("command answered", path=command.path, status=status, **about)
    kept = await services.requests.finish(scope, key, status, response, datetime.now(UTC))
    return _as_remembered(kept)


def _as_remembered(known: KnownRequest) -> JSONResponse:
    status = known.status or HTTPStatus.OK
    media = problems.MEDIA_TYPE if status >= HTTPStatus.BAD_REQUEST else "application/json"
    return JSONResponse(known.response, status_code=status, media_type=media)


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
        ProblemError: it refuses the update, does not run, or does not answer in time, or the
            caller has no right to send it.
    """
    check_update(update)
    handle = connected(services).get_workflow_handle(workflow_id)
    try:
        # The client tries a refused connection again for much longer than a caller waits.
        with correlated(workflow_id=workflow_id), noted_step(f"{workflow_id} {update}"):
            async with asyncio.timeout(UPDATE_TIMEOUT.total_seconds()):
                answer: Result = await handle.execute_update(
                    update, argument, id=update_id, result_type=result_type
                )
    except WorkflowUpdateFailedError as error:
        cause = error.cause
        if isinstance(cause, ApplicationError) and cause.type == ENDED_MEANWHILE:
            raise _not_running(workflow_id) from error
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "request-refused",
            str(getattr(cause, "message", cause)),
        ) from error
    except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError) as error:
        raise _unanswered(workflow_id) from error
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise _not_running(workflow_id) from error
        raise _unanswered(workflow_id) from error
    return answer


def connected(services: Services) -> Client:
    """Return the client, or refuse while Temporal has not been reached."""
    if services.client is None:
        raise engine_unavailable()
    return services.client


async def answered(
    services: Services, answer: Answer, account: str, status: HTTPStatus
) -> Response:
    """Return the response of what was accepted or waits for a person, or raise its refusal.

    What waits is answered when its request for approval is in the record: an id that a caller has
    been given is one that can be looked up, approved and refused.

    Raises:
        ProblemError: it was refused; or 503, the request is not recorded yet.
    """
    if not answer.accepted and answer.code != WAITING:
        raise refusal(answer)
    if answer.code == WAITING and answer.approval is not None:
        await until_recorded(services, account, answer.approval)
    response = Answered(
        code=answer.code,
        detail=answer.detail,
        trade=answer.trade,
        client_order_id=answer.client_order_id,
        approval=answer.approval,
        workflow=None if answer.trade is None else trade_workflow_id(account, answer.trade),
        checks=[
            CheckMade(rule=c.rule, code=c.code, passed=c.passed, reason=c.reason)
            for c in (answer.verdict.checks if answer.verdict else ())
        ],
    )
    return int(status), response.model_dump(mode="json")


def command_of(
    request: Request, scope: str, key: str, caller: Principal, body: BaseModel | None = None
) -> Command:
    """Describe the command that a request carries."""
    return Command(scope, key, caller, body, f"{request.method} {request.url.path}")


def _not_running(workflow_id: str) -> ProblemError:
    return ProblemError(
        HTTPStatus.SERVICE_UNAVAILABLE,
        NOT_RUNNING,
        f"{workflow_id} does not run (yet or any more); repeat with the same key.",
        lasting=False,
    )


def _unanswered(workflow_id: str) -> ProblemError:
    return ProblemError(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "not-answered",
        f"{workflow_id} did not answer in time; what it decided stands. Repeat with the same key.",
        lasting=False,
    )

"""Problems as RFC 9457 documents, each with a stable ``type``; the only shape of an error."""

import re
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from temporalio.service import RPCError

from activities.adapters.postgres.governance.calls import NotAllowedError
from activities.adapters.temporal.engagements import EngineUnavailableError
from infra.runtime.database.connections import DatabaseUnavailableError
from models.trading.answers import Answer

_PARAMETER = re.compile(r"\{\w+\}")

log = structlog.get_logger(__name__)

TYPE_PREFIX = "urn:aether:problem:"
MEDIA_TYPE = "application/problem+json"
CHALLENGE = 'Bearer realm="Aether"'
IDEMPOTENCY_HELP = (
    "Requests that change something carry an Idempotency-Key header of 8 to 128 printable ASCII "
    "characters without spaces."
)

REFUSAL_STATUS: dict[str, HTTPStatus] = {
    "unknown-pair": HTTPStatus.NOT_FOUND,
    "unknown-trade": HTTPStatus.NOT_FOUND,
    "no-exchange": HTTPStatus.CONFLICT,
    "no-market-data": HTTPStatus.CONFLICT,
    "equity-unknown": HTTPStatus.CONFLICT,
    "limit-through-market": HTTPStatus.UNPROCESSABLE_ENTITY,
    "book-unknown": HTTPStatus.CONFLICT,
    "book-old": HTTPStatus.CONFLICT,
    "book-one-sided": HTTPStatus.CONFLICT,
    "book-crossed": HTTPStatus.CONFLICT,
    "book-too-thin": HTTPStatus.CONFLICT,
    "stale-market": HTTPStatus.CONFLICT,
    "price-in-doubt": HTTPStatus.CONFLICT,
    "account-halted": HTTPStatus.CONFLICT,
    "account-full": HTTPStatus.CONFLICT,
    "kill-switch-engaged": HTTPStatus.CONFLICT,
    "pair-not-trading": HTTPStatus.CONFLICT,
    "trade-closing": HTTPStatus.CONFLICT,
    "not-in-universe": HTTPStatus.CONFLICT,
    "outdated-change": HTTPStatus.CONFLICT,
    "approval-decided": HTTPStatus.CONFLICT,
    "request-outdated": HTTPStatus.CONFLICT,
    "second-person-needed": HTTPStatus.FORBIDDEN,
    "price-moved": HTTPStatus.CONFLICT,
    "too-many-waiting": HTTPStatus.CONFLICT,
    "live-refused": HTTPStatus.FORBIDDEN,
    "confirmation-needed": HTTPStatus.CONFLICT,
    "order-rate-exceeded": HTTPStatus.CONFLICT,
    "cooling-down": HTTPStatus.CONFLICT,
    "sanctioned-asset": HTTPStatus.FORBIDDEN,
    "stablecoin-off-peg": HTTPStatus.CONFLICT,
    "not-simulated": HTTPStatus.FORBIDDEN,
    "daily-drawdown": HTTPStatus.CONFLICT,
    "total-drawdown": HTTPStatus.CONFLICT,
    "day-peak-loss": HTTPStatus.CONFLICT,
    "week-loss": HTTPStatus.CONFLICT,
    "month-loss": HTTPStatus.CONFLICT,
    "strategy-loss": HTTPStatus.CONFLICT,
    "loss-unknown": HTTPStatus.CONFLICT,
    "open-risk": HTTPStatus.CONFLICT,
    "not-halted": HTTPStatus.CONFLICT,
    "halted-since": HTTPStatus.CONFLICT,
    "orders-open": HTTPStatus.CONFLICT,
    "positions-open": HTTPStatus.CONFLICT,
}
"""Refusals of the domain that are not 422: what the request asks for is well formed but absent, in
conflict with the state of account or market, or forbidden. None is a 503: each is the answer to its
key for good, while a 503 asks for a repeat under the same key."""


class ProblemError(Exception):
    """A request that cannot be fulfilled, with everything its answer needs.

    ``lasting`` is False for a problem that a repeat under the same key may overcome: it is no
    answer to the request, and is not remembered as one.
    """

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        detail: str,
        *,
        lasting: bool = True,
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.lasting = lasting
        self.headers = headers
        self.extra = extra


def refusal(answer: Answer) -> ProblemError:
    """Turn a refusal of the domain into its problem, with every check that failed."""
    status = REFUSAL_STATUS.get(answer.code, HTTPStatus.UNPROCESSABLE_ENTITY)
    failures = [
        {
            "rule": check.rule,
            "code": check.code,
            "reason": check.reason,
            "figure": None if check.figure is None else format(check.figure, "f"),
            "limit": None if check.limit is None else format(check.limit, "f"),
        }
        for check in (answer.verdict.failures if answer.verdict else ())
    ]
    return ProblemError(status, answer.code, answer.detail, checks=failures)


def unauthorized(challenge: str = CHALLENGE) -> ProblemError:
    """Return the refusal of a caller who is not known, which does not say what was wrong."""
    return ProblemError(
        HTTPStatus.UNAUTHORIZED,
        "unauthorized",
        "A valid token is required.",
        headers={"WWW-Authenticate": challenge},
    )


def token_expired(name: str, at: datetime) -> ProblemError:
    """Return the refusal of a token that was worth something until a time."""
    return ProblemError(
        HTTPStatus.UNAUTHORIZED,
        "token-expired",
        f"The token of {name} has expired at {at:%Y-%m-%d %H:%M} UTC. On the platform's machine: "
        f"aether admin renew-token {name}",
        headers={"WWW-Authenticate": f'{CHALLENGE}, error="invalid_token"'},
    )


def install(app: FastAPI) -> None:
    """Answer every error of the application as a problem."""
    app.add_exception_handler(ProblemError, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(RPCError, _on_engine)
    app.add_exception_handler(EngineUnavailableError, _on_engine)
    app.add_exception_handler(DatabaseUnavailableError, _on_database)
    app.add_exception_handler(NotAllowedError, _on_not_allowed)
    app.add_exception_handler(Exception, _on_bug)


def document(problem: ProblemError) -> dict[str, Any]:
    """Return the problem as RFC 9457 writes it."""
    return {
        "type": TYPE_PREFIX + problem.code,
        "title": problem.code.replace("-", " ").capitalize(),
        "status": int(problem.status),
        "detail": problem.detail,
        **problem.extra,
    }


def respond(problem: ProblemError) -> JSONResponse:
    """Return the answer that a problem is."""
    return JSONResponse(
        document(problem), int(problem.status), headers=problem.headers, media_type=MEDIA_TYPE
    )


async def _on_problem(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ProblemError)
    return respond(error)


async def _on_validation(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    if any(item["type"] == "json_invalid" for item in found):
        problem = ProblemError(
            HTTPStatus.BAD_REQUEST, "malformed-json", "The body is not valid JSON."
        )
        return respond(problem)
    errors = [{"field": _field(item["loc"]), "reason": item["msg"]} for item in found]
    of_key = [i for i in found if str(i["loc"][-1]).lower() == "idempotency-key"]
    if of_key:
        missing = of_key[0]["type"] == "missing"
        code = "idempotency-key-required" if missing else "idempotency-key-invalid"
        return respond(ProblemError(HTTPStatus.BAD_REQUEST, code, IDEMPOTENCY_HELP))
    detail = "; ".join(f"{e['field']}: {e['reason']}" for e in errors)
    return respond(
        ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", detail, errors=errors)
    )


def _field(location: tuple[int | str, ...]) -> str:
    # A field's name comes from the request: half a surrogate pair in it could not be sent back.
    name = ".".join(str(part) for part in location[1:]) or str(location[0])
    return name[:200].encode(errors="replace").decode()


async def _on_http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    code = status.phrase.lower().replace(" ", "-")
    headers = error.headers
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        headers = {"Allow": ", ".join(sorted(_methods_of(request)))}
    return respond(ProblemError(status, code, str(error.detail), headers=headers))


def _methods_of(request: Request) -> set[str]:
    """Return every method that the path of a request knows, whichever route has it."""
    methods: set[str] = set()
    for template, operations in request.app.openapi()["paths"].items():
        if re.fullmatch(_PARAMETER.sub("[^/]+", template), request.url.path):
            methods |= {method.upper() for method in operations}
    return methods


async def _on_engine(_: Request, error: Exception) -> JSONResponse:
    log.warning("workflow engine unavailable", error=str(error))
    return respond(engine_unavailable())


async def _on_database(_: Request, error: Exception) -> JSONResponse:
    detail = "The database did not answer; nothing is lost, repeat with the same key."
    log.warning("database unavailable", error=str(error))
    return respond(
        ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "database-unavailable", detail, lasting=False)
    )


async def _on_not_allowed(_: Request, error: Exception) -> JSONResponse:
    # The session ended between the first look at the request and its write.
    log.info("refused by the record", error=str(error))
    return respond(unauthorized())


async def _on_bug(request: Request, error: Exception) -> JSONResponse:
    log.error("request failed", path=request.url.path, exc_info=error)
    detail = "The request failed for a reason that the log of the API tells."
    return respond(ProblemError(HTTPStatus.INTERNAL_SERVER_ERROR, "internal-error", detail))


def engine_unavailable() -> ProblemError:
    """Return the problem of a workflow engine that cannot be reached (yet)."""
    return ProblemError(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "workflow-engine-unavailable",
        "The workflow engine does not answer; nothing is lost, repeat with the same key.",
        lasting=False,
    )

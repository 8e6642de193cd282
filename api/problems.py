"""Problems as RFC 9457 documents, each with a stable ``type``; the only shape of an error."""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from temporalio.service import RPCError

from models.trading.account_facts import Answer

TYPE_PREFIX = "urn:aether:problem:"
MEDIA_TYPE = "application/problem+json"

REFUSAL_STATUS: dict[str, HTTPStatus] = {
    "unknown-pair": HTTPStatus.NOT_FOUND,
    "unknown-trade": HTTPStatus.NOT_FOUND,
    "no-exchange": HTTPStatus.SERVICE_UNAVAILABLE,
    "no-market-data": HTTPStatus.SERVICE_UNAVAILABLE,
    "stale-market": HTTPStatus.SERVICE_UNAVAILABLE,
    "account-halted": HTTPStatus.CONFLICT,
    "kill-switch-engaged": HTTPStatus.CONFLICT,
    "trade-closing": HTTPStatus.CONFLICT,
    "live-refused": HTTPStatus.FORBIDDEN,
}
"""Refusals of the domain that are not 422: what the request asks for is well formed but absent,
unreachable, in conflict with the account's state, or forbidden."""


class ProblemError(Exception):
    """A request that cannot be fulfilled, with everything its answer needs."""

    def __init__(self, status: HTTPStatus, code: str, detail: str, **extra: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.extra = extra


def refusal(answer: Answer) -> ProblemError:
    """Turn a refusal of the domain into its problem, with every check that failed."""
    status = REFUSAL_STATUS.get(answer.code, HTTPStatus.UNPROCESSABLE_ENTITY)
    failures = [
        {
            "rule": check.rule,
            "code": check.code,
            "reason": check.reason,
            "figure": None if check.figure is None else str(check.figure),
            "limit": None if check.limit is None else str(check.limit),
        }
        for check in (answer.verdict.failures if answer.verdict else ())
    ]
    return ProblemError(status, answer.code, answer.detail, checks=failures)


def install(app: FastAPI) -> None:
    """Answer every error of the application as a problem."""
    app.add_exception_handler(ProblemError, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(RPCError, _on_rpc)


def document(problem: ProblemError) -> dict[str, Any]:
    """Return the problem as RFC 9457 writes it."""
    return {
        "type": TYPE_PREFIX + problem.code,
        "title": problem.code.replace("-", " ").capitalize(),
        "status": int(problem.status),
        "detail": problem.detail,
        **problem.extra,
    }


def _respond(problem: ProblemError) -> JSONResponse:
    unauthorized = problem.status == HTTPStatus.UNAUTHORIZED
    return JSONResponse(
        document(problem),
        status_code=int(problem.status),
        media_type=MEDIA_TYPE,
        headers={"WWW-Authenticate": "Bearer"} if unauthorized else None,
    )


async def _on_problem(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ProblemError)
    return _respond(error)


async def _on_validation(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    problems = [
        {"field": ".".join(str(part) for part in item["loc"][1:]), "reason": item["msg"]}
        for item in error.errors()
    ]
    if any(item["type"] == "json_invalid" for item in error.errors()):
        return _respond(
            ProblemError(HTTPStatus.BAD_REQUEST, "malformed-json", "The body is not valid JSON.")
        )
    missing = [p for p in problems if str(p["field"]).lower() == "idempotency-key"]
    if missing:
        detail = (
            "Requests that change something carry an Idempotency-Key header (8 to 128 characters)."
        )
        return _respond(ProblemError(HTTPStatus.BAD_REQUEST, "idempotency-key-required", detail))
    detail = "; ".join(f"{p['field']}: {p['reason']}" for p in problems)
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    return _respond(ProblemError(status, "invalid-request", detail, errors=problems))


async def _on_http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
    return _respond(ProblemError(HTTPStatus(error.status_code), code, str(error.detail)))


async def _on_rpc(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RPCError)
    detail = "The workflow engine did not answer; nothing is lost, repeat with the same key."
    return _respond(
        ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "workflow-engine-unavailable", detail)
    )

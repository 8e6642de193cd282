"""The change freeze: begun and ended by hand, and broken glass until somebody has reviewed it."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from http import HTTPStatus

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse

from activities.adapters.postgres.governance.freezes import PostgresFreezes
from activities.adapters.postgres.governance.platform_settings import PostgresPlatformSettings
from api.approvals.freezing import freezes_now
from api.http.authentication import Caller, authenticate
from api.http.commands import Command, IdempotencyKey, Response, command_of, run_once
from api.http.problems import ProblemError
from api.messages.bodies import Number
from api.messages.freezes import ChangeFreezeReason, FreezeBreak, FreezeNow, FreezeState
from api.services import Services, services_of
from infra.runtime.database.connections import PLATFORM_SCOPE

router = APIRouter(prefix="/freeze", tags=["freeze"], dependencies=[Depends(authenticate)])

SHOWN = 100


@router.get("")
async def get_freeze(request: Request) -> FreezeState:
    """Return whether changes are frozen now, why, and what was done in spite of it."""
    return await _state(services_of(request))


@router.post("", status_code=HTTPStatus.ACCEPTED, response_model=FreezeState)
async def begin_freeze(
    request: Request, body: ChangeFreezeReason, caller: Caller, key: IdempotencyKey
) -> JSONResponse:
    """Freeze changes until somebody ends it; the kill switch, closes and tightening go on."""

    async def act(freezes: PostgresFreezes, command: Command) -> None:
        # Two at once are one too many, and no harm: both have to be ended.
        if not any(row.begun_by == caller.name for row in await freezes.standing()):
            await freezes.begin(command.caller.name, datetime.now(UTC), body.reason)

    return await _changed(request, body, caller, key, act)


@router.post("/{number}/end", response_model=FreezeState)
async def end_freeze(
    request: Request,
    number: Number,
    body: ChangeFreezeReason,
    caller: Caller,
    key: IdempotencyKey,
) -> JSONResponse:
    """End a freeze that was begun by hand."""

    async def act(freezes: PostgresFreezes, command: Command) -> None:
        if not await freezes.end(number, command.caller.name, datetime.now(UTC), body.reason):
            standing = f"No freeze {number} holds."
            raise ProblemError(HTTPStatus.NOT_FOUND, "unknown-freeze", standing)

    return await _changed(request, body, caller, key, act)


@router.post("/breaks/{number}/review", response_model=FreezeState)
async def review_break(
    request: Request,
    number: Number,
    body: ChangeFreezeReason,
    caller: Caller,
    key: IdempotencyKey,
) -> JSONResponse:
    """Review what another person did in spite of a freeze."""

    async def act(freezes: PostgresFreezes, command: Command) -> None:
        if not await freezes.review(number, command.caller.name, datetime.now(UTC), body.reason):
            raise ProblemError(
                HTTPStatus.CONFLICT,
                "not-reviewable",
                f"Break {number} is unknown, reviewed already, or your own.",
            )

    return await _changed(request, body, caller, key, act)


async def _changed(
    request: Request,
    body: ChangeFreezeReason,
    caller: Caller,
    key: str,
    act: Callable[[PostgresFreezes, Command], Awaitable[None]],
) -> JSONResponse:
    services = services_of(request)
    command = command_of(request, PLATFORM_SCOPE, key, caller, body)
    status = request.scope["route"].status_code or HTTPStatus.OK

    async def change() -> Response:
        await act(PostgresFreezes(services.database), command)
        return int(status), (await _state(services)).model_dump(mode="json")

    return await run_once(services, command, change)


async def _state(services: Services) -> FreezeState:
    standing = await freezes_now(services)
    rules = await PostgresPlatformSettings(services.database).rules()
    breaks = await PostgresFreezes(services.database).breaks(SHOWN)
    return FreezeState(
        frozen=bool(standing),
        standing=[FreezeNow.model_validate(one) for one in standing],
        windows=list(rules.freeze_windows),
        breaks=[FreezeBreak.model_validate(row) for row in breaks],
    )

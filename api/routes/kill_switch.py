"""The kill switch: one action stops every account, or those named."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from sqlalchemy import select, text
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError

from api import reading
from api.authentication import Caller, authenticate
from api.commands import IdempotencyKey, command_of, connected, run_once, update_workflow
from api.problems import ProblemError
from api.schemas import Answered, Engage, KillSwitch, Lift
from api.services import Services, services_of
from infra.runtime.database import PLATFORM_SCOPE
from models.contracts.names import TRADING_QUEUE, kill_switch_workflow_id
from models.contracts.workflows import KillSwitchInput, KillSwitchProgress, LiftApproved
from models.tables.governance import KillSwitchRow

router = APIRouter(
    prefix="/kill-switch", tags=["kill switch"], dependencies=[Depends(authenticate)]
)


@router.get("")
async def status(request: Request) -> list[KillSwitch]:
    """List every engagement, newest first; one that stands has no ``lifted_at``."""
    query = select(KillSwitchRow).order_by(KillSwitchRow.number.desc())  # type: ignore[attr-defined]
    async with services_of(request).database.no_scope() as session:
        found = await reading.rows(session, query)
    return [KillSwitch.model_validate(row) for row in found]


@router.post("", status_code=HTTPStatus.ACCEPTED, response_model=KillSwitch)
async def engage(
    request: Request, body: Engage, caller: Caller, key: IdempotencyKey
) -> JSONResponse:
    """Stop entries, withdraw open ones, keep positions protected or flatten them.

    The flag stands in the database before this answers, so no entry leaves any more even while the
    workflow engine is down; the workflow then tells the accounts.
    """
    services = services_of(request)
    command = command_of(request, PLATFORM_SCOPE, key, caller, body)

    async def act() -> tuple[int, dict[str, Any]]:
        accounts = await _accounts(services, body)
        number = await _number(services)
        now = datetime.now(UTC)
        await services.journal.engage_kill_switch(
            number, accounts, flatten=body.flatten, reason=body.reason, by=caller.name, at=now
        )
        await start_workflow(
            services,
            KillSwitchInput(number, tuple(accounts), body.flatten, body.reason, caller.name, now),
        )
        async with services.database.no_scope() as session:
            row = await session.get_one(KillSwitchRow, number)
        return int(HTTPStatus.ACCEPTED), KillSwitch.model_validate(row).model_dump(mode="json")

    return await run_once(services, command, act)


@router.post("/{number}/lift", response_model=Answered)
async def lift(
    request: Request, number: int, body: Lift, caller: Caller, key: IdempotencyKey
) -> JSONResponse:
    """Approve the lift of a kill switch.

    One administrator suffices until people with roles exist; ``/readyz`` names that lesser form.
    """
    services = services_of(request)
    command = command_of(request, PLATFORM_SCOPE, key, caller, body)

    async def act() -> tuple[int, dict[str, Any]]:
        message = LiftApproved(command.request_id, caller.name, datetime.now(UTC))
        await update_workflow(
            services,
            kill_switch_workflow_id(number),
            "approve_lift",
            message,
            command.request_id,
            KillSwitchProgress,
        )
        answer = Answered(code="accepted", detail=f"Kill switch {number} is being lifted.")
        return int(HTTPStatus.OK), answer.model_dump(mode="json")

    return await run_once(services, command, act)


async def start_workflow(services: Services, given: KillSwitchInput) -> None:
    """Start the workflow of an engagement; one that runs already is left alone.

    A workflow engine that does not answer is no failure of the kill switch: the flag stands, and
    the trading worker starts the workflow of every engagement that stands when it comes up.
    """
    try:
        await connected(services).start_workflow(
            "KillSwitchWorkflow",
            given,
            id=kill_switch_workflow_id(given.number),
            task_queue=TRADING_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        )
    except (RPCError, ProblemError):
        await services.journal.audit(
            PLATFORM_SCOPE,
            "aether",
            "kill_switch_workflow_delayed",
            {"number": str(given.number)},
            kill_switch_workflow_id(given.number),
        )


async def _accounts(services: Services, body: Engage) -> list[str]:
    known = await services.database.accounts()
    unknown = sorted(set(body.accounts) - set(known))
    if unknown:
        raise ProblemError(
            HTTPStatus.NOT_FOUND, "unknown-account", f"No account {', '.join(unknown)}."
        )
    return sorted(body.accounts) or known


async def _number(services: Services) -> int:
    found = await services.database.call(text("SELECT nextval('kill_switch_numbers')"))
    return int(found[0][0])

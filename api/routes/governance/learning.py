"""Learning: trainings, the ledger of trials, and which model trades."""

import asyncio
import hashlib
from contextlib import suppress
from http import HTTPStatus

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from activities.adapters.postgres.learning import champions
from activities.policies import START_TIMEOUT
from api.http.authentication import Caller, authenticate
from api.http.commands import IdempotencyKey, Response, command_of, connected, run_once
from api.http.problems import ProblemError
from api.messages.bodies import PageSize
from api.messages.learning import (
    Champion,
    RollBack,
    StartTraining,
    TrainingStarted,
    TrainingView,
    TrialView,
)
from api.queries import learning as queries
from api.services import Services, services_of
from infra.runtime.database.connections import PLATFORM_SCOPE
from models.contracts.learning import (
    LEARNING_QUEUE,
    TRAINING_WORKFLOW,
    TrainingRequest,
    training_workflow_id,
)

router = APIRouter(prefix="/learning", tags=["learning"], dependencies=[Depends(authenticate)])


@router.post("/trainings", response_model=TrainingStarted)
async def start_training(
    request: Request, body: StartTraining, caller: Caller, key: IdempotencyKey
) -> JSONResponse:
    """Start a training; what it finds trades only by the gate and another person's approval."""
    services = services_of(request)
    if not services.settings.learning:
        raise ProblemError(
            HTTPStatus.CONFLICT, "learning-off", "Learning is off: start with AETHER_LEARNING=1."
        )
    command = command_of(request, PLATFORM_SCOPE, key, caller, body)

    async def act() -> Response:
        run_id = hashlib.sha256(command.request_id.encode()).hexdigest()[:20]
        await _start(services, TrainingRequest(run_id, caller.name, body.reason))
        return int(HTTPStatus.ACCEPTED), TrainingStarted(run_id=run_id).model_dump(mode="json")

    return await run_once(services, command, act)


@router.get("/trainings")
async def list_trainings(request: Request, *, limit: PageSize = 100) -> list[TrainingView]:
    """List trainings, newest first, with their progress and what the gate said."""
    return await queries.trainings(services_of(request).database, limit)


@router.get("/trials")
async def list_trials(request: Request, *, limit: PageSize = 100) -> list[TrialView]:
    """List every trial that was ever run, newest first: the ledger that the gate counts."""
    return await queries.trials(services_of(request).database, limit)


@router.get("/champion")
async def get_champion(request: Request) -> Champion:
    """Return which model trades; ``no-trade`` is the default."""
    return Champion.model_validate(await champions.champion(services_of(request).database))


@router.post("/champion/rollback", response_model=Champion)
async def roll_back_champion(
    request: Request, body: RollBack, caller: Caller, key: IdempotencyKey
) -> JSONResponse:
    """Withdraw the champion: the one before it trades again, or nothing does."""
    services = services_of(request)
    command = command_of(request, PLATFORM_SCOPE, key, caller, body)

    async def act() -> Response:
        row = await champions.roll_back(services.database, caller.name, body.reason)
        return int(HTTPStatus.OK), Champion.model_validate(row).model_dump(mode="json")

    return await run_once(services, command, act)


async def _start(services: Services, wanted: TrainingRequest) -> None:
    try:
        async with asyncio.timeout(START_TIMEOUT.total_seconds()):
            with suppress(WorkflowAlreadyStartedError):
                await connected(services).start_workflow(
                    TRAINING_WORKFLOW,
                    wanted,
                    id=training_workflow_id(wanted.run_id),
                    task_queue=LEARNING_QUEUE,
                    id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                )
    except (TimeoutError, RPCError) as error:
        raise ProblemError(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "not-answered",
            "The workflow engine does not answer. Repeat with the same key.",
            lasting=False,
        ) from error

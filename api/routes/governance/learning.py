"""Learning: trainings, the ledger of trials, and which model trades."""

import asyncio
import hashlib
from contextlib import suppress
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import JSONResponse
from temporalio.client import WorkflowExecutionStatus, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from activities.adapters.postgres import audit
from activities.adapters.postgres.learning import champions
from activities.policies import START_TIMEOUT
from api.approvals.asking import require_person_to_ask
from api.http.authentication import Caller, authenticate
from api.http.commands import (
    Command,
    IdempotencyKey,
    Response,
    command_of,
    connected,
    run_once,
)
from api.http.problems import ProblemError
from api.messages.bodies import PageSize
from api.messages.learning import (
    Champion,
    DriftView,
    ModelView,
    PredictionView,
    RollBack,
    SignalGraph,
    StartTraining,
    TrainingCancelled,
    TrainingStarted,
    TrainingView,
    TrialView,
)
from api.queries.learning import trainings as queries
from api.queries.learning.drift import drift
from api.queries.learning.signal_graph import signal_graph
from api.services import Principal, Services, services_of
from infra.runtime.database.connections import PLATFORM_SCOPE
from models.contracts.learning import (
    LEARNING_QUEUE,
    TRAINING_WORKFLOW,
    TrainingRequest,
    training_workflow_id,
)
from models.trading.governance.subjects import Subject

router = APIRouter(prefix="/learning", tags=["learning"], dependencies=[Depends(authenticate)])

Run = Annotated[str, Path(min_length=1, max_length=60, pattern=r"^[a-z0-9-]+$")]


@router.post("/trainings", response_model=TrainingStarted)
async def start_training(
    request: Request, body: StartTraining, caller: Caller, key: IdempotencyKey
) -> JSONResponse:
    """Start a training; what it finds trades only by the gate and another person's approval."""
    services = services_of(request)
    await require_person_to_ask(request, Subject.PROMOTE_MODEL)
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


@router.post("/trainings/{run}/cancel", response_model=TrainingCancelled)
async def cancel_training(
    request: Request, run: Run, caller: Caller, key: IdempotencyKey
) -> JSONResponse:
    """Cancel a training that has not ended: it stops after the trial under way, and asks nobody.

    One that has ended stays as it ended, and the answer is 409.
    """
    services = services_of(request)
    await require_person_to_ask(request, Subject.PROMOTE_MODEL)
    command = command_of(request, PLATFORM_SCOPE, key, caller)

    async def act() -> Response:
        await _cancel(services, run, caller)
        return int(HTTPStatus.OK), TrainingCancelled(run_id=run).model_dump(mode="json")

    return await run_once(services, command, act)


@router.get("/trainings")
async def list_trainings(request: Request, *, limit: PageSize = 100) -> list[TrainingView]:
    """List trainings, newest first, with their progress and what the gate said."""
    return await queries.trainings(services_of(request).database, limit)


@router.get("/trials")
async def list_trials(request: Request, *, limit: PageSize = 100) -> list[TrialView]:
    """List every trial that was ever run, newest first: the ledger that the gate counts."""
    return await queries.trials(services_of(request).database, limit)


@router.get("/models")
async def list_models(request: Request, *, limit: PageSize = 100) -> list[ModelView]:
    """List the registered models, newest first; no trade is the first of them."""
    return await queries.models(services_of(request).database, limit)


@router.get("/predictions")
async def list_predictions(request: Request, *, limit: PageSize = 100) -> list[PredictionView]:
    """List what champions have decided, newest first, with why where they could not."""
    return await queries.predictions(services_of(request).database, limit)


@router.get("/graph")
async def get_signal_graph(
    request: Request,
    *,
    of: Annotated[
        str | None, Query(max_length=100, description="Only what this depends on")
    ] = None,
    feeds: Annotated[str | None, Query(max_length=100, description="Only what it feeds")] = None,
) -> SignalGraph:
    """Show which data feed which features, regimes, models and strategies, from either end."""
    from models.learning.graph import UnknownNodeError

    registered = await queries.models(services_of(request).database, 500)
    try:
        return await asyncio.to_thread(signal_graph, registered, of, feeds)
    except UnknownNodeError as error:
        raise ProblemError(HTTPStatus.NOT_FOUND, "unknown-node", str(error)) from error


@router.get("/champion")
async def get_champion(request: Request) -> Champion:
    """Return which model trades; ``no-trade`` is the default."""
    return Champion.model_validate(await champions.champion(services_of(request).database))


@router.get("/drift")
async def get_drift(request: Request) -> DriftView:
    """Return how far the features are from what the champion learnt, by the nightly run."""
    return await drift(services_of(request).database)


@router.post("/champion/rollback", response_model=Champion)
async def roll_back_champion(
    request: Request, body: RollBack, caller: Caller, key: IdempotencyKey
) -> JSONResponse:
    """Withdraw the champion: the one before it trades again, or nothing does.

    One champion and no other, however often it is sent: where that one was followed meanwhile,
    nothing changes and the answer is 409.
    """
    services = services_of(request)
    command = command_of(request, PLATFORM_SCOPE, key, caller, body)

    async def act() -> Response:
        # The record decides at once; the registry's alias follows with the next look of the watch.
        expected = await _in_force(services, command)
        withdrawn = await champions.roll_back(
            services.database, caller.name, body.reason, expected=expected
        )
        row = withdrawn.followed_by
        if not withdrawn.done and (row.changed_by, row.reason) != (caller.name, body.reason):
            raise ProblemError(
                HTTPStatus.CONFLICT,
                "champion-changed",
                f"{row.model} was put in force meanwhile, by {row.changed_by}: nothing is "
                "withdrawn.",
            )
        return int(HTTPStatus.OK), Champion.model_validate(row).model_dump(mode="json")

    return await run_once(services, command, act)


async def _in_force(services: Services, command: Command) -> int:
    # Fixed with the request: repeated after a crash, it must not withdraw a second champion.
    candidate = {"number": (await champions.champion(services.database)).number}
    kept = await services.requests.settle(command.scope, command.request_id, candidate)
    return int(kept["number"])


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
        raise _unanswered() from error


async def _cancel(services: Services, run: str, caller: Principal) -> None:
    handle: WorkflowHandle[object, object] = connected(services).get_workflow_handle(
        training_workflow_id(run)
    )
    try:
        async with asyncio.timeout(START_TIMEOUT.total_seconds()):
            is_running = (await handle.describe()).status is WorkflowExecutionStatus.RUNNING
            if not is_running and not await queries.training_cancelled_by(services.database, run):
                raise _over(run)
            if is_running:
                # Who asked is in the record before anything ends by it.
                async with services.database.account_scope(PLATFORM_SCOPE) as session:
                    await audit.append(
                        session, PLATFORM_SCOPE, caller.name, "training_cancelled", {"run": run},
                        once=True,
                    )  # fmt: skip
                await handle.cancel()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            message = f"No training {run} runs."
            raise ProblemError(HTTPStatus.NOT_FOUND, "unknown-run", message) from error
        raise _unanswered() from error
    except TimeoutError as error:
        raise _unanswered() from error


def _over(run: str) -> ProblemError:
    message = f"Training {run} has ended already: nothing is cancelled."
    return ProblemError(HTTPStatus.CONFLICT, "training-over", message)


def _unanswered() -> ProblemError:
    return ProblemError(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "not-answered",
        "The workflow engine does not answer. Repeat with the same key.",
        lasting=False,
    )

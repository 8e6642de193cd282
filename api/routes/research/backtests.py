"""Backtests: asked for, watched, cancelled, read, compared. They run in the research process."""

import asyncio
import hashlib
from contextlib import suppress
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from activities.adapters.postgres import audit
from activities.policies import START_TIMEOUT
from api.http.authentication import Caller, authenticate
from api.http.commands import IdempotencyKey, Response, command_of, connected, run_once
from api.http.problems import ProblemError
from api.messages.backtests import (
    BacktestChoices,
    BacktestComparison,
    BacktestDetail,
    BacktestStarted,
    BacktestView,
    ComparedFigureView,
    StartBacktest,
)
from api.messages.bodies import LARGEST_INTEGER, PageSize
from api.queries.research import backtests as queries
from api.services import Principal, Services, services_of
from infra.runtime.database.connections import PLATFORM_SCOPE
from models.contracts.backtests import (
    BACKTEST_WORKFLOW,
    RESEARCH_QUEUE,
    WAITING_MAXIMUM,
    BacktestRequest,
    backtest_workflow_id,
)
from models.reporting.backtest.comparison import compare_figures, obstacles
from models.tables import BacktestRow

router = APIRouter(prefix="/backtests", tags=["backtests"], dependencies=[Depends(authenticate)])

RunId = Annotated[str, Path(min_length=1, max_length=40, pattern=r"^[a-z0-9]+$")]
Which = Annotated[
    str,
    Query(
        pattern=r"^[a-z0-9]{1,40}(\.[1-9][0-9]{0,3})?$",
        description="A backtest's id, with .NUMBER of one of its results (the first without it)",
    ),
]
_WAITING = text("SELECT count(*) FROM backtests WHERE state IN ('queued', 'running')")
_CANCELLED = text(
    """UPDATE backtests SET cancelled_by = :by
       WHERE run_id = :run_id AND state IN ('queued', 'running')"""
)
_NEVER_RAN = text(
    """UPDATE backtests SET state = 'cancelled', reason = 'cancelled by a person', ended_at = :at
       WHERE run_id = :run_id AND state IN ('queued', 'running')"""
)


@router.post("", response_model=BacktestStarted)
async def start_backtest(
    request: Request, body: StartBacktest, caller: Caller, key: IdempotencyKey
) -> JSONResponse:
    """Ask for a backtest; it runs in the research process, one after the other."""
    services = services_of(request)
    command = command_of(request, PLATFORM_SCOPE, key, caller, body)

    async def act() -> Response:
        run_id = hashlib.sha256(command.request_id.encode()).hexdigest()[:20]
        wanted = BacktestRequest(run_id, caller.name, **_asked(body))
        await _note(services, body, run_id, caller)
        await _start(services, wanted)
        return int(HTTPStatus.ACCEPTED), BacktestStarted(run_id=run_id).model_dump(mode="json")

    return await run_once(services, command, act)


@router.get("")
async def list_backtests(request: Request, *, limit: PageSize = 100) -> list[BacktestView]:
    """List backtests, newest first, with how far each is."""
    return await queries.backtests(services_of(request).database, limit)


@router.get("/choices")
async def get_backtest_choices(request: Request) -> BacktestChoices:
    """Return the strategies, recordings and fee schedules that a backtest can be made of."""
    services = services_of(request)
    return await queries.choices(services.database, services.settings.learning_data)


@router.get("/comparison")
async def compare_backtests(request: Request, first: Which, second: Which) -> BacktestComparison:
    """Return the figures of two results, and what besides the strategy differs."""
    services = services_of(request)
    (one, a), (other, b) = [await _result(services, which) for which in (first, second)]
    rows = compare_figures(a["figures"], b["figures"])
    asked = [view.asked.model_dump(mode="json") for view in (one, other)]
    return BacktestComparison(
        first=f"{a['strategy']}: {a['label']}",
        second=f"{b['strategy']}: {b['label']}",
        obstacles=obstacles(asked[0], asked[1], (a, b)),
        figures=[ComparedFigureView.model_validate(row) for row in rows],
    )


@router.get("/{run_id}")
async def get_backtest(request: Request, run_id: RunId) -> BacktestDetail:
    """Return one backtest with its results: figures, curve, newest trades."""
    return await _found(services_of(request), run_id)


@router.get(
    "/{run_id}/page",
    response_class=HTMLResponse,
    responses={200: {"content": {"text/html": {"schema": {"type": "string"}}}}},
)
async def get_backtest_page(request: Request, run_id: RunId) -> HTMLResponse:
    """Return the backtest as one HTML page that needs nothing beside it, to be kept."""
    html = await queries.page(services_of(request).database, run_id)
    if html is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, "no-page", f"Backtest {run_id} has no page (yet).")
    name = f'attachment; filename="backtest-{run_id}.html"'
    return HTMLResponse(html, headers={"Content-Disposition": name})


@router.post("/{run_id}/cancel", response_model=BacktestDetail)
async def cancel_backtest(
    request: Request, run_id: RunId, caller: Caller, key: IdempotencyKey
) -> JSONResponse:
    """Cancel a backtest that waits or runs; one that has ended stays as it ended."""
    services = services_of(request)
    command = command_of(request, PLATFORM_SCOPE, key, caller)

    async def act() -> Response:
        view = await _found(services, run_id)
        if view.state in ("queued", "running"):
            await _cancel(services, run_id, caller)
            view = await _found(services, run_id)
        return int(HTTPStatus.OK), view.model_dump(mode="json")

    return await run_once(services, command, act)


def _asked(body: StartBacktest) -> dict[str, Any]:
    words = body.model_dump()
    return words | {name: tuple(words[name]) for name in ("strategies", "pairs", "sweep")}


async def _found(services: Services, run_id: str) -> BacktestDetail:
    found = await queries.backtest(services.database, run_id)
    if found is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, "unknown-run", f"No backtest {run_id}.")
    return found


async def _result(services: Services, which: str) -> tuple[BacktestDetail, dict[str, Any]]:
    run_id, _, number = which.partition(".")
    view = await _found(services, run_id)
    if int(number or 1) > LARGEST_INTEGER or not view.results:
        raise ProblemError(
            HTTPStatus.CONFLICT, "no-result", f"Backtest {run_id} has no result ({view.state})."
        )
    document = await queries.result(services.database, run_id, int(number or 1))
    if document is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, "unknown-run", f"No result {which}.")
    return view, document


async def _note(services: Services, body: StartBacktest, run_id: str, caller: Principal) -> None:
    """Write down what was asked, once; refused where too many wait."""
    values = {
        "run_id": run_id,
        "requested_by": caller.name,
        "requested_at": datetime.now(UTC),
        "asked": body.model_dump(mode="json"),
        "state": "queued",
        "stage": "waiting for its turn",
        "done": 0,
        "planned": 0,
        "reason": "",
    }
    details = {"run": run_id, "strategies": ", ".join(body.strategies), "venue": body.venue}
    async with services.database.account_scope(PLATFORM_SCOPE) as session:
        if await session.get(BacktestRow, run_id) is not None:
            return
        if (await session.sql(_WAITING)).scalar_one() >= WAITING_MAXIMUM:
            raise ProblemError(
                HTTPStatus.CONFLICT,
                "too-many-wait",
                f"{WAITING_MAXIMUM} backtests wait or run already: cancel some, or wait.",
                lasting=False,
            )
        # The same request sent twice at once is noted once, and audited by whoever noted it.
        noted = insert(BacktestRow).values(values).on_conflict_do_nothing()
        if (await session.exec(noted)).rowcount == 1:
            await audit.append(session, PLATFORM_SCOPE, caller.name, "backtest_requested", details)


async def _start(services: Services, wanted: BacktestRequest) -> None:
    try:
        async with asyncio.timeout(START_TIMEOUT.total_seconds()):
            with suppress(WorkflowAlreadyStartedError):
                await connected(services).start_workflow(
                    BACKTEST_WORKFLOW,
                    wanted,
                    id=backtest_workflow_id(wanted.run_id),
                    task_queue=RESEARCH_QUEUE,
                    id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                )
    except (TimeoutError, RPCError) as error:
        raise _unanswered() from error


async def _cancel(services: Services, run_id: str, caller: Principal) -> None:
    async with services.database.account_scope(PLATFORM_SCOPE) as session:
        noted = await session.sql(_CANCELLED, {"run_id": run_id, "by": caller.name})
        if noted.rowcount == 1:
            details = {"run": run_id}
            await audit.append(
                session, PLATFORM_SCOPE, caller.name, "backtest_cancelled", details, once=True
            )
    handle = connected(services).get_workflow_handle(backtest_workflow_id(run_id))
    try:
        async with asyncio.timeout(START_TIMEOUT.total_seconds()):
            await handle.cancel()
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise _unanswered() from error
        # Its workflow never began, or is over: nobody else would say so.
        async with services.database.no_scope() as session:
            await session.sql(_NEVER_RAN, {"run_id": run_id, "at": datetime.now(UTC)})
    except TimeoutError as error:
        raise _unanswered() from error


def _unanswered() -> ProblemError:
    return ProblemError(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "not-answered",
        "The workflow engine does not answer. Repeat with the same key.",
        lasting=False,
    )

"""Stress: the present portfolio put through shocks, now or as it was done before."""

import hashlib
from http import HTTPStatus

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from sqlmodel import col, select

from api.http import reading
from api.http.authentication import Caller, authenticate
from api.http.commands import IdempotencyKey, Response, command_of, run_once
from api.http.problems import ProblemError
from api.http.running import run_workflow
from api.messages.bodies import AccountName, PageSize, RunName
from api.messages.stress import RunStress, StressSummary, StressView
from api.services import Services, services_of
from models.contracts.names import STRESS_WORKFLOW, stress_workflow_id
from models.contracts.stress import StressDone, StressRequest
from models.tables import StressRow

router = APIRouter(
    prefix="/accounts/{account}/stress", tags=["stress"], dependencies=[Depends(authenticate)]
)


@router.post("", response_model=StressView)
async def run_stress(
    request: Request, account: AccountName, body: RunStress, caller: Caller, key: IdempotencyKey
) -> JSONResponse:
    """Put the portfolio through shocks now and return the effect on each limit."""
    services = services_of(request)
    await reading.require_account(services.database, account)
    command = command_of(request, account, key, caller, body)

    async def act() -> Response:
        run_id = hashlib.sha256(command.request_id.encode()).hexdigest()[:20]
        shocks = tuple(shock.shock() for shock in body.shocks)
        wanted = StressRequest(account, run_id, caller.name, shocks, body.historical)
        workflow_id = stress_workflow_id(account, run_id)
        await run_workflow(services, STRESS_WORKFLOW, wanted, workflow_id, StressDone)
        return int(HTTPStatus.OK), (await _run(services, account, run_id)).model_dump(mode="json")

    return await run_once(services, command, act)


@router.get("")
async def list_stress_runs(
    request: Request, account: AccountName, *, limit: PageSize = 100
) -> list[StressSummary]:
    """List the account's runs, newest first."""
    database = services_of(request).database
    await reading.require_account(database, account)
    query = select(StressRow).order_by(col(StressRow.at).desc()).limit(limit)
    async with database.account_scope(account) as session:
        return [StressSummary.model_validate(row) for row in await session.exec(query)]


@router.get("/{run_id:path}")
async def get_stress_run(request: Request, account: AccountName, run_id: RunName) -> StressView:
    """Return one run with every shock and its effect on each limit."""
    services = services_of(request)
    await reading.require_account(services.database, account)
    return await _run(services, account, run_id)


async def _run(services: Services, account: str, run_id: str) -> StressView:
    async with services.database.account_scope(account) as session:
        row = await session.get(StressRow, (account, run_id))
    if row is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, "unknown-run", f"No stress run {run_id}.")
    return StressView.model_validate(row)

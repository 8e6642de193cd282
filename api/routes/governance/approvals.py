"""Requests for approval: what waits for a person, and their decisions."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import JSONResponse
from sqlmodel import col, select

from api.access.admission import allowed, require
from api.http.authentication import Caller, authenticate
from api.http.commands import (
    NOT_RUNNING,
    IdempotencyKey,
    Response,
    answered,
    command_of,
    run_once,
    update_workflow,
)
from api.http.problems import ProblemError
from api.lapsing import refuse_revoked
from api.messages.bodies import PageSize
from api.messages.decisions import Approval, Approve, Refuse
from api.messages.schemas import Answered
from api.queries.market import market_of
from api.services import Services, services_of
from infra.runtime.database.connections import PLATFORM_SCOPE
from models.contracts.approvals import ApprovalDecision
from models.contracts.names import DECIDE_APPROVAL_UPDATE, approval_workflow_id
from models.tables import ApprovalRow
from models.trading.answers import Answer
from models.trading.governance.approval import ApprovalStatus
from models.trading.governance.rights import Action

router = APIRouter(prefix="/approvals", tags=["approvals"], dependencies=[Depends(authenticate)])

ApprovalId = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[0-9A-Za-z-]+$")]


@router.get("")
async def list_approvals(
    request: Request, *, pending: Annotated[bool, Query()] = False, limit: PageSize = 100
) -> list[Approval]:
    """List requests for approval of every account, newest first; ``pending`` leaves the decided."""
    services = services_of(request)
    query = select(ApprovalRow).order_by(col(ApprovalRow.requested_at).desc()).limit(limit)
    if pending:
        query = query.where(ApprovalRow.status == ApprovalStatus.PENDING.value)
    found: list[Approval] = []
    for scope in await allowed(request, Action.ACCOUNT_READ, await _scopes(services)):
        async with services.database.account_scope(scope) as session:
            found += [Approval.model_validate(row) for row in await session.exec(query)]
    return sorted(found, key=lambda a: a.requested_at, reverse=True)[:limit]


@router.get("/{approval}")
async def get_approval(request: Request, approval: ApprovalId) -> Approval:
    """Return one request for approval."""
    row = await _require(services_of(request), approval)
    await require(request, Action.ACCOUNT_READ, row.account_id)
    return Approval.model_validate(row)


@router.post("/{approval}/approve", response_model=Answered)
async def approve(
    request: Request, approval: ApprovalId, body: Approve, caller: Caller, key: IdempotencyKey
) -> JSONResponse:
    """Approve what somebody else asked for: price and rules are judged again, then it is done."""
    return await _decide(request, approval, body, caller, key, approved=True)


@router.post("/{approval}/refuse", response_model=Answered)
async def refuse(
    request: Request, approval: ApprovalId, body: Refuse, caller: Caller, key: IdempotencyKey
) -> JSONResponse:
    """Refuse; who asked may do so too, which withdraws the request."""
    return await _decide(request, approval, body, caller, key, approved=False)


async def _decide(
    request: Request,
    approval: str,
    body: Approve | Refuse,
    caller: Caller,
    key: str,
    *,
    approved: bool,
) -> JSONResponse:
    services = services_of(request)
    row = await _require(services, approval)
    action = Action.APPROVAL_APPROVE if approved else Action.APPROVAL_REFUSE
    await require(request, action, row.account_id)
    command = command_of(request, row.account_id, key, caller, body)

    async def act() -> Response:
        if approved:
            await refuse_revoked(services.database, row.requested_by, row.subject)
        decision = ApprovalDecision(
            request_id=command.request_id,
            by=caller.name,
            approved=approved,
            reason=body.reason or "",
            market=await market_of(services, row.symbol),
            at=datetime.now(UTC),
        )
        workflow_id = approval_workflow_id(row.account_id, approval)
        try:
            answer = await update_workflow(
                services, workflow_id, DECIDE_APPROVAL_UPDATE, decision, command.request_id, Answer
            )
        except ProblemError as problem:
            if problem.code == NOT_RUNNING:
                _refuse_decided(await _require(services, approval))
            raise
        return answered(answer, row.account_id, HTTPStatus.OK)

    return await run_once(services, command, act)


async def _scopes(services: Services) -> list[str]:
    return [*await services.database.accounts(), PLATFORM_SCOPE]


async def _require(services: Services, approval: str) -> ApprovalRow:
    for scope in await _scopes(services):
        async with services.database.account_scope(scope) as session:
            row = await session.get(ApprovalRow, (scope, approval))
        if row is not None:
            return row
    raise ProblemError(
        HTTPStatus.NOT_FOUND, "unknown-approval", f"No request for approval {approval}."
    )


def _refuse_decided(row: ApprovalRow) -> None:
    if ApprovalStatus(row.status).is_final:
        raise ProblemError(
            HTTPStatus.CONFLICT, "approval-decided", f"The request is {row.status} already."
        )

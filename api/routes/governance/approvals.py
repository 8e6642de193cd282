"""Requests for approval: what waits for a person, and their decisions."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import JSONResponse
from sqlmodel import col, select

from api.access.admission import allowed, require
from api.approvals.deciding import decide
from api.approvals.freezing import may_break_glass
from api.approvals.requests import find_approval, require_to_approve, scopes
from api.approvals.since import changes_since
from api.http.authentication import Caller, authenticate
from api.http.commands import IdempotencyKey, Response, answered, command_of, run_once
from api.messages.bodies import PageSize
from api.messages.decisions import Approval, Approve, Refuse
from api.messages.schemas import Answered
from api.services import services_of
from models.tables import ApprovalRow
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
    for scope in await allowed(request, Action.ACCOUNT_READ, await scopes(services)):
        async with services.database.account_scope(scope) as session:
            found += [Approval.model_validate(row) for row in await session.exec(query)]
    return sorted(found, key=lambda a: a.requested_at, reverse=True)[:limit]


@router.get("/{approval}")
async def get_approval(request: Request, approval: ApprovalId) -> Approval:
    """Return one request for approval."""
    services = services_of(request)
    row = await find_approval(services, approval)
    await require(request, Action.ACCOUNT_READ, row.account_id)
    shown = Approval.model_validate(row)
    return shown.model_copy(update={"changes_since": await changes_since(services, row)})


@router.post(
    "/{approval}/approve", response_model=Answered, dependencies=[Depends(may_break_glass)]
)
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
    row = await find_approval(services, approval)
    if approved:
        await require_to_approve(request, row)
    else:
        await require(request, Action.APPROVAL_REFUSE, row.account_id)
    command = command_of(request, row.account_id, key, caller, body)

    async def act() -> Response:
        answer = await decide(request, command, row, body.reason or "", approved=approved)
        return await answered(services, answer, row.account_id, HTTPStatus.OK)

    return await run_once(services, command, act)

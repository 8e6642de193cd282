"""The hedge of an account: how it stands, its history, and setting it by hand."""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from sqlalchemy import func
from sqlmodel import col, select

from api.http import reading
from api.http.authentication import Caller, authenticate
from api.http.commands import (
    IdempotencyKey,
    Response,
    answered,
    command_of,
    run_once,
    update_workflow,
)
from api.http.problems import ProblemError
from api.messages.bodies import AccountName, PageSize, Whole
from api.messages.decisions import Hedge, HedgeReview, OverrideHedge
from api.messages.schemas import Answered
from api.services import Services, services_of
from models.contracts.names import (
    CLEAR_HEDGE_UPDATE,
    OVERRIDE_HEDGE_UPDATE,
    account_workflow_id,
)
from models.tables import HedgeReviewRow, MarketSnapshotRow
from models.trading.account.hedge.facts import HedgeClearRequested, HedgeOverrideRequested
from models.trading.answers import Answer

router = APIRouter(
    prefix="/accounts/{account}/hedge", tags=["hedge"], dependencies=[Depends(authenticate)]
)


@router.get("")
async def get_hedge(request: Request, account: AccountName) -> Hedge:
    """Return the hedge as it was last looked at."""
    services = services_of(request)
    await reading.require_account(services.database, account)
    rows = await _reviews(services, account, 1, None)
    latest = HedgeReview.model_validate(rows[0]) if rows else None
    if latest is None or latest.target is None:
        return Hedge(account=account, state="off", latest=latest)
    by_hand = latest.override_share is not None
    return Hedge(account=account, state="override" if by_hand else "automatic", latest=latest)


@router.get("/history")
async def list_hedge_reviews(
    request: Request, account: AccountName, *, before: Whole = None, limit: PageSize = 100
) -> list[HedgeReview]:
    """List reviews of the hedge, newest first; ``before`` passes over that many."""
    services = services_of(request)
    await reading.require_account(services.database, account)
    rows = await _reviews(services, account, limit, before)
    return [HedgeReview.model_validate(row) for row in rows]


@router.post("/override", status_code=HTTPStatus.ACCEPTED, response_model=Answered)
async def override_hedge(
    request: Request, account: AccountName, body: OverrideHedge, caller: Caller, key: IdempotencyKey
) -> JSONResponse:
    """Set the share in USD by hand; it stands over restarts until it expires or is cleared."""
    services = services_of(request)
    await reading.require_account(services.database, account)
    command = command_of(request, account, key, caller, body)

    async def act() -> Response:
        seconds = body.expires_after_seconds
        fact = HedgeOverrideRequested(
            request_id=command.request_id,
            by=caller.name,
            share=body.share,
            reason=body.reason,
            market_at=await _market_time(services),
            at=datetime.now(UTC),
            expires_after=None if seconds is None else timedelta(seconds=seconds),
        )
        answer = await update_workflow(
            services,
            account_workflow_id(account),
            OVERRIDE_HEDGE_UPDATE,
            fact,
            command.request_id,
            Answer,
        )
        return await answered(services, answer, account, HTTPStatus.ACCEPTED)

    return await run_once(services, command, act)


@router.delete("/override", status_code=HTTPStatus.ACCEPTED, response_model=Answered)
async def clear_hedge_override(
    request: Request, account: AccountName, caller: Caller, key: IdempotencyKey
) -> JSONResponse:
    """Give the hedge back to the formula."""
    services = services_of(request)
    await reading.require_account(services.database, account)
    command = command_of(request, account, key, caller)

    async def act() -> Response:
        fact = HedgeClearRequested(
            command.request_id, caller.name, "back to automatic", datetime.now(UTC)
        )
        answer = await update_workflow(
            services,
            account_workflow_id(account),
            CLEAR_HEDGE_UPDATE,
            fact,
            command.request_id,
            Answer,
        )
        return await answered(services, answer, account, HTTPStatus.ACCEPTED)

    return await run_once(services, command, act)


async def _reviews(
    services: Services, account: str, limit: int, skip: int | None
) -> list[HedgeReviewRow]:
    query = select(HedgeReviewRow).order_by(col(HedgeReviewRow.number).desc()).limit(limit)
    async with services.database.account_scope(account) as session:
        return list(await session.exec(query.offset(skip or 0)))


async def _market_time(services: Services) -> datetime:
    async with services.database.no_scope() as session:
        newest = (await session.exec(select(func.max(MarketSnapshotRow.observed_at)))).one()
    if newest is None:
        raise ProblemError(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "no-market-data",
            "No price is known yet.",
            lasting=False,
        )
    return newest

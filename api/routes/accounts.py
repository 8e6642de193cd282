"""Accounts: figures, positions, watches, halt, resume, mode."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse
from sqlalchemy import select

from api import reading
from api.authentication import Caller, authenticate
from api.commands import IdempotencyKey, answered, command_of, run_once, update_workflow
from api.schemas import Account, Answered, ChangeMode, Halt, Position, Watch
from api.services import services_of
from models.contracts.names import account_workflow_id
from models.tables.price_watches import PriceWatchRow
from models.trading.account_facts import Answer, HaltRequested, ModeChangeRequested, ResumeRequested

router = APIRouter(prefix="/accounts", tags=["accounts"], dependencies=[Depends(authenticate)])


@router.get("")
async def list_accounts(request: Request) -> list[Account]:
    """List every account with its figures."""
    services = services_of(request)
    market = await reading.snapshots(services.database)
    names = await services.database.accounts()
    return [await reading.account_view(services.database, name, market) for name in names]


@router.get("/{account}")
async def get_account(request: Request, account: str) -> Account:
    """Return one account with its figures."""
    services = services_of(request)
    await reading.require_account(services.database, account)
    market = await reading.snapshots(services.database)
    return await reading.account_view(services.database, account, market)


@router.get("/{account}/positions")
async def list_positions(request: Request, account: str) -> list[Position]:
    """List what the account holds through its open trades."""
    services = services_of(request)
    await reading.require_account(services.database, account)
    market = await reading.snapshots(services.database)
    return await reading.positions(services.database, account, market)


@router.get("/{account}/watches")
async def list_watches(
    request: Request, account: str, *, active: Annotated[bool, Query()] = True
) -> list[Watch]:
    """List the price watches of the account's trades."""
    services = services_of(request)
    await reading.require_account(services.database, account)
    query = select(PriceWatchRow).order_by(PriceWatchRow.trade, PriceWatchRow.watch_id)  # type: ignore[arg-type]
    if active:
        query = query.where(PriceWatchRow.triggered_at.is_(None))  # type: ignore[union-attr]
    async with services.database.account_scope(account) as session:
        found = await reading.rows(session, query)
    return [Watch.model_validate(row) for row in found]


@router.post("/{account}/halt", response_model=Answered)
async def halt(
    request: Request, account: str, body: Halt, caller: Caller, key: IdempotencyKey
) -> JSONResponse:
    """Stop entries of this account; positions stay protected."""
    services = services_of(request)
    await reading.require_account(services.database, account)
    command = command_of(request, account, key, caller, body)
    fact = HaltRequested(command.request_id, caller.name, body.reason, datetime.now(UTC))
    return await run_once(
        services, command, lambda: _ask(request, account, "halt", fact, command.request_id)
    )


@router.post("/{account}/resume", response_model=Answered)
async def resume(
    request: Request, account: str, caller: Caller, key: IdempotencyKey
) -> JSONResponse:
    """Lift the halt that a person requested; never a kill switch."""
    services = services_of(request)
    await reading.require_account(services.database, account)
    command = command_of(request, account, key, caller)
    fact = ResumeRequested(command.request_id, caller.name, datetime.now(UTC))
    return await run_once(
        services, command, lambda: _ask(request, account, "resume", fact, command.request_id)
    )


@router.put("/{account}/mode", response_model=Answered)
async def change_mode(
    request: Request, account: str, body: ChangeMode, caller: Caller, key: IdempotencyKey
) -> JSONResponse:
    """Change the account's mode; live is refused until its conditions can be checked."""
    services = services_of(request)
    await reading.require_account(services.database, account)
    command = command_of(request, account, key, caller, body)
    fact = ModeChangeRequested(command.request_id, caller.name, body.mode, datetime.now(UTC))
    return await run_once(
        services, command, lambda: _ask(request, account, "set_mode", fact, command.request_id)
    )


async def _ask(
    request: Request, account: str, update: str, fact: object, request_id: str
) -> tuple[int, dict[str, object]]:
    services = services_of(request)
    answer = await update_workflow(
        services, account_workflow_id(account), update, fact, request_id, Answer
    )
    return answered(answer, account, HTTPStatus.OK)

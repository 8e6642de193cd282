"""Accounts: figures, positions, watches, halt, resume, mode."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse
from sqlmodel import col, select

from api.access.admission import allowed
from api.approvals.freezing import may_break_glass, refuse_frozen
from api.http import reading
from api.http.authentication import Caller, authenticate
from api.http.commands import (
    Command,
    IdempotencyKey,
    Response,
    answered,
    command_of,
    run_once,
    update_workflow,
)
from api.http.problems import ProblemError
from api.messages.bodies import AccountName, ChangeMode, Halt
from api.messages.schemas import Account, Answered, Position, Watch
from api.queries import accounts
from api.services import Services, services_of
from models.contracts.names import (
    HALT_UPDATE,
    RESUME_UPDATE,
    SET_MODE_UPDATE,
    account_workflow_id,
)
from models.tables.trades.price_watches import PriceWatchRow
from models.trading.account.facts import HaltRequested, ModeChangeRequested, ResumeRequested
from models.trading.answers import Answer
from models.trading.governance.rights import Action
from models.trading.risk.limits import Mode

router = APIRouter(prefix="/accounts", tags=["accounts"], dependencies=[Depends(authenticate)])


@router.get("")
async def list_accounts(request: Request) -> list[Account]:
    """List every account with its figures."""
    services = services_of(request)
    market = await accounts.snapshots(services.database)
    names = await allowed(request, Action.ACCOUNT_READ, await services.database.accounts())
    return [await accounts.account_view(services.database, name, market) for name in names]


@router.get("/{account}")
async def get_account(request: Request, account: AccountName) -> Account:
    """Return one account with its figures."""
    services = services_of(request)
    await reading.require_account(services.database, account)
    market = await accounts.snapshots(services.database)
    return await accounts.account_view(services.database, account, market)


@router.get("/{account}/positions")
async def list_positions(request: Request, account: AccountName) -> list[Position]:
    """List what the account holds through its open trades."""
    services = services_of(request)
    await reading.require_account(services.database, account)
    market = await accounts.snapshots(services.database)
    return await accounts.positions(services.database, account, market)


@router.get("/{account}/watches")
async def list_watches(
    request: Request, account: AccountName, *, active: Annotated[bool, Query()] = True
) -> list[Watch]:
    """List the price watches of the account's trades."""
    services = services_of(request)
    await reading.require_account(services.database, account)
    order = (col(PriceWatchRow.trade), col(PriceWatchRow.watch_id))
    query = select(PriceWatchRow).order_by(*order)
    if active:
        query = query.where(col(PriceWatchRow.triggered_at).is_(None))
    async with services.database.account_scope(account) as session:
        return [Watch.model_validate(row) for row in await session.exec(query)]


@router.post("/{account}/halt", response_model=Answered)
async def halt_account(
    request: Request, account: AccountName, body: Halt, caller: Caller, key: IdempotencyKey
) -> JSONResponse:
    """Stop entries of this account; positions stay protected."""
    command = command_of(request, account, key, caller, body)
    fact = HaltRequested(command.request_id, caller.name, body.reason, datetime.now(UTC))
    return await _ask(services_of(request), command, HALT_UPDATE, fact)


@router.post("/{account}/resume", response_model=Answered)
async def resume_account(
    request: Request, account: AccountName, caller: Caller, key: IdempotencyKey
) -> JSONResponse:
    """Lift the halt that a person requested; never a kill switch."""
    command = command_of(request, account, key, caller)
    fact = ResumeRequested(command.request_id, caller.name, datetime.now(UTC))
    return await _ask(services_of(request), command, RESUME_UPDATE, fact)


@router.put("/{account}/mode", response_model=Answered, dependencies=[Depends(may_break_glass)])
async def change_mode(
    request: Request, account: AccountName, body: ChangeMode, caller: Caller, key: IdempotencyKey
) -> JSONResponse:
    """Change the account's mode; live only when every condition holds (``going-live``)."""
    if body.mode is Mode.LIVE and not caller.is_person:
        raise ProblemError(
            HTTPStatus.FORBIDDEN,
            "person-required",
            "Going live takes a person who has signed in.",
            lasting=False,
        )
    command = command_of(request, account, key, caller, body)
    if body.mode is Mode.LIVE:
        await refuse_frozen(request, command)
    fact = ModeChangeRequested(command.request_id, caller.name, body.mode, datetime.now(UTC))
    return await _ask(services_of(request), command, SET_MODE_UPDATE, fact)


async def _ask(services: Services, command: Command, update: str, fact: object) -> JSONResponse:
    account = command.scope
    await reading.require_account(services.database, account)

    async def act() -> Response:
        answer = await update_workflow(
            services, account_workflow_id(account), update, fact, command.request_id, Answer
        )
        return await answered(services, answer, account, HTTPStatus.OK)

    return await run_once(services, command, act)

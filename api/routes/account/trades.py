"""Trades: open, close, move the stop, list."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse
from sqlmodel import col, select

from api.http import reading
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
from api.http.margin import refuse_margin
from api.http.problems import ProblemError
from api.http.tracing import note_opened
from api.messages.bodies import AccountName, MoveStop, Number, OpenTrade, PageSize, Whole
from api.messages.decisions import ChangeExits
from api.messages.exits import exits_change
from api.messages.schemas import Answered, Trade
from api.messages.settings import EntryAssessed, entry_view
from api.messages.slippage import FillSlippageView
from api.messages.trade_preview import OpenPreviewedTrade, TradePreview
from api.messages.trade_story import TradeStory
from api.queries import accounts
from api.queries.market import last_price_of
from api.queries.trade_preview import open_request, refuse_expired, trade_preview
from api.queries.trade_story import trade_story
from api.services import Services, services_of
from models.contracts.names import (
    CHANGE_EXITS_UPDATE,
    CLOSE_TRADE_UPDATE,
    MOVE_STOP_UPDATE,
    OPEN_TRADE_UPDATE,
    account_workflow_id,
    trade_workflow_id,
)
from models.contracts.workflows import MoveStop as MoveStopUpdate
from models.tables.accounts.restoration import TradeStateRow
from models.tables.accounts.settings import EntryAssessmentRow
from models.tables.documents import entry_record, trade_state
from models.tables.trades.trades import TradeRow
from models.trading.account.facts import TradeCloseRequested
from models.trading.answers import Answer
from models.trading.exits.requests import ExitsChangeRequested
from models.trading.trade.slippage import slippages

router = APIRouter(
    prefix="/accounts/{account}/trades",
    tags=["trades"],
    dependencies=[Depends(authenticate), Depends(refuse_margin)],
)


@router.post("", status_code=HTTPStatus.ACCEPTED, response_model=Answered)
async def open_trade(
    request: Request,
    account: AccountName,
    body: OpenPreviewedTrade,
    caller: Caller,
    key: IdempotencyKey,
) -> JSONResponse:
    """Open a trade: sized, judged and placed by the account's workflow.

    The answer comes when the account has decided; the order's acknowledgement shows in the record.
    While positions wait for their stops no entry is accepted: 503 ``overloaded`` with Retry-After.
    """
    services = services_of(request)
    await reading.require_account(services.database, account)
    command = command_of(request, account, key, caller, body)

    async def act() -> Response:
        await refuse_expired(services, account, body, command, caller.name)
        fact = await open_request(services, body, command.request_id, caller.name)
        workflow_id = account_workflow_id(account)
        answer = await update_workflow(
            services, workflow_id, OPEN_TRADE_UPDATE, fact, command.request_id, Answer
        )
        note_opened(account, answer.trade)
        return await answered(services, answer, account, HTTPStatus.ACCEPTED)

    async with services.admission.admit(account):
        return await run_once(services, command, act)


@router.post("/preview")
async def preview_trade(
    request: Request, account: AccountName, body: OpenTrade, caller: Caller
) -> TradePreview:
    """Show what a trade would come to now: size, costs, limits after it; nothing is ordered."""
    services = services_of(request)
    await reading.require_account(services.database, account)
    return await trade_preview(services, account, body, caller.name)


@router.post("/{number}/close", status_code=HTTPStatus.ACCEPTED, response_model=Answered)
async def close_trade(
    request: Request, account: AccountName, number: Number, caller: Caller, key: IdempotencyKey
) -> JSONResponse:
    """Close a trade now, within its collar and at last at market; its stop goes only for that."""
    services = services_of(request)
    await reading.require_account(services.database, account)
    command = command_of(request, account, key, caller)

    async def act() -> Response:
        fact = TradeCloseRequested(command.request_id, caller.name, number, datetime.now(UTC))
        workflow_id = account_workflow_id(account)
        answer = await update_workflow(
            services, workflow_id, CLOSE_TRADE_UPDATE, fact, command.request_id, Answer
        )
        return await answered(services, answer, account, HTTPStatus.ACCEPTED)

    return await run_once(services, command, act)


@router.patch("/{number}/stop", status_code=HTTPStatus.ACCEPTED, response_model=Answered)
async def move_stop(
    request: Request,
    account: AccountName,
    number: Number,
    body: MoveStop,
    caller: Caller,
    key: IdempotencyKey,
) -> JSONResponse:
    """Move the exits of an open trade; never to a worse protection, nor beyond the market."""
    services = services_of(request)
    row = await reading.require_trade(services.database, account, number)
    command = command_of(request, account, key, caller, body)

    async def act() -> Response:
        prices = (body.stop_price, body.take_profit_price)
        at, price = datetime.now(UTC), await last_price_of(services, row.symbol)
        fact = MoveStopUpdate(command.request_id, caller.name, at, *prices, price)
        workflow_id = trade_workflow_id(account, number)
        try:
            answer = await update_workflow(
                services, workflow_id, MOVE_STOP_UPDATE, fact, command.request_id, Answer
            )
        except ProblemError as problem:
            if problem.code == NOT_RUNNING:
                await _refuse_absent(services, account, number)
            raise
        return await answered(services, answer, account, HTTPStatus.ACCEPTED)

    return await run_once(services, command, act)


@router.patch("/{number}/exits", status_code=HTTPStatus.ACCEPTED, response_model=Answered)
async def change_exits(
    request: Request,
    account: AccountName,
    number: Number,
    body: ChangeExits,
    caller: Caller,
    key: IdempotencyKey,
) -> JSONResponse:
    """Change any exit of an open trade; what protects it less waits for a second person."""
    services = services_of(request)
    row = await reading.require_trade(services.database, account, number)
    command = command_of(request, account, key, caller, body)

    async def act() -> Response:
        fact = ExitsChangeRequested(
            request_id=command.request_id,
            by=caller.name,
            change=exits_change(body),
            price=await last_price_of(services, row.symbol),
            at=datetime.now(UTC),
        )
        workflow_id = trade_workflow_id(account, number)
        try:
            answer = await update_workflow(
                services, workflow_id, CHANGE_EXITS_UPDATE, fact, command.request_id, Answer
            )
        except ProblemError as problem:
            if problem.code == NOT_RUNNING:
                await _refuse_absent(services, account, number)
            raise
        return await answered(services, answer, account, HTTPStatus.ACCEPTED)

    return await run_once(services, command, act)


@router.get("")
async def list_trades(
    request: Request,
    account: AccountName,
    *,
    only_open: Annotated[bool, Query(alias="open")] = False,
    before: Whole = None,
    limit: PageSize = 100,
) -> list[Trade]:
    """List trades, newest first; ``before`` pages by trade number."""
    services = services_of(request)
    await reading.require_account(services.database, account)
    query = select(TradeRow).order_by(col(TradeRow.number).desc()).limit(limit)
    if only_open:
        query = query.where(TradeRow.phase != accounts.SETTLED)
    if before is not None:
        query = query.where(TradeRow.number < before)
    async with services.database.account_scope(account) as session:
        return [Trade.model_validate(row) for row in await session.exec(query)]


@router.get("/{number}/assessment")
async def get_assessment(request: Request, account: AccountName, number: Number) -> EntryAssessed:
    """Return what the trade's entry was decided by: caps and which bound, checks, costs."""
    services = services_of(request)
    await reading.require_trade(services.database, account, number)
    async with services.database.account_scope(account) as session:
        row = await session.get(EntryAssessmentRow, (account, number))
    if row is None:
        detail = f"Trade {number} has none: it is older than assessments, or not written yet."
        raise ProblemError(HTTPStatus.NOT_FOUND, "not-found", detail, lasting=False)
    return entry_view(entry_record(row.assessment))


@router.get("/{number}/story")
async def get_trade_story(request: Request, account: AccountName, number: Number) -> TradeStory:
    """Return the trade's idea, executions, audit rows and bars, and where its workflow is shown."""
    services = services_of(request)
    row = await reading.require_trade(services.database, account, number)
    return await trade_story(services, account, row)


@router.get("/{number}")
async def get_trade(request: Request, account: AccountName, number: Number) -> Trade:
    """Return one trade."""
    services = services_of(request)
    return Trade.model_validate(await reading.require_trade(services.database, account, number))


@router.get("/{number}/slippage")
async def list_slippage(
    request: Request, account: AccountName, number: Number
) -> list[FillSlippageView]:
    """List each execution of a trade against the price it was decided at; positive is worse."""
    services = services_of(request)
    await reading.require_trade(services.database, account, number)
    async with services.database.account_scope(account) as session:
        row = await session.get(TradeStateRow, (account, number))
    measured = () if row is None else slippages(trade_state(row.state))
    return [FillSlippageView.model_validate(one) for one in measured]


async def _refuse_absent(services: Services, account: str, number: int) -> None:
    # A trade's workflow runs before its first row is written, so the record is asked second.
    row = await reading.require_trade(services.database, account, number)
    if row.phase == accounts.SETTLED:
        raise ProblemError(
            HTTPStatus.CONFLICT, "trade-settled", f"Trade {number} is settled: nothing is held."
        )

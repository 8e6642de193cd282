"""Trades and orders: open, close, move the stop, list."""

import asyncio
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse
from sqlalchemy import select

from api import reading
from api.authentication import Caller, authenticate
from api.commands import (
    IdempotencyKey,
    answered,
    command_of,
    connected,
    run_once,
    update_workflow,
)
from api.problems import ProblemError
from api.schemas import Answered, MoveStop, OpenTrade, Order, Trade
from api.services import Services, services_of
from models.contracts.names import account_workflow_id, trade_workflow_id
from models.contracts.workflows import MoveStop as MoveStopUpdate
from models.tables.market import MarketSnapshotRow
from models.tables.orders import OrderRow
from models.tables.trades import TradeRow
from models.trading.account_facts import Answer, OpenRequested, TradeCloseRequested

router = APIRouter(prefix="/accounts/{account}", dependencies=[Depends(authenticate)])

MARGIN_FIELDS = {"leverage", "margin", "reduce_only", "short", "futures", "derivative"}
Page = Annotated[int, Query(ge=1, le=500)]


async def refuse_margin(request: Request, account: str, caller: Caller) -> None:
    """Refuse and audit anything that asks for margin, leverage or derivatives (T-1)."""
    try:
        body = await request.json()
    except ValueError:
        return
    asked = sorted(MARGIN_FIELDS & body.keys()) if isinstance(body, dict) else []
    if not asked:
        return
    services = services_of(request)
    await reading.require_account(services.database, account)
    await services.journal.audit(
        account, caller.name, "margin_refused", {"fields": ", ".join(asked)}, ""
    )
    raise ProblemError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "margin-refused",
        f"Spot only: no margin, no leverage, no derivatives ({', '.join(asked)}).",
    )


@router.post(
    "/trades",
    status_code=HTTPStatus.ACCEPTED,
    response_model=Answered,
    tags=["trades"],
    dependencies=[Depends(refuse_margin)],
)
async def open_trade(
    request: Request, account: str, body: OpenTrade, caller: Caller, key: IdempotencyKey
) -> JSONResponse:
    """Open a trade: sized, judged and placed by the account's workflow.

    The answer comes when the account has decided; the order's acknowledgement shows in the record.
    """
    services = services_of(request)
    command = command_of(request, account, key, caller, body)

    async def act() -> tuple[int, dict[str, Any]]:
        fact = OpenRequested(
            request_id=command.request_id,
            by=caller.name,
            symbol=body.symbol,
            order_type=body.order_type,
            stop_price=body.stop_price,
            market=market,
            at=datetime.now(UTC),
            quantity=body.quantity,
            limit_price=body.limit_price,
            take_profit_price=body.take_profit_price,
            trailing_distance=body.trailing_distance,
            protection=body.protection,
        )
        answer = await update_workflow(
            services, account_workflow_id(account), "open_trade", fact, command.request_id, Answer
        )
        return answered(answer, account, HTTPStatus.ACCEPTED)

    _, market = await asyncio.gather(
        reading.require_account(services.database, account), _market(services, body.symbol)
    )
    return await run_once(services, command, act)


@router.post(
    "/trades/{number}/close",
    status_code=HTTPStatus.ACCEPTED,
    response_model=Answered,
    tags=["trades"],
)
async def close_trade(
    request: Request, account: str, number: int, caller: Caller, key: IdempotencyKey
) -> JSONResponse:
    """Close a trade now, at market; the stop is dropped only to place the exit."""
    services = services_of(request)
    await reading.require_account(services.database, account)
    command = command_of(request, account, key, caller)

    async def act() -> tuple[int, dict[str, Any]]:
        fact = TradeCloseRequested(command.request_id, caller.name, number, datetime.now(UTC))
        answer = await update_workflow(
            services, account_workflow_id(account), "close_trade", fact, command.request_id, Answer
        )
        return answered(answer, account, HTTPStatus.ACCEPTED)

    return await run_once(services, command, act)


@router.patch(
    "/trades/{number}/stop",
    status_code=HTTPStatus.ACCEPTED,
    response_model=Answered,
    tags=["trades"],
)
async def move_stop(
    request: Request, account: str, number: int, body: MoveStop, caller: Caller, key: IdempotencyKey
) -> JSONResponse:
    """Move the exits of an open trade; never to a worse protection."""
    services = services_of(request)
    await _require_trade(services, account, number)
    command = command_of(request, account, key, caller, body)

    async def act() -> tuple[int, dict[str, Any]]:
        connected(services)
        message = MoveStopUpdate(
            command.request_id,
            caller.name,
            datetime.now(UTC),
            body.stop_price,
            body.take_profit_price,
        )
        answer = await update_workflow(
            services,
            trade_workflow_id(account, number),
            "move_stop",
            message,
            command.request_id,
            Answer,
        )
        return answered(answer, account, HTTPStatus.ACCEPTED)

    return await run_once(services, command, act)


@router.get("/trades", tags=["trades"])
async def list_trades(
    request: Request,
    account: str,
    *,
    only_open: Annotated[bool, Query(alias="open")] = False,
    before: Annotated[int | None, Query()] = None,
    limit: Page = 100,
) -> list[Trade]:
    """List trades, newest first; ``before`` pages by trade number."""
    services = services_of(request)
    await reading.require_account(services.database, account)
    query = select(TradeRow).order_by(TradeRow.number.desc()).limit(limit)  # type: ignore[attr-defined]
    if only_open:
        query = query.where(TradeRow.phase != reading.SETTLED)  # type: ignore[arg-type]
    if before is not None:
        query = query.where(TradeRow.number < before)  # type: ignore[arg-type]
    async with services.database.account_scope(account) as session:
        found = await reading.rows(session, query)
    return [Trade.model_validate(row) for row in found]


@router.get("/trades/{number}", tags=["trades"])
async def get_trade(request: Request, account: str, number: int) -> Trade:
    """Return one trade."""
    return Trade.model_validate(await _require_trade(services_of(request), account, number))


@router.get("/orders", tags=["orders"])
async def list_orders(
    request: Request,
    account: str,
    *,
    only_open: Annotated[bool, Query(alias="open")] = False,
    trade: Annotated[int | None, Query()] = None,
    limit: Page = 100,
) -> list[Order]:
    """List orders, newest first."""
    services = services_of(request)
    await reading.require_account(services.database, account)
    query = select(OrderRow).order_by(OrderRow.intended_at.desc()).limit(limit)  # type: ignore[attr-defined]
    if only_open:
        query = query.where(OrderRow.ended_at.is_(None))  # type: ignore[union-attr]
    if trade is not None:
        query = query.where(OrderRow.trade == trade)  # type: ignore[arg-type]
    async with services.database.account_scope(account) as session:
        found = await reading.rows(session, query)
    return [Order.model_validate(row) for row in found]


async def _market(services: Services, symbol: str) -> Any:
    async with services.database.no_scope() as session:
        row = await session.get(MarketSnapshotRow, symbol)
    return None if row is None else row.snapshot()


async def _require_trade(services: Services, account: str, number: int) -> TradeRow:
    await reading.require_account(services.database, account)
    async with services.database.account_scope(account) as session:
        row = await session.get(TradeRow, (account, number))
    if row is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, "unknown-trade", f"No trade {number}.")
    return row

"""Orders: as intended, and as the exchange reports them."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from sqlmodel import col, select

from api.http import reading
from api.http.authentication import authenticate
from api.messages.bodies import AccountName, PageSize, Whole
from api.messages.schemas import Order
from api.services import services_of
from models.tables.trades.orders import OrderRow

router = APIRouter(
    prefix="/accounts/{account}/orders", tags=["orders"], dependencies=[Depends(authenticate)]
)


@router.get("")
async def list_orders(
    request: Request,
    account: AccountName,
    *,
    only_open: Annotated[bool, Query(alias="open")] = False,
    trade: Whole = None,
    limit: PageSize = 100,
) -> list[Order]:
    """List orders, newest first."""
    services = services_of(request)
    await reading.require_account(services.database, account)
    query = select(OrderRow).order_by(col(OrderRow.intended_at).desc()).limit(limit)
    if only_open:
        query = query.where(col(OrderRow.ended_at).is_(None))
    if trade is not None:
        query = query.where(OrderRow.trade == trade)
    async with services.database.account_scope(account) as session:
        return [Order.model_validate(row) for row in await session.exec(query)]

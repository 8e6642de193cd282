"""The limits of an account on losses and open risk, and how near it is to each."""

from fastapi import APIRouter, Depends, Request

from api.http import reading
from api.http.authentication import authenticate
from api.messages.bodies import AccountName
from api.messages.limits import LimitView
from api.queries import accounts
from api.queries.limits import account_limits_now
from api.services import services_of

router = APIRouter(tags=["capital"], dependencies=[Depends(authenticate)])


@router.get("/accounts/{account}/limits")
async def list_limits(request: Request, account: AccountName) -> list[LimitView]:
    """List the limits on losses and open risk at the last prices, and how much of each is used."""
    database = services_of(request).database
    await reading.require_account(database, account)
    market = await accounts.snapshots(database)
    found = await account_limits_now(database, account, market)
    return [LimitView.model_validate(limit) for limit in found]

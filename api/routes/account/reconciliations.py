"""Reconciliations: what was compared, what was repaired, and orders on a key that are not ours."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from api.http import reading
from api.http.authentication import authenticate
from api.messages.bodies import AccountName, PageSize, Whole
from api.queries import reconciling
from api.queries.reconciling import Reconciliation, UnknownOrder
from api.services import services_of

router = APIRouter(
    prefix="/accounts/{account}", tags=["reconciliations"], dependencies=[Depends(authenticate)]
)


@router.get("/reconciliations")
async def list_reconciliations(
    request: Request,
    account: AccountName,
    *,
    before: Whole = None,
    complete: Annotated[bool | None, Query()] = None,
    eventful: Annotated[bool, Query()] = False,
    limit: PageSize = 100,
) -> list[Reconciliation]:
    """List comparisons with the exchange, newest first; ``before`` pages by number.

    ``complete`` picks whole comparisons or what the stream met in between, ``eventful`` those that
    found or repaired something.
    """
    database = services_of(request).database
    await reading.require_account(database, account)
    return await reconciling.reconciliations(
        database, account, before=before, complete=complete, eventful=eventful, limit=limit
    )


@router.get("/unknown-orders")
async def list_unknown_orders(
    request: Request, account: AccountName, *, limit: PageSize = 100
) -> list[UnknownOrder]:
    """List orders on the account's key that are not ours, latest first; nobody touches them."""
    database = services_of(request).database
    await reading.require_account(database, account)
    return await reconciling.unknown_orders(database, account, limit)

"""Strategies: what each is, who follows it, what it has earned."""

from fastapi import APIRouter, Depends, Request

from api.access.admission import allowed
from api.http.authentication import authenticate
from api.messages.strategies import StrategyView
from api.queries.research.strategies import strategies
from api.services import services_of
from models.trading.governance.rights import Action

router = APIRouter(prefix="/strategies", tags=["strategies"], dependencies=[Depends(authenticate)])


@router.get("")
async def list_strategies(request: Request) -> list[StrategyView]:
    """List every strategy with its followers and evidence, of accounts that the caller may see."""
    database = services_of(request).database
    names = await allowed(request, Action.ACCOUNT_READ, await database.accounts())
    return await strategies(database, names)

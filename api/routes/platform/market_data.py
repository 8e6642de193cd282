"""The market's data: figures of book and trade flow, doubts, sentiment, and how it is brought."""

from fastapi import APIRouter, Depends, Request

from api.http.authentication import authenticate
from api.messages.bodies import PageSize
from api.messages.market_data import (
    MarketDataWorkView,
    MarketDoubtView,
    MarketFiguresView,
    SentimentView,
)
from api.queries.data.market import data_work, doubts, figures, sentiment
from api.services import services_of

router = APIRouter(tags=["market"], dependencies=[Depends(authenticate)])


@router.get("/market/figures")
async def list_market_figures(
    request: Request, *, symbol: str, limit: PageSize = 100
) -> list[MarketFiguresView]:
    """List spread, imbalance, depth, microprice and signed volume by minute, newest first."""
    return await figures(services_of(request).database, symbol, limit)


@router.get("/market/doubts")
async def list_market_doubts(request: Request, *, limit: PageSize = 100) -> list[MarketDoubtView]:
    """List what a second source of prices found, first what stands, then the newest."""
    return await doubts(services_of(request).database, limit)


@router.get("/market/sentiment")
async def list_market_sentiment(request: Request, *, limit: PageSize = 100) -> list[SentimentView]:
    """List the market's mood as its sources told it, newest first; empty where none is asked."""
    return await sentiment(services_of(request).database, limit)


@router.get("/market/data-work")
async def list_market_data_work(request: Request) -> list[MarketDataWorkView]:
    """List what is brought from outside on a schedule, and how its last run went."""
    return await data_work(services_of(request).database)

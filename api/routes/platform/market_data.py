"""The market's data: figures of book and trade flow, doubts, sentiment, and how it is brought."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from api.http.authentication import authenticate
from api.http.problems import ProblemError
from api.messages.backtests import INTERVAL_MAXIMUM
from api.messages.bodies import Moment, PageSize
from api.messages.market_data import (
    MarketCandleView,
    MarketDataWorkView,
    MarketDoubtView,
    MarketFiguresView,
    SentimentView,
)
from api.queries.data.market import candles, data_work, doubts, figures, sentiment
from api.services import services_of

router = APIRouter(tags=["market"], dependencies=[Depends(authenticate)])


@router.get("/market/candles")
async def list_market_candles(
    request: Request,
    *,
    symbol: Annotated[str, Query(min_length=3, max_length=30, pattern=r"^[A-Z0-9.]+/[A-Z0-9.]+$")],
    interval_minutes: Annotated[int, Query(ge=1, le=INTERVAL_MAXIMUM)],
    begin: Moment | None = None,
    end: Moment | None = None,
    limit: PageSize = 100,
) -> list[MarketCandleView]:
    """List the record's closed bars of a pair from begin up to and without end, newest first."""
    if any(moment is not None and moment.tzinfo is None for moment in (begin, end)):
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", "begin and end have a time zone."
        )
    database = services_of(request).database
    return await candles(database, symbol, interval_minutes, begin, end, limit)


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
